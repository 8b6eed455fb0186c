/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Work on other threads: its result, its data after a deadline, and work that must not be given up. */

#include "core/await.h"
#include "core/worker.h"
#include "on-fiber.h"
#include <errno.h>
#include <pthread.h>

/* By then a thread has begun, even a slow one. */
#define STARTED_USEC (300 * 1000)
#define N_STUCK      6 /* more than there are threads */

typedef struct Work {
        int go[2]; /* the worker reads a byte of it before it ends */
        pthread_t thread;
        int result;
} Work;

static int n_freed;

static void work_free(void *data)
{
        Work *work = data;

        (void)close(work->go[0]);
        (void)close(work->go[1]);
        g_free(work);
        n_freed++;
}

static int works(void *data)
{
        Work *work = data;
        char byte;

        work->thread = pthread_self();
        return read(work->go[0], &byte, 1) == 1 ? work->result : -EIO;
}

static Work *work_new(int result)
{
        Work *work = g_new0(Work, 1);

        work->result = result;
        assert_int_equal(pipe(work->go), 0);
        return work;
}

static void gives_its_result(void *data)
{
        Work *work = work_new(7);

        (void)data;
        assert_int_equal(write(work->go[1], "x", 1), 1);
        assert_int_equal(worker_run(works, work, work_free, DEADLINE_NEVER), 7);
        assert_int_equal(n_freed, 0); /* still ours */
        assert_false(pthread_equal(work->thread, pthread_self()));
        work_free(work);
}

static void is_left_behind_after_the_deadline(void *data)
{
        Work *work = work_new(0);
        int go = dup(work->go[1]);

        (void)data;
        n_freed = 0;
        assert_int_equal(worker_run(works, work, work_free, deadline_after_usec(STARTED_USEC)), -ETIMEDOUT);
        assert_int_equal(n_freed, 0);
        assert_int_equal(write(go, "x", 1), 1);
        while (n_freed == 0)
                assert_int_equal(await_until(deadline_after_usec(500)), 0);
        assert_int_equal(close(go), 0);
}

static void others_go_on_without_those_that_hang(void *data)
{
        Work *quick = work_new(7);
        int go[N_STUCK];

        (void)data;
        n_freed = 0;
        for (unsigned i = 0; i < N_STUCK; i++) {
                Work *stuck = work_new(0);

                go[i] = dup(stuck->go[1]);
                assert_int_equal(worker_run(works, stuck, work_free, deadline_after_usec(STARTED_USEC)),
                                 -ETIMEDOUT);
        }
        assert_int_equal(write(quick->go[1], "x", 1), 1);
        assert_int_equal(worker_run(works, quick, work_free, DEADLINE_NEVER), 7);
        assert_int_equal(n_freed, 0);
        for (unsigned i = 0; i < N_STUCK; i++) {
                assert_int_equal(write(go[i], "x", 1), 1);
                assert_int_equal(close(go[i]), 0);
        }
        while (n_freed < N_STUCK)
                assert_int_equal(await_until(deadline_after_usec(500)), 0);
        work_free(quick);
}

typedef struct Finish {
        Work *work;
        Fiber *fiber;
        int result;
        bool is_done;
} Finish;

static void finishes(void *data)
{
        Finish *finish = data;

        finish->fiber = fiber_ref(fiber_current());
        finish->result = worker_finish(works, finish->work);
        finish->is_done = true;
}

static void is_finished_though_cancelled(void *data)
{
        Finish finish = { .work = work_new(5) };

        (void)data;
        assert_int_equal(fiber_start("finisher", finishes, &finish), 0);
        fiber_cancel(finish.fiber);
        for (unsigned i = 0; i < 5; i++)
                assert_int_equal(await_turn(), 0);
        assert_false(finish.is_done);
        assert_int_equal(write(finish.work->go[1], "x", 1), 1);
        while (!finish.is_done)
                assert_int_equal(await_until(deadline_after_usec(500)), 0);
        assert_int_equal(finish.result, 5);
        fiber_unref(finish.fiber);
        work_free(finish.work);
}

#define N_TOGETHER 3 /* fewer than there are threads */

static pthread_barrier_t together;

/* Ends only when all are there. */
static int meets(void *data)
{
        (void)pthread_barrier_wait(&together);
        *(int *)data += 1;
        return 0;
}

static void all_run_at_once(void *data)
{
        int counts[N_TOGETHER] = {};
        void *blocks[N_TOGETHER];

        (void)data;
        for (unsigned i = 0; i < N_TOGETHER; i++)
                blocks[i] = &counts[i];
        assert_int_equal(pthread_barrier_init(&together, NULL, N_TOGETHER), 0);
        assert_int_equal(worker_finish_all(meets, blocks, N_TOGETHER), 0);
        for (unsigned i = 0; i < N_TOGETHER; i++)
                assert_int_equal(counts[i], 1);
        assert_int_equal(pthread_barrier_destroy(&together), 0);
}

#define RUNS(name)                                                                                          \
        static void test_##name(void **state)                                                               \
        {                                                                                                   \
                (void)state;                                                                                \
                on_fiber(name, NULL);                                                                       \
        }
RUNS(gives_its_result)
RUNS(is_left_behind_after_the_deadline)
RUNS(others_go_on_without_those_that_hang)
RUNS(is_finished_though_cancelled)
RUNS(all_run_at_once)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_gives_its_result),
                cmocka_unit_test(test_is_left_behind_after_the_deadline),
                cmocka_unit_test(test_others_go_on_without_those_that_hang),
                cmocka_unit_test(test_is_finished_though_cancelled),
                cmocka_unit_test(test_all_run_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
