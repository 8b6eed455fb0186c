/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A frame passes two layers in each direction: first frames as they are, with their chains, then IP and
 * connections; what the first accepts, the second may still drop. Both look at the device alone and jump to
 * its chains: from/DEVICE and to/DEVICE, which name the direction as the host sees it, from-ip/DEVICE and
 * to-ip/DEVICE. A filter's `chain` is from/DEVICE/CHAIN. */

#include "drivers/nwfilter/translate.h"
#include "drivers/nwfilter/flow.h"
#include <string.h>

#define DEPTH_MAX   32
#define PARTS_MAX   4096
#define RULES_MAX   20000
#define COMMENT_MAX 120 /* bytes; the kernel takes 128 with their end */

/* One line of a chain. */
typedef struct Line {
        char *chain; /* NULL: the device's own */
        bool is_to, is_ip;
        int priority, chain_priority;
        char *text;
} Line;

typedef struct Translation {
        const FilterRequest *request;
        const FilterDefinition *definition; /* whose rules are read now */
        GPtrArray *lines;
        unsigned n_parts;
        unsigned n_counters;
        unsigned flows; /* bits of the sets that flow_match() needs */
        GString *sets;
        GPtrArray *objects;
        bool uses_learnt, uses_same;
} Translation;

const char *translate_table(void)
{
        return "table " FILTER_TABLE " {\n"
               "map from { type iface_index : verdict; }\n"
               "map to { type iface_index : verdict; }\n"
               "map from-ip { type iface_index : verdict; }\n"
               "map to-ip { type iface_index : verdict; }\n"
               "chain prerouting { type filter hook prerouting priority -300; policy accept; }\n"
               "chain postrouting { type filter hook postrouting priority -300; policy accept; }\n"
               "chain prerouting-ip { type filter hook prerouting priority 0; policy accept; }\n"
               "chain postrouting-ip { type filter hook postrouting priority 0; policy accept; }\n"
               "}\n"
               "flush chain " FILTER_TABLE " prerouting\n"
               "flush chain " FILTER_TABLE " postrouting\n"
               "flush chain " FILTER_TABLE " prerouting-ip\n"
               "flush chain " FILTER_TABLE " postrouting-ip\n"
               "add rule " FILTER_TABLE " prerouting iif vmap @from\n"
               "add rule " FILTER_TABLE " postrouting oif vmap @to\n"
               "add rule " FILTER_TABLE " prerouting-ip iif vmap @from-ip\n"
               "add rule " FILTER_TABLE " postrouting-ip oif vmap @to-ip\n";
}

const char *const translate_maps[] = { "from", "to", "from-ip", "to-ip", NULL };

bool translate_is_of_table(const char *kind, const char *name)
{
        static const char *const chains[] = { "prerouting", "postrouting", "prerouting-ip", "postrouting-ip",
                                              NULL };

        return g_strv_contains(strcmp(kind, "chain") == 0 ? chains : translate_maps, name);
}

/* What is not there cannot be deleted. */
const char *translate_table_removal(void)
{
#define REMOVE(chain) "add chain " FILTER_TABLE " " chain "\ndelete chain " FILTER_TABLE " " chain "\n"
        return "add table " FILTER_TABLE "\n" REMOVE("prerouting") REMOVE("postrouting")
                REMOVE("prerouting-ip") REMOVE("postrouting-ip");
#undef REMOVE
}

static void line_release(void *data)
{
        Line *line = data;

        g_free(line->chain);
        g_free(line->text);
        g_free(line);
}

void filter_text_clear(FilterText *text)
{
        g_free(text->text);
        if (text->objects)
                g_ptr_array_unref(text->objects);
        *text = (FilterText){};
}

/* nft has no way to write a quote inside of a text. */
static void add_comment(const char *comment, GString *text)
{
        _cleanup_(freep) char *copy = NULL, *valid = NULL;

        if (!comment || !*comment)
                return;
        copy = g_strndup(comment, COMMENT_MAX);
        for (char *c = copy; *c; c++)
                if (*c == '"' || *c == '\\' || (*c > 0 && *c < ' ') || *c == 0x7f)
                        *c = ' ';
        valid = g_utf8_make_valid(copy, -1); /* the cut may be in the middle of a letter */
        if (strlen(valid) <= COMMENT_MAX)
                g_string_append_printf(text, " comment \"%s\"", valid);
}

