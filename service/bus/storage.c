/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Storage pools and volumes: lists, lookups and properties, for every driver that has them. */

#include "bus/storage.h"
#include "bus/define.h"
#include "bus/find.h"
#include "bus/kinds.h"
#include "bus/marshal.h"
#include "bus/visible.h"
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

/* By its key or path, as of now: what was made in a pool's folder a moment before is looked for first. */
static int find_volume(CallFrame *frame, const char *what, const char *text,
                       const char *(*text_of)(const Object *object), Object **ret_volume,
                       Error *error) AWAITS
{
        const DriverType *type = frame->path.driver->type;
        _cleanup_(freep) char *folder = g_path_get_dirname(text), *name = g_path_get_basename(text);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *pools =
                object_table_list(frame->path.driver->objects, OBJECT_STORAGE_POOL);

        for (unsigned i = 0; text[0] == '/' && type->find_volume && i < pools->len; i++) {
                StoragePool *pool = pools->pdata[i];
                StorageVolume *found = NULL;

                if (!pool->is_active || g_strcmp0(pool->target, folder) != 0)
                        continue;
                if (type->find_volume(&frame->call, pool, name, &found, NULL) >= 0 && found)
                        object_unref(&found->object);
        }
        return find_by_text(frame, OBJECT_STORAGE_VOLUME, what, text, text_of, ret_volume, error);
}

int connect_storage_vol_lookup_by_key(CallFrame *frame, const char *key, StorageVolume **ret_volume,
                                      Error *error)
{
        return find_volume(frame, "key", key, key_of, (Object **)ret_volume, error);
}

int connect_storage_vol_lookup_by_path(CallFrame *frame, const char *path, StorageVolume **ret_volume,
                                       Error *error)
{
        return find_volume(frame, "path", path, path_of, (Object **)ret_volume, error);
}

int storage_pool_list_volumes(CallFrame *frame, StoragePool *pool, uint32_t flags, GPtrArray **ret_volumes,
                              Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *volumes = NULL;
        const DriverType *type = frame->path.driver->type;
        int r;

        if (!type->list_volumes)
                return call_not_supported(frame, error);
        r = error_check_flags(error, frame->member, flags, 0);
        if (r >= 0)
                r = type->list_volumes(&frame->call, pool, &volumes, error);
        if (r >= 0)
                r = visible_filter(frame->caller, frame->path.driver, OBJECT_STORAGE_VOLUME,
                                   frame->call.deadline_usec, volumes, error);
        if (r >= 0)
                *ret_volumes = TAKE_PTR(volumes);
        return r;
}

int storage_pool_find_volume(CallFrame *frame, StoragePool *pool, const char *name,
                             StorageVolume **ret_volume, Error *error)
{
        _cleanup_(object_unrefp) Object *found = NULL;
        const DriverType *type = frame->path.driver->type;
        int r;

        if (!type->find_volume)
                return call_not_supported(frame, error);
        r = type->find_volume(&frame->call, pool, name, (StorageVolume **)&found, error);
        return r < 0 ? r
                     : find_object(frame, OBJECT_STORAGE_VOLUME, "name", name, found, (Object **)ret_volume,
                                   error);
}

/* The original's turn is taken after the pool's: nothing takes them in the other order. */
int storage_pool_copy_volume(CallFrame *frame, StoragePool *pool, const char *xml, const char *key,
                             uint32_t flags, StorageVolume **ret_volume, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.storage-vol.data-read", -1, 0, false },
                {},
        };
        _cleanup_(object_unrefp) Object *original = NULL;
        _cleanup_(job_releasep) Job *job = NULL;
        const DriverType *type = frame->path.driver->type;
        int r;

        if (!type->copy_volume)
                return call_not_supported(frame, error);
        r = find_volume(frame, "key", key, key_of, &original, error);
        if (r >= 0)
                r = call_authorise_object(frame, actions, original, error);
        if (r >= 0)
                r = job_take(original->jobs, JOB_QUERY, frame->member, frame->caller->uid,
                             frame->call.deadline_usec, &job, error);
        if (r >= 0 && original->is_gone)
                r = kind_set_missing(error, OBJECT_STORAGE_VOLUME, "key", key);
        return r < 0 ? r
                     : type->copy_volume(&frame->call, pool, xml, (StorageVolume *)original, flags,
                                         ret_volume, error);
}

static int claim(CallFrame *frame, const StoragePoolDefinition *definition, const InterfaceAction *actions,
                 JobKind job, Object **ret_existing, Error *error) AWAITS
{
        return define_claim(frame, OBJECT_STORAGE_POOL, definition->name, definition->uuid, actions, job,
                            ret_existing, error);
}

int storage_pool_define(CallFrame *frame, StoragePoolDefinition *definition, StoragePool **ret_pool,
                        Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.storage-pool.write", -1, 0, false },
                { "org.libvirt.api.storage-pool.save", -1, 0, false },
                {},
        };
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *owned = definition;
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        int r;

        if (!type->define_storage_pool)
                return call_not_supported(frame, error);
        r = claim(frame, owned, actions, JOB_MODIFY, &existing, error);
        if (r < 0)
                return r;
        return type->define_storage_pool(&frame->call, (StoragePool *)existing, TAKE_PTR(owned), ret_pool,
                                         error);
}

int connect_storage_pool_define_xml(CallFrame *frame, const char *xml, uint32_t flags,
                                    StoragePool **ret_storage_pool, Error *error)
{
        StoragePoolDefinition *definition;
        int r = error_check_flags(error, "StoragePoolDefineXML", flags, 0);

        if (r >= 0)
                r = storage_pool_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        return r < 0 ? r : storage_pool_define(frame, definition, ret_storage_pool, error);
}

int connect_storage_pool_create_xml(CallFrame *frame, const char *xml, uint32_t flags,
                                    StoragePool **ret_storage_pool, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.storage-pool.write", -1, 0, false },
                { "org.libvirt.api.storage-pool.start", -1, 0, false },
                {},
        };
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition = NULL;
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        int r;

        if (!type->create_storage_pool)
                return call_not_supported(frame, error);
        r = storage_pool_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        if (r >= 0)
                r = claim(frame, definition, actions, JOB_START, &existing, error);
        if (r < 0)
                return r;
        return type->create_storage_pool(&frame->call, (StoragePool *)existing, TAKE_PTR(definition), flags,
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
