/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names say everything: "from/12/arp" is a chain of device 12, and "version/12/..." what text made it.
 * Whether it is still what that text made, nft says, which lists what the text makes where nothing else is.
 */

#include "core/log.h"
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
        guint64 device = 0;

        if (translate_is_of_table(kind, name))
                return;
        if (g_strv_length(parts) < 2 ||
            !g_ascii_string_to_unsigned(parts[1], 10, 1, UINT32_MAX, &device, NULL))
                device = 0;
        port = port_of(ports, (unsigned)device);
        g_ptr_array_add(port->objects, g_strdup_printf("%s " FILTER_TABLE " %s", kind, name));
        if (device == 0)
                return;
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

/* `words` with -j; the caller lets go of what it lists. */
static int list(const char *const *words, json_t **ret_all, Error *error) AWAITS
{
        _cleanup_(freep) char *output = NULL;
        int r = nft_list(words, &output, error);

        if (r < 0)
                return r;
        *ret_all = json_loads(output, 0, NULL);
        return *ret_all ? 0
                        : error_set(error, ERROR_OPERATION_FAILED,
                                    "nft lists what it has in a way that is not known");
}

static const char *string_of(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : "";
}

static bool is_ours(const json_t *object)
{
        return strcmp(string_of(object, "table"), "virtbus") == 0;
}

/* Chains in the order in which they can be flushed and removed: the kernel minds only who jumps, and all are
 * flushed first. */
static int list_kind(const char *kind, const char *words, GPtrArray *ports, Error *error) AWAITS
{
        const char *const arguments[] = { "-j", "-t", "list", words, "bridge", NULL };
        json_t *all, *entry;
        size_t i;
        int r = list(arguments, &all, error);

        if (r < 0)
                return r;
        json_array_foreach(json_object_get(all, "nftables"), i, entry)
        {
                const json_t *object = json_object_get(entry, kind);

                if (is_ours(object))
                        add(ports, kind, string_of(object, "name"));
        }
        json_decref(all);
        return 0;
}

int applied_list(GPtrArray **ret_ports, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *ports = g_ptr_array_new_with_free_func(applied_release);
        int r = list_kind("chain", "chains", ports, error);

        if (r >= 0)
                r = list_kind("set", "sets", ports, error);
        if (r >= 0)
                r = list_kind("map", "maps", ports, error);
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
        _cleanup_(freep) char *name = g_strdup_printf("ip/%u", port->device);
        const char *const arguments[] = { "-j", "list", "set", "bridge", "virtbus", name, NULL };
        json_t *all, *entry, *element;
        size_t i, j;
        int r = list(arguments, &all, error);

        if (r < 0)
                return r;
        json_array_foreach(json_object_get(all, "nftables"), i, entry)
                json_array_foreach(json_object_get(json_object_get(entry, "set"), "elem"), j, element)
                        add_address(port, element);
        json_decref(all);
        return 0;
}

/* [["vnet0", {"jump": {"target": "from/7"}}], ...] becomes "from from/7": the map and where it leads. */
static void read_elements(const json_t *all, GHashTable *found)
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

                        g_hash_table_add(found, g_strdup_printf("%s %s", string_of(map, "name"),
                                                                string_of(jump, "target")));
                }
        }
}

static int list_elements(GHashTable *found, Error *error) AWAITS
{
        static const char *const words[] = { "-j", "list", "maps", "bridge", NULL };
        json_t *all;
        int r = list(words, &all, error);

        if (r < 0)
                return r;
        read_elements(all, found);
        json_decref(all);
        return 0;
}

static bool has_elements(const FilterPort *port, GHashTable *found)
{
        for (const char *const *map = translate_maps; *map; map++) {
                _cleanup_(freep) char *line = g_strdup_printf("\nadd element " FILTER_TABLE " %s { ", *map);
                _cleanup_(freep) char *key = g_strdup_printf("%s %s/%u", *map, *map, port->device);

                if (strstr(port->text.text, line) && !g_hash_table_contains(found, key))
                        return false;
        }
        return true;
}

static void parts_release(void *data)
{
        g_ptr_array_unref(data);
}

/* "\tchain from/7/arp {" is about device 7; what names no device is the table's own, 0. */
static unsigned device_in(const char *line, size_t length)
{
        const char *slash = memchr(line, '/', length);

        return slash ? (unsigned)g_ascii_strtoull(slash + 1, NULL, 10) : 0;
}

/* What else a table can have (a comment, a counter with a name) does nothing to frames. */
static bool does_something(const char *line)
{
        static const char *const kinds[] = { "\tflags ", "\tchain ", "\tset ", "\tmap " };

        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
                if (g_str_has_prefix(line, kinds[i]))
                        return true;
        return false;
}

/* Takes the listing of the table apart: a GPtrArray of texts for each device, of what has braces as a whole.
 */
