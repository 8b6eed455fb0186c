/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The connection to the message bus: the system's, the session's or the one of --address. Losing it, or a
 * name, ends the daemon; machines go on, and the next daemon takes them back. */

#include "core/error.h"

/* Connects, puts the objects on the bus and tells the authority where polkit is. No name is owned yet. */
int connection_open(Error *error);
/* Takes the names. org.virtbus1 must be free; if org.libvirt is taken the daemon says so and goes on
 * without. */
int connection_own_names(Error *error);
void connection_close(void);
