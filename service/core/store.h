/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that must survive: written to a temporary file, fsynced, renamed over the old one, and the folder
 * fsynced, before success is said. A failure leaves the old file as it was. Names are single path
 * components. */

#include "core/error.h"

/* Opens (and creates, with its parents, mode `mode`) a folder; returns its fd. Does not follow a link in the
 * last component. */
int store_open_folder(const char *path, mode_t mode, Error *error);

/* Replaces `name` in the folder by `size` bytes, mode `mode`. The disk's work is done by a worker when
 * called on a fiber, in place otherwise. */
int store_write(int folder_fd, const char *name, const void *data, size_t size, mode_t mode,
                Error *error) AWAITS;

/* Removes the file and fsyncs the folder; 0 also if it was not there. */
int store_remove(int folder_fd, const char *name, Error *error) AWAITS;

/* Renames within the folder, replacing nothing (EEXIST); fsyncs the folder. */
int store_rename(int folder_fd, const char *from, const char *to, Error *error) AWAITS;

/* Reads a whole regular file of at most max_size bytes, NUL-terminated beyond *ret_size. The caller frees
 * *ret_data. Blocks for the disk: for use at start, or through a worker. */
int store_read(int folder_fd, const char *name, size_t max_size, char **ret_data, size_t *ret_size,
               Error *error);

/* The names of all regular files that end in `suffix`, in order; removes temporary files that a crash left.
 */
int store_list(int folder_fd, const char *suffix, GPtrArray **ret_names, Error *error);

/* Calls `function` for every regular file whose name ends in `suffix` of store_list(). The first negative
 * result ends the walk and is returned. */
typedef int (*StoreVisit)(int folder_fd, const char *name, void *data);
int store_visit(int folder_fd, const char *suffix, StoreVisit visit, void *data, Error *error);