/* The kernel can refuse what comes from a guest; what goes to one is dropped. */
static const char *verdict(const Match *match, bool is_to)
{
        static const char *const words[] = {
                [FILTER_ACTION_DROP] = "drop",         [FILTER_ACTION_ACCEPT] = "accept",
                [FILTER_ACTION_REJECT] = "reject",     [FILTER_ACTION_RETURN] = "return",
                [FILTER_ACTION_CONTINUE] = "continue",
        };
        FilterAction action = match->entry->action;

        return action == FILTER_ACTION_REJECT && (is_to || !match->kernel.has_reject) ? "drop"
                                                                                      : words[action];
}

static int need_conntrack(const Match *match, const char *what, Error *error)
{
        if (match->kernel.has_conntrack)
                return 0;
        return error_set(error, ERROR_NOT_SUPPORTED,
                         "filter '%s': <%s>: %s needs a kernel that tracks connections on bridges "
                         "(nf_conntrack_bridge), which this one does not",
                         match->filter, match->entry->protocol, what);
}

/* Connections are counted for each source. */
static int add_count(Translation *translation, const Match *match, const char *above, GString *text,
                     Error *error)
{
        const char *protocol = match->entry->protocol;
        bool is_ipv6 = strstr(protocol, "v6") != NULL;
        unsigned number = translation->n_counters++;
        int r = need_conntrack(match, "connlimit-above", error);

        if (r < 0)
                return r;
        g_string_append_printf(translation->sets,
                               "set count/%u/%u { type %s; size 65535; flags dynamic; }\n", match->device,
                               number, is_ipv6 ? "ipv6_addr" : "ipv4_addr");
        g_ptr_array_add(translation->objects,
                        g_strdup_printf("set " FILTER_TABLE " count/%u/%u", match->device, number));
        g_string_append_printf(text, "add @count/%u/%u { %s saddr ct count %s%s } ", match->device, number,
                               is_ipv6 ? "ip6" : "ip",
                               match_is_negated(match, "connlimit-above") ? "" : "over ", above);
        return 0;
}

/* "NEW,RELATED" */
static int add_states(const Match *match, const char *states, GString *text, Error *error)
{
        _cleanup_(freep) char *small = g_ascii_strdown(states, -1);
        int r = need_conntrack(match, "state", error);

        if (r >= 0)
                g_string_append_printf(text, "ct state %s%s ", match_negation(match, "state"), small);
        return r;
}

static bool is_answer(const Match *match)
{
        return match->is_reversed && match->entry->direction != FILTER_DIRECTION_INOUT;
}

/* Whether the rule is about connections without saying so. What is about messages of one type has no answer
 * of the same type. */
static bool is_about_connections(const Match *match)
{
        const FilterEntry *entry = match->entry;

        return match_is_ip(entry) && entry->action == FILTER_ACTION_ACCEPT && !entry->is_stateless &&
               entry->direction != FILTER_DIRECTION_INOUT && !match_value(match, "state") &&
               !match_value(match, "connlimit-above");
}

/* Connections that begin in the rule's direction, and their answers in the other. */
static void add_connection(Translation *translation, const Match *match, unsigned part, GString *text)
{
        bool is_message = match_value(match, "type") != NULL;

        if (!match->kernel.has_conntrack) {
                if (!is_message)
                        translation->flows |= flow_match(match, part, is_answer(match), text);
                return;
        }
        g_string_append(text, is_answer(match) ? "ct state established " : "ct state new,established ");
        if (!is_message)
                g_string_append(text, is_answer(match) ? "ct direction reply " : "ct direction original ");
}

/* 1: the rule has no meaning in this direction. */
static int add_state(Translation *translation, const Match *match, unsigned part, GString *text,
                     Error *error)
{
        const char *states = match->entry->is_stateless ? NULL : match_value(match, "state"),
                   *above = match_value(match, "connlimit-above");

        if ((is_answer(match) && (states || match_value(match, "type"))) || (match->is_reversed && above))
                return 1;
        if (above)
                return add_count(translation, match, above, text, error);
        if (states)
                return strcmp(states, "NONE") == 0 ? 0 : add_states(match, states, text, error);
        if (is_about_connections(match))
                add_connection(translation, match, part, text);
        return 0;
}

