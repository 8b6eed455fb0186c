/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The data of volumes and their users: by a descriptor of the file, or moved to and from one of theirs. */

#include "driver.h"
#include "objects/storage.h"

int transfer_open_read(Call *call, StorageVolume *volume, int *ret_data, Error *error) AWAITS;
int transfer_open_write(Call *call, StorageVolume *volume, int *ret_data, Error *error) AWAITS;

/* As DriverType.upload_volume, download_volume. */
int transfer_upload(Call *call, StorageVolume *volume, int source, uint64_t offset, uint64_t length,
                    bool is_sparse, uint64_t *ret_count, Error *error) AWAITS;
int transfer_download(Call *call, StorageVolume *volume, int target, uint64_t offset, uint64_t length,
                      uint64_t *ret_count, Error *error) AWAITS;
