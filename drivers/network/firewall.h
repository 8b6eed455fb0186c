/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What may pass between networks and the world: one nftables table of our own, `inet virtbus`, that is
 * replaced as a whole. No other table is touched. */

#include "model/network.h"

/* Whether there are any for it: an open network has none. */
bool firewall_has_rules(const NetworkDefinition *network);
/* What nft is to read for these networks (NetworkDefinition, borrowed). */
char *firewall_text(const GPtrArray *networks);
