/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's network interfaces and its devices, as far as the bus shows them for every driver. A driver
 * embeds them as the first member of what it needs to know besides. */

#include "objects/object.h"

typedef struct HostInterface {
        Object object;
        char *mac;              /* "": it has none */
        bool is_active;         /* up, by whomever it was brought up */
        bool is_defined;        /* has a stored definition */
        const char *type;       /* static: "ethernet", "bridge", "bond", "vlan" */
        const char *link_state; /* static: "up", "down", "lowerlayerdown" ... */
        uint32_t mtu;
        char *master;     /* the bridge or bond that it is in; "": none */
        char **addresses; /* "192.168.0.5/24", in the order of their coming */
} HostInterface;

typedef struct NodeDevice {
        Object object;
        char *parent;        /* the name of another; NULL for the root */
        char *system_path;   /* in /sys; NULL for the root */
        char *driver;        /* the kernel's; "": none */
        char **capabilities; /* "pci", "virt_functions" ... */
        uint32_t flags;      /* virConnectListAllNodeDeviceFlags that it matches */
        char *wwnn, *wwpn;   /* of a fibre channel host; NULL */
} NodeDevice;
