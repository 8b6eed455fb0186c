/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a fiber can wait for. All return 0 or more on success, -ETIMEDOUT when the deadline (absolute, see
 * core/loop.h) passes, -ECANCELED when the fiber is cancelled. */

#include "core/error.h"
#include "core/loop.h"
#include <systemd/sd-bus.h>

/* Waits until fd has one of `events` (EPOLLIN ...); returns those that it has. */
int await_fd(int fd, uint32_t events, uint64_t deadline_usec) AWAITS;

/* Waits until *is_set, which some handler sets before it wakes the fiber: the building block of all the
 * others. */
int await_flag(const bool *is_set, uint64_t deadline_usec) AWAITS;

/* Returns 0 at the time given. */
int await_until(uint64_t time_usec) AWAITS;

/* Lets other fibers and handlers run, returns in the next turn. */
int await_turn(void) AWAITS;

/* Sends `message` and waits for the reply. A D-Bus error reply becomes `error` (its message) and a negative
 * errno; *ret_reply is then untouched. The caller unrefs *ret_reply. The call has no time limit but the
 * deadline; when that passes or the fiber is cancelled, a late reply is dropped. */
int await_bus_call(sd_bus *bus, sd_bus_message *message, uint64_t deadline_usec, sd_bus_message **ret_reply,
                   Error *error) AWAITS;

/* A condition: fibers wait until somebody wakes them, then look again at what they wait for. Embed one where
 * the state lives; zero-initialise. */
typedef struct Condition {
        GPtrArray *waiters; /* on the stacks of those who wait */
} Condition;

/* Returns 0 when woken (perhaps for nothing): loop on the state. The owner of the condition must outlive the
 * wait: keep a reference. */
int condition_wait(Condition *condition, uint64_t deadline_usec) AWAITS;
void condition_wake_all(Condition *condition);
/* Nobody may be waiting. */
void condition_clear(Condition *condition);
