/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The addresses that dnsmasq has given out, in memory: told by virtbus-lease (lease-hook.c) as they come and
 * go, and read from dnsmasq's file when a network comes up or is taken back. */

#include "drivers/network/active.h"

/* Listens on RUN/dnsmasq/leases.sock. Without it leases are not told: the caller logs that. */
int leases_open(Driver *driver, Error *error) AWAITS;
void leases_close(struct NetworkState *state);

/* Forgets what was known and reads the file; dnsmasq tells the rest again. */
int leases_read(VirtualNetwork *network, Error *error) AWAITS;
/* Of NetworkLease, from the file's text, which is changed. `now`: seconds since 1970. */
GPtrArray *leases_parse(const NetworkDefinition *definition, char *text, int64_t now);
/* One message of the hook. */
void leases_told(Driver *driver, const char *message, size_t size);

/* Those of the hardware address (NULL or empty: all), as a(sxisssuss); a reference that is the caller's. */
GVariant *leases_to_variant(const Network *network, const char *mac);
