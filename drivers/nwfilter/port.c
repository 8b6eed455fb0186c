/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One device of a guest, in memory. */

#include "drivers/nwfilter/state.h"
#include <string.h>

#define ADDRESSES_MAX 64

static void address_release(void *data)
{
        PortAddress *address = data;

        g_free(address->address);
        g_free(address);
}

FilterPort *port_new(struct FilterState *state, unsigned device, const char *name, const char *mac,
                     const char *filter, Object *machine)
{
        FilterPort *port = g_new0(FilterPort, 1);

        *port = (FilterPort){ .n_references = 1,
                              .state = state,
                              .device = device,
                              .name = g_strdup(name),
                              .mac = g_strdup(mac),
                              .filter = g_strdup(filter),
                              .machine = object_ref(machine),
                              .variables = parameters_new(),
                              .parts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                              .addresses = g_ptr_array_new_with_free_func(address_release) };
        return port;
}

FilterPort *port_ref(FilterPort *port)
{
        port->n_references++;
        return port;
}

FilterPort *port_unref(FilterPort *port)
{
        if (!port || --port->n_references > 0)
                return NULL;
        learner_free(port->learner);
        filter_text_clear(&port->text);
        g_free(port->listing);
        g_ptr_array_unref(port->addresses);
        g_hash_table_unref(port->variables);
        g_hash_table_unref(port->parts);
        object_unref(port->machine);
        g_free(port->name);
        g_free(port->mac);
        g_free(port->filter);
        g_free(port);
        return NULL;
}

void port_release(void *data)
{
        port_unref(data);
}

GPtrArray *ports_copy(const struct FilterState *state)
{
        GPtrArray *ports = g_ptr_array_new_with_free_func(port_release);

        for (unsigned i = 0; state->ports && i < state->ports->len; i++)
                g_ptr_array_add(ports, port_ref(state->ports->pdata[i]));
        return ports;
}

static int set_learning(FilterPort *port, Error *error)
{
        const GPtrArray *words = g_hash_table_lookup(port->variables, "CTRL_IP_LEARNING");
        const char *word = words ? words->pdata[0] : "any";

        port->mode = g_ascii_strcasecmp(word, "dhcp") == 0 ? LEARN_DHCP : LEARN_ANY;
        if (g_ascii_strcasecmp(word, "none") == 0 || g_hash_table_contains(port->variables, "IP"))
                return 0;
        if (g_ascii_strcasecmp(word, "any") != 0 && port->mode != LEARN_DHCP)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': CTRL_IP_LEARNING='%s': any, dhcp and none are possible",
                                 port->filter, word);
        parameters_add(port->variables, "IP", VARIABLE_LEARNT);
        return 0;
}

int port_set_variables(FilterPort *port, const FilterReference *reference, Error *error)
{
        LIST_FOREACH (parameter, reference->parameters)
                parameters_add(port->variables, parameter->name, parameter->value);
        g_hash_table_remove(port->variables, "MAC");
        parameters_add(port->variables, "MAC", port->mac);
        return set_learning(port, error);
}

typedef struct Filters {
        const FilterPort *port;
        const FilterDefinition *changed;
} Filters;

/* A machine's filters are its owner's: nobody else puts one in its way. */
static const FilterDefinition *find(const void *data, const char *name)
{
        const Filters *filters = data;
        uid_t owner = filters->port->machine->owner;
        const Object *object =
                object_table_owned(filters->port->state->driver->objects, OBJECT_NWFILTER, name, owner);

        if (filters->changed && strcmp(filters->changed->name, name) == 0)
                return filters->changed;
        return object ? ((const StoredFilter *)object)->definition : NULL;
}

int port_translate(const FilterPort *port, const FilterDefinition *changed, FilterText *ret, Error *error)
{
        const Filters filters = { port, changed };
        const FilterRequest request = { .device = port->device,
                                        .filter = port->filter,
                                        .variables = port->variables,
                                        .kernel = port->state->kernel,
                                        .find = find,
                                        .find_data = &filters };

        return translate_filter(&request, ret, error);
}

void port_set_text(FilterPort *port, const FilterDefinition *changed, FilterText *text)
{
        const Filters filters = { port, changed };

        filter_text_clear(&port->text);
        g_clear_pointer(&port->listing, g_free);
        port->text = *text;
        *text = (FilterText){};
        g_hash_table_remove_all(port->parts);
        translate_parts(find, &filters, port->filter, port->parts);
}

void port_add_address(FilterPort *port, const char *address, uint32_t seconds, bool replaces)
{
        PortAddress *added = g_new0(PortAddress, 1);

        for (unsigned i = port->addresses->len; i > 0; i--) {
                const PortAddress *known = port->addresses->pdata[i - 1];

                if (replaces || strcmp(known->address, address) == 0 || known->until_usec <= loop_now_usec())
                        g_ptr_array_remove_index(port->addresses, i - 1);
        }
        while (port->addresses->len >= ADDRESSES_MAX)
                g_ptr_array_remove_index(port->addresses, 0);
        *added = (PortAddress){ g_strdup(address), seconds == 0
                                                           ? DEADLINE_NEVER
                                                           : deadline_after_usec(seconds * G_USEC_PER_SEC) };
        g_ptr_array_add(port->addresses, added);
}

char *port_addresses_text(const FilterPort *port, bool uses_learnt)
{
        GString *text = g_string_new(NULL);
        uint64_t now_usec = loop_now_usec();

        for (unsigned i = 0; uses_learnt && i < port->addresses->len; i++) {
                const PortAddress *known = port->addresses->pdata[i];

                if (known->until_usec <= now_usec)
                        continue;
                g_string_append_printf(text, "add element " FILTER_TABLE " ip/%u { %s", port->device,
                                       known->address);
                if (known->until_usec != DEADLINE_NEVER)
                        g_string_append_printf(text, " timeout %" G_GUINT64_FORMAT "s",
                                               (known->until_usec - now_usec) / G_USEC_PER_SEC + 1);
                g_string_append(text, " }\n");
        }
        return g_string_free(text, FALSE);
}