/* Takes the text over. */
static int add_line(Translation *translation, const FilterEntry *entry, bool is_to, char *text, Error *error)
{
        const FilterDefinition *definition = translation->definition;
        bool is_ip = match_is_ip(entry);
        Line *line = g_new0(Line, 1);

        *line = (Line){ .chain = is_ip || strcmp(definition->chain, "root") == 0
                                         ? NULL
                                         : g_strdup(definition->chain),
                        .is_to = is_to,
                        .is_ip = is_ip,
                        .priority = entry->priority,
                        .chain_priority = definition->priority,
                        .text = text };
        g_ptr_array_add(translation->lines, line);
        if (translation->lines->len <= RULES_MAX)
                return 0;
        return error_set(error, ERROR_LIMITS_EXCEEDED, "filter '%s' makes more than %d rules",
                         translation->request->filter, RULES_MAX);
}

static int add_part(Translation *translation, const Match *match, bool is_to, unsigned part, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        bool is_ip = match_is_ip(match->entry);
        int r = is_ip ? match_ip(match, text, error) : match_ethernet(match, text, error);

        if (r == 0 && is_ip)
                r = add_state(translation, match, part, text, error);
        if (r != 0)
                return r < 0 ? r : 0;
        if (strstr(text->str, "@ip/"))
                translation->uses_learnt = true;
        if (strstr(text->str, "@same/"))
                translation->uses_same = true;
        g_string_append(text, verdict(match, is_to));
        add_comment(match_value(match, "comment"), text);
        return add_line(translation, match->entry, is_to, g_string_free(TAKE_PTR(text), FALSE), error);
}

static int add_rule(Translation *translation, const FilterEntry *entry, const GPtrArray *pairs, bool is_to,
                    bool is_reversed, Error *error)
{
        const Match match = { .filter = translation->definition->name,
                              .entry = entry,
                              .pairs = pairs,
                              .device = translation->request->device,
                              .is_reversed = is_reversed,
                              .kernel = translation->request->kernel };
        bool has_parts = !match.kernel.has_conntrack && is_about_connections(&match);
        unsigned n_parts = has_parts ? flow_parts(entry->protocol) : 1;
        int r = 0;

        for (unsigned part = 0; part < n_parts && r >= 0; part++)
                r = add_part(translation, &match, is_to, part, error);
        return r;
}

/* Frames are looked at in the rule's direction, IP in both. What is about both directions is written as what
 * comes to the guest. */
static int visit_rule(const FilterEntry *entry, const GPtrArray *pairs, void *data, Error *error)
{
        bool is_in = entry->direction != FILTER_DIRECTION_OUT,
             is_out = entry->direction == FILTER_DIRECTION_OUT;
        bool is_both = entry->direction == FILTER_DIRECTION_INOUT, is_ip = match_is_ip(entry);
        int r = 0;

        if (is_out || is_both || is_ip)
                r = add_rule(data, entry, pairs, false, is_in, error);
        if (r >= 0 && (is_in || is_ip))
                r = add_rule(data, entry, pairs, true, !is_in, error);
        return r;
}

static int add_filter(Translation *translation, const char *name, const FilterScope *scope, unsigned depth,
                      Error *error);

static int add_reference(Translation *translation, const FilterEntry *entry, const FilterScope *outer,
                         unsigned depth, Error *error)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *values = parameters_new();
        const FilterScope scope = { .outer = outer, .values = values };

        for (unsigned i = 0; i < entry->pairs->len; i++) {
                const FilterPair *pair = entry->pairs->pdata[i];

                parameters_add(values, pair->name, pair->value);
        }
        return add_filter(translation, entry->reference, &scope, depth + 1, error);
}

static int add_entries(Translation *translation, const FilterDefinition *definition,
                       const FilterScope *scope, unsigned depth, Error *error)
{
        int r = 0;

        for (unsigned i = 0; i < definition->entries->len && r >= 0; i++) {
                const FilterEntry *entry = definition->entries->pdata[i];

                translation->definition = definition;
                r = entry->reference ? add_reference(translation, entry, scope, depth, error)
                                     : parameters_expand(entry, definition->name, scope, visit_rule,
                                                         translation, error);
        }
        return r;
}

static int add_filter(Translation *translation, const char *name, const FilterScope *scope, unsigned depth,
                      Error *error)
{
        const FilterDefinition *definition =
                translation->request->find(translation->request->find_data, name);

        if (!definition)
                return error_set(error, ERROR_NO_NWFILTER, "There is no network filter '%s'%s%s%s", name,
                                 translation->definition ? ", which filter '" : "",
                                 translation->definition ? translation->definition->name : "",
                                 translation->definition ? "' refers to" : "");
        if (depth > DEPTH_MAX || ++translation->n_parts > PARTS_MAX)
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "filter '%s' refers to more than %d filters, or over more than %d steps",
                                 translation->request->filter, PARTS_MAX, DEPTH_MAX);
        return add_entries(translation, definition, scope, depth, error);
}