static GHashTable *listing_read(const char *listing)
{
        GHashTable *parts = g_hash_table_new_full(NULL, NULL, NULL, parts_release);
        const char *begin = NULL;

        for (const char *line = listing, *end; line && *line; line = *end ? end + 1 : NULL) {
                GPtrArray *texts;
                unsigned device;

                end = strchrnul(line, '\n');
                if (!begin && does_something(line))
                        begin = line;
                /* It goes on after a brace that opens, and ends with one that stands where it began. */
                if (!begin || (begin == line ? end[-1] == '{' : strncmp(line, "\t}", 2) != 0))
                        continue;
                device = device_in(begin, strcspn(begin, "\n"));
                texts = g_hash_table_lookup(parts, GUINT_TO_POINTER(device));
                if (!texts) {
                        texts = g_ptr_array_new_with_free_func(g_free);
                        g_hash_table_insert(parts, GUINT_TO_POINTER(device), texts);
                }
                g_ptr_array_add(texts, g_strndup(begin, (size_t)(end - begin)));
                begin = NULL;
        }
        return parts;
}

static int compare_texts(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of one device, in whatever order it was made; the caller frees. NULL: nothing. */
static char *listing_of(GHashTable *parts, unsigned device)
{
        GPtrArray *texts = g_hash_table_lookup(parts, GUINT_TO_POINTER(device));
        GString *whole;

        if (!texts)
                return NULL;
        g_ptr_array_sort(texts, compare_texts);
        whole = g_string_new(NULL);
        for (unsigned i = 0; i < texts->len; i++)
                g_string_append_printf(whole, "%s\n", (const char *)texts->pdata[i]);
        return g_string_free(whole, FALSE);
}

/* What nft would list of those that it was not asked about yet. With the lock taken, texts stay as they are.
 */
static int rehearse(struct FilterState *state, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *ports = ports_copy(state);
        _cleanup_(g_hash_table_unrefp) GHashTable *parts = NULL;
        _cleanup_(string_builder_freep) GString *text = g_string_new(translate_table());
        _cleanup_(freep) char *listing = NULL;
        int r;

        for (unsigned i = ports->len; i > 0; i--) {
                const FilterPort *port = ports->pdata[i - 1];

                if (!port->text.text || port->listing)
                        g_ptr_array_remove_index_fast(ports, i - 1);
                else
                        g_string_append(text, port->text.text);
        }
        if (state->listing && ports->len == 0)
                return 0;
        r = nft_rehearse(text->str, "bridge", "virtbus", &listing, error);
        if (r < 0)
                return r;
        parts = listing_read(listing);
        g_free(state->listing);
        state->listing = listing_of(parts, 0);
        for (unsigned i = 0; i < ports->len; i++) {
                FilterPort *port = ports->pdata[i];

                port->listing = listing_of(parts, port->device);
        }
        return 0;
}

/* Without a rehearsal, that something is there has to be enough. */
static bool is_as_set(GHashTable *parts, unsigned device, const char *expected)
{
        _cleanup_(freep) char *found = listing_of(parts, device);

        return found && (!expected || strcmp(found, expected) == 0);
}

/* *ret_listing is NULL if there is no such table. */
static int list_table(char **ret_listing, Error *error) AWAITS
{
        static const char *const words[] = { "list", "tables", "bridge", NULL };
        _cleanup_(freep) char *tables = NULL;
        int r = nft_list_table("bridge", "virtbus", ret_listing, error);

        if (r >= 0 || nft_list(words, &tables, NULL) < 0 || strstr(tables, "table " FILTER_TABLE "\n"))
                return r;
        error_clear(error);
        *ret_listing = NULL;
        return 0;
}

int applied_find_lost(struct FilterState *state, Error *error)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *elements =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        _cleanup_(g_hash_table_unrefp) GHashTable *parts = NULL;
        _cleanup_(freep) char *listing = NULL;
        _cleanup_(error_clear) Error problem = {};
        bool is_lost, cannot_rehearse = rehearse(state, &problem) < 0;
        int r;

        if (cannot_rehearse && !state->cannot_rehearse)
                log_warning(state->driver->object.path,
                            "what somebody changes in filters of machines is not noticed: %s",
                            problem.message);
        state->cannot_rehearse = cannot_rehearse;
        r = list_table(&listing, error);
        if (r >= 0)
                r = list_elements(elements, error);
        if (r < 0)
                return r;
        parts = listing_read(listing);
        state->is_table_lost = is_lost = !is_as_set(parts, 0, state->listing);
        for (unsigned i = 0; i < state->ports->len; i++) {
                FilterPort *port = state->ports->pdata[i];

                port->is_lost = port->text.text && (!is_as_set(parts, port->device, port->listing) ||
                                                    !has_elements(port, elements));
                is_lost = is_lost || port->is_lost;
        }
        return is_lost;
}
