/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <interface> of the host. */

#include "model/host-interface.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

DEFINE_ENUM(host_interface_type, HOST_INTERFACE_TYPES);
DEFINE_ENUM(start_mode, START_MODES);
DEFINE_ENUM(host_link_state, HOST_LINK_STATES);
DEFINE_ENUM(bond_mode, BOND_MODES);
DEFINE_ENUM(bond_carrier, BOND_CARRIERS);
DEFINE_ENUM(bond_validate, BOND_VALIDATES);

#define THIS InterfaceDhcp
static const Field interface_dhcp_fields[] = { YESNO("@peerdns", peerdns) };
#undef THIS
static DEFINE_STRUCT(interface_dhcp, InterfaceDhcp);

#define THIS InterfaceIp
static const Field interface_ip_fields[] = {
        STRING("@address", address, .flags = FIELD_REQUIRED),
        OPTIONAL_UNSIGNED("@prefix", prefix),
};
#undef THIS
static DEFINE_STRUCT(interface_ip, InterfaceIp);

#define THIS InterfaceRoute
static const Field interface_route_fields[] = { STRING("@gateway", gateway, .flags = FIELD_REQUIRED) };
#undef THIS
static DEFINE_STRUCT(interface_route, InterfaceRoute);

static int check_address(int family, const char *element, const char *text, Error *error)
{
        uint8_t bytes[16];

        return inet_pton(family, text, bytes) == 1
                       ? 0
                       : error_set(error, ERROR_INVALID_XML, "<%s>: '%s' is no %s address", element, text,
                                   family == AF_INET ? "IPv4" : "IPv6");
}

static int protocol_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const InterfaceProtocol *protocol = object;
        int family = strcmp(protocol->family, "ipv6") == 0 ? AF_INET6 : AF_INET;
        unsigned longest = family == AF_INET ? 32 : 128;
        int r = 0;

        (void)node, (void)flags;
        if (family == AF_INET && strcmp(protocol->family, "ipv4") != 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "<protocol family='%s'>: ipv4 or ipv6 is expected", protocol->family);
        if (protocol->autoconf && family == AF_INET)
                return error_set(error, ERROR_INVALID_XML, "<autoconf> is of IPv6 only");
        LIST_FOREACH (ip, protocol->ips) {
                if (r >= 0)
                        r = check_address(family, "ip", ip->address, error);
                if (r >= 0 && ip->prefix > longest)
                        r = error_set(error, ERROR_INVALID_XML, "<ip prefix='%u'>: %u is the most",
                                      ip->prefix, longest);
        }
        LIST_FOREACH (route, protocol->routes) {
                if (r >= 0)
                        r = check_address(family, "route", route->gateway, error);
        }
        return r;
}

#define THIS InterfaceProtocol
static const Field interface_protocol_fields[] = {
        STRING("@family", family, .flags = FIELD_REQUIRED),
        FLAG("autoconf", autoconf),
        STRUCT("dhcp", dhcp, interface_dhcp),
        ITEMS("ip", ips, interface_ip),
        ITEMS("route", routes, interface_route),
};
#undef THIS
static DEFINE_STRUCT(interface_protocol, InterfaceProtocol, .check = protocol_check);

#define THIS BondMiimon
static const Field bond_miimon_fields[] = {
        UNSIGNED("@freq", frequency, .flags = FIELD_REQUIRED),
        UNSIGNED("@updelay", updelay),
        UNSIGNED("@downdelay", downdelay),
        ENUM("@carrier", carrier, bond_carrier),
};
#undef THIS
static DEFINE_STRUCT(bond_miimon, BondMiimon);

#define THIS BondArpmon
static const Field bond_arpmon_fields[] = {
        UNSIGNED("@interval", interval, .flags = FIELD_REQUIRED),
        STRING("@target", target, .flags = FIELD_REQUIRED),
        ENUM("@validate", validate, bond_validate),
};
#undef THIS

static int arpmon_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        (void)node, (void)flags;
        return check_address(AF_INET, "arpmon", ((const BondArpmon *)object)->target, error);
}
static DEFINE_STRUCT(bond_arpmon, BondArpmon, .check = arpmon_check);

#define THIS InterfaceBridge
static const Field interface_bridge_fields[] = {
        ONOFF("@stp", stp),
        STRING("@delay", delay),
        ITEMS("interface", members, host_interface_definition),
};
#undef THIS

static int bridge_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const InterfaceBridge *bridge = object;
        char *end;
        double seconds = bridge->delay ? g_ascii_strtod(bridge->delay, &end) : 0;

        (void)node, (void)flags;
        if (bridge->delay && (end == bridge->delay || *end || !(seconds >= 0 && seconds <= 30)))
                return error_set(error, ERROR_INVALID_XML,
                                 "<bridge delay='%s'>: seconds from 0 to 30 are expected", bridge->delay);
        return 0;
}
static DEFINE_STRUCT(interface_bridge, InterfaceBridge, .check = bridge_check);

