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
