/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definition and value are one file, so that they are replaced and removed together. In memory the value is
 * sealed as on the disk, and opened for the moment of its use. */

#include "drivers/secret/secrets.h"
#include "core/log.h"
#include "drivers/secret/value.h"
#include "drivers/stored/stored.h"
#include <string.h>

#define VALUE_MAX       65536
#define GENERATED_BYTES 24 /* 32 characters */

/* virConnectSecretEventLifecycle. */
enum {
        EVENT_DEFINED = 0,
        EVENT_UNDEFINED = 1,
};

struct SecretState {
        StoredFolder folder;
        SecretKeys keys;
};

typedef struct SealedSecret {
        Secret secret;
        SecretDefinition *definition;
        char *value; /* sealed; NULL: none was set */
} SealedSecret;

static SealedSecret *sealed_secret(Secret *secret)
{
        return (SealedSecret *)secret;
}

static void secret_free(Object *object)
{
        SealedSecret *sealed = (SealedSecret *)object;

        secret_definition_free(sealed->definition);
        g_free(sealed->secret.usage_id);
        g_free(sealed->value);
        object_done(object);
        g_free(sealed);
}

static void set_flag(Secret *secret, bool *flag, bool value, const char *property)
{
        if (*flag == value)
                return;
        *flag = value;
        object_changed(&secret->object, property);
}

/* Takes the text over. */
static void set_sealed(Secret *secret, char *value)
{
        g_free(sealed_secret(secret)->value);
        sealed_secret(secret)->value = value;
        set_flag(secret, &secret->has_value, value, "HasValue");
}

/* Takes the definition over. */
static void set_definition(Secret *secret, SecretDefinition *definition)
{
        secret_definition_free(sealed_secret(secret)->definition);
        sealed_secret(secret)->definition = definition;
        set_flag(secret, &secret->is_ephemeral, definition->is_ephemeral == YES, "Ephemeral");
        set_flag(secret, &secret->is_private, definition->is_private == YES, "Private");
}

static Secret *secret_new(Driver *driver, SecretDefinition *definition, uid_t owner)
{
        SealedSecret *sealed = g_new0(SealedSecret, 1);
        const char *usage = secret_definition_usage(definition);
        Secret *secret = &sealed->secret;

        secret->usage_type = (int)definition->usage_type;
        secret->usage_id = g_strdup(usage);
        object_init(&secret->object, OBJECT_SECRET, driver, definition->uuid,
                    *usage ? usage : definition->uuid, definition->uuid, owner, secret_free);
        set_definition(secret, definition);
        return secret;
}

static void announce(Secret *secret, int event)
{
        GVariant *arguments = g_variant_ref_sink(g_variant_new("(ii)", event, 0));

        event_raise(secret->object.driver->events, EVENT_RESOURCE_EVENT,
                    &(ResourceEvent){
                            .object = &secret->object, .member = "SecretEvent", .arguments = arguments });
        g_variant_unref(arguments);
}

static int load(Driver *driver, Stored *stored, Error *error)
{
        Secret *secret = secret_new(driver, stored->definition, stored->owner);
        int r;

        set_sealed(secret, stored->value);
        r = object_table_add(driver->objects, &secret->object);
        object_unref(&secret->object);
        return r < 0 ? error_set_errno(error, r, "Cannot take it") : 0;
}

static char *format(const void *definition)
{
        return secret_definition_format(definition);
}

int secrets_open(Driver *driver, Error *error)
{
        static const StoredType type = {
                .element = "secret",
                .type = &secret_definition_type,
                .uuid_offset = offsetof(SecretDefinition, uuid),
                .format = format,
                .load = load,
        };
        struct SecretState *state = g_new0(struct SecretState, 1);
        _cleanup_(error_clear) Error no_key = {};
        _cleanup_(freep) char *path = g_build_filename(driver->config->config_dir, "secret", NULL);
        int r = stored_folder_open(&state->folder, &type, path, driver, error);

        if (r < 0) {
                g_free(state);
                return r;
        }
        /* Machines run without secrets, too. */
        if (driver->type->is_in_memory)
                secret_keys_make(&state->keys);
        else if (secret_keys_load(&state->keys, state->folder.fd, &no_key) < 0)
                log_error(NULL, "The values of secrets cannot be used: %s", no_key.message);
        driver->secrets = state;
        return 0;
}

void secrets_close(Driver *driver)
{
        if (!driver->secrets)
                return;
        secret_keys_clear(&driver->secrets->keys);
        stored_folder_close(&driver->secrets->folder);
        g_free(driver->secrets);
        driver->secrets = NULL;
}

static int check_existing(const Secret *existing, const SecretDefinition *definition, Error *error)
{
        if (!secret_is_for(existing, definition))
                return error_set(error, ERROR_EXISTS, "The secret with UUID %s is for %s '%s' already",
                                 definition->uuid,
                                 secret_usage_type_to_string((unsigned)existing->usage_type),
                                 existing->usage_id);
        if (existing->is_private && definition->is_private != YES)
                return error_set(
                        error, ERROR_OPERATION_INVALID,
                        "The secret with UUID %s is private and stays so: private='yes' is expected",
                        definition->uuid);
        return 0;
}

