/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names say everything: "from/12/arp" is a chain of device 12, and "version/12/..." what text made it. */

#include "drivers/network/nft.h"
#include "drivers/nwfilter/state.h"
#include <arpa/inet.h>
#include <jansson.h>
#include <string.h>

static void applied_release(void *data)
{
        AppliedPort *port = data;

        g_ptr_array_unref(port->objects);
        g_free(port->version);
        g_free(port);
}

static AppliedPort *port_of(GPtrArray *ports, unsigned device)
{
        AppliedPort *port;

        for (unsigned i = 0; i < ports->len; i++) {
                port = ports->pdata[i];
                if (port->device == device)
                        return port;
        }
        port = g_new0(AppliedPort, 1);
        port->device = device;
        port->objects = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(ports, port);
        return port;
}

/* A device's own chain is there together with the map's element that leads to it. */
static void add(GPtrArray *ports, const char *kind, const char *name)
{
        _cleanup_(strvp) char **parts = g_strsplit(name, "/", 3);
        AppliedPort *port;
        guint64 device;

        if (g_strv_length(parts) < 2 ||
            !g_ascii_string_to_unsigned(parts[1], 10, 1, UINT32_MAX, &device, NULL))
                return;
        port = port_of(ports, (unsigned)device);
        g_ptr_array_add(port->objects, g_strdup_printf("%s " FILTER_TABLE " %s", kind, name));
        if (strcmp(kind, "chain") == 0 && !parts[2])
                g_ptr_array_add(port->objects, g_strdup_printf("element " FILTER_TABLE " %s { %u }",
                                                               parts[0], port->device));
        if (strcmp(kind, "set") == 0 && strcmp(parts[0], "ip") == 0)
                port->has_addresses = true;
        if (strcmp(parts[0], "version") == 0 && parts[2]) {
                g_free(port->version);
                port->version = g_strdup(parts[2]);
        }
}

/* Chains in the order in which they can be flushed and removed: the kernel minds only who jumps, and all are
 * flushed first. */
static int list_kind(const char *kind, const char *words, GPtrArray *ports, Error *error) AWAITS
{
        const char *const arguments[] = { "-j", "-t", "list", words, "bridge", NULL };
        _cleanup_(freep) char *output = NULL;
        json_t *all, *entry;
        size_t i;
        int r = nft_list(arguments, &output, error);

        if (r < 0)
                return r;
        all = json_loads(output, 0, NULL);
        json_array_foreach(json_object_get(all, "nftables"), i, entry)
        {
                const json_t *object = json_object_get(entry, kind);
                const char *table = json_string_value(json_object_get(object, "table"));
                const char *name = json_string_value(json_object_get(object, "name"));

                if (name && g_strcmp0(table, "virtbus") == 0)
                        add(ports, kind, name);
        }
        if (!all)
                r = error_set(error, ERROR_OPERATION_FAILED, "nft lists its %s in a way that is not known",
                              words);
        json_decref(all);
        return r;
}

int applied_list(GPtrArray **ret_ports, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *ports = g_ptr_array_new_with_free_func(applied_release);
        int r = list_kind("chain", "chains", ports, error);

        if (r >= 0)
                r = list_kind("set", "sets", ports, error);
        if (r >= 0)
                *ret_ports = TAKE_PTR(ports);
        return r;
}

/* "10.0.0.1", or { "elem": { "val": "10.0.0.1", "timeout": 3600, "expires": 3597 } } */
static void add_address(FilterPort *port, const json_t *element)
{
        const json_t *inside = json_object_get(element, "elem");
        const char *address = json_string_value(inside ? json_object_get(inside, "val") : element);
        json_int_t seconds = json_integer_value(json_object_get(inside, "expires"));
        struct in_addr bytes;

        if (!address || inet_pton(AF_INET, address, &bytes) != 1)
                return;
        if (json_object_get(inside, "timeout") && seconds <= 0)
                return;
        port_add_address(port, address, (uint32_t)CLAMP(seconds, 0, UINT32_MAX), false);
}

int applied_read_addresses(FilterPort *port, Error *error)
{
        _cleanup_(freep) char *name = g_strdup_printf("ip/%u", port->device), *output = NULL;
        const char *const arguments[] = { "-j", "list", "set", "bridge", "virtbus", name, NULL };
        json_t *all, *entry, *element;
        size_t i, j;
        int r = nft_list(arguments, &output, error);

        if (r < 0)
                return r;
        all = json_loads(output, 0, NULL);
        json_array_foreach(json_object_get(all, "nftables"), i, entry)
                json_array_foreach(json_object_get(json_object_get(entry, "set"), "elem"), j, element)
                        add_address(port, element);
        json_decref(all);
        return 0;
}

/* What the kernel has, by names as the texts have them: "chain from/7" with the number of its rules, and
 * "set ip/7" and "element from from/7" with 1. */
static void count(GHashTable *found, char *name, unsigned add)
{
        unsigned n = GPOINTER_TO_UINT(g_hash_table_lookup(found, name));

        g_hash_table_replace(found, name, GUINT_TO_POINTER(n + add));
}

