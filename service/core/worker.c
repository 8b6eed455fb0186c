/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A few threads, a list of work in, a list of finished work out, and an eventfd that brings the loop back to
 * it. The lists and what runs are the only things that both sides touch, under one lock. A thread that was
 * left behind (a server of files may never answer it) is replaced, so that others are not kept waiting.
 * pthreads, as ThreadSanitizer does not see into GLib's pool. */

#include "core/worker.h"
#include "core/await.h"
#include "core/fiber.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define THREADS_MAX      4
#define THREADS_LOST_MAX 64

typedef struct Work {
        WorkerFunction function;
        void *data;
        WorkerFree free_data;
        int result;
        bool is_done, is_abandoned; /* of the loop thread */
        Fiber *fiber;
} Work;

typedef struct Thread {
        pthread_t id;
        Work *work; /* what it runs, under the lock; NULL: it waits */
} Thread;

static Thread threads[THREADS_MAX + THREADS_LOST_MAX];
static unsigned n_threads, n_lost; /* of the loop thread */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_work = PTHREAD_COND_INITIALIZER;
static GQueue waiting = G_QUEUE_INIT;  /* of Work, under the lock */
static GQueue finished = G_QUEUE_INIT; /* of Work, under the lock */
static bool is_closing;                /* under the lock */
static int finished_fd = -EBADF;
static sd_event_source *finished_source;

static Work *work_next(Thread *thread)
{
        Work *work;

        (void)pthread_mutex_lock(&lock); /* cannot fail for a mutex of this kind, here and below */
        while (g_queue_is_empty(&waiting) && !is_closing)
                (void)pthread_cond_wait(&has_work, &lock);
        work = thread->work = g_queue_pop_head(&waiting);
        (void)pthread_mutex_unlock(&lock);
        return work;
}

/* Works until there is nothing to do and the pool closes. */
static void *thread_main(void *data)
{
        const uint64_t one = 1;
        Thread *thread = data;
        Work *work;

        while ((work = work_next(thread))) {
                work->result = work->function(work->data);
                (void)pthread_mutex_lock(&lock);
                g_queue_push_tail(&finished, work);
                thread->work = NULL;
                (void)pthread_mutex_unlock(&lock);
                while (write(finished_fd, &one, sizeof(one)) < 0 && errno == EINTR)
                        ;
        }
        return data;
}

static Work *finished_take(void)
{
        Work *work;

        (void)pthread_mutex_lock(&lock);
        work = g_queue_pop_head(&finished);
        (void)pthread_mutex_unlock(&lock);
        return work;
}

static void collect(void)
{
        Work *work;

        while ((work = finished_take())) {
                if (work->is_abandoned) {
                        n_lost--;
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

/* Threads inherit the mask; signals are the loop's, but for those of a fault, which end the process without
 * a word if they are blocked. */
static int thread_add(void)
{
        static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
        sigset_t all, old;
        int r;

        if (n_threads - n_lost >= THREADS_MAX || n_threads == G_N_ELEMENTS(threads))
                return 0;
        (void)sigfillset(&all);
        for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++)
                (void)sigdelset(&all, faults[i]);
        (void)pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&threads[n_threads].id, NULL, thread_main, &threads[n_threads]);
        (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
        n_threads += r == 0;
        return -r;
}

static int worker_open(void)
{
        int r;

        finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (finished_fd < 0)
                return -errno;
        r = sd_event_add_io(loop_get(), &finished_source, finished_fd, EPOLLIN, work_finished, NULL);
        if (r < 0)
                return r;
        (void)sd_event_source_set_priority(finished_source,
                                           LOOP_PRIORITY_FIBER); /* fails only for a foreign one */

        while (n_threads < THREADS_MAX && r >= 0)
                r = thread_add();
        return n_threads > 0 ? 0 : r;
}

static int work_start(WorkerFunction function, void *data, WorkerFree free_data, Work **ret_work)
{
        int r = n_threads > 0 ? 0 : worker_open();

        if (r < 0)
                return r;

        Work *work = g_new0(Work, 1);

        *work = (Work){
                .function = function, .data = data, .free_data = free_data, .fiber = fiber_current()
        };
        g_assert(work->fiber);
        (void)pthread_mutex_lock(&lock);
        g_queue_push_tail(&waiting, work);
        (void)pthread_cond_signal(&has_work);
        (void)pthread_mutex_unlock(&lock);
        *ret_work = work;
        return 0;
}

static void abandon(Work *work)
{
        bool was_waiting;

        (void)pthread_mutex_lock(&lock);
        was_waiting = g_queue_remove(&waiting, work);
        (void)pthread_mutex_unlock(&lock);
        if (was_waiting) {
                if (work->free_data)
                        work->free_data(work->data);
                g_free(work);
                return;
        }
        work->is_abandoned = true;
        n_lost++;
        (void)thread_add(); /* the others go on without it */
}

int worker_run(WorkerFunction function, void *data, WorkerFree free_data, uint64_t deadline_usec)
{
        Work *work;
        int r = work_start(function, data, free_data, &work);

        if (r < 0)
                return r;
        r = await_flag(&work->is_done, deadline_usec);
        if (r < 0) {
                abandon(work);
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

int worker_finish_all(WorkerFunction function, void *const *blocks, unsigned count)
{
        _cleanup_(freep) Work **works = g_new(Work *, count);

        for (unsigned i = 0; i < count; i++) {
                int r = work_start(function, blocks[i], NULL, &works[i]);

                if (r < 0) {
                        g_assert(i == 0); /* threads stay */
                        return r;
                }
        }
        for (unsigned i = 0; i < count; i++) {
                while (!works[i]->is_done)
                        fiber_suspend();
                g_free(works[i]);
        }
        return 0;
}

void worker_close(void)
{
        if (n_threads == 0)
                return;
        (void)pthread_mutex_lock(&lock);
        is_closing = true;
        (void)pthread_cond_broadcast(&has_work);
        (void)pthread_mutex_unlock(&lock);
        while (n_threads > 0) {
                Thread *thread = &threads[--n_threads];
                bool is_lost;

                (void)pthread_mutex_lock(&lock);
                is_lost = thread->work && thread->work->is_abandoned;
                (void)pthread_mutex_unlock(&lock);
                (void)(is_lost ? pthread_detach(thread->id) : pthread_join(thread->id, NULL));
        }
        is_closing = false;
        collect();
        n_lost = 0;
        finished_source = sd_event_source_disable_unref(finished_source);
        closep(&finished_fd);
        finished_fd = -EBADF;
}
