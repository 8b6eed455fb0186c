/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kinds of pools, by their types; introspection/documents.py makes the table in docs/status.md of this
 * one. */

#include "drivers/storage/backend.h"

typedef struct Kind {
        const Backend *backend; /* NULL: pools of the type can be defined only */
        const char *note;       /* how it was tested, or what is missing */
} Kind;

static const Kind kinds[] = {
        [POOL_TYPE_DIR] = { &backend_dir, "for real" },
        [POOL_TYPE_FS] = { &backend_fs, "for real, on loop devices: ext4, btrfs, xfs" },
        [POOL_TYPE_NETFS] = { &backend_netfs,
                              "NFS for real, in a throwaway machine; cifs and glusterfs not" },
        [POOL_TYPE_LOGICAL] = { &backend_logical, "for real, in a throwaway machine" },
        [POOL_TYPE_DISK] = { &backend_disk, "for real, on loop devices: gpt, dos" },
        [POOL_TYPE_ISCSI] = { &backend_iscsi, "for real, in a throwaway machine, with tgt, by CHAP too" },
        [POOL_TYPE_ISCSI_DIRECT] = { &backend_iscsi_direct,
                                     "for real, in a throwaway machine, with tgt, by CHAP too" },
        [POOL_TYPE_SCSI] = { &backend_scsi, "for real, in a throwaway machine" },
        [POOL_TYPE_MPATH] = { &backend_mpath, "for real, in a throwaway machine" },
        [POOL_TYPE_RBD] = { &backend_rbd, "against the tool's output" },
        [POOL_TYPE_ZFS] = { &backend_zfs, "against the tools' output" },
        [POOL_TYPE_GLUSTER] = { NULL, "no tool of QEMU lists the files of a gluster volume; type netfs with "
                                      "format "
                                      "glusterfs mounts it" },
        [POOL_TYPE_SHEEPDOG] = { NULL, "QEMU has no sheepdog any more" },
        [POOL_TYPE_VSTORAGE] = { NULL, "Debian has no tools for Virtuozzo Storage" },
};

static const Kind *kind_of(PoolType type)
{
        static const Kind none = {};

        return (size_t)type < G_N_ELEMENTS(kinds) ? &kinds[type] : &none;
}

const Backend *backend_of(PoolType type, bool is_in_memory)
{
        static const Backend none = {};
        const Backend *backend = is_in_memory ? &backend_memory : kind_of(type)->backend;

        return backend ? backend : &none;
}

int backend_refuse(const StoragePoolDefinition *pool, const char *what, Error *error)
{
        const Kind *kind = kind_of(pool->type);

        return error_set(error, ERROR_NOT_SUPPORTED,
                         "The storage pool '%s' is of type '%s': pools of this type have no %s here%s%s",
                         pool->name, pool_type_to_string(pool->type), what,
                         kind->backend || !kind->note ? "" : ": ",
                         kind->backend || !kind->note ? "" : kind->note);
}
