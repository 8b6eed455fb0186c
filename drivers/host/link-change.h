/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bringing a network device of the host up as it is defined, and down, by netlink. What is made here
 * (bridges, bonds, VLANs) has the alias "virtbus-interface", by which it is known when it is taken down. */

#include "model/host-interface.h"

/* Makes what is not there, plugs the members in, gives addresses and brings everything up; what was made is
 * removed again if that fails. */
int link_bring_up(const HostInterfaceDefinition *definition, Error *error) AWAITS;
/* Brings up what is there as it is. */
int link_set_up(const char *name, Error *error) AWAITS;
/* Has link_take_down() remove it. */
int link_mark(const char *name, Error *error) AWAITS;
/* Takes it down; what was made here is removed. */
int link_take_down(const char *name, Error *error) AWAITS;
