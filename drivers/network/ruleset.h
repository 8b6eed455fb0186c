/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host's firewall, read as nft lists it, does to a packet of a guest's. What a rule asks for that
 * is not known here may be so or not: a packet is dropped only if it is whatever the answers are. */

#include "core/cleanup.h"
#include <glib.h>
#include <stdbool.h>

typedef struct Ruleset Ruleset;

Ruleset *ruleset_new(void);
Ruleset *ruleset_free(Ruleset *ruleset);
DEFINE_CLEANUP(Ruleset, ruleset_free);
/* What `nft list ruleset` says, but our own tables. */
void ruleset_add_listing(Ruleset *ruleset, const char *listing);
/* Commands of nft's, "add chain ...", for rules that `owner` has in the kernel beside nftables. */
void ruleset_add_commands(Ruleset *ruleset, const char *commands, const char *owner);

/* The first of a connection, from a guest of the bridge. */
typedef struct Packet {
        const char *bridge;
        bool is_ipv6;
        bool is_dhcp; /* asks the host for an address; else it is for the world */
} Packet;

/* Where it is dropped, for a person to read; the caller frees. NULL: nowhere. */
char *ruleset_find_drop(const Ruleset *ruleset, const Packet *packet);
