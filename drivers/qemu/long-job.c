/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/long-job.h"
#include "core/fiber.h"
#include <errno.h>
#include <string.h>

/* Borrowed from the answer. */
static json_t *find(json_t *jobs, const char *id)
{
        json_t *job;
        size_t i;

        json_array_foreach(jobs, i, job)
        {
                const char *other = json_string_value(json_object_get(job, "id"));

                if (other && strcmp(other, id) == 0)
                        return job;
        }
        return NULL;
}

int long_job_query(const Domain *domain, json_t **ret_jobs, Error *error)
{
        const Machine *machine = machine_of(domain);

        if (!machine_has_monitor(machine))
                return error_set(error, ERROR_OPERATION_FAILED, "QEMU ended meanwhile");
        return qmp_call(machine->qmp, "query-jobs", NULL, DEADLINE_NEVER, ret_jobs, error);
}

/* 1: it has come so far, or has ended with what the error says; 0: not yet. */
static int look(const Domain *domain, json_t *job, const char *id, LongJobPoint point, Error *error) AWAITS
{
        const char *status = json_string_value(json_object_get(job, "status"));
        const char *problem = json_string_value(json_object_get(job, "error"));

        if (status && point == LONG_JOB_READY && strcmp(status, "ready") == 0)
                return 1;
        if (!status || strcmp(status, "concluded") != 0)
                return 0;
        if (machine_of(domain)->qmp) /* else it goes with QEMU */
                (void)qmp_call(machine_of(domain)->qmp, "job-dismiss", json_pack("{s:s}", "id", id),
                               DEADLINE_NEVER, NULL, NULL);
        if (problem)
                return error_set(error, ERROR_OPERATION_FAILED, "%.1000s", problem);
        return point == LONG_JOB_ENDED
                       ? 1
                       : error_set(error, ERROR_OPERATION_FAILED, "QEMU's job %s ended early", id);
}

int long_job_wait_or_leave(Domain *domain, const char *id, LongJobPoint point, Error *error)
{
        int r = 0;

        while (r == 0) {
                _cleanup_(json_decrefp) json_t *jobs = NULL;
                const unsigned n_changes = machine_of(domain)->n_job_changes;
                json_t *job;

                r = long_job_query(domain, &jobs, error);
                if (r < 0)
                        break;
                job = find(jobs, id);
                r = job ? look(domain, job, id, point, error)
                        : error_set(error, ERROR_OPERATION_FAILED, "QEMU knows nothing of the job %s", id);
                if (r == 0 && machine_wait_for_job(domain, n_changes, DEADLINE_NEVER) < 0)
                        return error_set(error, ERROR_CANCELLED, "Waiting for QEMU's job was cancelled");
        }
        return MIN(r, 0);
}

int long_job_wait(Domain *domain, const char *id, LongJobPoint point, Error *error)
{
        bool is_cancelled = false;
        int r;

        do {
                if (fiber_is_cancelled(fiber_current())) {
                        is_cancelled = true;
                        fiber_clear_cancel();
                        error_clear(error);
                }
                r = long_job_wait_or_leave(domain, id, point, error);
        } while (r == -ECANCELED);
        if (is_cancelled)
                fiber_cancel(fiber_current());
        return r;
}

int long_job_start(Domain *domain, const char *command, json_t *arguments, const char *id, Error *error)
{
        const Machine *machine = machine_of(domain);

        if (!machine_has_monitor(machine)) { /* of a start it need not be ready for anybody else */
                json_decref(arguments);
                return error_set(error, ERROR_OPERATION_FAILED, "QEMU has ended");
        }
        json_object_set_new(arguments, "job-id", json_string(id));
        return qmp_call(machine_of(domain)->qmp, command, arguments, DEADLINE_NEVER, NULL, error);
}

int long_job_run(Domain *domain, const char *command, json_t *arguments, const char *id, Error *error)
{
        int r = long_job_start(domain, command, arguments, id, error);

        if (r == -ECANCELED) { /* it was sent: what it did is known at its end */
                error_clear(error);
                r = 0;
        }
        return r < 0 ? r : long_job_wait(domain, id, LONG_JOB_ENDED, error);
}
