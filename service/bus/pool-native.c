/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.virtbus1.StoragePool, and what org.virtbus1.Connect has of pools. */

#include "bus/define.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "bus/options.h"
#include "bus/storage.h"
#include "handlers.h"
#include "model/storage-volume.h"
#include <string.h>

#define OPERATIONS(frame) (&(frame)->path.driver->operations->storage_pool)

int connect_native_list_storage_pools(CallFrame *frame, GVariant *filter, GPtrArray **ret_pools,
                                      Error *error)
{
        static const Option states[] = {
                { "active", FIND_ACTIVE, FIND_INACTIVE },
                { "persistent", FIND_PERSISTENT, FIND_TRANSIENT },
                { "autostart", FIND_AUTOSTART, FIND_NO_AUTOSTART },
                {},
        };
        uint32_t flags;
        int r = options_read(filter, states, &flags, error);

        return r < 0 ? r : connect_list_storage_pools(frame, flags, ret_pools, error);
}

int connect_native_define_storage_pool(CallFrame *frame, GVariant *values, GVariant *options,
                                       StoragePool **ret_pool, Error *error)
{
        StoragePoolDefinition *definition;
        bool replaces;
        int r = define_options_read(options, &replaces, error);

        if (r >= 0)
                r = storage_pool_definition_from_variant(values, &definition, error);
        if (r < 0)
                return r;
        if (replaces)
                define_replace(frame, OBJECT_STORAGE_POOL, definition->name, definition->uuid);
        return storage_pool_define(frame, definition, ret_pool, error);
}

int pool_native_start(CallFrame *frame, StoragePool *pool, GVariant *options, Error *error)
{
        static const Option known[] = { {} };
        uint32_t none;
        int r = options_read(options, known, &none, error);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->create(&frame->call, pool, 0, error);
}

int pool_native_build(CallFrame *frame, StoragePool *pool, GVariant *options, Error *error)
{
        /* virStoragePoolBuildFlags. */
        static const Option known[] = { { "no-overwrite", 1 << 2, 0 }, { "overwrite", 1 << 3, 0 }, {} };
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->build(&frame->call, pool, flags, error);
}

int pool_native_delete(CallFrame *frame, StoragePool *pool, Error *error)
{
        return OPERATIONS(frame)->delete (&frame->call, pool, 0, error);
}

int pool_native_refresh(CallFrame *frame, StoragePool *pool, Error *error)
{
        return OPERATIONS(frame)->refresh(&frame->call, pool, 0, error);
}

int pool_native_create_volume(CallFrame *frame, StoragePool *pool, GVariant *values, GVariant *options,
                              StorageVolume **ret_volume, Error *error)
{
        static const Option known[] = { { "preallocate", 1 << 0, 0 }, {} }; /* virStorageVolCreateFlags */
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *definition = NULL;
        _cleanup_(freep) char *xml = NULL;
        const char *what;
        void *parsed;
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r >= 0)
                r = struct_from_variant(&storage_volume_definition_type, values, &parsed, error);
        if (r < 0)
                return r;
        definition = parsed;
        what = definition->key            ? "key"
               : definition->has_physical ? "physical"
               : definition->target.path  ? "target.path"
                                          : NULL;
        if (what)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "CreateVolume: '%s' is told, not asked for: it follows from pool and name",
                                 what);
        xml = storage_volume_definition_format(definition);
        return OPERATIONS(frame)->storage_vol_create_xml(&frame->call, pool, xml, flags, ret_volume, error);
}

int pool_native_list_volumes(CallFrame *frame, StoragePool *pool, GPtrArray **ret_volumes, Error *error)
{
        return storage_pool_list_volumes(frame, pool, 0, ret_volumes, error);
}

int pool_native_get_xml(CallFrame *frame, StoragePool *pool, GVariant *options, char **ret_xml, Error *error)
{
        static const Option known[] = { { "inactive", 1 << 0, 0 }, {} }; /* virStorageXMLFlags */
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->get_xml_desc(&frame->call, pool, flags, ret_xml, error);
}

int pool_native_get_definition(CallFrame *frame, StoragePool *pool, GVariant *options,
                               GVariant **ret_definition, Error *error)
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition = NULL;
        _cleanup_(freep) char *xml = NULL;
        int r = pool_native_get_xml(frame, pool, options, &xml, error);

        if (r >= 0)
                r = storage_pool_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        if (r >= 0)
                *ret_definition =
                        g_variant_ref_sink(struct_to_variant(&storage_pool_definition_type, definition));
        return r;
}

static const StoragePool *pool_of(const Object *object)
{
        return (const StoragePool *)object;
}

int pool_native_property_owner(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "u", (uint32_t)object->owner);
}

int pool_native_property_type(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, pool_of(object)->type);
}

int pool_native_property_path(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, pool_of(object)->target);
}

int pool_native_property_state(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, pool_of(object)->is_active ? "running" : "inactive");
}

int pool_native_property_capacity(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "t", pool_of(object)->capacity);
}

int pool_native_property_allocation(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "t", pool_of(object)->allocation);
}

int pool_native_property_available(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "t", pool_of(object)->available);
}
