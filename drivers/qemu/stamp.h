/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When two answers of a binary about itself must be the same. */

#include "core/error.h"

/* The processor as /proc/cpuinfo tells it. Reads it, once is enough. */
typedef struct HostProcessor {
        char *vendor;   /* "GenuineIntel"; NULL: the file does not say */
        char *checksum; /* of what a guest could notice */
} HostProcessor;

void host_processor_read(HostProcessor *ret_processor);
void host_processor_clear(HostProcessor *processor);

/* One line that differs whenever the binary, its modules, the kernel, the processor or the use of KVM do.
 * Blocks. The caller frees. */
int stamp_make(const char *binary, const HostProcessor *processor, char **ret_stamp, Error *error);
