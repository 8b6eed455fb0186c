/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type dir: a folder. Building one overwrites nothing, so that all ways of it are one. */

#include "drivers/storage/backend.h"

static int dir_build(const StoragePoolDefinition *pool, BackendBuild how, Error *error) AWAITS
{
        (void)how;
        return files_make(pool->path, &pool->permissions, error);
}

static int dir_remove(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        return files_delete(pool->path, error);
}

const Backend backend_dir = {
        .is_folder = true,
        .build = dir_build,
        .remove = dir_remove,
};
