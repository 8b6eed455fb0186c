/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for descriptors, times, flags and conditions: each with its end by deadline and by cancellation.
 */

#include "core/await.h"
#include "on-fiber.h"
#include <errno.h>
#include <sys/epoll.h>

static void a_descriptor(void *data)
{
        int ends[2];

        (void)data;
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(await_fd(ends[0], EPOLLIN, deadline_after_usec(1000)), -ETIMEDOUT);
        assert_int_equal(write(ends[1], "x", 1), 1);
        assert_true(await_fd(ends[0], EPOLLIN, DEADLINE_NEVER) & EPOLLIN);
        assert_int_equal(close(ends[1]), 0);
        assert_true(await_fd(ends[0], EPOLLIN, DEADLINE_NEVER) & EPOLLHUP);
        assert_int_equal(close(ends[0]), 0);
}

static void a_time(void *data)
{
        uint64_t until = deadline_after_usec(3000);

        (void)data;
        assert_int_equal(await_until(until), 0);
        assert_true(loop_now_usec() >= until);
        assert_int_equal(await_until(0), 0); /* long past */
}

typedef struct Shared {
        Condition condition;
        Fiber *waiter;
        bool flag;
        unsigned n_woken;
        int result;
} Shared;

static void waits_for_flag(void *data)
{
        Shared *shared = data;

        shared->waiter = fiber_ref(fiber_current());
        shared->result = await_flag(&shared->flag, DEADLINE_NEVER);
}

static void a_flag(void *data)
{
        Shared shared = { .result = 1 };

        (void)data;
        assert_int_equal(fiber_start("waiter", waits_for_flag, &shared), 0);
        fiber_wake(shared.waiter); /* for nothing: it goes on waiting */
        assert_int_equal(await_turn(), 0);
        assert_int_equal(shared.result, 1);
        shared.flag = true;
        fiber_wake(shared.waiter);
        assert_int_equal(await_turn(), 0);
        assert_int_equal(shared.result, 0);
        fiber_unref(shared.waiter);
}

static void a_cancelled_wait(void *data)
{
        Shared shared = { .result = 1 };

        (void)data;
        assert_int_equal(fiber_start("waiter", waits_for_flag, &shared), 0);
        fiber_cancel(shared.waiter);
        assert_int_equal(await_turn(), 0);
        assert_int_equal(shared.result, -ECANCELED);
        fiber_unref(shared.waiter);
}

static void waits_on_condition(void *data)
{
        Shared *shared = data;

        assert_int_equal(condition_wait(&shared->condition, DEADLINE_NEVER), 0);
        shared->n_woken++;
}

static void a_condition(void *data)
{
        Shared shared = {};

        (void)data;
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(fiber_start("waiter", waits_on_condition, &shared), 0);
        assert_int_equal(condition_wait(&shared.condition, deadline_after_usec(500)), -ETIMEDOUT);
        assert_int_equal(shared.n_woken, 0);
        condition_wake_all(&shared.condition);
        while (shared.n_woken < 3)
                assert_int_equal(await_turn(), 0);
        condition_clear(&shared.condition);
}

#define RUNS(name)                                                                                          \
        static void test_##name(void **state)                                                               \
        {                                                                                                   \
                (void)state;                                                                                \
                on_fiber(name, NULL);                                                                       \
        }
RUNS(a_descriptor)
RUNS(a_time)
RUNS(a_flag)
RUNS(a_cancelled_wait)
RUNS(a_condition)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_descriptor), cmocka_unit_test(test_a_time),
                cmocka_unit_test(test_a_flag),       cmocka_unit_test(test_a_cancelled_wait),
                cmocka_unit_test(test_a_condition),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
