/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A virtual network's definition: what libvirt's <network> says, as a structure. Texts are owned; addresses
 * are texts that were checked. */

#include "model/device.h"
#include "model/domain/interface.h"

#define FORWARD_MODES(E)                                                                                    \
        E(FORWARD_NONE, NULL)                                                                               \
        E(FORWARD_NAT, "nat")                                                                               \
        E(FORWARD_ROUTE, "route")                                                                           \
        E(FORWARD_OPEN, "open")                                                                             \
        E(FORWARD_BRIDGE, "bridge")                                                                         \
        E(FORWARD_PRIVATE, "private")                                                                       \
        E(FORWARD_VEPA, "vepa")                                                                             \
        E(FORWARD_PASSTHROUGH, "passthrough")                                                               \
        E(FORWARD_HOSTDEV, "hostdev")
DECLARE_ENUM(ForwardMode, forward_mode, FORWARD_MODES)

#define FORWARD_DRIVERS(E)                                                                                  \
        E(FORWARD_DRIVER_DEFAULT, NULL)                                                                     \
        E(FORWARD_DRIVER_KVM, "kvm") E(FORWARD_DRIVER_VFIO, "vfio") E(FORWARD_DRIVER_XEN, "xen")
DECLARE_ENUM(ForwardDriver, forward_driver, FORWARD_DRIVERS)

#define MAC_TABLE_MANAGERS(E)                                                                               \
        E(MAC_TABLE_DEFAULT, NULL) E(MAC_TABLE_KERNEL, "kernel") E(MAC_TABLE_LIBVIRT, "libvirt")
DECLARE_ENUM(MacTableManager, mac_table_manager, MAC_TABLE_MANAGERS)

#define LEASE_UNITS(E)                                                                                      \
        E(LEASE_UNIT_MINUTES, "minutes") E(LEASE_UNIT_SECONDS, "seconds") E(LEASE_UNIT_HOURS, "hours")
DECLARE_ENUM(LeaseUnit, lease_unit, LEASE_UNITS)

typedef struct NatRange {
        char *start, *end;
} NatRange;

typedef struct NatPorts {
        uint16_t start, end;
} NatPorts;

typedef struct NetworkNat {
        YesNo ipv6;
        NatRange *address;
        NatPorts *port;
} NetworkNat;

typedef struct ForwardInterface {
        char *dev;
        uint32_t connections; /* live: how many guests use it */
} ForwardInterface;

typedef struct NetworkForward {
        char *dev; /* the first interface's, too */
        ForwardMode mode;
        YesNo managed;
        ForwardDriver driver;
        NetworkNat *nat;
        ForwardInterface *pf; /* whose virtual functions are used */
        LIST(ForwardInterface) interfaces;
        LIST(DeviceAddress) addresses; /* PCI */
} NetworkForward;

typedef struct NetworkBridge {
        char *name, *zone;
        OnOff stp;
        bool has_delay;
        uint32_t delay; /* seconds */
        MacTableManager mac_table_manager;
} NetworkBridge;

typedef struct DnsForwarder {
        char *domain, *address;
} DnsForwarder;

typedef struct DnsTxt {
        char *name, *value;
} DnsTxt;

typedef struct DnsHostName {
        char *name;
} DnsHostName;

typedef struct DnsHost {
        char *address;
        LIST(DnsHostName) names;
} DnsHost;

typedef struct DnsSrv {
        char *service, *protocol, *domain, *target;
        uint16_t port, priority, weight;
} DnsSrv;

typedef struct NetworkDns {
        YesNo enable, forward_plain_names;
        LIST(DnsForwarder) forwarders;
        LIST(DnsTxt) txts;
        LIST(DnsHost) hosts;
        LIST(DnsSrv) srvs;
} NetworkDns;

typedef struct DhcpLease {
        uint64_t expiry; /* in units; 0: for ever */
        LeaseUnit unit;
} DhcpLease;

typedef struct DhcpRange {
        char *start, *end;
        DhcpLease *lease;
} DhcpRange;

typedef struct DhcpHost {
        char *id; /* DHCPv6's DUID */
        char mac[18];
        char *name, *address;
        DhcpLease *lease;
} DhcpHost;

typedef struct DhcpBoot {
        char *file, *server;
} DhcpBoot;

typedef struct NetworkDhcp {
        LIST(DhcpRange) ranges;
        LIST(DhcpHost) hosts;
        DhcpBoot *boot;
} NetworkDhcp;

