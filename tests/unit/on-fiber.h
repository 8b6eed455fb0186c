/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For tests of what waits: runs a function on a fiber of a fresh loop until it returns, and checks that
 * nothing is left behind. */

#include "core/fiber.h"
#include "core/loop.h"
#include "core/worker.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct OnFiber {
        FiberFunction function;
        void *data;
} OnFiber;

static void on_fiber_main(void *data)
{
        OnFiber *start = data;

        start->function(start->data);
        loop_exit(0);
}

static void on_fiber(FiberFunction function, void *data)
{
        OnFiber start = { function, data };

        assert_int_equal(loop_open(), 0);
        assert_int_equal(fiber_start("test", on_fiber_main, &start), 0);
        assert_int_equal(loop_run(), 0);
        assert_int_equal(fiber_count(), 0);
        worker_close();
        fiber_close();
        loop_close();
}
