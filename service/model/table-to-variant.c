/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Structures as native values: a{sv} with the member's name for each row that says something. Structures
 * within are a{sv} again, lists aa{sv}; enums are their words, yes and no are booleans, sizes count what the
 * member's name says. */

#include "model/table-private.h"

static GVariant *to_variant(const StructType *type, const void *object, unsigned depth);

static GVariant *list_to_variant(const Field *field, const AnyList *list, unsigned depth)
{
        GVariantBuilder items;

        g_variant_builder_init(&items, G_VARIANT_TYPE("aa{sv}"));
        for (uint32_t i = 0; i < list->count; i++)
                g_variant_builder_add_value(&items, to_variant(field->type, list->items[i], depth));
        return g_variant_builder_end(&items);
}

static GVariant *number_to_variant(const Field *field, uint64_t number)
{
        if (field->kind == FIELD_SIGNED)
                return field->size > 4 ? g_variant_new_int64((int64_t)number)
                                       : g_variant_new_int32((int32_t)number);
        return field->size > 4 ? g_variant_new_uint64(number) : g_variant_new_uint32((uint32_t)number);
}

static GVariant *enum_to_variant(const Field *field, unsigned value)
{
        const EnumTable *table = field->type;
        const char *word = enum_to_string(table, value);

        if (!word)
                return NULL;
        return table->is_boolean ? g_variant_new_boolean(value == 1) : g_variant_new_string(word);
}

/* NULL if there is nothing to say. */
static GVariant *field_to_variant(const Field *field, const void *object, unsigned depth)
{
        switch (field->kind) {
        case FIELD_STRING:
        case FIELD_CPUSET:
        case FIELD_RAW:
                return g_variant_new_string(*CONST_FIELD_AT(object, field, char *));
        case FIELD_UUID:
        case FIELD_MAC:
                return g_variant_new_string(CONST_FIELD_AT(object, field, char));
        case FIELD_STRINGS:
                return g_variant_new_strv(*CONST_FIELD_AT(object, field, FieldStrings), -1);
        case FIELD_FLAG:
                return g_variant_new_boolean(true);
        case FIELD_ENUM:
                return enum_to_variant(field, (unsigned)field_number(object, field));
        case FIELD_STRUCT:
                return depth + NATIVE_DEPTH_OF_CHILD > NATIVE_DEPTH_MAX
                               ? NULL
                               : to_variant(field->type, *CONST_FIELD_AT(object, field, void *),
                                            depth + NATIVE_DEPTH_OF_CHILD);
        case FIELD_INLINE:
                return depth + NATIVE_DEPTH_OF_CHILD > NATIVE_DEPTH_MAX
                               ? NULL
                               : to_variant(field->type, CONST_FIELD_AT(object, field, void),
                                            depth + NATIVE_DEPTH_OF_CHILD);
        case FIELD_LIST:
                return depth + NATIVE_DEPTH_OF_ITEM > NATIVE_DEPTH_MAX
                               ? NULL
                               : list_to_variant(field, CONST_FIELD_AT(object, field, AnyList),
                                                 depth + NATIVE_DEPTH_OF_ITEM);
        default:
                return number_to_variant(field, field_number(object, field));
        }
}

static bool is_told(const Field *field, const void *object)
{
        if (field->flags & (FIELD_NO_NATIVE | FIELD_SECRET) || !field_exists(object, field))
                return false;
        if (field->shown && !field->shown(object, DEFINITION_NATIVE))
                return false;
        if (field->kind == FIELD_INLINE && ((const StructType *)field->type)->shown)
                return ((const StructType *)field->type)
                        ->shown(CONST_FIELD_AT(object, field, void), DEFINITION_NATIVE);
        return field->kind == FIELD_INLINE ? field_is_set(object, field) : field_is_due(object, field);
}

static GVariant *to_variant(const StructType *type, const void *object, unsigned depth)
{
        GVariantBuilder entries;

        g_variant_builder_init(&entries, G_VARIANT_TYPE_VARDICT);
        for (uint32_t i = 0; i < type->count; i++) {
                const Field *field = &type->fields[i];
                GVariant *value = is_told(field, object) ? field_to_variant(field, object, depth) : NULL;

                if (value)
                        g_variant_builder_add(&entries, "{sv}", field->key, value);
        }
        return g_variant_builder_end(&entries);
}

GVariant *struct_to_variant(const StructType *type, const void *object)
{
        return to_variant(type, object, NATIVE_DEPTH_OF_ROOT);
}
