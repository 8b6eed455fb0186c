/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/device.h"

#define INTERFACE_TYPES(E)                                                                                  \
        E(INTERFACE_TYPE_ABSENT, NULL)                                                                      \
        E(INTERFACE_TYPE_USER, "user")                                                                      \
        E(INTERFACE_TYPE_ETHERNET, "ethernet")                                                              \
        E(INTERFACE_TYPE_VHOSTUSER, "vhostuser")                                                            \
        E(INTERFACE_TYPE_SERVER, "server")                                                                  \
        E(INTERFACE_TYPE_CLIENT, "client")                                                                  \
        E(INTERFACE_TYPE_MCAST, "mcast")                                                                    \
        E(INTERFACE_TYPE_NETWORK, "network")                                                                \
        E(INTERFACE_TYPE_BRIDGE, "bridge")                                                                  \
        E(INTERFACE_TYPE_INTERNAL, "internal")                                                              \
        E(INTERFACE_TYPE_DIRECT, "direct")                                                                  \
        E(INTERFACE_TYPE_HOSTDEV, "hostdev")                                                                \
        E(INTERFACE_TYPE_UDP, "udp")                                                                        \
        E(INTERFACE_TYPE_VDPA, "vdpa")                                                                      \
        E(INTERFACE_TYPE_NULL, "null")                                                                      \
        E(INTERFACE_TYPE_VDS, "vds")
DECLARE_ENUM(InterfaceType, interface_type, INTERFACE_TYPES)

#define MACVTAP_MODES(E)                                                                                    \
        E(MACVTAP_ABSENT, NULL)                                                                             \
        E(MACVTAP_VEPA, "vepa")                                                                             \
        E(MACVTAP_PRIVATE, "private")                                                                       \
        E(MACVTAP_BRIDGE, "bridge")                                                                         \
        E(MACVTAP_PASSTHROUGH, "passthrough")
DECLARE_ENUM(MacvtapMode, macvtap_mode, MACVTAP_MODES)

#define INTERFACE_BACKENDS(E) E(INTERFACE_BACKEND_DEFAULT, "default") E(INTERFACE_BACKEND_PASST, "passt")
DECLARE_ENUM(InterfaceBackend, interface_backend, INTERFACE_BACKENDS)

#define INTERFACE_DRIVERS(E)                                                                                \
        E(INTERFACE_DRIVER_DEFAULT, NULL)                                                                   \
        E(INTERFACE_DRIVER_QEMU, "qemu")                                                                    \
        E(INTERFACE_DRIVER_VHOST, "vhost")                                                                  \
        E(INTERFACE_DRIVER_KVM, "kvm")                                                                      \
        E(INTERFACE_DRIVER_VFIO, "vfio")                                                                    \
        E(INTERFACE_DRIVER_XEN, "xen")
DECLARE_ENUM(InterfaceDriver, interface_driver, INTERFACE_DRIVERS)

#define INTERFACE_TXMODES(E)                                                                                \
        E(INTERFACE_TXMODE_DEFAULT, "default")                                                              \
        E(INTERFACE_TXMODE_IOTHREAD, "iothread")                                                            \
        E(INTERFACE_TXMODE_TIMER, "timer")
DECLARE_ENUM(InterfaceTxmode, interface_txmode, INTERFACE_TXMODES)

#define LINK_STATES(E) E(LINK_DEFAULT, "default") E(LINK_UP, "up") E(LINK_DOWN, "down")
DECLARE_ENUM(LinkState, link_state, LINK_STATES)

#define VIRTUALPORT_TYPES(E)                                                                                \
        E(VIRTUALPORT_NONE, "none")                                                                         \
        E(VIRTUALPORT_8021QBG, "802.1Qbg")                                                                  \
        E(VIRTUALPORT_8021QBH, "802.1Qbh")                                                                  \
        E(VIRTUALPORT_OPENVSWITCH, "openvswitch")                                                           \
        E(VIRTUALPORT_MIDONET, "midonet")
DECLARE_ENUM(VirtualportType, virtualport_type, VIRTUALPORT_TYPES)

typedef struct Virtualport {
        VirtualportType type;
        bool has_managerid, has_typeid, has_typeidversion;
        uint8_t managerid, typeidversion;
        uint32_t typeid;
        char instanceid[37], interfaceid[37];
        char *profileid;
} Virtualport;
extern const StructType virtualport_type;
/* The name of an attribute without which no port of this type can be made; NULL if none is missing. */
const char *virtualport_missing(const Virtualport *port);

typedef struct BandwidthLimit {
        uint64_t average, peak, floor, burst; /* kilobytes a second; burst: KiB */
        bool has_average, has_peak, has_burst, has_floor;
} BandwidthLimit;

typedef struct Bandwidth {
        BandwidthLimit *inbound, *outbound;
} Bandwidth;
extern const StructType bandwidth_type;

#define VLAN_NATIVE_MODES(E)                                                                                \
        E(VLAN_NATIVE_DEFAULT, "default")                                                                   \
        E(VLAN_NATIVE_TAGGED, "tagged")                                                                     \
        E(VLAN_NATIVE_UNTAGGED, "untagge"                                                                   \
                                "d")