static int check_usage(const Driver *driver, const SecretDefinition *definition, uid_t owner, Error *error)
{
        const Secret *other = secret_find_for(driver->objects, definition, owner);

        return other ? error_set(error, ERROR_EXISTS, "The secret with UUID %s is for %s '%s' already",
                                 other->object.uuid, secret_usage_type_to_string(definition->usage_type),
                                 other->usage_id)
                     : 0;
}

static int reserve(Reservation *reservation, const SecretDefinition *definition, uid_t owner, Error *error)
{
        int r = reservation_add(reservation, g_strdup_printf("uuid %s", definition->uuid), "UUID", error);

        if (r < 0 || definition->usage_type == SECRET_USAGE_NONE)
                return r;
        return reservation_add(reservation,
                               g_strdup_printf("usage %u %d %s", owner, (int)definition->usage_type,
                                               secret_definition_usage(definition)),
                               "usage", error);
}

static int save(const Driver *driver, SecretDefinition *definition, uid_t owner, char *value,
                Error *error) AWAITS
{
        int r = stored_save(&driver->secrets->folder,
                            &(Stored){ .definition = definition, .owner = owner, .value = value }, error);

        if (r < 0)
                error_prefix(error, "Cannot save the secret with UUID %s", definition->uuid);
        return r;
}

static int define_new(Call *call, SecretDefinition **definition, Secret **ret_secret, Error *error) AWAITS
{
        _cleanup_(reservation_clear) Reservation reservation = { &call->driver->secrets->folder };
        int r = check_usage(call->driver, *definition, call->owner, error);

        if (r >= 0)
                r = reserve(&reservation, *definition, call->owner, error);
        if (r >= 0 && (*definition)->is_ephemeral != YES)
                r = save(call->driver, *definition, call->owner, NULL, error);
        if (r < 0)
                return r;
        *ret_secret = secret_new(call->driver, TAKE_PTR(*definition), call->owner);
        (void)object_table_add(call->driver->objects, &(*ret_secret)->object); /* the UUID was reserved */
        return 0;
}

static int define_again(Call *call, Secret *existing, SecretDefinition **definition, Error *error) AWAITS
{
        int r = check_existing(existing, *definition, error);

        if (r < 0)
                return r;
        if ((*definition)->is_ephemeral != YES)
                r = save(call->driver, *definition, existing->object.owner, sealed_secret(existing)->value,
                         error);
        else if (!existing->is_ephemeral)
                r = stored_remove(&call->driver->secrets->folder, existing->object.uuid, error);
        if (r >= 0)
                set_definition(existing, TAKE_PTR(*definition));
        return r;
}

int secrets_define(Call *call, Secret *existing, SecretDefinition *definition, Secret **ret_secret,
                   Error *error)
{
        _cleanup_(secret_definition_freep) SecretDefinition *owned = definition;
        Secret *secret = existing;
        int r;

        secret_definition_complete(owned);
        r = existing ? define_again(call, existing, &owned, error)
                     : define_new(call, &owned, &secret, error);
        if (r < 0)
                return r;
        if (existing)
                object_ref(&existing->object);
        announce(secret, EVENT_DEFINED);
        *ret_secret = secret;
        return 0;
}

static int open_value(const Driver *driver, Secret *secret, uint8_t **ret_value, size_t *ret_size,
                      Error *error)
{
        int r;

        if (!sealed_secret(secret)->value)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s has no value: SetValue gives it one",
                                 object_describe(&secret->object));
        r = secret_value_open(&driver->secrets->keys, secret->object.uuid, sealed_secret(secret)->value,
                              ret_value, ret_size, error);
        if (r < 0)
                error_prefix(error, "The %s", object_describe(&secret->object));
        return r;
}

/* What a definition calls the use of a secret; a passphrase is one of a volume. */
static int usage_of(SecretType type)
{
        switch (type) {
        case SECRET_TYPE_CEPH:
                return SECRET_USAGE_CEPH;
        case SECRET_TYPE_ISCSI:
                return SECRET_USAGE_ISCSI;
        case SECRET_TYPE_TLS:
                return SECRET_USAGE_TLS;
        case SECRET_TYPE_VTPM:
                return SECRET_USAGE_VTPM;
        default:
                return SECRET_USAGE_VOLUME;
        }
}

static bool is_meant(const Secret *secret, const SecretReference *reference)
{
        if (*reference->uuid)
                return strcmp(secret->object.uuid, reference->uuid) == 0;
        return secret->usage_type == usage_of(reference->type) &&
               g_strcmp0(secret->usage_id, reference->usage) == 0;
}

int secrets_find_value(const Driver *driver, uid_t owner, const SecretReference *reference,
                       uint8_t **ret_value, size_t *ret_size, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *secrets = object_table_list(driver->objects, OBJECT_SECRET);

        for (unsigned i = 0; driver->secrets && i < secrets->len; i++) {
                Secret *secret = secrets->pdata[i];

                if (secret->object.owner == owner && is_meant(secret, reference))
                        return open_value(driver, secret, ret_value, ret_size, error);
        }
        if (*reference->uuid)
                return error_set(error, ERROR_NO_SECRET, "There is no secret with UUID %s of the same owner",
                                 reference->uuid);
        return error_set(error, ERROR_NO_SECRET, "There is no secret for %s '%s' of the same owner",
                         secret_usage_type_to_string((unsigned)usage_of(reference->type)), reference->usage);
}

