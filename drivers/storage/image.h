/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images are made, converted and resized by qemu-img, a child. It gets its files by descriptors of their
 * folder: no other path is opened but that of a backing file. */

#include "model/storage-volume.h"

/* What qemu-img calls the format; "raw" where the volume says nothing. Refuses what cannot be made, and what
 * is asked of a format that has no such thing. */
int image_check(const StorageVolumeDefinition *definition, bool preallocate, const char **ret_format,
                Error *error);

/* A new file `name`. Without a capacity it gets that of its backing file. */
int image_create(int folder_fd, const char *name, const StorageVolumeDefinition *definition,
                 const char *format, bool preallocate, Error *error) AWAITS;
/* A new file with the content of another. */
int image_convert(int folder_fd, const char *name, const StorageVolumeDefinition *definition,
                  const char *format, bool preallocate, int source_fd, const char *source_format,
                  Error *error) AWAITS;
int image_resize(int folder_fd, const char *name, const char *format, uint64_t capacity, bool shrink,
                 bool allocate, Error *error) AWAITS;
