/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bridges, bonds and VLANs are made by commands in the file, so that no other package is needed. Names were
 * checked (host-manager.h) and so were addresses; numbers are written anew. */

#include "drivers/host/ifupdown-text.h"
#include <string.h>

static int check_member(const HostInterfaceDefinition *definition, const HostInterfaceDefinition *member,
                        Error *error)
{
        return member->type == HOST_INTERFACE_ETHERNET && member->protocols.count == 0
                       ? 0
                       : error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                   "interface '%s': '%s' in it is more than an ethernet interface without "
                                   "<protocol>: with ifupdown define that one by itself",
                                   definition->name, member->name);
}

int ifupdown_check(const HostInterfaceDefinition *definition, Error *error)
{
        int r = 0;

        LIST_FOREACH (member, definition->bridge.members) {
                if (r >= 0)
                        r = check_member(definition, member, error);
        }
        LIST_FOREACH (member, definition->bond.members) {
                if (r >= 0)
                        r = check_member(definition, member, error);
        }
        LIST_FOREACH (protocol, definition->protocols) {
                if (r >= 0 && protocol->dhcp && protocol->dhcp->peerdns == NO)
                        r = error_set(
                                error, ERROR_CONFIG_UNSUPPORTED,
                                "interface '%s': <dhcp peerdns='no'>: ifupdown's clients take the name "
                                "servers that they are told",
                                definition->name);
        }
        return r;
}

static void add_bond_options(GString *text, const InterfaceBond *bond)
{
        if (bond->mode != BOND_MODE_UNSPECIFIED)
                g_string_append_printf(text, " mode %s", bond_mode_to_string(bond->mode));
        if (bond->miimon) {
                g_string_append_printf(text, " miimon %u updelay %u downdelay %u", bond->miimon->frequency,
                                       bond->miimon->updelay, bond->miimon->downdelay);
                if (bond->miimon->carrier != BOND_CARRIER_UNSPECIFIED)
                        g_string_append_printf(text, " use_carrier %d",
                                               bond->miimon->carrier == BOND_CARRIER_NETIF);
        }
        if (bond->arpmon) {
                g_string_append_printf(text, " arp_interval %u arp_ip_target %s", bond->arpmon->interval,
                                       bond->arpmon->target);
                if (bond->arpmon->validate != BOND_VALIDATE_UNSPECIFIED)
                        g_string_append_printf(text, " arp_validate %s",
                                               bond_validate_to_string(bond->arpmon->validate));
        }
}

static void add_making(GString *text, const HostInterfaceDefinition *definition)
{
        const InterfaceBridge *bridge = &definition->bridge;
        const char *name = definition->name;

        if (definition->type == HOST_INTERFACE_VLAN) /* ifup makes one of its own for a name as eth0.7 */
                g_string_append_printf(text, "        pre-up ip link del dev %s 2> /dev/null || true\n",
                                       name);
        g_string_append(text, "        pre-up ip link add");
        if (definition->type == HOST_INTERFACE_VLAN)
                g_string_append_printf(text, " link %s", definition->vlan.device);
        g_string_append_printf(text, " name %s", name);
        if (definition->mac[0])
                g_string_append_printf(text, " address %s", definition->mac);
        g_string_append_printf(text, " type %s", host_interface_type_to_string(definition->type));
        if (definition->type == HOST_INTERFACE_VLAN)
                g_string_append_printf(text, " id %u", definition->vlan.tag);
        if (definition->type == HOST_INTERFACE_BOND)
                add_bond_options(text, &definition->bond);
        if (bridge->stp != ON_OFF_ABSENT)
                g_string_append_printf(text, " stp_state %d", bridge->stp == ON);
        if (bridge->delay)
                g_string_append_printf(text, " forward_delay %u",
                                       (unsigned)(g_ascii_strtod(bridge->delay, NULL) * 100));
        g_string_append_c(text, '\n');
}

/* A bond takes only what is down. */
static void add_member(GString *text, const HostInterfaceDefinition *definition,
                       const HostInterfaceDefinition *member)
{
        if (definition->type == HOST_INTERFACE_BOND)
                g_string_append_printf(text, "        pre-up ip link set dev %s down\n", member->name);
        if (member->mtu)
                g_string_append_printf(text, "        pre-up ip link set dev %s mtu %u\n", member->name,
                                       member->mtu);
        g_string_append_printf(text, "        pre-up ip link set dev %s master %s\n", member->name,
                               definition->name);
        g_string_append_printf(text, "        pre-up ip link set dev %s up\n", member->name);
}

