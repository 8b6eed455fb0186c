/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What somebody else's firewall rules do to networks: in nftables what one chain accepts another may still
 * drop, and Docker's does. Looked at whenever the kernel says that rules have changed, ours or others'; ours
 * that are gone are set again. */

#include "drivers/network/active.h"

int health_watch(Driver *driver, Error *error);
void health_close(struct NetworkState *state);
