/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <network>: the tables, and what an absent value means. */

#include "model/network.h"
#include "model/identity.h"

DEFINE_ENUM(forward_mode, FORWARD_MODES);
DEFINE_ENUM(forward_driver, FORWARD_DRIVERS);
DEFINE_ENUM(mac_table_manager, MAC_TABLE_MANAGERS);
DEFINE_ENUM(lease_unit, LEASE_UNITS);

#define THIS NatRange
static const Field nat_range_fields[] = {
        STRING("@start", start, .flags = FIELD_REQUIRED),
        STRING("@end", end, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(nat_range, NatRange);

#define THIS NatPorts
static const Field nat_ports_fields[] = {
        UNSIGNED("@start", start, .flags = FIELD_REQUIRED),
        UNSIGNED("@end", end, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(nat_ports, NatPorts);

#define THIS NetworkNat
static const Field network_nat_fields[] = {
        YESNO("@ipv6", ipv6),
        STRUCT("address", address, nat_range),
        STRUCT("port", port, nat_ports),
};
#undef THIS
static DEFINE_STRUCT(network_nat, NetworkNat);

#define THIS ForwardInterface
static const Field forward_interface_fields[] = {
        STRING("@dev", dev, .flags = FIELD_REQUIRED),
        UNSIGNED("@connections", connections, .flags = FIELD_LIVE),
};
#undef THIS
DEFINE_STRUCT(forward_interface, ForwardInterface);

static bool shows_nat(const void *object, unsigned flags)
{
        const NetworkNat *nat = ((const NetworkForward *)object)->nat;

        (void)flags;
        return nat && (nat->ipv6 != YES_NO_ABSENT || nat->address || nat->port);
}

static int forward_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        NetworkForward *forward = object;

        (void)node, (void)flags, (void)error;
        if (forward->mode == FORWARD_NONE)
                forward->mode = FORWARD_NAT;
        if (forward->dev && forward->interfaces.count == 0) {
                ForwardInterface *interface = g_new0(ForwardInterface, 1);

                interface->dev = g_strdup(forward->dev);
                list_append(&forward->interfaces, interface);
        }
        if (!forward->dev && forward->interfaces.count > 0)
                forward->dev = g_strdup(forward->interfaces.items[0]->dev);
        return 0;
}

#define THIS NetworkForward
static const Field network_forward_fields[] = {
        STRING("@dev", dev),
        ENUM("@mode", mode, forward_mode),
        YESNO("@managed", managed),
        ENUM("driver/@name", driver, forward_driver),
        STRUCT("nat", nat, network_nat, .shown = shows_nat),
        STRUCT("pf", pf, forward_interface),
        ITEMS("interface", interfaces, forward_interface),
        ITEMS("address", addresses, device_address),
};
#undef THIS
static DEFINE_STRUCT(network_forward, NetworkForward, .check = forward_check);

#define THIS NetworkBridge
static const Field network_bridge_fields[] = {
        STRING("@name", name),
        STRING("@zone", zone),
        ONOFF("@stp", stp),
        OPTIONAL_UNSIGNED("@delay", delay),
        ENUM("@macTableManager", mac_table_manager, mac_table_manager),
};
#undef THIS
static DEFINE_STRUCT(network_bridge, NetworkBridge);

#define THIS DnsForwarder
static const Field dns_forwarder_fields[] = {
        STRING("@domain", domain),
        STRING("@addr", address),
};
#undef THIS
static DEFINE_STRUCT(dns_forwarder, DnsForwarder);

#define THIS DnsTxt
static const Field dns_txt_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED),
        STRING("@value", value),
};
#undef THIS
DEFINE_STRUCT(dns_txt, DnsTxt);

#define THIS DnsHostName
static const Field dns_host_name_fields[] = { STRING(".", name, .flags = FIELD_REQUIRED) };
#undef THIS
static DEFINE_STRUCT(dns_host_name, DnsHostName);

#define THIS DnsHost
static const Field dns_host_fields[] = {
        STRING("@ip", address),
        ITEMS("hostname", names, dns_host_name),
};
#undef THIS
DEFINE_STRUCT(dns_host, DnsHost);

#define THIS DnsSrv
static const Field dns_srv_fields[] = {
        STRING("@service", service, .flags = FIELD_REQUIRED),
        STRING("@protocol", protocol, .flags = FIELD_REQUIRED),
        STRING("@domain", domain),
        STRING("@target", target),
        UNSIGNED("@port", port),
        UNSIGNED("@priority", priority),
        UNSIGNED("@weight", weight),
};
#undef THIS
DEFINE_STRUCT(dns_srv, DnsSrv);

#define THIS NetworkDns
static const Field network_dns_fields[] = {
        YESNO("@enable", enable),
        YESNO("@forwardPlainNames", forward_plain_names),
        ITEMS("forwarder", forwarders, dns_forwarder),
        ITEMS("txt", txts, dns_txt),
        ITEMS("srv", srvs, dns_srv),
        ITEMS("host", hosts, dns_host),
};
#undef THIS
DEFINE_STRUCT(network_dns, NetworkDns);

static bool shows_unit(const void *object, unsigned flags)
{
        (void)flags;
        return ((const DhcpLease *)object)->expiry != 0;
}

#define THIS DhcpLease
static const Field dhcp_lease_fields[] = {
        UNSIGNED("@expiry", expiry, .flags = FIELD_REQUIRED),
        ENUM("@unit", unit, lease_unit, .shown = shows_unit, .flags = FIELD_ALWAYS),
};
#undef THIS
static DEFINE_STRUCT(dhcp_lease, DhcpLease);

#define THIS DhcpRange
static const Field dhcp_range_fields[] = {
        STRING("@start", start, .flags = FIELD_REQUIRED),
        STRING("@end", end, .flags = FIELD_REQUIRED),
        STRUCT("lease", lease, dhcp_lease),
};
#undef THIS
DEFINE_STRUCT(dhcp_range, DhcpRange);

#define THIS DhcpHost
static const Field dhcp_host_fields[] = {
        STRING("@id", id),
        MAC("@mac", mac),
        STRING("@name", name),
        STRING("@ip", address),
        STRUCT("lease", lease, dhcp_lease),
};
#undef THIS
DEFINE_STRUCT(dhcp_host, DhcpHost);

#define THIS DhcpBoot
static const Field dhcp_boot_fields[] = {
        STRING("@file", file, .flags = FIELD_REQUIRED),
        STRING("@server", server),
};
#undef THIS
static DEFINE_STRUCT(dhcp_boot, DhcpBoot);

#define THIS NetworkDhcp
static const Field network_dhcp_fields[] = {
        ITEMS("range", ranges, dhcp_range),
        ITEMS("host", hosts, dhcp_host),
        STRUCT("bootp", boot, dhcp_boot),
};
#undef THIS
DEFINE_STRUCT(network_dhcp, NetworkDhcp);

#define THIS NetworkIp
static const Field network_ip_fields[] = {
        STRING("@family", family),          STRING("@address", address, .flags = FIELD_REQUIRED),
        STRING("@netmask", netmask),        OPTIONAL_UNSIGNED("@prefix", prefix),
        YESNO("@localPtr", local_ptr),      STRING("tftp/@root", tftp_root),
        STRUCT("dhcp", dhcp, network_dhcp),
};
#undef THIS
static DEFINE_STRUCT(network_ip, NetworkIp);

#define THIS PortGroup
static const Field port_group_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED),        YESNO("@default", is_default),
        YESNO("@trustGuestRxFilters", trust_guest_rx_filters), STRUCT("vlan", vlan, vlan),
        STRUCT("virtualport", virtualport, virtualport),       STRUCT("bandwidth", bandwidth, bandwidth),
};
#undef THIS
DEFINE_STRUCT(port_group, PortGroup);

