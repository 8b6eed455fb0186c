/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Storage pools and volumes: lists, lookups and properties, for every driver that has them. */

#include "objects/storage.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "handlers.h"

static uint32_t pool_flags(const Object *object)
{
        const StoragePool *pool = (const StoragePool *)object;

        return find_life_flags(pool->is_active, pool->is_persistent, pool->is_autostart);
}

int connect_list_storage_pools(CallFrame *frame, uint32_t flags, GPtrArray **ret_pools, Error *error)
{
        return find_list(frame, OBJECT_STORAGE_POOL, flags, find_life_groups, pool_flags, ret_pools, error);
}

int connect_storage_pool_lookup_by_name(CallFrame *frame, const char *name, StoragePool **ret_storage_pool,
                                        Error *error)
{
        return find_by_name(frame, OBJECT_STORAGE_POOL, name, (Object **)ret_storage_pool, error);
}

int connect_storage_pool_lookup_by_uuid(CallFrame *frame, const char *uuid, StoragePool **ret_storage_pool,
                                        Error *error)
{
        return find_by_uuid(frame, OBJECT_STORAGE_POOL, uuid, (Object **)ret_storage_pool, error);
}

static const char *key_of(const Object *object)
{
        return ((const StorageVolume *)object)->key;
}

static const char *path_of(const Object *object)
{
        return ((const StorageVolume *)object)->path;
}

int connect_storage_vol_lookup_by_key(CallFrame *frame, const char *key, StorageVolume **ret_volume,
                                      Error *error)
{
        return find_by_text(frame, OBJECT_STORAGE_VOLUME, "key", key, key_of, (Object **)ret_volume, error);
}

int connect_storage_vol_lookup_by_path(CallFrame *frame, const char *path, StorageVolume **ret_volume,
                                       Error *error)
{
        return find_by_text(frame, OBJECT_STORAGE_VOLUME, "path", path, path_of, (Object **)ret_volume,
                            error);
}

int storagepool_property_active(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((StoragePool *)object)->is_active);
}

int storagepool_property_autostart(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((StoragePool *)object)->is_autostart);
}

int storagepool_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int storagepool_property_persistent(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((StoragePool *)object)->is_persistent);
}

int storagepool_property_uuid(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->uuid);
}

int storagevol_property_key(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, key_of(object));
}

int storagevol_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int storagevol_property_path(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, path_of(object));
}
