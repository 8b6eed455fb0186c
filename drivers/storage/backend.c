/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kinds of pools, by their types. */

#include "drivers/storage/backend.h"

const Backend *backend_of(PoolType type, bool is_in_memory)
{
        static const Backend none = {};
        static const Backend *const backends[] = {
                [POOL_TYPE_DIR] = &backend_dir,     [POOL_TYPE_FS] = &backend_fs,
                [POOL_TYPE_NETFS] = &backend_netfs, [POOL_TYPE_LOGICAL] = &backend_logical,
                [POOL_TYPE_DISK] = &backend_disk,   [POOL_TYPE_ISCSI] = &backend_iscsi,
                [POOL_TYPE_SCSI] = &backend_scsi,   [POOL_TYPE_MPATH] = &backend_mpath,
                [POOL_TYPE_RBD] = &backend_rbd,     [POOL_TYPE_ZFS] = &backend_zfs,
        };
        const Backend *backend = (size_t)type < G_N_ELEMENTS(backends) ? backends[type] : NULL;

        if (is_in_memory)
                return &backend_memory;
        return backend ? backend : &none;
}

int backend_refuse(const StoragePoolDefinition *pool, const char *what, Error *error)
{
        return error_set(error, ERROR_NOT_SUPPORTED,
                         "The storage pool '%s' is of type '%s': pools of this type have no %s here",
                         pool->name, pool_type_to_string(pool->type), what);
}
