/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The value is taken apart, changed at a node that chance (rand()) picks, and put together again. */

#include "tests/fuzz/mutate-native.h"
#include "core/cleanup.h"
#include <stdlib.h>

#define SEEN_MAX  2000
#define DEPTH_MAX 40

static GPtrArray *keys, *values; /* that were seen */

typedef enum Change { DROP, DOUBLE, RENAME, REPLACE, WRAP, EMPTY, ADD, N_CHANGES } Change;

typedef struct Mutation {
        unsigned at, target; /* numbers of nodes */
        Change change;
} Mutation;

static void learn_values(void)
{
        static const char *const texts[] = {
                "''",
                "'a'",
                "' '",
                "'a\\u0001b'",
                "'$IP'",
                "'yes'",
                "'\xc3\xa4'",
                "'1'",
                "'-1'",
                "'0x1f'",
                "true",
                "false",
                "0",
                "-1",
                "1.5",
                "byte 0xff",
                "int64 -1",
                "uint32 7",
                "uint64 18446744073709551615",
                "int16 3",
                "@a{sv} {}",
                "@as []",
                "@av []",
                "@aa{sv} []",
                "()",
                "('a', 1)",
                "['a']",
                "[1, 2]",
                "@ms nothing",
                "b'bytes'",
                "{'a': 'b'}",
                "<<1>>",
                "{1: 'a'}",
                "[{'a': <1>}, {'a': <2>}]",
                "objectpath '/a'",
        };

        if (values)
                return;
        keys = g_ptr_array_new();
        values = g_ptr_array_new();
        g_ptr_array_add(keys, g_strdup("name"));
        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
                g_ptr_array_add(values, g_variant_parse(NULL, texts[i], NULL, NULL, NULL));
}

static GVariant *pick_value(void)
{
        return g_variant_ref(values->pdata[(unsigned)rand() % values->len]);
}

static const char *pick_key(void)
{
        return keys->pdata[(unsigned)rand() % keys->len];
}

static void see(const char *key, GVariant *value)
{
        if (keys->len < SEEN_MAX && rand() % 4 == 0)
                g_ptr_array_add(keys, g_strdup(key));
        if (values->len < SEEN_MAX && rand() % 8 == 0)
                g_ptr_array_add(values, g_variant_ref(value));
}

static GVariant *unwrap(GVariant *value)
{
        while (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
                GVariant *inside = g_variant_get_variant(value);

                g_variant_unref(value);
                value = inside;
        }
        return value;
}

static GVariant *change(GVariant *value, Mutation *mutation, unsigned depth);

static void change_entry(GVariantBuilder *builder, GVariant *dictionary, size_t i, Mutation *mutation,
                         unsigned depth)
{
        _cleanup_(g_variant_unrefp) GVariant *entry = g_variant_get_child_value(dictionary, i);
        _cleanup_(g_variant_unrefp) GVariant *key = g_variant_get_child_value(entry, 0);
        _cleanup_(g_variant_unrefp) GVariant *value = NULL;
        const char *name = g_variant_get_string(key, NULL);
        bool is_target = mutation->at++ == mutation->target;
        unsigned times = !is_target ? 1 : mutation->change == DROP ? 0 : mutation->change == DOUBLE ? 2 : 1;

        value = change(unwrap(g_variant_get_child_value(entry, 1)), mutation, depth + 1);
        see(name, value);
        for (unsigned n = 0; n < times; n++)
                g_variant_builder_add(builder, "{sv}",
                                      is_target && mutation->change == RENAME ? pick_key() : name, value);
}

static GVariant *change_dictionary(GVariant *dictionary, Mutation *mutation, unsigned depth)
{
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        for (size_t i = 0, n = g_variant_n_children(dictionary); i < n; i++)
                change_entry(&builder, dictionary, i, mutation, depth);
        if (mutation->change == ADD && mutation->at++ == mutation->target) {
                _cleanup_(g_variant_unrefp) GVariant *value = pick_value();

                g_variant_builder_add(&builder, "{sv}", pick_key(), value);
        }
        return g_variant_ref_sink(g_variant_builder_end(&builder));
}

/* Of one type again if they still are. */
static GVariant *change_list(GVariant *list, Mutation *mutation, unsigned depth)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *items =
                g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
        bool is_one_type = true;
        GVariantBuilder builder;

        for (size_t i = 0, n = g_variant_n_children(list); i < n; i++) {
                bool is_target = mutation->at++ == mutation->target;

                if (is_target && mutation->change == DROP)
                        continue;
                g_ptr_array_add(items,
                                change(unwrap(g_variant_get_child_value(list, i)), mutation, depth + 1));
                if (is_target && mutation->change == DOUBLE)
                        g_ptr_array_add(items, g_variant_ref(items->pdata[items->len - 1]));
        }
        for (unsigned i = 1; i < items->len; i++)
                is_one_type = is_one_type && g_variant_type_equal(g_variant_get_type(items->pdata[0]),
                                                                  g_variant_get_type(items->pdata[i]));
        if (items->len > 0 && is_one_type)
                return g_variant_ref_sink(
                        g_variant_new_array(NULL, (GVariant *const *)items->pdata, items->len));
        g_variant_builder_init(&builder, G_VARIANT_TYPE("av"));
        for (unsigned i = 0; i < items->len; i++)
                g_variant_builder_add(&builder, "v", items->pdata[i]);
        return g_variant_ref_sink(g_variant_builder_end(&builder));
}

/* Takes the reference and gives one. */
static GVariant *change(GVariant *value, Mutation *mutation, unsigned depth)
{
        _cleanup_(g_variant_unrefp) GVariant *owned = value;

        if (mutation->at++ == mutation->target && depth > 0) {
                if (mutation->change == REPLACE)
                        return pick_value();
                if (mutation->change == WRAP)
                        return g_variant_ref_sink(g_variant_new_variant(value));
                if (mutation->change == EMPTY)
                        return g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE_VARIANT, NULL, 0));
        }
        if (depth > DEPTH_MAX)
                return TAKE_PTR(owned);
        if (g_variant_is_of_type(value, G_VARIANT_TYPE("a{s*}")))
                return change_dictionary(value, mutation, depth);
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_ARRAY) &&
            !g_variant_is_of_type(value, G_VARIANT_TYPE_DICTIONARY))
                return change_list(value, mutation, depth);
        return TAKE_PTR(owned);
}

GVariant *mutate_native(GVariant *value)
{
        Mutation counting = { .target = G_MAXUINT, .change = ADD }, mutation = {};

        learn_values();
        g_variant_unref(change(g_variant_ref(value), &counting, 0));
        mutation.change = (Change)((unsigned)rand() % N_CHANGES);
        mutation.target = (unsigned)rand() % (counting.at + 1);
        return change(value, &mutation, 0);
}
