/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The bandwidth of a network, the parts of it that are kept for guests (<inbound floor>), and the limits
 * that its portgroups give to interfaces. */

#include "drivers/network/active.h"

/* Borrowed: the port's own limits, else those of its portgroup; NULL: none. */
const Bandwidth *shares_limits(const NetworkDefinition *definition, const char *portgroup,
                               const Bandwidth *own);
/* Whether what is kept for all ports, and for one more with those limits (of that machine and device, whose
 * port, if it is there already, does not count), can be. */
int shares_check(const VirtualNetwork *network, const NetworkDefinition *definition, const Bandwidth *limits,
                 const char *domain, const char *device, Error *error);
/* The kernel does what the definition that is up and the ports say: for the bridge, ... */
int shares_set(const VirtualNetwork *network, Error *error) AWAITS;
/* ... and for every port. Of what fails there the first is told. */
int shares_set_ports(const VirtualNetwork *network, Error *error) AWAITS;
/* What a definition says of limits can be, as far as that is known without guests. */
int shares_check_definition(const NetworkDefinition *definition, Error *error);
