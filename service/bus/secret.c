/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Secrets: lists, lookups and properties, for every driver that has them. */

#include "objects/secret.h"
#include "bus/define.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "bus/options.h"
#include "handlers.h"
#include <string.h>

/* virConnectListAllSecretsFlags. */
enum {
        LIST_EPHEMERAL = 1 << 0,
        LIST_NO_EPHEMERAL = 1 << 1,
        LIST_PRIVATE = 1 << 2,
        LIST_NO_PRIVATE = 1 << 3,
};

static uint32_t secret_flags(const Object *object)
{
        const Secret *secret = (const Secret *)object;

        return (secret->is_ephemeral ? LIST_EPHEMERAL : LIST_NO_EPHEMERAL) |
               (secret->is_private ? LIST_PRIVATE : LIST_NO_PRIVATE);
}

int connect_list_secrets(CallFrame *frame, uint32_t flags, GPtrArray **ret_secrets, Error *error)
{
        static const uint32_t groups[] = { LIST_EPHEMERAL | LIST_NO_EPHEMERAL,
                                           LIST_PRIVATE | LIST_NO_PRIVATE, 0 };

        return find_list(frame, OBJECT_SECRET, flags, groups, secret_flags, ret_secrets, error);
}

int connect_secret_lookup_by_uuid(CallFrame *frame, const char *uuid, Secret **ret_secret, Error *error)
{
        return find_by_uuid(frame, OBJECT_SECRET, uuid, (Object **)ret_secret, error);
}

int connect_secret_lookup_by_usage(CallFrame *frame, int32_t usage_type, const char *usage_id,
                                   Secret **ret_secret, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *secrets = NULL;
        Object *found = NULL;
        int r;

        r = find_check_kind(frame, OBJECT_SECRET, error);
        if (r < 0)
                return r;
        secrets = object_table_list(frame->path.driver->objects, OBJECT_SECRET);
        for (unsigned i = 0; i < secrets->len; i++) {
                const Secret *secret = secrets->pdata[i];

                if (secret->usage_type != usage_type || strcmp(secret->usage_id, usage_id) != 0)
                        continue;
                if (!found || secret->object.owner == frame->call.owner) /* the caller's own comes first */
                        found = secrets->pdata[i];
        }
        return find_object(frame, OBJECT_SECRET, "usage", usage_id, found, (Object **)ret_secret, error);
}

/* Takes the definition over. */
static int define(CallFrame *frame, SecretDefinition *definition, Secret **ret_secret, Error *error) AWAITS
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.secret.write", -1, 0, false },
                { "org.libvirt.api.secret.save", -1, 0, false },
                {},
        };
        _cleanup_(secret_definition_freep) SecretDefinition *owned = definition;
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        int r;

        if (!type->define_secret)
                return call_not_supported(frame, error);
        r = define_claim(frame, OBJECT_SECRET, secret_definition_usage(owned), owned->uuid, actions,
                         JOB_MODIFY, &existing, error);
        return r < 0 ? r
                     : type->define_secret(&frame->call, (Secret *)existing, TAKE_PTR(owned), ret_secret,
                                           error);
}

int connect_secret_define_xml(CallFrame *frame, const char *xml, uint32_t flags, Secret **ret_secret,
                              Error *error)
{
        SecretDefinition *definition;
        int r = error_check_flags(error, "SecretDefineXML", flags, 0);

        if (r >= 0)
                r = secret_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        return r < 0 ? r : define(frame, definition, ret_secret, error);
}

int connect_native_define_secret(CallFrame *frame, GVariant *values, GVariant *options, Secret **ret_secret,
                                 Error *error)
{
        SecretDefinition *definition;
        const Secret *own;
        bool replaces;
        int r = define_options_read(options, &replaces, error);

        if (r >= 0)
                r = secret_definition_from_variant(values, &definition, error);
        if (r < 0)
                return r;
        /* A secret's use is what its name would be. */
        own = replaces && !*definition->uuid
                      ? secret_find_for(frame->path.driver->objects, definition, frame->call.owner)
                      : NULL;
        if (own)
                g_strlcpy(definition->uuid, own->object.uuid, sizeof definition->uuid);
        return define(frame, definition, ret_secret, error);
}

int secret_native_set_value(CallFrame *frame, Secret *secret, GVariant *value, Error *error)
{
        const DriverOperations *operations = frame->path.driver->operations;

        return operations->secret.set_value(&frame->call, secret, value, 0, error);
}

int secret_native_get_value(CallFrame *frame, Secret *secret, GVariant **ret_value, Error *error)
{
        const DriverOperations *operations = frame->path.driver->operations;

        return operations->secret.get_value(&frame->call, secret, 0, ret_value, error);
}

int secret_native_get_xml(CallFrame *frame, Secret *secret, GVariant *options, char **ret_xml, Error *error)
{
        static const Option known[] = { {} };
        const DriverOperations *operations = frame->path.driver->operations;
        uint32_t none;
        int r = options_read(options, known, &none, error);

        if (r < 0)
                return r;
        return operations->secret.get_xml_desc(&frame->call, secret, 0, ret_xml, error);
}

int secret_native_property_usage_type(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply,
                                     secret_usage_type_to_string((unsigned)((Secret *)object)->usage_type));
}

int secret_native_property_ephemeral(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", (int)((Secret *)object)->is_ephemeral);
}

int secret_native_property_private(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", (int)((Secret *)object)->is_private);
}

int secret_native_property_owner(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "u", (uint32_t)object->owner);
}

int secret_native_property_has_value(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", (int)((Secret *)object)->has_value);
}

int secret_property_usage_id(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((Secret *)object)->usage_id);
}

int secret_property_usage_type(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "i", ((Secret *)object)->usage_type);
}

int secret_property_uuid(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->uuid);
}
