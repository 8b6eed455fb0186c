/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filters as native values. They are read as the elements that say the same, so that every rule about a
 * filter stands once; what an element would ignore is refused here. */

#include "model/nwfilter.h"
#include "model/table-native.h"
#include <string.h>

/* The elements of one entry, and the texts in them. */
typedef GPtrArray Made;

static void *keep(Made *made, void *memory)
{
        g_ptr_array_add(made, memory);
        return memory;
}

static XmlNode *node_add(Made *made, XmlNode *parent, const char *name)
{
        XmlNode *node = keep(made, g_new0(XmlNode, 1)), **last = parent ? &parent->first_child : NULL;

        node->name = keep(made, g_strdup(name));
        for (; last && *last; last = &(*last)->next)
                ;
        if (last)
                *last = node;
        return node;
}

static void attribute_add(Made *made, XmlNode *node, const char *name, const char *value)
{
        XmlAttribute *attribute = keep(made, g_new0(XmlAttribute, 1));

        *attribute = (XmlAttribute){ keep(made, g_strdup(name)), value, node->attributes };
        node->attributes = attribute;
}

/* What the value would be as an attribute; NULL: nothing could be. */
static const char *text_of(Made *made, GVariant *value)
{
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
                return native_is_writable(g_variant_get_string(value, NULL))
                               ? keep(made, g_variant_dup_string(value, NULL))
                               : NULL;
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
                return g_variant_get_boolean(value) ? "true" : "false";
        return strchr("ynqiuxt", *g_variant_get_type_string(value))
                       ? keep(made, g_variant_print(value, false))
                       : NULL;
}

static int text_read(const NativePlace *place, Made *made, GVariant *value, const char **ret, Error *error)
{
        *ret = text_of(made, value);
        return *ret ? 0 : native_wrong_type(place, error, value, "a text, a number or a boolean is");
}

static int boolean_read(const NativePlace *place, GVariant *value, bool *ret, Error *error)
{
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
                return native_wrong_type(place, error, value, "a boolean is");
        *ret = g_variant_get_boolean(value);
        return 0;
}

/* Calls `read` with the key and what is in the variant, for each. */
typedef int (*EntryRead)(const NativePlace *place, GVariant *value, void *data, Error *error);
static int each_read(const NativePlace *place, GVariant *dictionary, EntryRead read, void *data,
                     Error *error)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *seen =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        int r = 0;

        if (!g_variant_is_of_type(dictionary, G_VARIANT_TYPE("a{s*}")))
                return native_wrong_type(place, error, dictionary, "a dictionary a{sv} is");
        for (size_t i = 0, n = g_variant_n_children(dictionary); i < n && r >= 0; i++) {
                _cleanup_(g_variant_unrefp) GVariant *entry = g_variant_get_child_value(dictionary, i);
                _cleanup_(g_variant_unrefp) GVariant *key = g_variant_get_child_value(entry, 0);
                _cleanup_(g_variant_unrefp) GVariant *value =
                        native_unwrap(g_variant_get_child_value(entry, 1));
                const NativePlace at = { .above = place, .key = g_variant_get_string(key, NULL) };

                if (!g_hash_table_add(seen, g_strdup(at.key)))
                        return native_refuse(&at, error, "is given twice");
                r = read(&at, value, data, error);
        }
        return r;
}

typedef struct Entry {
        Made *made;
        GVariant *match, *mismatch, *parameters; /* read at the end; counted */
        XmlNode *node, *protocol;                /* attributes go to the protocol */
        const char *reference, *protocol_name;
        bool is_negated;
} Entry;

static int rule_key_read(const NativePlace *place, GVariant *value, Entry *entry, Error *error)
{
        const char *text;
        bool is = false;
        int r;

        if (strcmp(place->key, "is_stateless") == 0) {
                r = boolean_read(place, value, &is, error);
                if (is)
                        attribute_add(entry->made, entry->node, "statematch", "false");
                return r;
        }
        if (strcmp(place->key, "is_negated") == 0)
                return boolean_read(place, value, &entry->is_negated, error);
        if (strcmp(place->key, "protocol") == 0)
                return text_read(place, entry->made, value, &entry->protocol_name, error);
        if (strcmp(place->key, "action") != 0 && strcmp(place->key, "direction") != 0 &&
            strcmp(place->key, "priority") != 0)
                return native_refuse(place, error, "there is no such field");
        r = text_read(place, entry->made, value, &text, error);
        if (r >= 0)
                attribute_add(entry->made, entry->node, place->key, text);
        return r;
}

