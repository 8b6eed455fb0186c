/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Structures in memory: new, free, copy, and their fields by row. */

#include "core/uuid.h"
#include "model/table-private.h"
#include <assert.h>
#include <string.h>

bool field_exists(const void *object, const Field *field)
{
        if (field->when_mask == 0)
                return true;
        /* Enums are a byte, and so are flags. */
        return field->when_mask & BIT(*((const uint8_t *)object + field->when_offset) & 63);
}

uint64_t field_number(const void *object, const Field *field)
{
        const void *at = CONST_FIELD_AT(object, field, void);
        bool is_signed = field->kind == FIELD_SIGNED;

        switch (field->size) {
        case 1:
                return is_signed ? (uint64_t)(int64_t) * (const int8_t *)at : *(const uint8_t *)at;
        case 2:
                return is_signed ? (uint64_t)(int64_t) * (const int16_t *)at : *(const uint16_t *)at;
        case 4:
                return is_signed ? (uint64_t)(int64_t) * (const int32_t *)at : *(const uint32_t *)at;
        default:
                assert(field->size == 8);
                return *(const uint64_t *)at;
        }
}

void field_set_number(void *object, const Field *field, uint64_t value)
{
        void *at = FIELD_AT(object, field, void);

        switch (field->size) {
        case 1:
                *(uint8_t *)at = (uint8_t)value;
                break;
        case 2:
                *(uint16_t *)at = (uint16_t)value;
                break;
        case 4:
                *(uint32_t *)at = (uint32_t)value;
                break;
        default:
                assert(field->size == 8);
                *(uint64_t *)at = value;
                break;
        }
}

bool field_has(const void *object, const Field *field)
{
        return *((const bool *)object + field->has_offset);
}

void field_set_has(void *object, const Field *field, bool has)
{
        if (field->has_offset)
                *((bool *)object + field->has_offset) = has;
}

static uint64_t initial_of(const Field *field)
{
        return field->kind == FIELD_SIGNED ? (uint64_t)(int64_t)(int32_t)field->initial : field->initial;
}

static bool struct_is_set(const StructType *type, const void *object);

bool field_is_set(const void *object, const Field *field)
{
        switch (field->kind) {
        case FIELD_STRING:
        case FIELD_CPUSET:
        case FIELD_RAW: {
                const char *text = *CONST_FIELD_AT(object, field, char *);

                return text && (*text || field->flags & FIELD_EMPTY_WORD);
        }
        case FIELD_STRINGS: {
                const char *const *strings = *CONST_FIELD_AT(object, field, FieldStrings);

                return strings && *strings;
        }
        case FIELD_UUID:
        case FIELD_MAC:
                return *CONST_FIELD_AT(object, field, char) ||
                       (field->has_offset && field_has(object, field));
        case FIELD_STRUCT:
                return *CONST_FIELD_AT(object, field, void *) != NULL;
        case FIELD_LIST:
                return CONST_FIELD_AT(object, field, AnyList)->count > 0;
        case FIELD_INLINE:
                return struct_is_set(field->type, CONST_FIELD_AT(object, field, void));
        case FIELD_FLAG:
                return *CONST_FIELD_AT(object, field, bool);
        default:
                return field->has_offset ? field_has(object, field)
                                         : field_number(object, field) != initial_of(field);
        }
}

static bool struct_is_set(const StructType *type, const void *object)
{
        for (uint32_t i = 0; i < type->count; i++)
                if (field_exists(object, &type->fields[i]) && field_is_set(object, &type->fields[i]))
                        return true;
        return false;
}

bool field_is_due(const void *object, const Field *field)
{
        bool is_number =
                field->kind == FIELD_UNSIGNED || field->kind == FIELD_SIGNED || field->kind == FIELD_SIZE;

        return field_is_set(object, field) || field->flags & FIELD_ALWAYS ||
               (is_number && field->flags & FIELD_REQUIRED);
}

void struct_initialise(const StructType *type, void *object)
{
        for (uint32_t i = 0; i < type->count; i++) {
                const Field *field = &type->fields[i];

                if (field->kind == FIELD_INLINE)
                        struct_initialise(field->type, FIELD_AT(object, field, void));
                else if (field->initial)
                        field_set_number(object, field, initial_of(field));
        }
}

