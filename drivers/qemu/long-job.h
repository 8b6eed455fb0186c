/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* QEMU's own long jobs: snapshot-save and what else is done when query-jobs says so. */

#include "drivers/qemu/json-stream.h"
#include "drivers/qemu/machine.h"

typedef enum LongJobPoint {
        LONG_JOB_READY, /* what it copies to is the same as the original, until it is completed or cancelled
                         */
        LONG_JOB_ENDED,
} LongJobPoint;

/* Sends the command, whose argument "job-id" is `id`. Takes the arguments over. */
int long_job_start(Domain *domain, const char *command, json_t *arguments, const char *id,
                   Error *error) AWAITS;
/* Waits until it has come so far, even when the fiber is cancelled: what a job has written is known at its
 * end only. A job that ended with an error gives QEMU's words; one that is not there any more is an error
 * too. */
int long_job_wait(Domain *domain, const char *id, LongJobPoint point, Error *error) AWAITS;
/* The same, but -ECANCELED when the fiber is: for whoever can do without the answer. */
int long_job_wait_or_leave(Domain *domain, const char *id, LongJobPoint point, Error *error) AWAITS;
/* Both, to the end. */
int long_job_run(Domain *domain, const char *command, json_t *arguments, const char *id,
                 Error *error) AWAITS;
/* The jobs that QEMU has now; the caller drops the reference. */
int long_job_query(const Domain *domain, json_t **ret_jobs, Error *error) AWAITS;
