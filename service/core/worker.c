/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pool of threads (GLib's) and an eventfd by which finished work comes back to the loop. The list of
 * finished work is the only thing that both sides touch, under its own lock. */

#include "core/worker.h"
#include "core/await.h"
#include "core/fiber.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define THREADS_MAX 4

typedef struct Work {
        WorkerFunction function;
        void *data;
        WorkerFree free_data;
        int result;
        bool is_done, is_abandoned; /* of the loop thread */
        Fiber *fiber;
} Work;

static GThreadPool *pool;
static GAsyncQueue *finished;
static int finished_fd = -EBADF;
static sd_event_source *finished_source;

static void work_run(void *item, void *data _unused_)
{
        Work *work = item;
        uint64_t one = 1;

        work->result = work->function(work->data);
        g_async_queue_push(finished, work);
        while (write(finished_fd, &one, sizeof(one)) < 0 && errno == EINTR)
                ;
}

static void collect(void)
{
        Work *work;

        while ((work = g_async_queue_try_pop(finished))) {
                if (work->is_abandoned) {
                        if (work->free_data)
                                work->free_data(work->data);
                        g_free(work);
                        continue;
                }
                work->is_done = true;
                fiber_wake(work->fiber);
        }
}

static int work_finished(sd_event_source *source _unused_, int fd, uint32_t events _unused_,
                         void *data _unused_)
{
        uint64_t count;

        if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
                return -errno;
        collect();
        return 0;
}

static int worker_open(void)
{
        sigset_t all, old;
        int r;

        finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (finished_fd < 0)
                return -errno;
        r = sd_event_add_io(loop_get(), &finished_source, finished_fd, EPOLLIN, work_finished, NULL);
        if (r < 0)
                return r;
        (void)sd_event_source_set_priority(finished_source,
                                           LOOP_PRIORITY_FIBER); /* fails only for a foreign one */
        finished = g_async_queue_new();

        /* Threads inherit the mask; signals are the loop's. Exclusive: they all start now. */
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &old);
        pool = g_thread_pool_new(work_run, NULL, THREADS_MAX, TRUE, NULL);
        (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
        return pool ? 0 : -EAGAIN;
}

static int work_start(WorkerFunction function, void *data, WorkerFree free_data, Work **ret_work)
{
        int r = pool ? 0 : worker_open();

        if (r < 0)
                return r;

        Work *work = g_new0(Work, 1);

        *work = (Work){
                .function = function, .data = data, .free_data = free_data, .fiber = fiber_current()
        };
        g_assert(work->fiber);
        (void)g_thread_pool_push(pool, work, NULL); /* an exclusive pool has its threads already */
        *ret_work = work;
        return 0;
}

int worker_run(WorkerFunction function, void *data, WorkerFree free_data, uint64_t deadline_usec)
{
        Work *work;
        int r = work_start(function, data, free_data, &work);

        if (r < 0)
                return r;
        r = await_flag(&work->is_done, deadline_usec);
        if (r < 0) {
                work->is_abandoned = true;
                return r;
        }
        r = work->result;
        g_free(work);
        return r;
}

int worker_finish(WorkerFunction function, void *data)
{
        Work *work;
        int r = work_start(function, data, NULL, &work);

        if (r < 0)
                return r;
        while (!work->is_done)
                fiber_suspend();
        r = work->result;
        g_free(work);
        return r;
}

void worker_close(void)
{
        if (!pool)
                return;
        g_thread_pool_free(pool, FALSE, TRUE);
        pool = NULL;
        collect();
        g_async_queue_unref(finished);
        finished = NULL;
        finished_source = sd_event_source_disable_unref(finished_source);
        closep(&finished_fd);
        finished_fd = -EBADF;
}
