/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Storage pools and volumes: lists, lookups and properties, for every driver that has them. */

#include "objects/storage.h"
#include "bus/define.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "handlers.h"
#include <string.h>

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

static int claim(CallFrame *frame, const char *xml, const InterfaceAction *actions, JobKind job,
                 StoragePoolDefinition **ret_definition, Object **ret_existing, Error *error) AWAITS
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition = NULL;
        int r = storage_pool_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);

        if (r >= 0)
                r = define_claim(frame, OBJECT_STORAGE_POOL, definition->name, definition->uuid, actions,
                                 job, ret_existing, error);
        if (r >= 0)
                *ret_definition = TAKE_PTR(definition);
        return r;
}

int connect_storage_pool_define_xml(CallFrame *frame, const char *xml, uint32_t flags,
                                    StoragePool **ret_storage_pool, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.storage-pool.write", -1, 0, false },
                { "org.libvirt.api.storage-pool.save", -1, 0, false },
                {},
        };
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        StoragePoolDefinition *definition;
        int r;

        if (!type->define_storage_pool)
                return call_not_supported(frame, error);
        r = error_check_flags(error, "StoragePoolDefineXML", flags, 0);
        if (r >= 0)
                r = claim(frame, xml, actions, JOB_MODIFY, &definition, &existing, error);
        if (r < 0)
                return r;
        return type->define_storage_pool(&frame->call, (StoragePool *)existing, definition, ret_storage_pool,
                                         error);
}

int connect_storage_pool_create_xml(CallFrame *frame, const char *xml, uint32_t flags,
                                    StoragePool **ret_storage_pool, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.storage-pool.write", -1, 0, false },
                { "org.libvirt.api.storage-pool.start", -1, 0, false },
                {},
        };
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        StoragePoolDefinition *definition;
        int r;

        if (!type->create_storage_pool)
                return call_not_supported(frame, error);
        r = claim(frame, xml, actions, JOB_START, &definition, &existing, error);
        if (r < 0)
                return r;
        return type->create_storage_pool(&frame->call, (StoragePool *)existing, definition, flags,
                                         ret_storage_pool, error);
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
