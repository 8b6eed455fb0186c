/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How fast a guest may receive and send (<bandwidth>): queues of the host's end of its interface. */

#include "core/error.h"
#include "model/domain.h"

/* Of a tap: what is inbound for the guest leaves the host there. NULL, or a direction that is NULL, has no
 * limit. What was set before is replaced; on failure there is no limit. The kernel removes it with the tap.
 */
int shaper_set(const char *device, const Bandwidth *bandwidth, uint64_t deadline_usec, Error *error) AWAITS;