DECLARE_ENUM(VlanNativeMode, vlan_native_mode, VLAN_NATIVE_MODES)

typedef struct VlanTag {
        uint16_t id;
        VlanNativeMode native_mode;
} VlanTag;

typedef struct Vlan {
        YesNo trunk;
        LIST(VlanTag) tags;
} Vlan;
extern const StructType vlan_type;

typedef struct NetworkAddress {
        char *address, *family, *peer;
        bool has_prefix;
        uint32_t prefix;
} NetworkAddress;
extern const StructType network_address_type;

typedef struct NetworkRoute {
        char *family, *address, *netmask, *gateway;
        bool has_prefix, has_metric;
        uint32_t prefix, metric;
} NetworkRoute;
extern const StructType network_route_type;
/* AF_INET or AF_INET6; 0 if it is no IP address. */
int ip_family(const char *text);

typedef struct PortForwardRange {
        uint16_t start, end, to;
        YesNo exclude;
} PortForwardRange;

#define PORT_FORWARD_PROTOCOLS(E)                                                                           \
        E(PORT_FORWARD_ABSENT, NULL) E(PORT_FORWARD_TCP, "tcp") E(PORT_FORWARD_UDP, "udp")
DECLARE_ENUM(PortForwardProtocol, port_forward_protocol, PORT_FORWARD_PROTOCOLS)

typedef struct PortForward {
        PortForwardProtocol protocol;
        char *address, *dev;
        LIST(PortForwardRange) ranges;
} PortForward;

typedef struct FilterParameter {
        char *name, *value;
} FilterParameter;
extern const StructType filter_parameter_type;

typedef struct FilterReference {
        char *filter;
        LIST(FilterParameter) parameters;
} FilterReference;
extern const StructType filter_reference_type;

/* The offloads that host and guest may be told apart. */
typedef struct InterfaceOffloads {
        OnOff csum, gso, tso4, tso6, ecn, ufo, mrg_rxbuf;
} InterfaceOffloads;

typedef struct InterfaceCoalesce {
        uint32_t rx_max_frames;
        bool has_max_frames;
} InterfaceCoalesce;

#define TEAMING_TYPES(E)                                                                                    \
        E(TEAMING_ABSENT, NULL) E(TEAMING_PERSISTENT, "persistent") E(TEAMING_TRANSIENT, "transient")
DECLARE_ENUM(TeamingType, teaming_type, TEAMING_TYPES)

typedef struct DomainInterface {
        InterfaceType type;
        YesNo managed, trust_guest_rx_filters;
        YesNo mac_check;
        char mac[18];
        MacvtapMode source_mode;
        YesNo source_reconnect_enabled, target_managed, port_isolated;
        InterfaceBackend backend;
        LinkState link;
        TeamingType teaming;
        bool has_sndbuf;
        uint32_t source_reconnect_timeout, source_port, local_port, mtu;
        char *mac_type; /* "generated", "static" */
        /* network, portgroup, portid; bridge; dev: direct, hostdev, vdpa; name: internal */
        char *source_network, *source_portgroup, *source_bridge, *source_dev, *source_name;
        char source_portid[37];
        char *source_type, *source_path, *source_unix_mode; /* vhostuser */
        char *source_address;                               /* server, client, mcast, udp */
        char *local_address;                                /* udp */
        char *switchid;                                     /* vds */
        uint64_t port_id, connection_id;
        char *portgroup_id;
        DeviceAddress *source_device; /* hostdev; network: live, from its pool */
        LIST(NetworkAddress) source_ips;
        LIST(NetworkRoute) source_routes;
        LIST(NetworkAddress) ips;
        LIST(NetworkRoute) routes;
        Bandwidth *bandwidth;
        Vlan *vlan;
        Virtualport *virtualport;
        char *script, *downscript, *domain_name; /* backenddomain */
        char *target;                            /* name of the tap on the host */
        char *guest_dev, *guest_actual;
        char *model; /* "virtio", "e1000" ... any word; the hypervisor decides */
        InterfaceDriver driver_name;
        InterfaceTxmode txmode;
        OnOff ioeventfd, event_idx, rss, rss_hash_report;
        uint32_t queues, rx_queue_size, tx_queue_size;
        VirtioOptions virtio;
        InterfaceOffloads *host_offloads, *guest_offloads;
        char *backend_tap, *backend_vhost, *backend_log;
        LIST(PortForward) port_forwards;
        FilterReference *filter;
        InterfaceCoalesce *coalesce;
        uint64_t sndbuf;
        char *teaming_persistent;
        DeviceInfo info;
} DomainInterface;
extern const StructType domain_interface_type;
/* The virtual function of a card that it is, in the definition of a run also one of a network's pool;
 * borrowed, NULL: it is none. */
static inline const DeviceAddress *interface_function(const DomainInterface *interface)
{
        return interface->type == INTERFACE_TYPE_HOSTDEV || interface->type == INTERFACE_TYPE_NETWORK
                       ? interface->source_device
                       : NULL;
}
