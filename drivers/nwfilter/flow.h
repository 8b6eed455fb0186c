/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Connections on a kernel that does not track them on bridges: sets of who has spoken with whom, which rules
 * fill in the direction in which a connection may begin, and look into in the other. */

#include "drivers/nwfilter/match.h"

/* How many rules one becomes: those with ports and those without are told apart. */
unsigned flow_parts(const char *protocol);
/* Appends what begins a connection, or what answers one. Returns the bit of the set that it needs. */
unsigned flow_match(const Match *match, unsigned part, bool is_answer, GString *text);
/* The sets of the device whose bits are there. */
void flow_declare(unsigned device, unsigned bits, GString *sets, GPtrArray *objects, const char *table);
