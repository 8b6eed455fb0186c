/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type scsi: the disks behind a host adapter, by its number. */

#include "drivers/storage/luns.h"
#include <unistd.h>

#define HOSTS_FOLDER "/sys/class/scsi_host"

static int host_of(const StoragePoolDefinition *pool, unsigned *ret_host, Error *error)
{
        const PoolAdapter *adapter = pool->source.adapter;
        _cleanup_(freep) char *path = NULL;

        if (adapter->type != POOL_ADAPTER_SCSI_HOST || !adapter->name)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "pool '%s': adapters are found by <adapter type='scsi_host' name='host...'/> only",
                        pool->name);
        path = g_build_filename(HOSTS_FOLDER, adapter->name, NULL);
        if (luns_host_number(adapter->name, ret_host) < 0 || access(path, F_OK) < 0)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "pool '%s': this host has no SCSI adapter '%s'", pool->name, adapter->name);
        return 0;
}

static int scsi_start(const StoragePoolDefinition *pool, bool is_resumed, Error *error) AWAITS
{
        unsigned host;

        (void)is_resumed; /* nothing is brought up */
        return host_of(pool, &host, error);
}

static int scsi_list(const StoragePoolDefinition *pool, GPtrArray **ret_entries, BackendSizes *ret_sizes,
                     Error *error) AWAITS
{
        unsigned host;
        int r = host_of(pool, &host, error);

        return r < 0 ? r : luns_list(pool, host, ret_entries, ret_sizes, error);
}

const Backend backend_scsi = {
        .start = scsi_start,
        .list = scsi_list,
};