static int key_read(const NativePlace *place, GVariant *value, void *data, Error *error)
{
        Entry *entry = data;

        if (strcmp(place->key, "reference") == 0)
                return text_read(place, entry->made, value, &entry->reference, error);
        if (strcmp(place->key, "parameters") == 0)
                entry->parameters = g_variant_ref(value);
        else if (strcmp(place->key, "match") == 0)
                entry->match = g_variant_ref(value);
        else if (strcmp(place->key, "mismatch") == 0)
                entry->mismatch = g_variant_ref(value);
        else
                return rule_key_read(place, value, entry, error);
        return 0;
}

static int match_read(const NativePlace *place, GVariant *value, void *data, Error *error)
{
        Entry *entry = data;
        const char *text;
        int r = text_read(place, entry->made, value, &text, error);

        if (r >= 0)
                attribute_add(entry->made, entry->protocol, place->key, text);
        return r;
}

/* Protocols are known by now. */
static int match_check(const NativePlace *place, GVariant *value, void *data, Error *error)
{
        const Entry *entry = data;
        FilterValue kind;
        uint32_t max;

        (void)value;
        return filter_attribute_find(entry->protocol->name, place->key, &kind, &max)
                       ? 0
                       : native_refuse(place, error, "the protocol has no such attribute");
}

static int parameter_add(const NativePlace *place, GVariant *value, Entry *entry, Error *error)
{
        XmlNode *node = node_add(entry->made, entry->node, "parameter");
        const char *text;
        int r = text_read(place, entry->made, value, &text, error);

        if (r >= 0) {
                attribute_add(entry->made, node, "name", place->key);
                attribute_add(entry->made, node, "value", text);
        }
        return r;
}

static int parameter_read(const NativePlace *place, GVariant *value, void *data, Error *error)
{
        int r = 0;

        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_ARRAY))
                return parameter_add(place, value, data, error);
        for (size_t i = 0, n = g_variant_n_children(value); i < n && r >= 0; i++) {
                _cleanup_(g_variant_unrefp) GVariant *item =
                        native_unwrap(g_variant_get_child_value(value, i));

                r = parameter_add(place, item, data, error);
        }
        return r;
}

/* An element for what is meant and one for what is not: `values` may be NULL. */
static int protocol_add(const NativePlace *place, Entry *entry, GVariant *values, bool is_negated,
                        Error *error)
{
        entry->protocol = node_add(entry->made, entry->node, entry->protocol_name);
        if (is_negated)
                attribute_add(entry->made, entry->protocol, "match", "no");
        return values ? each_read(place, values, match_read, entry, error) : 0;
}

static int rule_read(const NativePlace *place, Entry *entry, Error *error)
{
        const NativePlace match = { .above = place, .key = "match" };
        const NativePlace mismatch = { .above = place, .key = "mismatch" };
        const NativePlace is_negated = { .above = place, .key = "is_negated" };
        const NativePlace parameters = { .above = place, .key = "parameters" };
        int r;

        if (entry->parameters)
                return native_refuse(&parameters, error, "is for references");
        if (!entry->protocol_name)
                return entry->match        ? native_refuse(&match, error, "needs a protocol")
                       : entry->mismatch   ? native_refuse(&mismatch, error, "needs a protocol")
                       : entry->is_negated ? native_refuse(&is_negated, error, "needs a protocol")
                                           : 0;
        if (entry->mismatch && entry->is_negated)
                return native_refuse(&mismatch, error, "is what match is with is_negated");
        r = protocol_add(&match, entry, entry->match, entry->is_negated, error);
        return r >= 0 && entry->mismatch ? protocol_add(&mismatch, entry, entry->mismatch, true, error) : r;
}

/* Of the two kinds of entries, which share no field. */
static int kind_read(const NativePlace *place, Entry *entry, Error *error)
{
        const NativePlace parameters = { .above = place, .key = "parameters" };

        if (!entry->reference)
                return rule_read(place, entry, error);
        if (entry->node->attributes || entry->protocol_name || entry->match || entry->mismatch ||
            entry->is_negated)
                return native_refuse(place, error, "a reference has nothing but reference and parameters");
        entry->node->name = "filterref";
        attribute_add(entry->made, entry->node, "filter", entry->reference);
        return entry->parameters ? each_read(&parameters, entry->parameters, parameter_read, entry, error)
                                 : 0;
}

