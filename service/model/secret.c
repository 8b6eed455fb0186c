/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <secret>. */

#include "model/secret.h"
#include "model/identity.h"

DEFINE_ENUM(secret_usage_type, SECRET_USAGE_TYPES);

const char *secret_definition_usage(const SecretDefinition *definition)
{
        const char *usage = definition->volume   ? definition->volume
                            : definition->target ? definition->target
                                                 : definition->name;

        return usage ? usage : "";
}

/* In XML what another type would have is ignored, as everything unknown is; natively it is a slip. */
static int drop(char **text, const char *key, SecretUsageType type, const XmlNode *node, Error *error)
{
        if (*text && !node)
                return error_set(error, ERROR_INVALID_ARGUMENT, "A secret for '%s' has no key '%s'",
                                 secret_usage_type_to_string(type), key);
        g_free(*text);
        *text = NULL;
        return 0;
}

static int secret_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        static const char *const elements[] = {
                [SECRET_USAGE_VOLUME] = "volume", [SECRET_USAGE_CEPH] = "name",
                [SECRET_USAGE_ISCSI] = "target",  [SECRET_USAGE_TLS] = "name",
                [SECRET_USAGE_VTPM] = "name",
        };
        SecretDefinition *definition = object;
        SecretUsageType type = definition->usage_type;
        int r = 0;

        (void)flags;
        if (type != SECRET_USAGE_VOLUME)
                r = drop(&definition->volume, "volume", type, node, error);
        if (r >= 0 && type != SECRET_USAGE_ISCSI)
                r = drop(&definition->target, "target", type, node, error);
        if (r >= 0 && type != SECRET_USAGE_CEPH && type != SECRET_USAGE_TLS && type != SECRET_USAGE_VTPM)
                r = drop(&definition->name, "name", type, node, error);
        if (r < 0)
                return r;
        if (type != SECRET_USAGE_NONE && !*secret_definition_usage(definition))
                return error_set(error, ERROR_INVALID_XML, "line %u: <usage type='%s'>: <%s> is missing",
                                 node ? node->line : 0, secret_usage_type_to_string(type), elements[type]);
        return 0;
}

#define THIS SecretDefinition
static const Field secret_definition_fields[] = {
        YESNO("@ephemeral", is_ephemeral),
        YESNO("@private", is_private),
        UUID("uuid", uuid),
        STRING("description", description),
        ENUM("usage/@type", usage_type, secret_usage_type),
        STRING("usage/volume", volume),
        STRING("usage/name", name),
        STRING("usage/target", target),
};
#undef THIS
DEFINE_STRUCT(secret_definition, SecretDefinition, .check = secret_check);

int secret_definition_parse(const char *xml, size_t size, unsigned flags, SecretDefinition **ret,
                            Error *error)
{
        void *definition;
        int r = struct_parse_document(&secret_definition_type, "secret", xml, size, flags, &definition,
                                      error);

        if (r >= 0)
                *ret = definition;
        return r;
}

char *secret_definition_format(const SecretDefinition *definition)
{
        return struct_to_xml(&secret_definition_type, definition, "secret", 0);
}

int secret_definition_from_variant(GVariant *variant, SecretDefinition **ret, Error *error)
{
        _cleanup_(secret_definition_freep) SecretDefinition *definition = NULL;
        _cleanup_(freep) char *xml = NULL;
        void *made;
        int r = struct_from_variant(&secret_definition_type, variant, &made, error);

        if (r < 0)
                return r;
        definition = made;
        xml = secret_definition_format(definition);
        r = struct_check_document(&secret_definition_type, "secret", xml, 0, error);
        if (r >= 0)
                *ret = TAKE_PTR(definition);
        return r;
}

SecretDefinition *secret_definition_free(SecretDefinition *definition)
{
        return struct_free(&secret_definition_type, definition);
}

void secret_definition_complete(SecretDefinition *definition)
{
        if (!definition->uuid[0])
                identity_make_uuid(definition->uuid);
        if (definition->is_ephemeral == YES_NO_ABSENT)
                definition->is_ephemeral = NO;
        if (definition->is_private == YES_NO_ABSENT)
                definition->is_private = NO;
}
