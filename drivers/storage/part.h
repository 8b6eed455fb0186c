/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file that shall be a volume, or a volume's new content: it has a name of its own until all of it is
 * there. */

#include "core/error.h"
#include "drivers/storage/files.h"

char *part_name(void);
/* A new empty file, for reading and writing, with the lock of a writer. */
int part_create(int fd, const char *name, int *ret_fd, Error *error) AWAITS;
/* Brings what was written to an open file to the storage. */
int part_sync(int file, const char *name, Error *error) AWAITS;
/* Sets the size of an open file. */
int part_extend(int file, uint64_t size, const char *name, Error *error) AWAITS;
/* Makes the empty file `to` the content of `from` without copying it; `name` is for the error:
 * ERROR_NOT_SUPPORTED where the file system cannot. */
int part_share(int from, int to, const char *name, Error *error) AWAITS;
/* Puts the file `part` in the place of `name`, with owner and mode of `present_fd`, which must be what has
 * that name, and at least its size and `size`; all is on the disk then. */
int part_replace(int fd, const char *part, int part_fd, const char *name, int present_fd, uint64_t size,
                 Error *error) AWAITS;