static int compare_lines(const void *a, const void *b)
{
        const Line *const *left = a, *const *right = b;

        return (*left)->priority - (*right)->priority;
}

static int compare_chains(const void *a, const void *b)
{
        const Line *const *left = a, *const *right = b;

        return (*left)->chain_priority - (*right)->chain_priority;
}

/* Which frames a chain is about, by how its name begins. */
static const char *chain_match(const char *chain)
{
        static const struct {
                const char *prefix, *match;
        } kinds[] = {
                { "stp", "ether daddr 01:80:c2:00:00:00 " },
                { "vlan", "ether type 0x8100 " },
                { "arp", "ether type 0x0806 " },
                { "rarp", "ether type 0x8035 " },
                { "ipv4", "ether type 0x0800 " },
                { "ipv6", "ether type 0x86dd " },
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
                if (g_str_has_prefix(chain, kinds[i].prefix))
                        return kinds[i].match;
        return "";
}

/* nft's names have no ':'. */
static char *chain_name(const char *direction, unsigned device, const char *chain)
{
        char *name = g_strdup_printf("%s/%u%s%s", direction, device, chain ? "/" : "", chain ? chain : "");

        return g_strdelimit(name, ":", '/');
}

typedef struct Layer {
        Translation *translation;
        const char *direction;
        GPtrArray *lines;  /* of this layer and direction */
        GPtrArray *chains; /* the first line of each chain, borrowed */
        GString *text;
} Layer;

static void begin_chain(const Layer *layer, const char *chain)
{
        unsigned device = layer->translation->request->device;
        _cleanup_(freep) char *name = chain_name(layer->direction, device, chain);

        g_string_append_printf(layer->text, "chain %s {\n", name);
        g_ptr_array_add(layer->translation->objects, g_strdup_printf("chain " FILTER_TABLE " %s", name));
}

static void add_jump(const Layer *layer, const char *chain)
{
        _cleanup_(freep) char *name =
                chain_name(layer->direction, layer->translation->request->device, chain);

        g_string_append_printf(layer->text, "%sjump %s\n", chain_match(chain), name);
}

static void write_chain(const Layer *layer, const char *chain)
{
        begin_chain(layer, chain);
        for (unsigned i = 0; i < layer->lines->len; i++) {
                const Line *line = layer->lines->pdata[i];

                if (line->chain && strcmp(line->chain, chain) == 0)
                        g_string_append_printf(layer->text, "%s\n", line->text);
        }
        g_string_append(layer->text, "}\n");
}

/* Rules and chains by their priorities, a chain before the rules of the same. */
static void write_root(const Layer *layer)
{
        unsigned next = 0;

        begin_chain(layer, NULL);
        for (unsigned i = 0; i < layer->lines->len; i++) {
                const Line *line = layer->lines->pdata[i], *chain;

                if (line->chain)
                        continue;
                for (; next < layer->chains->len; next++) {
                        chain = layer->chains->pdata[next];
                        if (chain->chain_priority > line->priority)
                                break;
                        add_jump(layer, chain->chain);
                }
                g_string_append_printf(layer->text, "%s\n", line->text);
        }
        for (; next < layer->chains->len; next++)
                add_jump(layer, ((const Line *)layer->chains->pdata[next])->chain);
        g_string_append(layer->text, "}\n");
}

/* The first that names a chain decides about its priority. */
static void collect(Layer *layer, bool is_to, bool is_ip)
{
        const GPtrArray *all = layer->translation->lines;
        _cleanup_(g_hash_table_unrefp) GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);

        for (unsigned i = 0; i < all->len; i++) {
                Line *line = all->pdata[i];

                if (line->is_to != is_to || line->is_ip != is_ip)
                        continue;
                g_ptr_array_add(layer->lines, line);
                if (line->chain && g_hash_table_add(seen, line->chain))
                        g_ptr_array_add(layer->chains, line);
        }
        g_ptr_array_sort(layer->lines, compare_lines);
        g_ptr_array_sort(layer->chains, compare_chains);
}

