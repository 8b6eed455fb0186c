/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What pools could be made of. */

#include "drivers/storage/backend.h"
#include "drivers/storage/pools.h"
#include <string.h>

int pools_find_sources(Call *call, const char *type, const char *spec, uint32_t flags, char **ret_xml,
                       Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *sources = storage_sources_new();
        _cleanup_(storage_source_freep) PoolSource *where = NULL;
        int number = enum_from_string(&pool_type_table, type);
        const Backend *backend;
        bool is_in_memory = call->driver->type->is_in_memory;
        int r = error_check_flags(error, "FindStoragePoolSources", flags, 0);

        if (r >= 0 && number < 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "FindStoragePoolSources: there is no type '%s' of pools", type);
        if (r >= 0 && spec && *spec)
                r = storage_source_parse(spec, strlen(spec), &where, error);
        if (r < 0)
                return r;
        backend = backend_of((PoolType)number, false);
        if (!backend->find_sources)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "FindStoragePoolSources: sources of type '%s' are not looked for", type);
        r = backend_of((PoolType)number, is_in_memory)->find_sources(where, sources, error);
        if (r >= 0)
                *ret_xml = storage_sources_format(sources);
        return r;
}

static const char *first_device(const PoolSource *source)
{
        return source->devices.count > 0 ? source->devices.items[0]->path : NULL;
}

static const char *first_host(const PoolSource *source)
{
        return source->hosts.count > 0 ? source->hosts.items[0]->name : NULL;
}

bool pools_have_same_source(const StoragePoolDefinition *a, const StoragePoolDefinition *b)
{
        const PoolSource *one = &a->source, *other = &b->source;

        if (a->type != b->type)
                return false;
        switch (a->type) {
        case POOL_TYPE_FS:
        case POOL_TYPE_DISK:
                return g_strcmp0(first_device(one), first_device(other)) == 0;
        case POOL_TYPE_LOGICAL:
        case POOL_TYPE_ZFS:
                return g_strcmp0(one->name, other->name) == 0;
        case POOL_TYPE_NETFS:
                return g_strcmp0(first_host(one), first_host(other)) == 0 &&
                       g_strcmp0(one->dir, other->dir) == 0;
        case POOL_TYPE_ISCSI:
        case POOL_TYPE_ISCSI_DIRECT:
                return g_strcmp0(first_host(one), first_host(other)) == 0 &&
                       g_strcmp0(first_device(one), first_device(other)) == 0;
        case POOL_TYPE_RBD:
                return g_strcmp0(first_host(one), first_host(other)) == 0 &&
                       g_strcmp0(one->name, other->name) == 0;
        default:
                return false;
        }
}