static void entry_clear(Entry *entry)
{
        GVariant *const values[] = { entry->match, entry->mismatch, entry->parameters };

        for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
                if (values[i])
                        g_variant_unref(values[i]);
}

static int entry_read(const NativePlace *place, GVariant *value, Made *made, FilterDefinition *definition,
                      Error *error)
{
        const NativePlace match = { .above = place, .key = "match" };
        const NativePlace mismatch = { .above = place, .key = "mismatch" };
        _cleanup_(entry_clear) Entry entry = { .made = made, .node = node_add(made, NULL, "rule") };
        _cleanup_(error_clear) Error cause = {};
        int r = each_read(place, value, key_read, &entry, error);

        if (r >= 0)
                r = kind_read(place, &entry, error);
        if (r >= 0 && filter_entry_read(entry.node, definition, &cause) < 0)
                r = native_pass_refusal(place, &cause, error);
        if (r >= 0 && entry.match)
                r = each_read(&match, entry.match, match_check, &entry, error);
        if (r >= 0 && entry.mismatch)
                r = each_read(&mismatch, entry.mismatch, match_check, &entry, error);
        return r;
}

static int entries_read(const NativePlace *place, GVariant *entries, Made *made,
                        FilterDefinition *definition, Error *error)
{
        int r = 0;

        if (!g_variant_is_of_type(entries, G_VARIANT_TYPE_ARRAY))
                return native_wrong_type(place, error, entries, "an array of dictionaries is");
        for (size_t i = 0, n = g_variant_n_children(entries); i < n && r >= 0; i++) {
                _cleanup_(g_variant_unrefp) GVariant *entry =
                        native_unwrap(g_variant_get_child_value(entries, i));
                const NativePlace at = { .above = place, .index = i };

                r = entry_read(&at, entry, made, definition, error);
        }
        return r;
}

typedef struct Whole {
        Made *made;
        XmlNode *node;
        GVariant *entries; /* counted */
} Whole;

static int whole_read(const NativePlace *place, GVariant *value, void *data, Error *error)
{
        static const char *const attributes[] = { "name", "chain", "priority", NULL };
        Whole *whole = data;
        const char *text;
        int r;

        if (strcmp(place->key, "entries") == 0) {
                whole->entries = g_variant_ref(value);
                return 0;
        }
        if (strcmp(place->key, "uuid") != 0 && !g_strv_contains(attributes, place->key))
                return native_refuse(place, error, "there is no such field");
        r = text_read(place, whole->made, value, &text, error);
        if (r < 0)
                return r;
        if (strcmp(place->key, "uuid") == 0)
                node_add(whole->made, whole->node, "uuid")->text = text;
        else
                attribute_add(whole->made, whole->node, place->key, text);
        return 0;
}

int filter_definition_from_variant(GVariant *values, FilterDefinition **ret, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) Made *made = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(filter_definition_freep) FilterDefinition *definition = NULL;
        const NativePlace top = {}, entries = { .above = &top, .key = "entries" };
        Whole whole = { made, node_add(made, NULL, "filter"), NULL };
        int r = each_read(&top, values, whole_read, &whole, error);

        if (r >= 0)
                r = filter_definition_read(whole.node, &definition, error);
        if (r >= 0 && whole.entries)
                r = entries_read(&entries, whole.entries, made, definition, error);
        if (whole.entries)
                g_variant_unref(whole.entries);
        if (r >= 0)
                *ret = TAKE_PTR(definition);
        return r;
}

/* Numbers and booleans as such; a variable is a text. */
static GVariant *pair_value(const FilterEntry *entry, const FilterPair *pair)
{
        FilterValue kind = FILTER_VALUE_COMMENT;
        uint32_t max;

        (void)filter_attribute_find(entry->protocol, pair->name, &kind, &max); /* it was read by that */
        if (kind == FILTER_VALUE_NUMBER && g_ascii_isdigit(*pair->value))
                return g_variant_new_uint32((uint32_t)g_ascii_strtoull(pair->value, NULL, 0));
        if (kind == FILTER_VALUE_BOOLEAN && *pair->value != '$')
                return g_variant_new_boolean(strcmp(pair->value, "true") == 0);
        return g_variant_new_string(pair->value);
}

