/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where interfaces of machines are plugged into networks. */

#include "drivers/network/active.h"

/* What an interface is plugged into: a bridge, or a device of the host. All are owned. */
typedef struct PortPlace {
        char *bridge, *device;
        MacvtapMode mode; /* on the device */
        /* Or a device that becomes the guest's own; NULL: none. */
        DeviceAddress *function;
        bool is_managed; /* the device */
        bool is_isolated;
        Bandwidth *bandwidth; /* the interface's, or its portgroup's; NULL: no limit */
        Vlan *vlan;           /* the interface's, its portgroup's or its network's; NULL: none */
} PortPlace;
void port_place_clear(PortPlace *place);

/* For an interface on a network of its owner's; one that is down is brought up, or else is an error. Of
 * several devices the one with the fewest guests is given, in mode passthrough one without any. */
int networks_find_place(Driver *driver, const DomainInterface *interface, uid_t owner, bool brings_up,
                        PortPlace *ret_place, Error *error) AWAITS;
/* Whether interfaces on that network become devices of the host (mode 'hostdev'). */
bool networks_is_pool(Driver *driver, const char *name, uid_t owner);
/* The interface is plugged into that owner's network; takes the port over. It fails, and there is no port,
 * if the network has not as much bandwidth left as is to be kept for it. */
int networks_add_port(Driver *driver, const char *name, uid_t owner, NetworkPort *port, Error *error) AWAITS;
/* The network may have been updated after the place was found and before its port was there: the port of
 * that machine and device follows. */
int networks_settle_port(Driver *driver, const char *name, uid_t owner, const char *domain,
                         const char *device, const PortPlace *place, Error *error) AWAITS;
/* The port of that machine and device has other limits of its own (NULL: its portgroup's); if that fails, it
 * has the old ones. */
int networks_limit_port(Driver *driver, const char *name, uid_t owner, const char *domain,
                        const char *device, const Bandwidth *bandwidth, Error *error) AWAITS;
/* Writes what is in effect for the interface of a machine of that owner, and is not its own but of its
 * portgroup or network, into it: limits and VLANs. */
void networks_show_port(const Driver *driver, uid_t owner, DomainInterface *interface);
/* All of the machine with that path. */
void networks_remove_ports(Driver *driver, const char *domain, const char *device);

/* The leases of the hardware address in the owner's network of that name, or in the one with that bridge:
 * either may be NULL. Borrowed until the next wait; the caller unrefs the array. */
GPtrArray *networks_find_leases(Driver *driver, const char *name, uid_t owner, const char *bridge,
                                const char *mac);