typedef struct NetworkIp {
        char *family, *address, *netmask;
        bool has_prefix;
        uint32_t prefix;
        YesNo local_ptr;
        char *tftp_root;
        NetworkDhcp *dhcp;
} NetworkIp;

typedef struct PortGroup {
        char *name;
        YesNo is_default, trust_guest_rx_filters;
        Vlan *vlan;
        Virtualport *virtualport;
        Bandwidth *bandwidth;
} PortGroup;

typedef struct NetworkDefinition {
        YesNo ipv6, trust_guest_rx_filters;
        uint32_t connections; /* live: how many guests are plugged in */
        char *name;
        char uuid[37];
        char *title, *description, *metadata;
        NetworkForward *forward; /* NULL: isolated */
        NetworkBridge bridge;
        uint32_t mtu;
        char mac[18];
        char *domain;
        YesNo domain_local_only;
        NetworkDns *dns;
        Vlan *vlan;
        Bandwidth *bandwidth;
        YesNo port_isolated;
        LIST(NetworkIp) ips;
        LIST(NetworkRoute) routes;
        Virtualport *virtualport;
        LIST(PortGroup) port_groups;
} NetworkDefinition;

extern const StructType network_definition_type, forward_interface_type, dns_txt_type, dns_host_type,
        dns_srv_type, network_dns_type, dhcp_range_type, dhcp_host_type, network_dhcp_type, port_group_type;

/* `flags`: DEFINITION_*. Checked in itself; not completed. */
int network_definition_parse(const char *xml, size_t size, unsigned flags, NetworkDefinition **ret,
                             Error *error);
/* Floating a{sv}; from_variant() takes what to_variant() gives, and checks as network_definition_parse()
 * does. */
GVariant *network_definition_to_variant(const NetworkDefinition *definition);
int network_definition_from_variant(GVariant *variant, NetworkDefinition **ret, Error *error);
char *network_definition_format(const NetworkDefinition *definition, unsigned flags);
NetworkDefinition *network_definition_copy(const NetworkDefinition *definition);
NetworkDefinition *network_definition_free(NetworkDefinition *definition);
DEFINE_CLEANUP(NetworkDefinition, network_definition_free)

/* Gives what the network must have and the definition does not say: UUID, MAC address of the bridge, its
 * settings. The bridge's name is the driver's to choose. */
void network_definition_complete(NetworkDefinition *definition);
static inline ForwardMode network_forward_mode(const NetworkDefinition *definition)
{
        return definition->forward ? definition->forward->mode : FORWARD_NONE;
}
/* Whether the daemon makes the bridge: isolated, nat, route, open. */
static inline bool network_has_own_bridge(const NetworkDefinition *definition)
{
        return network_forward_mode(definition) <= FORWARD_OPEN;
}

/* The one with that name, or without a name the default; NULL if there is none. */
const PortGroup *network_find_port_group(const NetworkDefinition *definition, const char *name);

/* What a port of it is in: the interface's own VLANs, else those of its portgroup, else the network's; NULL:
 * it has none. Borrowed. */
const Vlan *network_find_vlan(const NetworkDefinition *definition, const char *portgroup, const Vlan *own);
/* Whether it, or one of its portgroups, has some. */
bool network_has_vlans(const NetworkDefinition *definition);

/* network-update.c: a changed copy, which is checked as a whole. `command` is of virNetworkUpdateCommand,
 * `section` of virNetworkUpdateSection; parent_index says which <ip>, -1: the one with DHCP, or the first of
 * IPv4. */
int network_definition_update(const NetworkDefinition *definition, uint32_t command, uint32_t section,
                              int32_t parent_index, const char *xml, NetworkDefinition **ret, Error *error);

/* network-check.c: what contradicts itself is refused with the element and what would be right. */
int network_definition_check(const NetworkDefinition *definition, Error *error);
/* network-address.c. An address and its prefix as bytes; the length in bits of the network's part. */
typedef struct IpNetwork {
        int family; /* AF_INET or AF_INET6 */
        uint8_t bytes[16];
        unsigned prefix;
} IpNetwork;
int network_ip_read(const NetworkIp *ip, IpNetwork *ret, Error *error);
/* Whether the address (of the same family) is in the network. */
bool ip_network_contains(const IpNetwork *network, const char *address);
bool ip_networks_overlap(const IpNetwork *a, const IpNetwork *b);
