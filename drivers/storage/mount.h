/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Mounting for pools that have a file system of their own: nosuid and nodev always. */

#include "model/storage-pool.h"

typedef struct MountSource {
        const char *source, *type, *options; /* as mount(8) takes them; type and options may be NULL */
        bool is_device;
} MountSource;

/* What is mounted at the pool's path already is an error, unless the pool is_resumed and it is that source.
 */
int mount_start(const StoragePoolDefinition *pool, const MountSource *source, bool is_resumed,
                Error *error) AWAITS;
/* Nothing to do if something else, or nothing, is mounted there. */
int mount_stop(const StoragePoolDefinition *pool, const char *source, Error *error) AWAITS;