/* Values of one name follow each other. */
static GVariant *parameters_told(const FilterEntry *entry)
{
        GVariantBuilder all;

        g_variant_builder_init(&all, G_VARIANT_TYPE_VARDICT);
        for (unsigned i = 0; i < entry->pairs->len;) {
                const char *name = ((const FilterPair *)entry->pairs->pdata[i])->name;
                GVariantBuilder values;

                g_variant_builder_init(&values, G_VARIANT_TYPE_STRING_ARRAY);
                for (; i < entry->pairs->len; i++) {
                        const FilterPair *pair = entry->pairs->pdata[i];

                        if (strcmp(pair->name, name) != 0)
                                break;
                        g_variant_builder_add(&values, "s", pair->value);
                }
                g_variant_builder_add(&all, "{sv}", name, g_variant_builder_end(&values));
        }
        return g_variant_builder_end(&all);
}

static void tell_text(GVariantBuilder *builder, const char *key, const char *text)
{
        g_variant_builder_add(builder, "{sv}", key, g_variant_new_string(text));
}

static unsigned count_negated(const FilterEntry *entry)
{
        unsigned n = 0;

        for (unsigned i = 0; i < entry->pairs->len; i++)
                n += ((const FilterPair *)entry->pairs->pdata[i])->is_negated;
        return n;
}

static void tell_pairs(GVariantBuilder *builder, const char *key, const FilterEntry *entry, bool is_negated)
{
        GVariantBuilder pairs;

        g_variant_builder_init(&pairs, G_VARIANT_TYPE_VARDICT);
        for (unsigned i = 0; i < entry->pairs->len; i++) {
                const FilterPair *pair = entry->pairs->pdata[i];

                if (pair->is_negated == is_negated)
                        g_variant_builder_add(&pairs, "{sv}", pair->name, pair_value(entry, pair));
        }
        g_variant_builder_add(builder, "{sv}", key, g_variant_builder_end(&pairs));
}

static void tell_rule(GVariantBuilder *builder, const FilterEntry *entry)
{
        unsigned n_negated = count_negated(entry);
        bool is_negated = n_negated > 0 && n_negated == entry->pairs->len;

        tell_text(builder, "action", filter_action_to_string(entry->action));
        tell_text(builder, "direction", filter_direction_to_string(entry->direction));
        g_variant_builder_add(builder, "{sv}", "priority", g_variant_new_int32(entry->priority));
        if (entry->is_stateless)
                g_variant_builder_add(builder, "{sv}", "is_stateless", g_variant_new_boolean(true));
        if (!entry->protocol)
                return;
        tell_text(builder, "protocol", entry->protocol);
        if (is_negated)
                g_variant_builder_add(builder, "{sv}", "is_negated", g_variant_new_boolean(true));
        tell_pairs(builder, "match", entry, is_negated);
        if (n_negated > 0 && !is_negated)
                tell_pairs(builder, "mismatch", entry, true);
}

GVariant *filter_definition_to_variant(const FilterDefinition *definition)
{
        GVariantBuilder all, entries;

        g_variant_builder_init(&all, G_VARIANT_TYPE_VARDICT);
        tell_text(&all, "name", definition->name);
        if (definition->uuid[0])
                tell_text(&all, "uuid", definition->uuid);
        tell_text(&all, "chain", definition->chain);
        g_variant_builder_add(&all, "{sv}", "priority", g_variant_new_int32(definition->priority));
        g_variant_builder_init(&entries, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < definition->entries->len; i++) {
                const FilterEntry *entry = definition->entries->pdata[i];
                GVariantBuilder one;

                g_variant_builder_init(&one, G_VARIANT_TYPE_VARDICT);
                if (entry->reference) {
                        tell_text(&one, "reference", entry->reference);
                        g_variant_builder_add(&one, "{sv}", "parameters", parameters_told(entry));
                } else {
                        tell_rule(&one, entry);
                }
                g_variant_builder_add_value(&entries, g_variant_builder_end(&one));
        }
        g_variant_builder_add(&all, "{sv}", "entries", g_variant_builder_end(&entries));
        return g_variant_builder_end(&all);
}
