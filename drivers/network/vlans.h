/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* VLANs of a bridge's ports, by netlink. All of these block: on a worker's thread. */

#include "core/error.h"
#include "model/domain/interface.h"

/* Whether a bridge can have the tags: 1 to 4094. `what` begins the error: "interface 52:54:..." Does not
 * block. */
int vlans_check(const Vlan *vlan, const char *what, Error *error);

/* The bridge tells VLANs apart: one that the daemon made is told to, another's is refused unless it does. */
int vlans_prepare(const char *bridge, Error *error);

/* The port of the bridge is in those VLANs and no others; NULL: in the one of ports that nothing is said
 * of. */
int vlans_set_port(const char *bridge, int port, const Vlan *vlan, Error *error);

/* The host is at its bridge in the VLAN of a port's frames without a tag; it stays where it is if there is
 * none. */
int vlans_set_host(const char *bridge, const Vlan *vlan, Error *error);
