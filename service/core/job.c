/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The queue of an object. The first of `jobs` runs, the others wait in order; a DESTROY job is put directly
 * behind the running one. Ids are given once for the whole process, so that clients can name a job after its
 * end. */

#include "core/job.h"
#include "core/await.h"
#include "core/fiber.h"
#include <errno.h>

struct JobQueue {
        GPtrArray *jobs; /* of Job, borrowed: each belongs to whoever took it */
        Condition turn;
        JobChanged changed;
        void *owner;
};

struct Job {
        JobQueue *queue;
        Fiber *fiber;
        uint64_t id;
        JobKind kind;
        const char *operation;
        uid_t caller;
        uint64_t deadline_usec, started_usec;
        uint64_t done, total;
        Error error;
        bool is_done, has_displaced;
};

static uint64_t last_id;

static const char *const kind_names[_JOB_KIND_MAX] = {
        [JOB_NONE] = "none",       [JOB_QUERY] = "query",     [JOB_MODIFY] = "modify",
        [JOB_START] = "start",     [JOB_DESTROY] = "destroy", [JOB_SNAPSHOT] = "snapshot",
        [JOB_MIGRATE] = "migrate", [JOB_BLOCK] = "block",
};

const char *job_kind_to_string(JobKind kind)
{
        return kind >= 0 && kind < _JOB_KIND_MAX ? kind_names[kind] : NULL;
}

JobQueue *job_queue_new(JobChanged changed, void *owner)
{
        JobQueue *queue = g_new0(JobQueue, 1);

        queue->jobs = g_ptr_array_new();
        queue->changed = changed;
        queue->owner = owner;
        return queue;
}

JobQueue *job_queue_free(JobQueue *queue)
{
        if (!queue)
                return NULL;
        g_assert(queue->jobs->len == 0);
        g_ptr_array_unref(queue->jobs);
        condition_clear(&queue->turn);
        g_free(queue);
        return NULL;
}

Job *job_queue_current(const JobQueue *queue)
{
        return queue->jobs->len > 0 ? g_ptr_array_index(queue->jobs, 0) : NULL;
}

unsigned job_queue_length(const JobQueue *queue)
{
        return queue->jobs->len;
}

static void tell(Job *job)
{
        if (job->queue->changed)
                job->queue->changed(job->queue, job, job->queue->owner);
}

static void enqueue(JobQueue *queue, Job *job)
{
        guint place = queue->jobs->len;

        if (job->kind == JOB_DESTROY && place > 0) {
                Job *running = job_queue_current(queue);

                if (running->kind != JOB_DESTROY) {
                        job_cancel(running);
                        job->has_displaced = true;
                }
                for (place = 1; place < queue->jobs->len; place++)
                        if (((Job *)g_ptr_array_index(queue->jobs, place))->kind != JOB_DESTROY)
                                break;
        }
        g_ptr_array_insert(queue->jobs, (gint)place, job);
}

static Job *job_free(Job *job)
{
        fiber_unref(job->fiber);
        error_clear(&job->error);
        g_free(job);
        return NULL;
}

static int give_up(JobQueue *queue, Job *job, int reason, Error *error)
{
        const Job *holder = job_queue_current(queue);
        const char *operation = job->operation;

        g_ptr_array_remove(queue->jobs, job);
        job_free(job);
        if (reason == -ECANCELED)
                return error_set(error, ERROR_CANCELLED, "%s was cancelled while it waited for its turn",
                                 operation);
        return error_set(error, ERROR_BUSY,
                         "%s cannot begin: %s (job %" PRIu64 ", %s) still holds the object", operation,
                         holder->operation, holder->id, kind_names[holder->kind]);
}

int job_take(JobQueue *queue, JobKind kind, const char *operation, uid_t caller, uint64_t deadline_usec,
             Job **ret_job, Error *error)
{
        g_assert(kind > JOB_NONE && kind < _JOB_KIND_MAX);
        if (!fiber_current() && queue->jobs->len > 0)
                return error_set(error, ERROR_BUSY, "%s cannot begin: the object is held", operation);

        Job *job = g_new0(Job, 1);

        *job = (Job){ .queue = queue,
                      .fiber = fiber_current() ? fiber_ref(fiber_current()) : NULL,
                      .id = ++last_id,
                      .kind = kind,
                      .operation = operation,
                      .caller = caller,
                      .deadline_usec = deadline_usec };
        enqueue(queue, job);
        while (job_queue_current(queue) != job) {
                int r = condition_wait(&queue->turn, deadline_usec);

                if (r < 0 && job_queue_current(queue) != job)
                        return give_up(queue, job, r, error);
        }
        job->started_usec = loop_now_usec();
        tell(job);
        *ret_job = job;
        return 0;
}

Job *job_release(Job *job)
{
        if (!job)
                return NULL;

        JobQueue *queue = job->queue;

        g_assert(job_queue_current(queue) == job);
        job->is_done = true;
        g_ptr_array_remove_index(queue->jobs, 0);
        tell(job);
        condition_wake_all(&queue->turn);
        return job_free(job);
}

void job_set_error(Job *job, const Error *error)
{
        error_clear(&job->error);
        if (error && error_is_set(error))
                job->error = (Error){ error->code, g_strdup(error->message) };
}

const Error *job_get_error(const Job *job)
{
        return error_is_set(&job->error) ? &job->error : NULL;
}

void job_cancel(Job *job)
{
        if (job->fiber)
                fiber_cancel(job->fiber);
}

uint64_t job_get_id(const Job *job)
{
        return job->id;
}

JobKind job_get_kind(const Job *job)
{
        return job->kind;
}

const char *job_get_operation(const Job *job)
{
        return job->operation;
}

uid_t job_get_caller(const Job *job)
{
        return job->caller;
}

uint64_t job_get_deadline(const Job *job)
{
        return job->deadline_usec;
}

uint64_t job_get_started_usec(const Job *job)
{
        return job->started_usec;
}

bool job_has_displaced(const Job *job)
{
        return job->has_displaced;
}

bool job_is_done(const Job *job)
{
        return job->is_done;
}

void job_set_progress(Job *job, uint64_t done, uint64_t total)
{
        if (job->done == done && job->total == total)
                return;
        job->done = done;
        job->total = total;
        tell(job);
}

void job_get_progress(const Job *job, uint64_t *ret_done, uint64_t *ret_total)
{
        *ret_done = job->done;
        *ret_total = job->total;
}