#define THIS NetworkDefinition
static const Field network_definition_fields[] = {
        YESNO("@ipv6", ipv6),
        YESNO("@trustGuestRxFilters", trust_guest_rx_filters),
        UNSIGNED("@connections", connections, .flags = FIELD_LIVE),
        STRING("name", name, .flags = FIELD_REQUIRED),
        UUID("uuid", uuid),
        STRING("title", title),
        STRING("description", description),
        RAW("metadata", metadata),
        STRUCT("forward", forward, network_forward),
        INLINE("bridge", bridge, network_bridge),
        UNSIGNED("mtu/@size", mtu),
        MAC("mac/@address", mac),
        STRING("domain/@name", domain),
        YESNO("domain/@localOnly", domain_local_only),
        STRUCT("dns", dns, network_dns),
        STRUCT("vlan", vlan, vlan),
        STRUCT("bandwidth", bandwidth, bandwidth),
        YESNO("port/@isolated", port_isolated),
        ITEMS("ip", ips, network_ip),
        ITEMS("route", routes, network_route),
        STRUCT("virtualport", virtualport, virtualport),
        ITEMS("portgroup", port_groups, port_group),
};
#undef THIS
DEFINE_STRUCT(network_definition, NetworkDefinition);

char *network_definition_format(const NetworkDefinition *definition, unsigned flags)
{
        return struct_to_xml(&network_definition_type, definition, "network", flags);
}

NetworkDefinition *network_definition_copy(const NetworkDefinition *definition)
{
        return struct_copy(&network_definition_type, definition);
}

NetworkDefinition *network_definition_free(NetworkDefinition *definition)
{
        return struct_free(&network_definition_type, definition);
}

void network_definition_complete(NetworkDefinition *definition)
{
        NetworkBridge *bridge = &definition->bridge;

        if (!definition->uuid[0])
                identity_make_uuid(definition->uuid);
        if (!network_has_own_bridge(definition))
                return;
        if (!definition->mac[0])
                identity_make_mac(definition->mac);
        if (bridge->stp == ON_OFF_ABSENT)
                bridge->stp = ON;
        bridge->has_delay = true;
}

const PortGroup *network_find_port_group(const NetworkDefinition *definition, const char *name)
{
        LIST_FOREACH (group, definition->port_groups) {
                if (name ? strcmp(group->name, name) == 0 : group->is_default == YES)
                        return group;
        }
        return NULL;
}

const Vlan *network_find_vlan(const NetworkDefinition *definition, const char *portgroup, const Vlan *own)
{
        const PortGroup *group = network_find_port_group(definition, portgroup);

        return own ? own : group && group->vlan ? group->vlan : definition->vlan;
}

bool network_has_vlans(const NetworkDefinition *definition)
{
        LIST_FOREACH (group, definition->port_groups) {
                if (group->vlan)
                        return true;
        }
        return definition->vlan;
}