#define THIS InterfaceBond
static const Field interface_bond_fields[] = {
        ENUM("@mode", mode, bond_mode),
        STRUCT("miimon", miimon, bond_miimon),
        STRUCT("arpmon", arpmon, bond_arpmon),
        ITEMS("interface", members, host_interface_definition),
};
#undef THIS
static DEFINE_STRUCT(interface_bond, InterfaceBond);

#define THIS InterfaceVlan
static const Field interface_vlan_fields[] = {
        OPTIONAL_UNSIGNED("@tag", tag),
        STRING("interface/@name", device),
};
#undef THIS
static DEFINE_STRUCT(interface_vlan, InterfaceVlan);

static int check_members(const HostInterfaceDefinition *definition, Error *error)
{
        LIST_FOREACH (member, definition->bridge.members) {
                if (member->type == HOST_INTERFACE_BRIDGE)
                        return error_set(error, ERROR_INVALID_XML,
                                         "interface '%s': '%s' is a bridge, which cannot be in another",
                                         definition->name, member->name);
        }
        LIST_FOREACH (member, definition->bond.members) {
                if (member->type != HOST_INTERFACE_ETHERNET)
                        return error_set(error, ERROR_INVALID_XML,
                                         "interface '%s': a bond consists of ethernet interfaces, '%s' is "
                                         "none",
                                         definition->name, member->name);
        }
        if (definition->type == HOST_INTERFACE_BOND && definition->bond.members.count == 0)
                return error_set(error, ERROR_INVALID_XML, "interface '%s': a bond needs an <interface>",
                                 definition->name);
        if (definition->bond.miimon && definition->bond.arpmon)
                return error_set(error, ERROR_INVALID_XML,
                                 "interface '%s': <miimon> and <arpmon> exclude each other",
                                 definition->name);
        return 0;
}

/* As the kernel has it: what is a name here becomes one there, and a part of a path. */
static int check_name(const char *name, Error *error)
{
        if (strlen(name) >= IF_NAMESIZE || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "<interface name='%s'>: a name has 1 to %d bytes and is not '.' or '..'",
                                 name, IF_NAMESIZE - 1);
        for (const char *c = name; *c; c++)
                if ((unsigned char)*c <= ' ' || *c == '/' || *c == ':' || *c == 0x7f)
                        return error_set(
                                error, ERROR_INVALID_XML,
                                "<interface>: a name has no spaces, '/', ':' or control characters");
        return 0;
}

static int interface_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const HostInterfaceDefinition *definition = object;
        const InterfaceVlan *vlan = &definition->vlan;
        int r = check_name(definition->name, error);

        (void)node, (void)flags;
        if (r >= 0 && definition->type == HOST_INTERFACE_VLAN &&
            (!vlan->has_tag || vlan->tag > 4094 || !vlan->device))
                r = error_set(error, ERROR_INVALID_XML,
                              "interface '%s': <vlan> needs a tag from 0 to 4094 and an <interface>",
                              definition->name);
        return r < 0 ? r : check_members(definition, error);
}

#define THIS HostInterfaceDefinition
static const Field host_interface_definition_fields[] = {
        ENUM("@type", type, host_interface_type, .flags = FIELD_ALWAYS),
        STRING("@name", name, .flags = FIELD_REQUIRED),
        ENUM("start/@mode", start, start_mode),
        UNSIGNED("mtu/@size", mtu),
        ITEMS("protocol", protocols, interface_protocol),
        UNSIGNED("link/@speed", speed, .flags = FIELD_LIVE),
        ENUM("link/@state", state, host_link_state, .flags = FIELD_LIVE),
        MAC("mac/@address", mac),
        INLINE("bridge", bridge, interface_bridge, .flags = FIELD_KEEP_EMPTY,
               WHEN(type, BIT(HOST_INTERFACE_BRIDGE))),
        INLINE("bond", bond, interface_bond, WHEN(type, BIT(HOST_INTERFACE_BOND))),
        INLINE("vlan", vlan, interface_vlan, WHEN(type, BIT(HOST_INTERFACE_VLAN))),
};
#undef THIS
DEFINE_STRUCT(host_interface_definition, HostInterfaceDefinition, .check = interface_check);

int host_interface_parse(const char *xml, size_t size, HostInterfaceDefinition **ret, Error *error)
{
        void *definition;
        int r = struct_parse_document(&host_interface_definition_type, "interface", xml, size, 0,
                                      &definition, error);

        if (r >= 0)
                *ret = definition;
        return r;
}

char *host_interface_format(const HostInterfaceDefinition *definition, unsigned flags)
{
        return struct_to_xml(&host_interface_definition_type, definition, "interface", flags);
}

HostInterfaceDefinition *host_interface_free(HostInterfaceDefinition *definition)
{
        return struct_free(&host_interface_definition_type, definition);
}
