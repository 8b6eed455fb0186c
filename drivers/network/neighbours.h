/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's table of neighbours (ARP, and for IPv6 NDP). */

#include "core/error.h"

/* The IP addresses that the host has seen the hardware address use, as texts; the array frees them. */
int neighbours_find(const char *mac, GPtrArray **ret_addresses, Error *error) AWAITS;
