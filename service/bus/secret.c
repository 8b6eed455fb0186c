/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Secrets: lists, lookups and properties, for every driver that has them. */

#include "objects/secret.h"
#include "bus/define.h"
#include "bus/find.h"
#include "bus/marshal.h"
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

int connect_secret_define_xml(CallFrame *frame, const char *xml, uint32_t flags, Secret **ret_secret,
                              Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.secret.write", -1, 0, false },
                { "org.libvirt.api.secret.save", -1, 0, false },
                {},
        };
        _cleanup_(secret_definition_freep) SecretDefinition *definition = NULL;
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        int r;

        if (!type->define_secret)
                return call_not_supported(frame, error);
        r = error_check_flags(error, "SecretDefineXML", flags, 0);
        if (r >= 0)
                r = secret_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        if (r >= 0)
                r = define_claim(frame, OBJECT_SECRET, secret_definition_usage(definition), definition->uuid,
                                 actions, JOB_MODIFY, &existing, error);
        if (r < 0)
                return r;
        return type->define_secret(&frame->call, (Secret *)existing, TAKE_PTR(definition), ret_secret,
                                   error);
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
