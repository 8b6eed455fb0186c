/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs: one thing at a time happens to an object. Every object has a queue; whoever changes it takes a job
 * first, in order, and gives it back at the end. Readers take none: they are answered from memory. A DESTROY
 * job goes before all that wait and cancels the one that runs, so that a stuck machine can always be ended.
 */

#include "core/error.h"

typedef enum JobKind {
        JOB_NONE = 0, /* a read: no job is taken */
        JOB_QUERY,    /* asks the hypervisor, changes nothing */
        JOB_MODIFY,
        JOB_START,
        JOB_DESTROY,
        JOB_SNAPSHOT,
        JOB_MIGRATE,
        JOB_BLOCK,
        _JOB_KIND_MAX,
        _JOB_KIND_INVALID = -22,
} JobKind;

const char *job_kind_to_string(JobKind kind);

typedef struct JobQueue JobQueue;
typedef struct Job Job;

typedef void (*JobChanged)(JobQueue *queue, Job *job, void *data);

/* `changed` is called on the loop thread when a job starts (is_done false), progresses, and ends; may be
 * NULL. `owner` is handed to it. */
JobQueue *job_queue_new(JobChanged changed, void *owner);
/* The queue must be idle. */
JobQueue *job_queue_free(JobQueue *queue);
DEFINE_CLEANUP(JobQueue, job_queue_free)

/* Takes the job, waiting for those before it. `operation` is kept: static text as "Create". ERROR_BUSY
 * (naming the job that holds the object) when the deadline passes. Outside of any fiber it fails if it would
 * wait. */
int job_take(JobQueue *queue, JobKind kind, const char *operation, uid_t caller, uint64_t deadline_usec,
             Job **ret_job, Error *error) AWAITS;
/* How it went, to be told when it is given back: NULL, or an error that is set, of which a copy is kept.
 * A job of which nobody says so went well. */
void job_set_error(Job *job, const Error *error);
/* Borrowed; NULL: it went well. */
const Error *job_get_error(const Job *job);
/* Gives the job back and lets the next one run; always returns NULL. */
Job *job_release(Job *job);
DEFINE_CLEANUP(Job, job_release)

/* The job that holds the object now, or NULL. Borrowed. */
Job *job_queue_current(const JobQueue *queue);
unsigned job_queue_length(const JobQueue *queue);
/* Cancels the running job's fiber: its awaits return -ECANCELED. */
void job_cancel(Job *job);

/* Unique while the process lives, from 1. */
uint64_t job_get_id(const Job *job);
JobKind job_get_kind(const Job *job);
const char *job_get_operation(const Job *job);
uid_t job_get_caller(const Job *job);
uint64_t job_get_deadline(const Job *job);
/* CLOCK_MONOTONIC, microseconds. */
uint64_t job_get_started_usec(const Job *job);
bool job_is_done(const Job *job);
/* Whether another job was cancelled so that this one could have its turn. */
bool job_has_displaced(const Job *job);
/* done and total are in the operation's own unit (bytes for data); total 0: unknown. */
void job_set_progress(Job *job, uint64_t done, uint64_t total);
void job_get_progress(const Job *job, uint64_t *ret_done, uint64_t *ret_total);
