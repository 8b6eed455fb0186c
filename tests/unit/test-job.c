/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thing at a time: order, deadlines, and that what ends a machine goes before everything else. */

#include "core/await.h"
#include "core/job.h"
#include "on-fiber.h"
#include <errno.h>
#include <string.h>

typedef struct Scene {
        JobQueue *queue;
        GString *order;
        unsigned n_running, n_events;
} Scene;

static void changed(JobQueue *queue, Job *job, void *data)
{
        Scene *scene = data;

        assert_ptr_equal(queue, scene->queue);
        assert_non_null(job);
        scene->n_events++;
}

typedef struct Actor {
        Scene *scene;
        const char *name;
        JobKind kind;
        uint64_t wait_usec;
        int result;
} Actor;

/* Takes the job, notes its name, holds it until it is cancelled or a while has passed. */
static void acts(void *data)
{
        Actor *actor = data;
        _cleanup_(job_releasep) Job *job = NULL;

        actor->scene->n_running++;
        actor->result =
                job_take(actor->scene->queue, actor->kind, actor->name, 1000, DEADLINE_NEVER, &job, NULL);
        if (actor->result >= 0) {
                g_string_append_printf(actor->scene->order, "%s ", actor->name);
                actor->result = await_until(deadline_after_usec(actor->wait_usec));
        }
        actor->scene->n_running--;
}

static void scene_run(Scene *scene, Actor *actors, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                actors[i].scene = scene;
                assert_int_equal(fiber_start("actor", acts, &actors[i]), 0);
        }
        while (scene->n_running > 0)
                assert_int_equal(await_until(deadline_after_usec(300)), 0);
}

static Scene scene_new(void)
{
        return (Scene){ .order = g_string_new(NULL) };
}

static void scene_clear(Scene *scene)
{
        g_string_free(scene->order, TRUE);
        job_queue_free(scene->queue);
}

static void in_order(void *data)
{
        Scene scene = scene_new();
        Actor actors[] = {
                { .name = "first", .kind = JOB_MODIFY, .wait_usec = 1000 },
                { .name = "second", .kind = JOB_QUERY },
                { .name = "third", .kind = JOB_START },
        };

        (void)data;
        scene.queue = job_queue_new(changed, &scene);
        scene_run(&scene, actors, G_N_ELEMENTS(actors));
        assert_string_equal(scene.order->str, "first second third ");
        assert_int_equal(scene.n_events, 6);
        assert_int_equal(job_queue_length(scene.queue), 0);
        scene_clear(&scene);
}

static void destroy_goes_first(void *data)
{
        Scene scene = scene_new();
        Actor actors[] = {
                { .name = "stuck", .kind = JOB_START, .wait_usec = 60 * G_USEC_PER_SEC },
                { .name = "waits", .kind = JOB_MODIFY },
                { .name = "destroy", .kind = JOB_DESTROY },
        };

        (void)data;
        scene.queue = job_queue_new(NULL, &scene);
        scene_run(&scene, actors, G_N_ELEMENTS(actors));
        assert_string_equal(scene.order->str, "stuck destroy waits ");
        assert_int_equal(actors[0].result, -ECANCELED);
        scene_clear(&scene);
}

static void busy_names_who_holds_it(void *data)
{
        _cleanup_(error_clear) Error error = {};
        Scene scene = scene_new();
        Job *held = NULL, *late = NULL;

        (void)data;
        scene.queue = job_queue_new(NULL, &scene);
        assert_int_equal(job_take(scene.queue, JOB_START, "Create", 1000, DEADLINE_NEVER, &held, NULL), 0);
        assert_int_equal(
                job_take(scene.queue, JOB_MODIFY, "Rename", 1000, deadline_after_usec(500), &late, &error),
                -EBUSY);
        assert_null(late);
        assert_non_null(strstr(error.message, "Create"));
        assert_ptr_equal(job_queue_current(scene.queue), held);
        job_set_progress(held, 5, 10);
        uint64_t done, total;
        job_get_progress(held, &done, &total);
        assert_int_equal(done, 5);
        assert_int_equal(total, 10);
        assert_null(job_release(held));
        scene_clear(&scene);
}

#define RUNS(name)                                                                                          \
        static void test_##name(void **state)                                                               \
        {                                                                                                   \
                (void)state;                                                                                \
                on_fiber(name, NULL);                                                                       \
        }
RUNS(in_order)
RUNS(destroy_goes_first)
RUNS(busy_names_who_holds_it)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_in_order),
                cmocka_unit_test(test_destroy_goes_first),
                cmocka_unit_test(test_busy_names_who_holds_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
