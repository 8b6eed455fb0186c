/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* firewalld may start, end and read its configuration again while networks are up: their bridges are put
 * into their zones anew. */

#include "drivers/network/active.h"

/* Watches it, and puts those into their zones that were taken back before there was a bus to ask on. */
void zone_watch(Driver *driver) AWAITS;