void secrets_value_free(uint8_t *value, size_t size)
{
        secret_value_free(value, size);
}

int secrets_get_value(Call *call, Secret *secret, uint32_t flags, GVariant **ret_value, Error *error)
{
        uint8_t *value;
        size_t size;
        int r = error_check_flags(error, "GetValue", flags, 0);

        if (r < 0)
                return r;
        if (secret->is_private)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s is private: its value is not given out",
                                 object_describe(&secret->object));
        r = open_value(call->driver, secret, &value, &size, error);
        if (r < 0)
                return r;
        *ret_value = g_variant_ref_sink(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value, size, 1));
        secret_value_free(value, size);
        return 0;
}

int secrets_get_xml_desc(Call *call, Secret *secret, uint32_t flags, char **ret_xml, Error *error)
{
        int r = error_check_flags(error, "GetXMLDesc", flags, 0);

        (void)call;
        if (r >= 0)
                *ret_xml = secret_definition_format(sealed_secret(secret)->definition);
        return r;
}

int secrets_set_value(Call *call, Secret *secret, GVariant *value, uint32_t flags, Error *error)
{
        SealedSecret *sealed = sealed_secret(secret);
        _cleanup_(freep) char *text = NULL;
        const void *bytes;
        size_t size;
        int r = error_check_flags(error, "SetValue", flags, 0);

        if (r < 0)
                return r;
        bytes = g_variant_get_fixed_array(value, &size, 1);
        if (size > VALUE_MAX)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The %s: a value of %zu bytes is too long, %d are possible",
                                 object_describe(&secret->object), size, VALUE_MAX);
        r = secret_value_seal(&call->driver->secrets->keys, secret->object.uuid, size > 0 ? bytes : "", size,
                              &text, error);
        if (r >= 0 && !secret->is_ephemeral)
                r = save(call->driver, sealed->definition, secret->object.owner, text, error);
        if (r < 0)
                return r;
        set_sealed(secret, TAKE_PTR(text));
        return 0;
}

int secrets_undefine(Call *call, Secret *secret, Error *error)
{
        int r = secret->is_ephemeral
                        ? 0
                        : stored_remove(&call->driver->secrets->folder, secret->object.uuid, error);

        if (r < 0)
                return r;
        announce(secret, EVENT_UNDEFINED);
        object_table_remove(call->driver->objects, &secret->object);
        return 0;
}

const char *secrets_find_for_volume(const Driver *driver, uid_t owner, const char *volume_path)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *secrets = object_table_list(driver->objects, OBJECT_SECRET);

        for (unsigned i = 0; i < secrets->len; i++) {
                const Secret *secret = secrets->pdata[i];

                if (secret->object.owner == owner && secret->usage_type == SECRET_USAGE_VOLUME &&
                    g_strcmp0(secret->usage_id, volume_path) == 0)
                        return secret->object.uuid;
        }
        return NULL;
}

int secrets_generate(Call *call, const char *volume_path, Secret **ret_secret, Error *error)
{
        SecretDefinition *definition = struct_new(&secret_definition_type);
        _cleanup_(g_variant_unrefp) GVariant *value = NULL;
        uint8_t random[GENERATED_BYTES];
        Secret *secret;
        char *text;
        int r;

        definition->is_ephemeral = definition->is_private = YES;
        definition->usage_type = SECRET_USAGE_VOLUME;
        definition->volume = g_strdup(volume_path);
        r = secrets_define(call, NULL, definition, &secret, error);
        if (r < 0)
                return r;
        cipher_random(random, sizeof random);
        text = g_base64_encode(random, sizeof random);
        value = g_variant_ref_sink(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, text, strlen(text), 1));
        r = secrets_set_value(call, secret, value, 0, error);
        secret_value_free((uint8_t *)text, strlen(text));
        explicit_bzero(random, sizeof random);
        if (r >= 0) {
                *ret_secret = secret;
                return 0;
        }
        (void)secrets_undefine(call, secret, NULL);
        object_unref(&secret->object);
        return r;
}

int secrets_keep(Call *call, Secret *secret, Error *error)
{
        _cleanup_(secret_definition_freep) SecretDefinition *kept = NULL;
        _cleanup_(job_releasep) Job *job = NULL;
        int r = job_take(secret->object.jobs, JOB_MODIFY, "keeping", (uid_t)-1, call->deadline_usec, &job,
                         error);

        if (r >= 0 && secret->object.is_gone)
                r = error_set(error, ERROR_NO_SECRET, "The secret that was made for it is gone");
        if (r < 0)
                return r;
        kept = struct_copy(&secret_definition_type, sealed_secret(secret)->definition);
        kept->is_ephemeral = NO;
        return define_again(call, secret, &kept, error);
}
