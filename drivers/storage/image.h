/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images are made, converted and resized by qemu-img, a child that ends with the daemon. It gets its files
 * by descriptors: no other path is opened but that of a backing file. Passphrases are descriptors, too. */

#include "core/job.h"
#include "model/storage-volume.h"

typedef struct Image {
        int folder_fd; /* with `name`: a file of the folder ... */
        const char *name;
        int fd;                /* ... or, without a name, this open file */
        const char *format;    /* as image_check() gives it */
        int key_fd;            /* of a file with the passphrase; 0: it is not encrypted */
        const char *data_name; /* a file of its folder where the data shall be; NULL: in the image */
        const char *data_path; /* what the image says of that */
} Image;

/* What qemu-img calls the format; "raw" where the volume says nothing. Refuses what cannot be made, and what
 * is asked of a format that has no such thing. */
int image_check(const StorageVolumeDefinition *definition, bool preallocate, const char **ret_format,
                Error *error);

/* A new file, or two. Without a capacity it gets that of its backing file. */
int image_create(const Image *image, const StorageVolumeDefinition *definition, bool preallocate,
                 Error *error) AWAITS;
/* A new file with the content of another. The job (or NULL) is told how much of its total is done. */
int image_convert(const Image *image, const StorageVolumeDefinition *definition, bool preallocate,
                  const Image *source, Job *job, Error *error) AWAITS;
int image_resize(const Image *image, uint64_t capacity, bool shrink, bool allocate, Error *error) AWAITS;
