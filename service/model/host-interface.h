/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A network interface of the host: what libvirt's <interface> says, as a structure. A bridge, a bond and a
 * VLAN name the interfaces that they are made of by elements of the same kind. */

#include "model/table.h"

#define HOST_INTERFACE_TYPES(E)                                                                             \
        E(HOST_INTERFACE_ETHERNET, "ethernet")                                                              \
        E(HOST_INTERFACE_BRIDGE, "bridge")                                                                  \
        E(HOST_INTERFACE_BOND, "bond")                                                                      \
        E(HOST_INTERFACE_VLAN, "vlan")
DECLARE_ENUM(HostInterfaceType, host_interface_type, HOST_INTERFACE_TYPES)

#define START_MODES(E)                                                                                      \
        E(START_MODE_UNSPECIFIED, NULL)                                                                     \
        E(START_MODE_NONE, "none") E(START_MODE_ONBOOT, "onboot") E(START_MODE_HOTPLUG, "hotplug")
DECLARE_ENUM(StartMode, start_mode, START_MODES)

/* In the order of the kernel's IF_OPER_ numbers. */
#define HOST_LINK_STATES(E)                                                                                 \
        E(HOST_LINK_UNSPECIFIED, NULL)                                                                      \
        E(HOST_LINK_UNKNOWN, "unknown")                                                                     \
        E(HOST_LINK_NOT_PRESENT, "notpresent")                                                              \
        E(HOST_LINK_DOWN, "down")                                                                           \
        E(HOST_LINK_LOWER_LAYER_DOWN, "lowerlayerdown")                                                     \
        E(HOST_LINK_TESTING, "testing")                                                                     \
        E(HOST_LINK_DORMANT, "dormant")                                                                     \
        E(HOST_LINK_UP, "up")
DECLARE_ENUM(HostLinkState, host_link_state, HOST_LINK_STATES)

/* In the order of the kernel's numbers, from 0. */
#define BOND_MODES(E)                                                                                       \
        E(BOND_MODE_UNSPECIFIED, NULL)                                                                      \
        E(BOND_MODE_BALANCE_RR, "balance-rr")                                                               \
        E(BOND_MODE_BACKUP, "active-backup")                                                                \
        E(BOND_MODE_XOR, "balance-xor")                                                                     \
        E(BOND_MODE_BROADCAST_ALL, "broadcast")                                                             \
        E(BOND_MODE_LACP, "802.3ad")                                                                        \
        E(BOND_MODE_TLB, "balance-tlb")                                                                     \
        E(BOND_MODE_ALB, "balance-alb")
DECLARE_ENUM(BondMode, bond_mode, BOND_MODES)

#define BOND_CARRIERS(E)                                                                                    \
        E(BOND_CARRIER_UNSPECIFIED, NULL) E(BOND_CARRIER_IOCTL, "ioctl") E(BOND_CARRIER_NETIF, "netif")
DECLARE_ENUM(BondCarrier, bond_carrier, BOND_CARRIERS)

/* In the order of the kernel's numbers, from 0. */
#define BOND_VALIDATES(E)                                                                                   \
        E(BOND_VALIDATE_UNSPECIFIED, NULL)                                                                  \
        E(BOND_VALIDATE_NONE, "none")                                                                       \
        E(BOND_VALIDATE_ACTIVE, "active") E(BOND_VALIDATE_BACKUP, "backup") E(BOND_VALIDATE_ALL, "all")
DECLARE_ENUM(BondValidate, bond_validate, BOND_VALIDATES)

typedef struct InterfaceDhcp {
        YesNo peerdns;
} InterfaceDhcp;

typedef struct InterfaceIp {
        char *address;
        bool has_prefix;
        uint32_t prefix;
} InterfaceIp;

typedef struct InterfaceRoute {
        char *gateway;
} InterfaceRoute;

typedef struct InterfaceProtocol {
        char *family; /* "ipv4", "ipv6" */
        bool autoconf;
        InterfaceDhcp *dhcp;
        LIST(InterfaceIp) ips;
        LIST(InterfaceRoute) routes; /* default ones */
} InterfaceProtocol;

typedef struct BondMiimon {
        uint32_t frequency, updelay, downdelay; /* ms */
        BondCarrier carrier;
} BondMiimon;

typedef struct BondArpmon {
        uint32_t interval; /* ms */
        char *target;
        BondValidate validate;
} BondArpmon;

typedef struct HostInterfaceDefinition HostInterfaceDefinition;

typedef struct InterfaceBridge {
        OnOff stp;
        char *delay; /* seconds, with decimals */
        LIST(HostInterfaceDefinition) members;
} InterfaceBridge;

typedef struct InterfaceBond {
        BondMode mode;
        BondMiimon *miimon;
        BondArpmon *arpmon;
        LIST(HostInterfaceDefinition) members;
} InterfaceBond;

typedef struct InterfaceVlan {
        char *device; /* the interface that it is on */
        bool has_tag;
        uint32_t tag;
} InterfaceVlan;

struct HostInterfaceDefinition {
        HostInterfaceType type;
        char *name;
        StartMode start;
        uint32_t mtu; /* 0: the kernel's choice */
        LIST(InterfaceProtocol) protocols;
        uint32_t speed;      /* live: Mbit/s */
        HostLinkState state; /* live */
        char mac[18];
        InterfaceBridge bridge;
        InterfaceBond bond;
        InterfaceVlan vlan;
};
extern const StructType host_interface_definition_type;

int host_interface_parse(const char *xml, size_t size, HostInterfaceDefinition **ret, Error *error);
char *host_interface_format(const HostInterfaceDefinition *definition, unsigned flags);
HostInterfaceDefinition *host_interface_free(HostInterfaceDefinition *definition);
DEFINE_CLEANUP(HostInterfaceDefinition, host_interface_free)
