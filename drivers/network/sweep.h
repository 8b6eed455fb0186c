/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What RUN does not tell of, because it has been emptied: bridges and dnsmasqs are known by their tags. */

#include "drivers/network/active.h"

/* A stored network whose bridge is there comes up on it; what else is left is removed. Only the daemon of
 * the system does that: what a daemon of root's session has made has the same tags. */
void networks_sweep(Driver *driver) AWAITS;
