/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Only what leaves the bridge for a guest can be shared out: what comes in from guests is one stream for the
 * kernel. Texts and limits are copied before each wait, as ports come and go. */

#include "drivers/network/shares.h"
#include "drivers/network/shaper.h"
#include <string.h>

typedef struct Limited {
        char *device;
        Bandwidth *bandwidth;
        bool is_guests_end;
} Limited;

static void limited_free(void *data)
{
        Limited *limited = data;

        g_free(limited->device);
        struct_free(&bandwidth_type, limited->bandwidth);
        g_free(limited);
}

const Bandwidth *shares_limits(const NetworkDefinition *definition, const char *portgroup,
                               const Bandwidth *own)
{
        const PortGroup *group = own ? NULL : network_find_port_group(definition, portgroup);

        return group ? group->bandwidth : own;
}

static uint64_t floor_of(const Bandwidth *limits)
{
        return limits && limits->inbound && limits->inbound->has_floor ? limits->inbound->floor : 0;
}

static uint64_t port_floor(const NetworkDefinition *definition, const NetworkPort *port)
{
        return floor_of(shares_limits(definition, port->portgroup, port->bandwidth));
}

int shares_check(const VirtualNetwork *network, const NetworkDefinition *definition, const Bandwidth *limits,
                 const char *domain, const char *device, Error *error)
{
        const Bandwidth *whole = network_has_own_bridge(definition) ? definition->bandwidth : NULL;
        uint64_t average = whole && whole->inbound ? whole->inbound->average : 0, sum = floor_of(limits);

        for (unsigned i = 0; i < network->network.ports->len; i++) {
                const NetworkPort *port = network->network.ports->pdata[i];

                if (!domain || strcmp(port->domain, domain) != 0 || g_strcmp0(port->device, device) != 0)
                        sum += port_floor(definition, port);
        }
        if (sum > 0 && average == 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "A floor of bandwidth needs a network with a bridge of its own and an "
                                 "<inbound average=...>; the network '%s' has none",
                                 definition->name);
        if (sum > average)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The floors of bandwidth on the network '%s' would be %" G_GUINT64_FORMAT
                                 " KiB/s, and its inbound average is %" G_GUINT64_FORMAT,
                                 definition->name, sum, average);
        return 0;
}

int shares_set(const VirtualNetwork *network, Error *error)
{
        const NetworkDefinition *definition = network->live;
        const GPtrArray *ports = network->network.ports;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *macs = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(freep) ShaperShare *shares = g_new0(ShaperShare, ports->len + 1);
        _cleanup_(freep) char *bridge = g_strdup(definition->bridge.name);
        Bandwidth *bandwidth;
        unsigned n_shares = 0;
        int r;

        if (!network_has_own_bridge(definition) || !definition->bandwidth)
                return 0;
        for (unsigned i = 0; i < ports->len; i++) {
                const NetworkPort *port = ports->pdata[i];
                char *mac;

                if (port_floor(definition, port) == 0)
                        continue;
                mac = g_strdup(port->mac);
                g_ptr_array_add(macs, mac);
                shares[n_shares++] = (ShaperShare){ mac, port_floor(definition, port) };
        }
        bandwidth = struct_copy(&bandwidth_type, definition->bandwidth);
        r = shaper_set(
                &(ShaperOptions){
                        .device = bridge, .bandwidth = bandwidth, .shares = shares, .n_shares = n_shares },
                error);
        struct_free(&bandwidth_type, bandwidth);
        return r;
}

int shares_set_ports(const VirtualNetwork *network, Error *error)
{
        const GPtrArray *ports = network->network.ports;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *all = g_ptr_array_new_with_free_func(limited_free);
        int first = 0;

        for (unsigned i = 0; i < ports->len; i++) {
                const NetworkPort *port = ports->pdata[i];
                const Bandwidth *limits = shares_limits(network->live, port->portgroup, port->bandwidth);
                Limited *limited = g_new0(Limited, 1);

                limited->device = g_strdup(port->device);
                limited->bandwidth = limits ? struct_copy(&bandwidth_type, limits) : NULL;
                limited->is_guests_end = port->lower != NULL;
                g_ptr_array_add(all, limited);
        }
        for (unsigned i = 0; i < all->len; i++) {
                const Limited *limited = all->pdata[i];
                const ShaperOptions options = { .device = limited->device,
                                                .bandwidth = limited->bandwidth,
                                                .is_guests_end = limited->is_guests_end };
                int r = shaper_set(&options, first < 0 ? NULL : error);

                if (r < 0 && first >= 0)
                        first = r;
        }
        return first;
}

int shares_check_definition(const NetworkDefinition *definition, Error *error)
{
        _cleanup_(freep) char *what = g_strdup_printf("network '%s'", definition->name);
        int r = shaper_check(definition->bandwidth, what, error);

        if (r >= 0 && floor_of(definition->bandwidth) > 0)
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED,
                              "%s: a floor is kept for an interface or for those of a portgroup, not for "
                              "the network",
                              what);
        if (r >= 0 && definition->bandwidth && !network_has_own_bridge(definition))
                r = error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "%s: only a network with a bridge of its own has a <bandwidth>; portgroups and "
                        "interfaces have one in every mode",
                        what);
        LIST_FOREACH (group, definition->port_groups) {
                _cleanup_(freep) char *name =
                        g_strdup_printf("network '%s': portgroup '%s'", definition->name, group->name);

                if (r >= 0)
                        r = shaper_check(group->bandwidth, name, error);
                if (r >= 0 && group->bandwidth && network_forward_mode(definition) == FORWARD_HOSTDEV)
                        r = error_set(error, ERROR_NOT_SUPPORTED,
                                      "%s: the bandwidth of devices that guests have themselves is not "
                                      "limited",
                                      name);
        }
        return r;
}
