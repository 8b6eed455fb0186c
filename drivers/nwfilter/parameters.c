/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/nwfilter/parameters.h"
#include <string.h>

#define ITERATORS_MAX 32
#define STEPS_MAX     10000

GHashTable *parameters_new(void)
{
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
}

void parameters_add(GHashTable *variables, const char *name, const char *value)
{
        GPtrArray *values = g_hash_table_lookup(variables, name);

        if (!values) {
                values = g_ptr_array_new_with_free_func(g_free);
                g_hash_table_insert(variables, g_strdup(name), values);
        }
        g_ptr_array_add(values, g_strdup(value));
}

const GPtrArray *parameters_find(const FilterScope *scope, const char *name)
{
        const GPtrArray *outside = scope->outer ? parameters_find(scope->outer, name) : NULL;

        return outside ? outside : g_hash_table_lookup(scope->values, name);
}

/* One attribute: a text, or a place in a list. */
typedef struct Slot {
        const GPtrArray *list; /* NULL: `text` */
        const char *text;
        int iterator; /* its place among the rule's; negative: `index` */
        unsigned index;
} Slot;

typedef struct Iterator {
        unsigned number; /* as it is written */
        unsigned length, at;
} Iterator;

typedef struct Expansion {
        const FilterEntry *entry;
        const char *filter;
        Slot *slots;
        Iterator iterators[ITERATORS_MAX];
        unsigned n_iterators;
} Expansion;

static int add_iterator(Expansion *expansion, unsigned number, unsigned length, Error *error)
{
        unsigned i = 0;

        while (i < expansion->n_iterators && expansion->iterators[i].number != number)
                i++;
        if (i == ITERATORS_MAX)
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "filter '%s': a rule has more than %d iterators", expansion->filter,
                                 ITERATORS_MAX);
        if (i == expansion->n_iterators)
                expansion->iterators[expansion->n_iterators++] = (Iterator){ number, length, 0 };
        expansion->iterators[i].length = MIN(expansion->iterators[i].length, length);
        return (int)i;
}

/* "$NAME", "$NAME[index]" or "$NAME[@iterator]", as the model writes it. */
static int read_slot(Expansion *expansion, const FilterPair *pair, const FilterScope *scope, Slot *slot,
                     Error *error)
{
        const char *bracket = strchr(pair->value, '[');
        _cleanup_(freep) char *name =
                bracket ? g_strndup(pair->value + 1, (size_t)(bracket - pair->value - 1))
                        : g_strdup(pair->value + 1);
        bool is_index = bracket && bracket[1] != '@';
        unsigned number = bracket ? (unsigned)g_ascii_strtoull(bracket + (is_index ? 1 : 2), NULL, 10) : 0;
        const GPtrArray *list = parameters_find(scope, name);
        int r;

        if (!list || list->len == 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': the variable %s is needed for %s of <%s>, and has no value",
                                 expansion->filter, name, pair->name, expansion->entry->protocol);
        if (is_index && number >= list->len)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': element %u of the variable %s is needed, it has %u",
                                 expansion->filter, number, name, list->len);
        *slot = (Slot){ .list = list, .iterator = -1, .index = number };
        if (is_index)
                return 0;
        r = add_iterator(expansion, number, list->len, error);
        if (r >= 0)
                slot->iterator = r;
        return r;
}

static const char *value_of(const Expansion *expansion, const Slot *slot)
{
        if (!slot->list)
                return slot->text;
        return slot->list->pdata[slot->iterator < 0 ? slot->index : expansion->iterators[slot->iterator].at];
}

static void pair_release(void *data)
{
        FilterPair *pair = data;

        g_free(pair->name);
        g_free(pair->value);
        g_free(pair);
}

static int add_pair(const Expansion *expansion, GPtrArray *pairs, const FilterPair *template,
                    const char *value, Error *error)
{
        const char *name = template->name;
        FilterValue kind;
        uint32_t max;
        FilterPair *pair;
        char *clean;

        if (!filter_attribute_find(expansion->entry->protocol, name, &kind, &max))
                return error_set(error, ERROR_INTERNAL, "filter '%s': <%s> has no attribute %s",
                                 expansion->filter, expansion->entry->protocol, name);
        clean = kind == FILTER_VALUE_IPV4 && strcmp(value, VARIABLE_LEARNT) == 0 ? g_strdup(value)
                : value[0] == '$' && kind != FILTER_VALUE_COMMENT                ? NULL
                                                                  : filter_value_clean(kind, max, value);
        if (!clean)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': the value '%s' of a variable is not possible for %s of <%s>",
                                 expansion->filter, value, name, expansion->entry->protocol);
        pair = g_new0(FilterPair, 1);
        *pair = (FilterPair){ g_strdup(name), clean, template->is_negated };
        g_ptr_array_add(pairs, pair);
        return 0;
}

static int visit_one(const Expansion *expansion, ParametersVisit visit, void *data, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *pairs = g_ptr_array_new_with_free_func(pair_release);
        const GPtrArray *templates = expansion->entry->pairs;
        int r = 0;

        for (unsigned i = 0; i < templates->len && r >= 0; i++) {
                const FilterPair *pair = templates->pdata[i];

                r = add_pair(expansion, pairs, pair, value_of(expansion, &expansion->slots[i]), error);
        }
        return r < 0 ? r : visit(expansion->entry, pairs, data, error);
}

/* The next step; false: all were taken. */
static bool advance(Expansion *expansion)
{
        for (unsigned i = 0; i < expansion->n_iterators; i++) {
                if (++expansion->iterators[i].at < expansion->iterators[i].length)
                        return true;
                expansion->iterators[i].at = 0;
        }
        return false;
}

static int check_steps(const Expansion *expansion, Error *error)
{
        uint64_t steps = 1;

        for (unsigned i = 0; i < expansion->n_iterators; i++) {
                steps *= expansion->iterators[i].length;
                if (steps > STEPS_MAX)
                        return error_set(
                                error, ERROR_LIMITS_EXCEEDED,
                                "filter '%s': the lists of variables make more than %d rules of one",
                                expansion->filter, STEPS_MAX);
        }
        return 0;
}

int parameters_expand(const FilterEntry *entry, const char *filter, const FilterScope *scope,
                      ParametersVisit visit, void *data, Error *error)
{
        _cleanup_(freep) Slot *slots = g_new0(Slot, entry->pairs->len + 1);
        Expansion expansion = { .entry = entry, .filter = filter, .slots = slots };
        int r = 0;

        for (unsigned i = 0; i < entry->pairs->len && r >= 0; i++) {
                const FilterPair *pair = entry->pairs->pdata[i];

                if (pair->value[0] == '$' && strcmp(pair->name, "comment") != 0)
                        r = read_slot(&expansion, pair, scope, &slots[i], error);
                else
                        slots[i] = (Slot){ .text = pair->value };
        }
        if (r >= 0)
                r = check_steps(&expansion, error);
        while (r >= 0) {
                r = visit_one(&expansion, visit, data, error);
                if (!advance(&expansion))
                        break;
        }
        return r;
}
