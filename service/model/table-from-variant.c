/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Structures from native values, of programs and of people: bindings make a{ss} of what could be a{sv}. A
 * key that no row has, or only a row that does not count here, is refused: it is a slip of the pen. */

#include "model/table-native.h"
#include <string.h>

static int struct_from(const NativePlace *place, const StructType *type, GVariant *value, void *object,
                       Error *error);

static int child_from_variant(const NativePlace *place, const Field *field, GVariant *value,
                              void **ret_child, Error *error)
{
        void *child = struct_new(field->type);
        int r = struct_from(place, field->type, value, child, error);

        if (r < 0) {
                struct_free(field->type, child);
                return r;
        }
        *ret_child = child;
        return 0;
}

static int list_from_variant(const NativePlace *place, const Field *field, GVariant *value, void *object,
                             Error *error)
{
        size_t count;

        if (!g_variant_is_of_type(value, G_VARIANT_TYPE("a*")))
                return native_wrong_type(place, error, value, "an array of dictionaries is");
        count = g_variant_n_children(value);
        for (size_t i = 0; i < count; i++) {
                _cleanup_(g_variant_unrefp) GVariant *item =
                        native_unwrap(g_variant_get_child_value(value, i));
                NativePlace at = { .above = place, .index = i, .depth = place->depth + 1 };
                void *child = NULL;
                int r = child_from_variant(&at, field, item, &child, error);

                if (r < 0)
                        return r;
                list_append(FIELD_AT(object, field, AnyList), child);
        }
        return 0;
}

static int field_from_variant(const NativePlace *place, const Field *field, GVariant *value, void *object,
                              Error *error)
{
        switch (field->kind) {
        case FIELD_STRUCT:
                return child_from_variant(place, field, value, FIELD_AT(object, field, void *), error);
        case FIELD_INLINE:
                return struct_from(place, field->type, value, FIELD_AT(object, field, void), error);
        case FIELD_LIST:
                return list_from_variant(place, field, value, object, error);
        default:
                return native_value_read(place, field, value, object, error);
        }
}

/* Nothing was said about a field. */
static int field_absent(const NativePlace *place, const Field *field, void *object, Error *error)
{
        switch (field->kind) {
        case FIELD_INLINE: /* part of the same element, so its rules count */
                return *field->path
                               ? 0
                               : struct_from(place, field->type, NULL, FIELD_AT(object, field, void), error);
        case FIELD_STRUCT:
        case FIELD_LIST:
        case FIELD_STRINGS:
        case FIELD_RAW:
        case FIELD_FLAG:
                return 0;
        default:
                return field->flags & FIELD_REQUIRED ? native_refuse(place, error, "is missing") : 0;
        }
}

/* The type's own string for a key; NULL if it has no such key. */
static const char *key_find(const StructType *type, const char *key)
{
        for (uint32_t i = 0; i < type->count; i++)
                if (!(type->fields[i].flags & FIELD_NO_NATIVE) && strcmp(type->fields[i].key, key) == 0)
                        return type->fields[i].key;
        return NULL;
}

/* The entries by their keys, all of which the type has. */
static int entries_read(const NativePlace *place, const StructType *type, GVariant *dictionary,
                        GHashTable **ret_entries, Error *error)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *entries =
                g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_variant_unref);
        size_t count = 0;

        if (dictionary && !g_variant_is_of_type(dictionary, G_VARIANT_TYPE("a{s*}")))
                return native_wrong_type(place, error, dictionary, "a dictionary a{sv} is");
        if (dictionary)
                count = g_variant_n_children(dictionary);
        for (size_t i = 0; i < count; i++) {
                _cleanup_(g_variant_unrefp) GVariant *entry = g_variant_get_child_value(dictionary, i);
                _cleanup_(g_variant_unrefp) GVariant *key = g_variant_get_child_value(entry, 0);
                const char *name = g_variant_get_string(key, NULL);
                _cleanup_(freep) char *shown = g_utf8_substring(name, 0, MIN(g_utf8_strlen(name, -1), 60));
                NativePlace at = { .above = place, .key = shown };

                if (!key_find(type, name))
                        return native_refuse(&at, error, "there is no such field");
                if (g_hash_table_contains(entries, name))
                        return native_refuse(&at, error, "is given twice");
                g_hash_table_insert(entries, (char *)key_find(type, name),
                                    native_unwrap(g_variant_get_child_value(entry, 1)));
        }
        *ret_entries = TAKE_PTR(entries);
        return 0;
}

static int fields_from(const NativePlace *place, const StructType *type, GHashTable *entries, void *object,
                       Error *error)
{
        for (uint32_t i = 0; i < type->count; i++) {
                const Field *field = &type->fields[i];
                NativePlace at = { .above = place, .key = field->key, .depth = place->depth };
                GVariant *value;
                int r;

                if (field->flags & FIELD_NO_NATIVE || !field_exists(object, field))
                        continue;
                at.depth += field->kind == FIELD_STRUCT || field->kind == FIELD_INLINE
                                    ? NATIVE_DEPTH_OF_CHILD
                                    : NATIVE_DEPTH_OF_ITEM - 1;
                value = g_hash_table_lookup(entries, field->key);
                if (value && field->flags & FIELD_LIVE)
                        r = 0;
                else
                        r = value ? field_from_variant(&at, field, value, object, error)
                                  : field_absent(&at, field, object, error);
                if (r < 0)
                        return r;
                g_hash_table_remove(entries, field->key);
        }
        return 0;
}

static int struct_from(const NativePlace *place, const StructType *type, GVariant *value, void *object,
                       Error *error)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *entries = NULL;
        _cleanup_(error_clear) Error cause = { 0 };
        GHashTableIter left;
        void *key;
        int r;

        if (place->depth > NATIVE_DEPTH_MAX)
                return native_refuse(place, error, "too much within each other");
        r = entries_read(place, type, value, &entries, error);
        if (r >= 0)
                r = fields_from(place, type, entries, object, error);
        if (r < 0)
                return r;
        g_hash_table_iter_init(&left, entries);
        if (g_hash_table_iter_next(&left, &key, NULL)) {
                NativePlace at = { .above = place, .key = key };

                return native_refuse(&at, error, "does not go with the other fields");
        }
        if (type->check && type->check(object, NULL, DEFINITION_INACTIVE, &cause) < 0)
                return native_pass_refusal(place, &cause, error);
        return 0;
}

int struct_from_variant(const StructType *type, GVariant *variant, void **ret_object, Error *error)
{
        _cleanup_(g_variant_unrefp) GVariant *given = g_variant_ref_sink(variant), *value = NULL;
        NativePlace root = { .key = "", .depth = NATIVE_DEPTH_OF_ROOT };
        void *object;
        int r;

        if (g_variant_get_size(given) > XML_SIZE_MAX)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "A definition of %" G_GSIZE_FORMAT " bytes, at most %u are read",
                                 g_variant_get_size(given), XML_SIZE_MAX);
        /* In bytes that were not checked, GLib would look at a whole array for each of its items. */
        value = native_unwrap(g_variant_get_normal_form(given));
        object = struct_new(type);
        r = struct_from(&root, type, value, object, error);
        if (r < 0) {
                struct_free(type, object);
                return r;
        }
        *ret_object = object;
        return 0;
}

int struct_check_document(const StructType *type, const char *element, const char *xml, unsigned flags,
                          Error *error)
{
        void *again;
        int r = struct_parse_document(type, element, xml, strlen(xml), flags, &again, error);

        if (r >= 0)
                struct_free(type, again);
        else
                error_prefix(error, "The values make no <%s>", element);
        return r;
}
