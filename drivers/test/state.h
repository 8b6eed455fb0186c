/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the driver keeps beside its objects. */

#include "driver.h"

typedef struct TestState {
        GPtrArray *saved; /* Saved: machines whose memory is saved somewhere */
        uint32_t pages_to_scan, sleep_msec, merges_across_nodes; /* NodeSetMemoryParameters */
} TestState;

static inline TestState *test_state(const Driver *driver)
{
        return driver->private_data;
}
