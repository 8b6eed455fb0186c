/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where two structures say different things, row by row. The path grows on the way back, so that equal
 * structures, which is what most callers have, cost no memory. */

#include "model/table-private.h"
#include <string.h>

/* "" and NULL say the same, unless "" is a value of its own. */
static bool texts_equal(const Field *field, const char *a, const char *b)
{
        if (field->flags & FIELD_EMPTY_WORD)
                return g_strcmp0(a, b) == 0;
        return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool strings_equal(FieldStrings a, FieldStrings b)
{
        static const char *const none[] = { NULL };

        return g_strv_equal(a ? a : none, b ? b : none);
}

static bool numbers_equal(const Field *field, const void *a, const void *b)
{
        if (field->has_offset && !field_has(a, field))
                return true; /* as the other: the caller looked */
        return field_number(a, field) == field_number(b, field);
}

bool field_values_equal(const Field *field, const void *a, const void *b)
{
        if (field->has_offset && field_has(a, field) != field_has(b, field))
                return false;
        switch (field->kind) {
        case FIELD_STRING:
        case FIELD_CPUSET:
        case FIELD_RAW:
                return texts_equal(field, *CONST_FIELD_AT(a, field, char *),
                                   *CONST_FIELD_AT(b, field, char *));
        case FIELD_STRINGS:
                return strings_equal(*CONST_FIELD_AT(a, field, FieldStrings),
                                     *CONST_FIELD_AT(b, field, FieldStrings));
        case FIELD_UUID:
        case FIELD_MAC:
                return strcmp(CONST_FIELD_AT(a, field, char), CONST_FIELD_AT(b, field, char)) == 0;
        default:
                return numbers_equal(field, a, b);
        }
}

/* Whether a row counts in this comparison. A row without a key shares its member with one that has. */
static bool is_compared(const Field *field, bool abi_only)
{
        return !(field->flags & FIELD_NO_NATIVE) && !(abi_only && field->flags & FIELD_NO_ABI);
}

/* Whether the guest sees anything of such a structure at all: if not, it is all the same how many there
 * are. */
static bool type_is_compared(const StructType *type, bool abi_only)
{
        for (uint32_t i = 0; i < type->count; i++)
                if (is_compared(&type->fields[i], abi_only))
                        return true;
        return false;
}

static char *path_join(const char *key, char *inner)
{
        char *path = inner ? g_strconcat(key, ".", inner, NULL) : NULL;

        g_free(inner);
        return path;
}

static char *list_difference(const Field *field, const AnyList *a, const AnyList *b, bool abi_only)
{
        uint32_t common = MIN(a->count, b->count);

        if (!type_is_compared(field->type, abi_only))
                return NULL;
        for (uint32_t i = 0; i < common; i++) {
                _cleanup_(freep) char *inner =
                        struct_difference(field->type, a->items[i], b->items[i], abi_only);

                if (inner)
                        return g_strdup_printf("%s[%u].%s", field->key, i, inner);
        }
        return a->count == b->count ? NULL : g_strdup_printf("%s[%u]", field->key, common);
}

static char *child_difference(const Field *field, const void *a, const void *b, bool abi_only)
{
        if (a && b)
                return path_join(field->key, struct_difference(field->type, a, b, abi_only));
        return a == b || !type_is_compared(field->type, abi_only) ? NULL : g_strdup(field->key);
}

static char *field_difference(const Field *field, const void *a, const void *b, bool abi_only)
{
        bool is_in_a = field_exists(a, field), is_in_b = field_exists(b, field);

        if (!is_in_a && !is_in_b)
                return NULL;
        if (is_in_a != is_in_b)
                return field_is_set(is_in_a ? a : b, field) ? g_strdup(field->key) : NULL;
        switch (field->kind) {
        case FIELD_STRUCT:
                return child_difference(field, *CONST_FIELD_AT(a, field, void *),
                                        *CONST_FIELD_AT(b, field, void *), abi_only);
        case FIELD_INLINE:
                return child_difference(field, CONST_FIELD_AT(a, field, void),
                                        CONST_FIELD_AT(b, field, void), abi_only);
        case FIELD_LIST:
                return list_difference(field, CONST_FIELD_AT(a, field, AnyList),
                                       CONST_FIELD_AT(b, field, AnyList), abi_only);
        default:
                return field_values_equal(field, a, b) ? NULL : g_strdup(field->key);
        }
}

char *struct_difference(const StructType *type, const void *a, const void *b, bool abi_only)
{
        for (uint32_t i = 0; i < type->count; i++) {
                char *path = is_compared(&type->fields[i], abi_only)
                                     ? field_difference(&type->fields[i], a, b, abi_only)
                                     : NULL;

                if (path)
                        return path;
        }
        return NULL;
}

bool struct_is_same(const StructType *type, const void *a, const void *b)
{
        _cleanup_(freep) char *path = a && b ? struct_difference(type, a, b, false) : NULL;

        return (a == NULL) == (b == NULL) && !path;
}
