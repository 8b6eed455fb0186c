/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.virtbus1.Job: the properties of a job that runs, and Cancel. A job whose object somebody still holds
 * after its end says "done" and nothing else of it. */

#include "bus/call.h"
#include "bus/jobs.h"
#include "bus/kinds.h"
#include "handlers.h"

static Job *job_of(const Object *object)
{
        return ((const JobObject *)object)->job;
}

int job_native_property_operation(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "s", job_of(object) ? job_get_operation(job_of(object)) : "");
}

int job_native_property_kind(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(
                reply, "s", job_kind_to_string(job_of(object) ? job_get_kind(job_of(object)) : JOB_NONE));
}

int job_native_property_object(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "o", ((const JobObject *)object)->target->path);
}

int job_native_property_caller(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(
                reply, "u", (uint32_t)(job_of(object) ? job_get_caller(job_of(object)) : (uid_t)-1));
}

int job_native_property_started_at(Object *object, sd_bus_message *reply, Error *error)
{
        uint64_t age_usec = job_of(object) ? loop_now_usec() - job_get_started_usec(job_of(object)) : 0;

        (void)error;
        return sd_bus_message_append(reply, "t", (uint64_t)g_get_real_time() - age_usec);
}

static void progress_of(const Object *object, uint64_t *ret_done, uint64_t *ret_total)
{
        *ret_done = *ret_total = 0;
        if (job_of(object))
                job_get_progress(job_of(object), ret_done, ret_total);
}

int job_native_property_done(Object *object, sd_bus_message *reply, Error *error)
{
        uint64_t done, total;

        (void)error;
        progress_of(object, &done, &total);
        return sd_bus_message_append(reply, "t", done);
}

int job_native_property_total(Object *object, sd_bus_message *reply, Error *error)
{
        uint64_t done, total;

        (void)error;
        progress_of(object, &done, &total);
        return sd_bus_message_append(reply, "t", total);
}

int job_native_property_state(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "s", job_of(object) ? "running" : "done");
}

int job_native_cancel(CallFrame *frame, BusJob *bus_job, Error *error)
{
        const JobObject *job_object = (const JobObject *)bus_job;
        const ObjectKind kind = object_subject(&job_object->object)->kind;
        const InterfaceAction actions[] = { { kind_facts(kind)->change_action, -1, 0, false }, {} };
        int r;

        if (!job_object->job || job_get_caller(job_object->job) != frame->caller->uid) {
                r = call_authorise_object(frame, actions, frame->object, error);
                if (r < 0)
                        return r;
        }
        if (!job_object->job)
                return error_set(error, ERROR_NO_JOB, "The job has ended");
        if (job_get_caller(job_object->job) == (uid_t)-1) /* nobody would do again what it is for */
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "%s is work of the daemon's own, which is not given up",
                                 job_get_operation(job_object->job));
        job_cancel(job_object->job);
        return 0;
}
