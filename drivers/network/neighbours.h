/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whom the host has seen on its networks: its tables of neighbours (ARP, and IPv6's own), as the kernel
 * tells of every change. */

#include "core/error.h"

typedef struct Neighbours Neighbours;

/* `changed` is called on the loop with a hardware address whose addresses are others now. */
typedef void (*NeighboursChanged)(const char *mac, void *data);

int neighbours_watch(NeighboursChanged changed, void *data, Neighbours **ret_neighbours, Error *error);
Neighbours *neighbours_free(Neighbours *neighbours);

/* Of texts; the caller unrefs the array. NULL knows nobody. */
GPtrArray *neighbours_find(const Neighbours *neighbours, const char *mac);