/* The device itself; its addresses are more of the same name. */
static void add_device(GString *text, const HostInterfaceDefinition *definition)
{
        g_string_append_printf(text, "iface %s inet manual\n", definition->name);
        if (definition->type != HOST_INTERFACE_ETHERNET)
                add_making(text, definition);
        LIST_FOREACH (member, definition->bridge.members) {
                add_member(text, definition, member);
        }
        LIST_FOREACH (member, definition->bond.members) {
                add_member(text, definition, member);
        }
        if (definition->mtu)
                g_string_append_printf(text, "        pre-up ip link set dev %s mtu %u\n", definition->name,
                                       definition->mtu);
        g_string_append_printf(text, "        up ip link set dev %s up\n", definition->name);
        if (definition->type != HOST_INTERFACE_ETHERNET)
                g_string_append_printf(text, "        post-down ip link del dev %s\n", definition->name);
        else
                g_string_append_printf(text, "        post-down ip link set dev %s down\n",
                                       definition->name);
}

/* What the device takes from routers: each part says it, for ifup sets it anew with each. */
typedef struct Routers {
        bool give_addresses; /* <autoconf> */
        bool are_heard;
} Routers;

static Routers find_routers(const HostInterfaceDefinition *definition)
{
        Routers routers = {};

        LIST_FOREACH (protocol, definition->protocols) {
                bool is_automatic = protocol->dhcp && strcmp(protocol->family, "ipv6") == 0;

                routers.give_addresses = routers.give_addresses || protocol->autoconf;
                routers.are_heard = routers.are_heard || protocol->autoconf || is_automatic;
        }
        return routers;
}

static void add_routers(GString *text, Routers routers)
{
        g_string_append_printf(text, "        accept_ra %d\n        autoconf %d\n",
                               routers.are_heard ? 2 : 0, routers.give_addresses);
}

/* Duplicate detection would keep ifup waiting for a carrier that a new bridge has not got. */
static void add_protocol(GString *text, const char *name, const InterfaceProtocol *protocol, Routers routers)
{
        bool is_ipv4 = strcmp(protocol->family, "ipv4") == 0;
        const char *family = is_ipv4 ? "inet" : "inet6";

        if (protocol->dhcp)
                g_string_append_printf(text, "iface %s %s dhcp\n", name, family);
        else if (protocol->autoconf)
                g_string_append_printf(text, "iface %s %s auto\n", name, family);
        if (protocol->dhcp && !is_ipv4)
                add_routers(text, routers);
        LIST_FOREACH (ip, protocol->ips) {
                g_string_append_printf(text, "iface %s %s static\n        address %s/%u\n", name, family,
                                       ip->address,
                                       ip->has_prefix ? ip->prefix
                                       : is_ipv4      ? 32
                                                      : 128);
                if (is_ipv4)
                        continue;
                g_string_append(text, "        dad-attempts 0\n");
                add_routers(text, routers);
        }
        if (protocol->routes.count == 0)
                return;
        g_string_append_printf(text, "iface %s %s manual\n", name, family);
        LIST_FOREACH (route, protocol->routes) {
                g_string_append_printf(text, "        up ip %s route append default via %s dev %s\n",
                                       is_ipv4 ? "-4" : "-6", route->gateway, name);
        }
}

char *ifupdown_text(const HostInterfaceDefinition *definition)
{
        GString *text = g_string_new(IFUPDOWN_TAG ", which writes it anew\n");
        Routers routers = find_routers(definition);

        if (definition->start == START_MODE_ONBOOT)
                g_string_append_printf(text, "auto %s\n", definition->name);
        else if (definition->start == START_MODE_HOTPLUG)
                g_string_append_printf(text, "allow-hotplug %s\n", definition->name);
        add_device(text, definition);
        LIST_FOREACH (protocol, definition->protocols) {
                add_protocol(text, definition->name, protocol, routers);
        }
        return g_string_free(text, FALSE);
}