static void field_clear(void *object, const Field *field)
{
        AnyList *list;

        switch (field->kind) {
        case FIELD_STRING:
        case FIELD_CPUSET:
        case FIELD_RAW:
                g_clear_pointer(FIELD_AT(object, field, char *), g_free);
                break;
        case FIELD_STRINGS:
                g_clear_pointer(FIELD_AT(object, field, char **), g_strfreev);
                break;
        case FIELD_STRUCT:
                *FIELD_AT(object, field, void *) =
                        struct_free(field->type, *FIELD_AT(object, field, void *));
                break;
        case FIELD_INLINE:
                struct_clear(field->type, FIELD_AT(object, field, void));
                break;
        case FIELD_LIST:
                list = FIELD_AT(object, field, AnyList);
                for (uint32_t i = 0; i < list->count; i++)
                        struct_free(field->type, list->items[i]);
                g_free(list->items);
                *list = (AnyList){};
                break;
        default:
                break; /* owns nothing */
        }
}

/* Rows for different values of a `when` may share a member: it is cleared once, and then NULL. */
void struct_clear(const StructType *type, void *object)
{
        for (uint32_t i = 0; i < type->count; i++)
                field_clear(object, &type->fields[i]);
}

void *struct_new(const StructType *type)
{
        void *object = g_malloc0(type->size);

        struct_initialise(type, object);
        return object;
}

void *struct_free(const StructType *type, void *object)
{
        if (!object)
                return NULL;
        struct_clear(type, object);
        g_free(object);
        return NULL;
}

static void struct_copy_into(const StructType *type, const void *from, void *to);

/* `to` is a copy byte for byte: whatever is owned is replaced by a copy of its own. */
static void field_copy(const void *from, void *to, const Field *field)
{
        const AnyList *list;
        AnyList *copy;

        switch (field->kind) {
        case FIELD_STRING:
        case FIELD_CPUSET:
        case FIELD_RAW:
                *FIELD_AT(to, field, char *) = g_strdup(*CONST_FIELD_AT(from, field, char *));
                break;
        case FIELD_STRINGS:
                *FIELD_AT(to, field, char **) =
                        g_strdupv(*(char **const *)CONST_FIELD_AT(from, field, char **));
                break;
        case FIELD_STRUCT:
                *FIELD_AT(to, field, void *) =
                        struct_copy(field->type, *CONST_FIELD_AT(from, field, void *));
                break;
        case FIELD_INLINE:
                struct_copy_into(field->type, CONST_FIELD_AT(from, field, void), FIELD_AT(to, field, void));
                break;
        case FIELD_LIST:
                list = CONST_FIELD_AT(from, field, AnyList);
                copy = FIELD_AT(to, field, AnyList);
                copy->items = list->count ? g_new(void *, list->count) : NULL;
                for (uint32_t i = 0; i < list->count; i++)
                        copy->items[i] = struct_copy(field->type, list->items[i]);
                break;
        default:
                break;
        }
}

/* A member that two rows share is copied for the first of them. */
static bool is_shared_with_earlier(const StructType *type, uint32_t number)
{
        for (uint32_t i = 0; i < number; i++)
                if (type->fields[i].offset == type->fields[number].offset)
                        return true;
        return false;
}

static void struct_copy_into(const StructType *type, const void *from, void *to)
{
        for (uint32_t i = 0; i < type->count; i++)
                if (!is_shared_with_earlier(type, i))
                        field_copy(from, to, &type->fields[i]);
}

void *struct_copy(const StructType *type, const void *object)
{
        void *copy;

        if (!object)
                return NULL;
        copy = g_memdup2(object, type->size);
        struct_copy_into(type, object, copy);
        return copy;
}

void list_insert(void *list, uint32_t index, void *item)
{
        AnyList *any = list;

        assert(index <= any->count);
        any->items = g_renew(void *, any->items, any->count + 1);
        memmove(any->items + index + 1, any->items + index, (any->count - index) * sizeof *any->items);
        any->items[index] = item;
        any->count++;
}

void list_append(void *list, void *item)
{
        list_insert(list, ((AnyList *)list)->count, item);
}

void *list_remove(void *list, uint32_t index)
{
        AnyList *any = list;
        void *item;

        assert(index < any->count);
        item = any->items[index];
        any->count--;
        memmove(any->items + index, any->items + index + 1, (any->count - index) * sizeof *any->items);
        return item;
}
