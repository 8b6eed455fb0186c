/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libblkid and libmount tell of the host, asked by workers: a device or a server may be slow to answer,
 * and is given up after a while. */

#include "core/error.h"

/* A block device that nothing uses: 0. Errors name `pool`: it is not there, it is none, or something of the
 * host (a mount, another device) uses it. */
int look_unused_device(const char *pool, const char *path, Error *error) AWAITS;
/* A disk that no machine has as a whole: 0. Its partitions may be in use. */
int look_disk(const char *pool, const char *path, Error *error) AWAITS;
/* 0 if there is no signature of a file system, partition table or the like on it. */
int look_empty_device(const char *pool, const char *path, Error *error) AWAITS;
/* 1 if something is mounted at `target`, with its source, which the caller frees; 0 if not. The topmost one
 * counts.
 */
int look_mount(const char *target, char **ret_source, Error *error) AWAITS;
/* Whether both are the same block device, by whatever names. */
int look_is_same_device(const char *a, const char *b, Error *error) AWAITS;
/* The link in `folder` that leads to the device, or, if there is none, the device's own path. The caller
 * frees. */
int look_stable_path(const char *folder, const char *device, char **ret_path, Error *error) AWAITS;
