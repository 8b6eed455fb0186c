/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values go as values: nothing here is written into a text that is read again. */

#include "drivers/host/network-manager-settings.h"
#include <stdio.h>
#include <string.h>

#define OWNER_KEY  "virtbus.interface"
#define DIGEST_KEY "virtbus.definition"

/* Seconds, of a bridge with a spanning tree. */
#define DELAY_MIN 2
#define DELAY_MAX 30

static void connection_free(void *data)
{
        NetworkManagerConnection *connection = data;

        g_free(connection->digest);
        g_variant_unref(connection->settings);
        g_free(connection);
}

int network_manager_check(const HostInterfaceDefinition *definition, Error *error)
{
        const InterfaceBridge *bridge = &definition->bridge;
        double delay = bridge->delay ? g_ascii_strtod(bridge->delay, NULL) : DELAY_MIN;
        int r = 0;

        if (bridge->stp == ON && (delay < DELAY_MIN || delay > DELAY_MAX || delay != (unsigned)delay))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "interface '%s': <bridge stp='on' delay='%s'>: NetworkManager has whole "
                                 "seconds from %d to %d",
                                 definition->name, bridge->delay, DELAY_MIN, DELAY_MAX);
        LIST_FOREACH (member, definition->bridge.members) {
                if (member->protocols.count > 0)
                        return error_set(
                                error, ERROR_CONFIG_UNSUPPORTED,
                                "interface '%s': '%s' in it has a <protocol>: NetworkManager gives a "
                                "bridge's port no addresses",
                                definition->name, member->name);
                if (r >= 0)
                        r = network_manager_check(member, error);
        }
        LIST_FOREACH (member, definition->bond.members) {
                if (member->protocols.count > 0)
                        return error_set(
                                error, ERROR_CONFIG_UNSUPPORTED,
                                "interface '%s': '%s' in it has a <protocol>: NetworkManager gives a "
                                "bond's port no addresses",
                                definition->name, member->name);
        }
        return r;
}

static void add_setting(GVariantBuilder *all, const char *name, GVariantBuilder *values)
{
        g_variant_builder_add(all, "{s@a{sv}}", name, g_variant_builder_end(values));
}

static const char *type_name(HostInterfaceType type)
{
        return type == HOST_INTERFACE_ETHERNET ? "802-3-ethernet" : host_interface_type_to_string(type);
}

static void add_connection(GVariantBuilder *all, const HostInterfaceDefinition *definition, const char *uuid,
                           const HostInterfaceDefinition *master)
{
        GVariantBuilder values;
        _cleanup_(freep) char *id = g_strconcat("virtbus-", definition->name, NULL);

        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&values, "{sv}", "id", g_variant_new_string(id));
        g_variant_builder_add(&values, "{sv}", "uuid", g_variant_new_string(uuid));
        g_variant_builder_add(&values, "{sv}", "type", g_variant_new_string(type_name(definition->type)));
        g_variant_builder_add(&values, "{sv}", "interface-name", g_variant_new_string(definition->name));
        g_variant_builder_add(&values, "{sv}", "autoconnect",
                              g_variant_new_boolean(!master && definition->start == START_MODE_ONBOOT));
        if (definition->bridge.members.count > 0 || definition->bond.members.count > 0)
                g_variant_builder_add(&values, "{sv}", "autoconnect-slaves", g_variant_new_int32(1));
        if (master) {
                g_variant_builder_add(&values, "{sv}", "master", g_variant_new_string(master->name));
                g_variant_builder_add(&values, "{sv}", "slave-type",
                                      g_variant_new_string(type_name(master->type)));
        }
        add_setting(all, "connection", &values);
}

static void add_option(GVariantBuilder *options, const char *name, unsigned value)
{
        _cleanup_(freep) char *text = g_strdup_printf("%u", value);

        g_variant_builder_add(options, "{ss}", name, text);
}