static bool is_ours(const json_t *object)
{
        return g_strcmp0(json_string_value(json_object_get(object, "table")), "virtbus") == 0;
}

static const char *string_of(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : "";
}

static void count_rules(const json_t *all, GHashTable *found)
{
        const json_t *entry;
        size_t i;

        json_array_foreach(json_object_get(all, "nftables"), i, entry)
        {
                const json_t *rule = json_object_get(entry, "rule"), *set = json_object_get(entry, "set");

                if (is_ours(rule))
                        count(found, g_strdup_printf("chain %s", string_of(rule, "chain")), 1);
                if (is_ours(set))
                        count(found, g_strdup_printf("set %s", string_of(set, "name")), 1);
                if (is_ours(json_object_get(entry, "chain")))
                        count(found,
                              g_strdup_printf("chain %s",
                                              string_of(json_object_get(entry, "chain"), "name")),
                              0);
        }
}

/* [["vnet0", {"jump": {"target": "from/7"}}], ...] */
static void count_elements(const json_t *all, GHashTable *found)
{
        const json_t *entry, *element;
        size_t i, j;

        json_array_foreach(json_object_get(all, "nftables"), i, entry)
        {
                const json_t *map = json_object_get(entry, "map");

                if (!is_ours(map))
                        continue;
                json_array_foreach(json_object_get(map, "elem"), j, element)
                {
                        const json_t *jump = json_object_get(json_array_get(element, 1), "jump");

                        count(found,
                              g_strdup_printf("element %s %s", string_of(map, "name"),
                                              string_of(jump, "target")),
                              1);
                }
        }
}

static bool has(GHashTable *found, const char *kind, const char *name, unsigned n)
{
        _cleanup_(freep) char *key = g_strconcat(kind, " ", name, NULL);
        void *value;

        return g_hash_table_lookup_extended(found, key, NULL, &value) && GPOINTER_TO_UINT(value) == n;
}

/* "chain from/7 {" → "from/7" */
static char *name_of(const char *line)
{
        const char *name = strchr(line, ' ') + 1;

        return g_strndup(name, strcspn(name, " "));
}

/* A line of a chain is one rule. */
static bool is_there(const FilterPort *port, GHashTable *found)
{
        _cleanup_(strvp) char **lines = g_strsplit(port->text.text, "\n", -1);
        _cleanup_(freep) char *chain = NULL;
        unsigned n_rules = 0;
        bool is = true;

        for (unsigned i = 0; lines[i] && is; i++) {
                _cleanup_(freep) char *name = NULL, *target = NULL;

                if (g_str_has_prefix(lines[i], "chain ")) {
                        g_free(chain);
                        chain = name_of(lines[i]);
                        n_rules = 0;
                } else if (chain && strcmp(lines[i], "}") == 0) {
                        is = has(found, "chain", chain, n_rules);
                        g_clear_pointer(&chain, g_free);
                } else if (chain) {
                        n_rules++;
                } else if (g_str_has_prefix(lines[i], "set ")) {
                        name = name_of(lines[i]);
                        is = has(found, "set", name, 1);
                } else if (g_str_has_prefix(lines[i], "add element " FILTER_TABLE " ")) {
                        name = name_of(lines[i] + strlen("add element " FILTER_TABLE));
                        target = g_strdup_printf("%s %s/%u", name, name, port->device);
                        is = has(found, "element", target, 1);
                }
        }
        return is;
}

static int list_json(const char *const *words, json_t **ret_all, Error *error) AWAITS
{
        _cleanup_(freep) char *output = NULL;
        int r = nft_list(words, &output, error);

        if (r >= 0)
                *ret_all = json_loads(output, 0, NULL);
        return r;
}

/* Without a table, all is lost. */
static void read_all(GHashTable *found) AWAITS
{
        static const char *const rules[] = { "-j", "-t", "list", "table", "bridge", "virtbus", NULL };
        static const char *const maps[] = { "-j", "list", "maps", "bridge", NULL };
        json_t *all = NULL;

        if (list_json(rules, &all, NULL) < 0)
                return;
        count_rules(all, found);
        json_decref(all);
        all = NULL;
        if (list_json(maps, &all, NULL) >= 0)
                count_elements(all, found);
        json_decref(all);
}

bool applied_find_lost(struct FilterState *state)
{
        static const char *const own[] = { "prerouting", "postrouting", "prerouting-ip", "postrouting-ip" };
        _cleanup_(g_hash_table_unrefp) GHashTable *found =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        bool is_lost = false;

        read_all(found);
        for (unsigned i = 0; i < G_N_ELEMENTS(own); i++)
                is_lost = is_lost || !has(found, "chain", own[i], 1);
        for (unsigned i = 0; i < state->ports->len; i++) {
                FilterPort *port = state->ports->pdata[i];

                port->is_lost = port->text.text && !is_there(port, found);
                is_lost = is_lost || port->is_lost;
        }
        return is_lost;
}
