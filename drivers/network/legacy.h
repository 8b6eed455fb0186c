/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Rules of iptables-legacy, which the kernel asks beside those of nftables, and nftables does not show. */

#include "core/await.h"
#include "drivers/network/ruleset.h"

/* What cannot be read is logged, for the object with that path, and left out. */
void legacy_add_rules(Ruleset *ruleset, const char *path) AWAITS;