static void fill_bond(GVariantBuilder *values, const InterfaceBond *bond)
{
        GVariantBuilder options;

        g_variant_builder_init(&options, G_VARIANT_TYPE("a{ss}"));
        if (bond->mode != BOND_MODE_UNSPECIFIED)
                g_variant_builder_add(&options, "{ss}", "mode", bond_mode_to_string(bond->mode));
        if (bond->miimon) {
                add_option(&options, "miimon", bond->miimon->frequency);
                if (bond->miimon->updelay)
                        add_option(&options, "updelay", bond->miimon->updelay);
                if (bond->miimon->downdelay)
                        add_option(&options, "downdelay", bond->miimon->downdelay);
                if (bond->miimon->carrier != BOND_CARRIER_UNSPECIFIED)
                        add_option(&options, "use_carrier", bond->miimon->carrier == BOND_CARRIER_NETIF);
        }
        if (bond->arpmon) {
                add_option(&options, "arp_interval", bond->arpmon->interval);
                g_variant_builder_add(&options, "{ss}", "arp_ip_target", bond->arpmon->target);
                if (bond->arpmon->validate != BOND_VALIDATE_UNSPECIFIED)
                        g_variant_builder_add(&options, "{ss}", "arp_validate",
                                              bond_validate_to_string(bond->arpmon->validate));
        }
        g_variant_builder_add(values, "{sv}", "options", g_variant_builder_end(&options));
}

static void add_kind(GVariantBuilder *all, const HostInterfaceDefinition *definition)
{
        const InterfaceBridge *bridge = &definition->bridge;
        GVariantBuilder values;

        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        if (definition->mtu)
                g_variant_builder_add(&values, "{sv}", "mtu", g_variant_new_uint32(definition->mtu));
        if (definition->mac[0] && definition->type != HOST_INTERFACE_ETHERNET)
                g_variant_builder_add(&values, "{sv}", "assigned-mac-address",
                                      g_variant_new_string(definition->mac));
        add_setting(all, "802-3-ethernet", &values);
        if (definition->type == HOST_INTERFACE_ETHERNET)
                return;
        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        if (definition->type == HOST_INTERFACE_BOND) {
                fill_bond(&values, &definition->bond);
        } else if (definition->type == HOST_INTERFACE_VLAN) {
                g_variant_builder_add(&values, "{sv}", "id", g_variant_new_uint32(definition->vlan.tag));
                g_variant_builder_add(&values, "{sv}", "parent",
                                      g_variant_new_string(definition->vlan.device));
        } else {
                g_variant_builder_add(&values, "{sv}", "stp", g_variant_new_boolean(bridge->stp == ON));
                if (bridge->stp == ON && bridge->delay)
                        g_variant_builder_add(
                                &values, "{sv}", "forward-delay",
                                g_variant_new_uint32((uint32_t)g_ascii_strtod(bridge->delay, NULL)));
        }
        add_setting(all, type_name(definition->type), &values);
}

static void add_addresses(GVariantBuilder *list, const InterfaceProtocol *protocol, unsigned longest)
{
        LIST_FOREACH (ip, protocol->ips) {
                g_variant_builder_open(list, G_VARIANT_TYPE_VARDICT);
                g_variant_builder_add(list, "{sv}", "address", g_variant_new_string(ip->address));
                g_variant_builder_add(list, "{sv}", "prefix",
                                      g_variant_new_uint32(ip->has_prefix ? ip->prefix : longest));
                g_variant_builder_close(list);
        }
}

static void add_routes(GVariantBuilder *list, const InterfaceProtocol *protocol, const char *everywhere)
{
        LIST_FOREACH (route, protocol->routes) {
                g_variant_builder_open(list, G_VARIANT_TYPE_VARDICT);
                g_variant_builder_add(list, "{sv}", "dest", g_variant_new_string(everywhere));
                g_variant_builder_add(list, "{sv}", "prefix", g_variant_new_uint32(0));
                g_variant_builder_add(list, "{sv}", "next-hop", g_variant_new_string(route->gateway));
                g_variant_builder_close(list);
        }
}

/* What all <protocol> of a family say. */
typedef struct Family {
        bool autoconf, dhcp, ignores_name_servers, has_addresses, has_routes;
} Family;

static const char *method_name(const Family *family, bool is_ipv4)
{
        if (family->autoconf || (is_ipv4 && family->dhcp))
                return "auto";
        if (family->dhcp)
                return "dhcp";
        return family->has_addresses ? "manual" : is_ipv4 ? "disabled" : "link-local";
}

