/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A virtual network, as far as the bus shows it for every driver. A driver embeds it as the first member of
 * what it needs to know besides, and changes it only through these functions, so that every change is
 * announced. */

#include "model/network.h"
#include "objects/object.h"

/* An address that was given out. Texts are owned; what is not known is empty. */
typedef struct NetworkLease {
        char *mac, *address, *hostname;
        char *client_id; /* of IPv6: the DUID */
        char *iaid;      /* of IPv6 alone */
        bool is_ipv6;
        unsigned prefix;
        int64_t expiry; /* seconds since 1970; 0: it never ends */
} NetworkLease;

/* An interface of a machine that runs, plugged in here. Texts are owned. */
typedef struct NetworkPort {
        char *domain; /* object path */
        char *alias, *mac, *device;
        char *lower;          /* of the network's devices the one that it is on; NULL: it is on the bridge */
        char *portgroup;      /* that the machine asks for; NULL: the default one */
        Bandwidth *bandwidth; /* the interface's own; NULL: the portgroup's */
        Vlan *vlan;           /* the same; a virtual function's is here whosever it is */
        bool has_own_vlan;    /* surely, that is: in doubt not */
        bool is_isolated;
} NetworkPort;

typedef struct Network {
        Object object;
        bool is_active, is_persistent, is_autostart;
        char *bridge, *forward; /* as it is now; NULL: it has none */
        char *problem;          /* NULL: it is healthy */
        GHashTable *leases;     /* address → NetworkLease */
        GPtrArray *ports;       /* NetworkPort */
} Network;

/* After object_init(), with what network_set_shape() takes; and before object_done(). */
void network_init(Network *network, const char *bridge, const char *forward);
void network_done(Network *network);

void network_set_active(Network *network, bool is_active);
void network_set_persistent(Network *network, bool is_persistent);
void network_set_autostart(Network *network, bool is_autostart);
/* Copies both. */
void network_set_shape(Network *network, const char *bridge, const char *forward);
/* NULL: all is well. Copies. */
void network_set_problem(Network *network, const char *problem);

NetworkLease *network_lease_free(NetworkLease *lease);
DEFINE_CLEANUP(NetworkLease, network_lease_free)
/* Takes it over; replaces one of the same address. Returns whether anything but its end changed. */
bool network_put_lease(Network *network, NetworkLease *lease);
/* Returns whether there was one. */
bool network_remove_lease(Network *network, const char *address);
void network_clear_leases(Network *network);
/* Borrowed, ordered by address. The caller unrefs the array. */
GPtrArray *network_list_leases(const Network *network);

NetworkPort *network_port_free(NetworkPort *port);
/* Takes it over; replaces one of the same domain and alias. */
void network_put_port(Network *network, NetworkPort *port);
/* All of the domain; returns whether there were any. */
bool network_remove_ports(Network *network, const char *domain, const char *device);
