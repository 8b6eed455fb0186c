/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A network's bridge, by netlink: ours are known by their alias, "virtbus:UUID". */

#include "model/network.h"

#define BRIDGE_TAG "virtbus:"

/* Makes the bridge with its addresses and routes and brings it up; one of this network that is there already
 * is used. Refuses a name that another device has, and addresses of a network that the host is in. */
int bridge_up(const NetworkDefinition *definition, Error *error) AWAITS;
/* The VLANs of one that is up, if its definition has some: it tells them apart, and the host is in its own.
 */
int bridge_set_vlans(const NetworkDefinition *definition, Error *error) AWAITS;
/* Removes it, if it is this network's. */
int bridge_down(const NetworkDefinition *definition, Error *error) AWAITS;

/* A bridge with our mark on it. */
typedef struct LeftBridge {
        char name[16], uuid[37], mac[18]; /* uuid is "" if it was not finished */
} LeftBridge;
/* Of all networks; the caller unrefs. */
int bridge_list(GPtrArray **ret_bridges, Error *error) AWAITS;
/* Removes it, if it is as it was listed: 1; 0: it is not. */
int bridge_remove(const LeftBridge *left, Error *error) AWAITS;
