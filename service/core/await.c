/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting: each function arms its sources, suspends the fiber until one of them has fired, the deadline has
 * passed or the fiber is cancelled, and disarms them. The one file of this layer that knows sd-bus. */

#include "core/await.h"
#include "core/fiber.h"
#include <errno.h>

typedef struct Timer {
        Fiber *fiber;
        bool has_passed;
} Timer;

static int timer_fired(sd_event_source *source _unused_, uint64_t usec _unused_, void *data)
{
        Timer *timer = data;

        timer->has_passed = true;
        fiber_wake(timer->fiber);
        return 0;
}

/* Arms nothing for DEADLINE_NEVER. */
static int timer_arm(Timer *timer, uint64_t deadline_usec, sd_event_source **ret_source)
{
        sd_event_source *source = NULL;
        int r;

        if (deadline_usec == DEADLINE_NEVER)
                return 0;
        r = sd_event_add_time(loop_get(), &source, CLOCK_MONOTONIC, deadline_usec, 1, timer_fired, timer);
        if (r < 0)
                return r;
        (void)sd_event_source_set_priority(source,
                                           LOOP_PRIORITY_FIBER); /* fails only for a foreign source */
        *ret_source = source;
        return 0;
}

int await_flag(const bool *is_set, uint64_t deadline_usec)
{
        Fiber *self = fiber_current();
        Timer timer = { .fiber = self };
        _cleanup_(sd_event_source_disable_unrefp) sd_event_source *source = NULL;
        int r;

        g_assert(self);
        r = timer_arm(&timer, deadline_usec, &source);
        if (r < 0)
                return r;
        for (;;) {
                if (*is_set)
                        return 0;
                if (fiber_is_cancelled(self))
                        return -ECANCELED;
                if (timer.has_passed)
                        return -ETIMEDOUT;
                fiber_suspend();
        }
}

typedef struct FdWait {
        Fiber *fiber;
        bool is_ready;
        uint32_t events;
} FdWait;

static int fd_fired(sd_event_source *source _unused_, int fd _unused_, uint32_t events, void *data)
{
        FdWait *wait = data;

        wait->is_ready = true;
        wait->events = events;
        fiber_wake(wait->fiber);
        return 0;
}

int await_fd(int fd, uint32_t events, uint64_t deadline_usec)
{
        FdWait wait = { .fiber = fiber_current() };
        _cleanup_(sd_event_source_disable_unrefp) sd_event_source *source = NULL;
        int r;

        r = sd_event_add_io(loop_get(), &source, fd, events, fd_fired, &wait);
        if (r < 0)
                return r;
        (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT); /* fails only for a foreign source */
        r = await_flag(&wait.is_ready, deadline_usec);
        return r < 0 ? r : (int)wait.events;
}

int await_until(uint64_t time_usec)
{
        bool never = false;
        int r = await_flag(&never, time_usec);

        return r == -ETIMEDOUT ? 0 : r;
}

int await_turn(void)
{
        return await_until(0);
}

typedef struct BusWait {
        Fiber *fiber;
        bool is_ready;
        sd_bus_message *reply;
} BusWait;

static int bus_replied(sd_bus_message *reply, void *data, sd_bus_error *ret_error _unused_)
{
        BusWait *wait = data;

        wait->is_ready = true;
        wait->reply = sd_bus_message_ref(reply);
        fiber_wake(wait->fiber);
        return 0;
}

int await_bus_call(sd_bus *bus, sd_bus_message *message, uint64_t deadline_usec, sd_bus_message **ret_reply,
                   Error *error)
{
        BusWait wait = { .fiber = fiber_current() };
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        /* A copy: sending moves the message's bytes. */
        _cleanup_(freep) char *member = g_strdup(sd_bus_message_get_member(message));
        int r;

        /* No time limit of sd-bus's own, which would be 25 s. */
        r = sd_bus_call_async(bus, &slot, message, bus_replied, &wait, UINT64_MAX);
        if (r < 0)
                return error_set_errno(error, r, "Cannot send %s", member);
        r = await_flag(&wait.is_ready, deadline_usec);
        reply = wait.reply;
        if (r < 0)
                return error_set_errno(error, r, "No answer to %s", member);
        if (sd_bus_message_is_method_error(reply, NULL)) {
                const sd_bus_error *failure = sd_bus_message_get_error(reply);

                r = -sd_bus_message_get_errno(reply);
                (void)error_set_errno(error, r, "%s failed (%s: %s)", member, failure->name,
                                      failure->message);
                return r < 0 ? r : -EIO;
        }
        *ret_reply = TAKE_PTR(reply);
        return 0;
}

typedef struct Waiter {
        Fiber *fiber;
        bool is_woken;
} Waiter;

int condition_wait(Condition *condition, uint64_t deadline_usec)
{
        Waiter waiter = { .fiber = fiber_current() };
        int r;

        if (!condition->waiters)
                condition->waiters = g_ptr_array_new();
        g_ptr_array_add(condition->waiters, &waiter);
        r = await_flag(&waiter.is_woken, deadline_usec);
        g_ptr_array_remove(condition->waiters, &waiter);
        return r;
}

void condition_wake_all(Condition *condition)
{
        for (guint i = 0; condition->waiters && i < condition->waiters->len; i++) {
                Waiter *waiter = g_ptr_array_index(condition->waiters, i);

                waiter->is_woken = true;
                fiber_wake(waiter->fiber);
        }
}

void condition_clear(Condition *condition)
{
        if (!condition->waiters)
                return;
        g_assert(condition->waiters->len == 0);
        g_ptr_array_unref(TAKE_PTR(condition->waiters));
}
