/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Zones of firewalld, by its interface on the bus: <bridge zone=...> of a network. Its files stay as they
 * are: a bridge is in its zone as long as firewalld runs and does not read them again. */

#include "core/await.h"
#include "driver.h"
#include "model/network.h"

#define FIREWALLD      "org.fedoraproject.FirewallD1"
#define FIREWALLD_PATH "/org/fedoraproject/FirewallD1"

/* An error if there is no such zone, or nobody to ask. */
int zone_check(const Driver *driver, const NetworkDefinition *definition, Error *error) AWAITS;
/* Puts the bridge, which has to be the network's own, into the zone, out of any other; one of a network that
 * names none into the one that virtbus brings along, if there is firewalld and it has that. 1: it is in a
 * zone; 0: in none, and need not be. */
int zone_enter(const Driver *driver, const NetworkDefinition *definition, Error *error) AWAITS;
/* Takes it out, unless somebody has done so or put it elsewhere. */
int zone_leave(const Driver *driver, const NetworkDefinition *definition, Error *error) AWAITS;
