/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Networks of mode 'hostdev': pools of virtual functions of network cards, of which each interface gets one
 * as its own. */

#include "drivers/network/active.h"

/* Whether there could be such a pool: the error names what is missing. */
int pool_check(const NetworkDefinition *definition, Error *error);
/* The next device for a guest: one that no machine has, else one that is on its way back to the host. None
 * is an error that says who has them. */
int pool_choose(const VirtualNetwork *network, DeviceAddress *ret_device, Error *error);
