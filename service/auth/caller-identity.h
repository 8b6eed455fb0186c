/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Fills in who a caller is. */

#include "auth/caller.h"

/* uid and groups of the other end of a socket. */
int identity_of_peer(Caller *caller, int fd);
/* The same of a unique name, asked of the bus driver. */
int identity_of_name(Caller *caller, uint64_t deadline_usec, Error *error) AWAITS;
/* What follows from uid and groups: the user's name, and whether it is `root` (who is root here) or shared;
 * the groups as well if they are not known yet. */
int identity_complete(Caller *caller, uid_t root, uint64_t deadline_usec) AWAITS;
