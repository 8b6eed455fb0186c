/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Headers of disk images, which guests write. */

#include "model/volume-header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(error_clear) Error error = {};
        _cleanup_(volume_header_clear) VolumeHeader header = {};

        (void)volume_header_read(data, size, &header, &error);
        return 0;
}
