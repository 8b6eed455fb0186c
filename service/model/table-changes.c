/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything in which two structures differ, row by row, for whoever wants to know what a new definition
 * would change. The items of a list are matched by what they are (their FIELD_IDENTITY rows), so that one
 * that was taken out of the middle is one change and not as many as follow it. */

#include "model/table-private.h"
#include <string.h>

/* Lists in which more items than this have changed are compared in order. */
#define MATCHES_MAX 256

typedef struct Walk {
        StructChangeVisit visit;
        void *data;
        GString *path;
        unsigned n_changes;
} Walk;

static void walk_struct(Walk *walk, const StructType *type, const void *a, const void *b, bool is_tunable,
                        bool is_abi);

/* Returns the length that path_leave() goes back to. */
static size_t path_add(Walk *walk, const char *key)
{
        size_t length = walk->path->len;

        if (length > 0)
                g_string_append_c(walk->path, '.');
        g_string_append(walk->path, key);
        return length;
}

static void report(Walk *walk, ChangeKind kind, bool is_tunable, bool is_abi)
{
        const StructChange change = { walk->path->str, kind, is_tunable, is_abi };

        if (walk->n_changes++ < CHANGES_MAX)
                walk->visit(&change, walk->data);
}

static bool has_identity(const StructType *type)
{
        for (uint32_t i = 0; i < type->count; i++)
                if (type->fields[i].flags & FIELD_IDENTITY)
                        return true;
        return false;
}

static bool is_same_item(const StructType *type, const void *a, const void *b)
{
        for (uint32_t i = 0; i < type->count; i++) {
                const Field *field = &type->fields[i];

                if (field->flags & FIELD_IDENTITY && field_exists(a, field) && field_exists(b, field) &&
                    !field_values_equal(field, a, b))
                        return false;
        }
        return true;
}

/* For each item of `a` the one of `b` that it has become, or -1. */
static int *match_items(const StructType *type, const AnyList *a, const AnyList *b)
{
        bool is_known = has_identity(type) && a->count <= MATCHES_MAX && b->count <= MATCHES_MAX;
        _cleanup_(freep) bool *is_taken = g_new0(bool, b->count + 1);
        int *matches = g_new(int, a->count + 1);

        for (uint32_t i = 0; i < a->count; i++) {
                matches[i] = -1;
                if (!is_known && i < b->count)
                        matches[i] = (int)i;
                for (uint32_t j = 0; is_known && j < b->count && matches[i] < 0; j++) {
                        uint32_t at = (i + j) % b->count; /* mostly it is where it was */

                        if (!is_taken[at] && is_same_item(type, a->items[i], b->items[at])) {
                                matches[i] = (int)at;
                                is_taken[at] = true;
                        }
                }
        }
        return matches;
}

static void walk_item(Walk *walk, const Field *field, uint32_t index, const void *a, const void *b,
                      bool is_tunable, bool is_abi)
{
        size_t length = path_add(walk, field->key);

        g_string_append_printf(walk->path, "[%u]", index);
        if (a && b)
                walk_struct(walk, field->type, a, b, is_tunable, is_abi);
        else
                report(walk, a ? CHANGE_REMOVED : CHANGE_ADDED, is_tunable || field->flags & FIELD_TUNABLE,
                       is_abi);
        g_string_truncate(walk->path, length);
}

/* An item that is gone or different has its index in the old list, a new one that in the new list. */
static void walk_list(Walk *walk, const Field *field, const AnyList *a, const AnyList *b, bool is_tunable,
                      bool is_abi)
{
        _cleanup_(freep) int *matches = match_items(field->type, a, b);
        _cleanup_(freep) bool *is_old = g_new0(bool, b->count + 1);

        for (uint32_t i = 0; i < a->count; i++) {
                if (matches[i] >= 0)
                        is_old[matches[i]] = true;
                walk_item(walk, field, i, a->items[i], matches[i] >= 0 ? b->items[matches[i]] : NULL,
                          is_tunable, is_abi);
        }
        for (uint32_t i = 0; i < b->count; i++)
                if (!is_old[i])
                        walk_item(walk, field, i, NULL, b->items[i], is_tunable, is_abi);
}

static void walk_child(Walk *walk, const Field *field, const void *a, const void *b, bool is_tunable,
                       bool is_abi)
{
        if (a && b)
                walk_struct(walk, field->type, a, b, is_tunable, is_abi);
        else if (a || b)
                report(walk, a ? CHANGE_REMOVED : CHANGE_ADDED, is_tunable, is_abi);
}

/* Nothing is told about a secret that both have: it would be a way to guess it. */
static bool value_differs(const Field *field, const void *a, const void *b)
{
        if (field->flags & FIELD_SECRET)
                return field_is_set(a, field) != field_is_set(b, field);
        return !field_values_equal(field, a, b);
}

/* What is never written is no part of the definition: the source of a layer that is none. */
static bool is_told(const Field *field, const void *object)
{
        return field_exists(object, field) && (!field->shown || field->shown(object, DEFINITION_NATIVE));
}

static void walk_field(Walk *walk, const Field *field, const void *a, const void *b, bool is_tunable,
                       bool is_abi)
{
        bool is_in_a = is_told(field, a), is_in_b = is_told(field, b);
        size_t length = path_add(walk, field->key);

        if (field->kind != FIELD_LIST)
                is_tunable = is_tunable || field->flags & FIELD_TUNABLE;
        is_abi = is_abi && !(field->flags & FIELD_NO_ABI);
        if (is_in_a != is_in_b) {
                if (field_is_set(is_in_a ? a : b, field))
                        report(walk, is_in_a ? CHANGE_REMOVED : CHANGE_ADDED, is_tunable, is_abi);
        } else if (is_in_a && field->kind == FIELD_STRUCT) {
                walk_child(walk, field, *CONST_FIELD_AT(a, field, void *), *CONST_FIELD_AT(b, field, void *),
                           is_tunable, is_abi);
        } else if (is_in_a && field->kind == FIELD_INLINE) {
                walk_child(walk, field, CONST_FIELD_AT(a, field, void), CONST_FIELD_AT(b, field, void),
                           is_tunable, is_abi);
        } else if (is_in_a && field->kind == FIELD_LIST) {
                g_string_truncate(walk->path, length); /* the items have the key, with their index */
                walk_list(walk, field, CONST_FIELD_AT(a, field, AnyList), CONST_FIELD_AT(b, field, AnyList),
                          is_tunable, is_abi);
        } else if (is_in_a && value_differs(field, a, b)) {
                report(walk, CHANGE_VALUE, is_tunable, is_abi);
        }
        g_string_truncate(walk->path, length);
}

/* What belongs to a run is not compared, and neither is a row that shares its member with another. */
static void walk_struct(Walk *walk, const StructType *type, const void *a, const void *b, bool is_tunable,
                        bool is_abi)
{
        for (uint32_t i = 0; i < type->count; i++)
                if (!(type->fields[i].flags & (FIELD_NO_NATIVE | FIELD_LIVE)))
                        walk_field(walk, &type->fields[i], a, b, is_tunable, is_abi);
}

unsigned struct_changes(const StructType *type, const void *a, const void *b, StructChangeVisit visit,
                        void *data)
{
        _cleanup_(string_builder_freep) GString *path = g_string_new(NULL);
        Walk walk = { .visit = visit, .data = data, .path = path };

        walk_struct(&walk, type, a, b, false, true);
        return walk.n_changes;
}
