/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A network as every driver has it: what drivers tell here is announced once, at the end of the turn. */

#include "objects/network.h"
#include "driver.h"
#include <string.h>

NetworkLease *network_lease_free(NetworkLease *lease)
{
        if (!lease)
                return NULL;
        g_free(lease->mac);
        g_free(lease->address);
        g_free(lease->hostname);
        g_free(lease->client_id);
        g_free(lease->iaid);
        g_free(lease);
        return NULL;
}

static void lease_release(void *lease)
{
        network_lease_free(lease);
}

NetworkPort *network_port_free(NetworkPort *port)
{
        if (!port)
                return NULL;
        g_free(port->domain);
        g_free(port->alias);
        g_free(port->mac);
        g_free(port->device);
        g_free(port->lower);
        g_free(port->portgroup);
        struct_free(&bandwidth_type, port->bandwidth);
        struct_free(&vlan_type, port->vlan);
        g_free(port);
        return NULL;
}

static void port_release(void *port)
{
        network_port_free(port);
}

void network_init(Network *network, const char *bridge, const char *forward)
{
        network->bridge = g_strdup(bridge);
        network->forward = g_strdup(forward);
        network->leases = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, lease_release);
        network->ports = g_ptr_array_new_with_free_func(port_release);
}

void network_done(Network *network)
{
        g_hash_table_unref(network->leases);
        g_ptr_array_unref(network->ports);
        g_free(network->bridge);
        g_free(network->forward);
        g_free(network->problem);
}

static void set_flag(Network *network, bool *flag, bool value, const char *property)
{
        if (*flag != value)
                object_changed(&network->object, property);
        *flag = value;
}

void network_set_active(Network *network, bool is_active)
{
        if (network->is_active != is_active)
                object_changed(&network->object, "Health");
        set_flag(network, &network->is_active, is_active, "Active");
}

void network_set_persistent(Network *network, bool is_persistent)
{
        set_flag(network, &network->is_persistent, is_persistent, "Persistent");
}

void network_set_autostart(Network *network, bool is_autostart)
{
        set_flag(network, &network->is_autostart, is_autostart, "Autostart");
}

static void set_text(Network *network, char **text, const char *value, const char *property)
{
        if (g_strcmp0(*text, value) == 0)
                return;
        object_changed(&network->object, property);
        g_free(*text);
        *text = g_strdup(value);
}

void network_set_shape(Network *network, const char *bridge, const char *forward)
{
        set_text(network, &network->bridge, bridge, "Bridge");
        set_text(network, &network->forward, forward, "Forward");
}

void network_set_problem(Network *network, const char *problem)
{
        set_text(network, &network->problem, problem, "Health");
}

static bool is_same(const NetworkLease *a, const NetworkLease *b)
{
        return strcmp(a->mac, b->mac) == 0 && strcmp(a->hostname, b->hostname) == 0 &&
               strcmp(a->client_id, b->client_id) == 0 && strcmp(a->iaid, b->iaid) == 0 &&
               a->prefix == b->prefix;
}

bool network_put_lease(Network *network, NetworkLease *lease)
{
        const NetworkLease *old = g_hash_table_lookup(network->leases, lease->address);
        bool has_changed = !old || !is_same(old, lease);

        if (has_changed || old->expiry != lease->expiry)
                object_changed(&network->object, "Leases");
        g_hash_table_replace(network->leases, lease->address, lease);
        return has_changed;
}

bool network_remove_lease(Network *network, const char *address)
{
        if (!g_hash_table_remove(network->leases, address))
                return false;
        object_changed(&network->object, "Leases");
        return true;
}

void network_clear_leases(Network *network)
{
        if (g_hash_table_size(network->leases) > 0)
                object_changed(&network->object, "Leases");
        g_hash_table_remove_all(network->leases);
}

static int by_address(const void *a, const void *b)
{
        const NetworkLease *const *first = a, *const *second = b;

        if ((*first)->is_ipv6 != (*second)->is_ipv6)
                return (*first)->is_ipv6 ? 1 : -1;
        return strcmp((*first)->address, (*second)->address);
}

GPtrArray *network_list_leases(const Network *network)
{
        GPtrArray *leases = g_ptr_array_new();
        GHashTableIter at;
        void *lease;

        g_hash_table_iter_init(&at, network->leases);
        while (g_hash_table_iter_next(&at, NULL, &lease))
                g_ptr_array_add(leases, lease);
        g_ptr_array_sort(leases, by_address);
        return leases;
}

void network_put_port(Network *network, NetworkPort *port)
{
        for (unsigned i = 0; i < network->ports->len; i++) {
                const NetworkPort *other = network->ports->pdata[i];

                if (strcmp(other->domain, port->domain) == 0 && strcmp(other->alias, port->alias) == 0)
                        g_ptr_array_remove_index(network->ports, i--);
        }
        g_ptr_array_add(network->ports, port);
        object_changed(&network->object, "Ports");
}

bool network_remove_ports(Network *network, const char *domain, const char *device)
{
        bool is_found = false;

        for (unsigned i = network->ports->len; i-- > 0;) {
                const NetworkPort *port = network->ports->pdata[i];

                if (strcmp(port->domain, domain) != 0 || (device && strcmp(port->device, device) != 0))
                        continue;
                g_ptr_array_remove_index(network->ports, i);
                is_found = true;
        }
        if (is_found)
                object_changed(&network->object, "Ports");
        return is_found;
}