/* Chains stand before what jumps to them, and are removed after it. */
static void write_layer(Translation *translation, const char *direction, bool is_to, bool is_ip,
                        GString *text, GString *elements)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *lines = g_ptr_array_new(), *chains = g_ptr_array_new();
        Layer layer = { translation, direction, lines, chains, text };
        unsigned device = translation->request->device;

        collect(&layer, is_to, is_ip);
        if (lines->len == 0)
                return;
        for (unsigned i = 0; i < chains->len; i++)
                write_chain(&layer, ((const Line *)chains->pdata[i])->chain);
        write_root(&layer);
        g_string_append_printf(elements, "add element " FILTER_TABLE " %s { %u : jump %s/%u }\n", direction,
                               device, direction, device);
        g_ptr_array_add(translation->objects,
                        g_strdup_printf("element " FILTER_TABLE " %s { %u }", direction, device));
}

static void write_all(Translation *translation, FilterText *ret)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL), *elements = g_string_new(NULL);
        _cleanup_(freep) char *digest = NULL;
        unsigned device = translation->request->device;

        if (translation->uses_learnt) {
                g_string_append_printf(translation->sets, "set ip/%u { type ipv4_addr; flags timeout; }\n",
                                       device);
                g_ptr_array_add(translation->objects, g_strdup_printf("set " FILTER_TABLE " ip/%u", device));
        }
        if (translation->uses_same) {
                g_string_append_printf(translation->sets,
                                       "set same/%u { type ipv4_addr . ipv4_addr; size 65535; "
                                       "flags dynamic, timeout; timeout 1s; }\n",
                                       device);
                g_ptr_array_add(translation->objects,
                                g_strdup_printf("set " FILTER_TABLE " same/%u", device));
        }
        flow_declare(device, translation->flows, translation->sets, translation->objects, FILTER_TABLE);
        write_layer(translation, "from", false, false, text, elements);
        write_layer(translation, "to", true, false, text, elements);
        write_layer(translation, "from-ip", false, true, text, elements);
        write_layer(translation, "to-ip", true, true, text, elements);
        g_string_prepend(text, translation->sets->str);
        digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, -1);
        g_strlcpy(ret->version, digest, sizeof ret->version);
        ret->text = g_strdup_printf("table " FILTER_TABLE " {\n%schain version/%u/%s {\n}\n}\n%s", text->str,
                                    device, ret->version, elements->str);
        g_ptr_array_add(translation->objects,
                        g_strdup_printf("chain " FILTER_TABLE " version/%u/%s", device, ret->version));
}

int translate_filter(const FilterRequest *request, FilterText *ret, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *lines = g_ptr_array_new_with_free_func(line_release);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *objects = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(string_builder_freep) GString *sets = g_string_new(NULL);
        Translation translation = { .request = request, .lines = lines, .sets = sets, .objects = objects };
        const FilterScope scope = { .values = request->variables };
        FilterText text = {};
        int r = add_filter(&translation, request->filter, &scope, 0, error);

        if (r < 0)
                return r;
        write_all(&translation, &text);
        text.uses_learnt = translation.uses_learnt;
        text.objects = TAKE_PTR(objects);
        *ret = text;
        return 0;
}

/* Whoever is jumped to can only be removed when nobody jumps: elements first, then all rules and maps, then
 * the rest. */
char *translate_removal(const GPtrArray *objects)
{
        static const char *const prefixes[] = { "element ", "chain ", "map ", "chain ", "set " };
        static const char *const verbs[] = { "delete", "flush", "delete", "delete", "delete" };
        GString *text = g_string_new(NULL);

        for (unsigned step = 0; step < G_N_ELEMENTS(prefixes); step++)
                for (unsigned i = 0; i < objects->len; i++)
                        if (g_str_has_prefix(objects->pdata[i], prefixes[step]))
                                g_string_append_printf(text, "%s %s\n", verbs[step],
                                                       (const char *)objects->pdata[i]);
        return g_string_free(text, FALSE);
}

void translate_parts(FilterFind find, const void *find_data, const char *filter, GHashTable *names)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *left = g_ptr_array_new();

        g_ptr_array_add(left, (void *)filter);
        while (left->len > 0) {
                const char *name = g_ptr_array_steal_index_fast(left, left->len - 1);
                const FilterDefinition *definition;

                if (!g_hash_table_add(names, g_strdup(name)))
                        continue;
                definition = find(find_data, name);
                for (unsigned i = 0; definition && i < definition->entries->len; i++) {
                        const FilterEntry *entry = definition->entries->pdata[i];

                        if (entry->reference)
                                g_ptr_array_add(left, entry->reference);
                }
        }
}
