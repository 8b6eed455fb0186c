/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Fibers alone and together: starting, waiting, waking, cancelling, and their number. */

#include "core/await.h"
#include "core/fiber.h"
#include "core/worker.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct Trace {
        GString *text;
        Fiber *fiber;
        Condition condition;
        int result;
        unsigned n_left;
} Trace;

static void trace(Trace *trace, const char *what)
{
        g_string_append_printf(trace->text, "%s ", what);
}

static void inner(void *data)
{
        trace(data, "inner");
        assert_int_equal(await_turn(), 0);
        trace(data, "inner-end");
}

static void outer(void *data)
{
        trace(data, "outer");
        assert_int_equal(fiber_start("inner", inner, data), 0);
        trace(data, "outer-goes-on");
        assert_int_equal(await_turn(), 0);
        assert_int_equal(await_turn(), 0);
        trace(data, "outer-end");
        loop_exit(0);
}

static int setup(void **state)
{
        Trace *data = g_new0(Trace, 1);

        data->text = g_string_new(NULL);
        *state = data;
        return loop_open();
}

static int teardown(void **state)
{
        Trace *data = *state;

        worker_close();
        fiber_close();
        loop_close();
        condition_clear(&data->condition);
        string_builder_freep(&data->text);
        g_free(data);
        return (int)fiber_count();
}

static void starts_within_each_other(void **state)
{
        Trace *data = *state;

        assert_int_equal(fiber_start("outer", outer, data), 0);
        trace(data, "loop");
        assert_int_equal(loop_run(), 0);
        assert_string_equal(data->text->str, "outer inner outer-goes-on loop inner-end outer-end ");
}

static void waits_for_condition(void *data)
{
        Trace *mine = data;

        mine->fiber = fiber_ref(fiber_current());
        mine->result = condition_wait(&mine->condition, DEADLINE_NEVER);
        loop_exit(0);
}

static void a_wake_up_alone_is_not_the_condition(void **state)
{
        Trace *data = *state;
        _cleanup_(fiber_unrefp) Fiber *fiber = NULL;

        data->result = 1;
        assert_int_equal(fiber_start("waiter", waits_for_condition, data), 0);
        fiber = data->fiber;
        fiber_wake(fiber);
        fiber_wake(fiber);
        for (int i = 0; i < 3; i++)
                assert_true(sd_event_run(loop_get(), 0) >= 0);
        assert_int_equal(data->result, 1);
        condition_wake_all(&data->condition);
        assert_int_equal(loop_run(), 0);
        assert_int_equal(data->result, 0);
        fiber_wake(fiber); /* it has ended: harmless */
}

static void cancelling_ends_a_wait(void **state)
{
        Trace *data = *state;
        _cleanup_(fiber_unrefp) Fiber *fiber = NULL;

        assert_int_equal(fiber_start("waiter", waits_for_condition, data), 0);
        fiber = data->fiber;
        fiber_cancel(fiber);
        assert_int_equal(loop_run(), 0);
        assert_int_equal(data->result, -ECANCELED);
}

static void waits_past_deadline(void *data)
{
        Trace *mine = data;

        mine->result = condition_wait(&mine->condition, loop_now_usec() + 1000);
        assert_int_equal(condition_wait(&mine->condition, 0), -ETIMEDOUT);
        loop_exit(0);
}

static void a_deadline_ends_a_wait(void **state)
{
        Trace *data = *state;

        assert_int_equal(fiber_start("waiter", waits_past_deadline, data), 0);
        assert_int_equal(loop_run(), 0);
        assert_int_equal(data->result, -ETIMEDOUT);
}

static void waits_with_all(void *data)
{
        Trace *mine = data;

        assert_int_equal(condition_wait(&mine->condition, DEADLINE_NEVER), 0);
        if (--mine->n_left == 0)
                loop_exit(0);
}

static void their_number_is_capped(void **state)
{
        Trace *data = *state;

        for (unsigned i = 0; i < FIBERS_MAX; i++)
                assert_int_equal(fiber_start("one of many", waits_with_all, data), 0);
        assert_int_equal(fiber_start("one too many", waits_with_all, data), -EAGAIN);
        data->n_left = FIBERS_MAX;
        condition_wake_all(&data->condition);
        assert_int_equal(loop_run(), 0);
        assert_int_equal(fiber_count(), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(starts_within_each_other, setup, teardown),
                cmocka_unit_test_setup_teardown(a_wake_up_alone_is_not_the_condition, setup, teardown),
                cmocka_unit_test_setup_teardown(cancelling_ends_a_wait, setup, teardown),
                cmocka_unit_test_setup_teardown(a_deadline_ends_a_wait, setup, teardown),
                cmocka_unit_test_setup_teardown(their_number_is_capped, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