static void add_family(GVariantBuilder *all, const HostInterfaceDefinition *definition, bool is_ipv4)
{
        const char *name = is_ipv4 ? "ipv4" : "ipv6";
        GVariantBuilder values, addresses, routes;
        Family family = {};

        g_variant_builder_init(&addresses, G_VARIANT_TYPE("aa{sv}"));
        g_variant_builder_init(&routes, G_VARIANT_TYPE("aa{sv}"));
        LIST_FOREACH (protocol, definition->protocols) {
                if (strcmp(protocol->family, name) != 0)
                        continue;
                family.autoconf = family.autoconf || protocol->autoconf;
                family.dhcp = family.dhcp || protocol->dhcp;
                family.ignores_name_servers =
                        family.ignores_name_servers || (protocol->dhcp && protocol->dhcp->peerdns == NO);
                family.has_addresses = family.has_addresses || protocol->ips.count > 0;
                family.has_routes = family.has_routes || protocol->routes.count > 0;
                add_addresses(&addresses, protocol, is_ipv4 ? 32 : 128);
                add_routes(&routes, protocol, is_ipv4 ? "0.0.0.0" : "::");
        }
        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&values, "{sv}", "method",
                              g_variant_new_string(method_name(&family, is_ipv4)));
        if (family.has_addresses)
                g_variant_builder_add(&values, "{sv}", "address-data", g_variant_builder_end(&addresses));
        if (family.has_routes)
                g_variant_builder_add(&values, "{sv}", "route-data", g_variant_builder_end(&routes));
        if (family.ignores_name_servers)
                g_variant_builder_add(&values, "{sv}", "ignore-auto-dns", g_variant_new_boolean(true));
        g_variant_builder_clear(&addresses);
        g_variant_builder_clear(&routes);
        add_setting(all, name, &values);
}

/* Of the names alone, so that it is found again whatever was written down. */
static void make_uuid(const char *owner, const char *device, char ret_uuid[static 37])
{
        _cleanup_(freep) char *text = g_strdup_printf("virtbus:%s:%s", owner, device);
        _cleanup_(freep) char *hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

        (void)snprintf(ret_uuid, 37, "%.8s-%.4s-5%.3s-8%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15,
                       hex + 18);
}

static void add_tag(GVariantBuilder *all, const char *owner, const char *digest)
{
        GVariantBuilder values, data;

        g_variant_builder_init(&data, G_VARIANT_TYPE("a{ss}"));
        g_variant_builder_add(&data, "{ss}", OWNER_KEY, owner);
        g_variant_builder_add(&data, "{ss}", DIGEST_KEY, digest);
        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&values, "{sv}", "data", g_variant_builder_end(&data));
        add_setting(all, "user", &values);
}

static void add_all(GPtrArray *connections, const HostInterfaceDefinition *definition, const char *owner,
                    const HostInterfaceDefinition *master)
{
        NetworkManagerConnection *connection = g_new0(NetworkManagerConnection, 1);
        _cleanup_(freep) char *xml = host_interface_format(definition, DEFINITION_INACTIVE);
        GVariantBuilder all;

        make_uuid(owner, definition->name, connection->uuid);
        connection->digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, xml, -1);
        g_variant_builder_init(&all, G_VARIANT_TYPE("a{sa{sv}}"));
        add_connection(&all, definition, connection->uuid, master);
        add_kind(&all, definition);
        if (!master) {
                add_family(&all, definition, true);
                add_family(&all, definition, false);
        }
        add_tag(&all, owner, connection->digest);
        connection->settings = g_variant_ref_sink(g_variant_builder_end(&all));
        g_ptr_array_add(connections, connection);
        LIST_FOREACH (member, definition->bridge.members) {
                add_all(connections, member, owner, definition);
        }
        LIST_FOREACH (member, definition->bond.members) {
                add_all(connections, member, owner, definition);
        }
}

GPtrArray *network_manager_connections(const HostInterfaceDefinition *definition)
{
        GPtrArray *connections = g_ptr_array_new_with_free_func(connection_free);

        add_all(connections, definition, definition->name, NULL);
        return connections;
}

static const char *find_tag(GVariant *settings, const char *key)
{
        _cleanup_(g_variant_unrefp) GVariant *user =
                g_variant_lookup_value(settings, "user", G_VARIANT_TYPE_VARDICT);
        _cleanup_(g_variant_unrefp) GVariant *data =
                user ? g_variant_lookup_value(user, "data", G_VARIANT_TYPE("a{ss}")) : NULL;
        const char *value = NULL;

        return data && g_variant_lookup(data, key, "&s", &value) ? value : NULL;
}

const char *network_manager_owner(GVariant *settings)
{
        return find_tag(settings, OWNER_KEY);
}

const char *network_manager_digest(GVariant *settings)
{
        return find_tag(settings, DIGEST_KEY);
}
