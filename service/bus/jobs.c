/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes objects of the jobs that run, for those who want to watch or cancel them. They are ordinary objects
 * of their driver, so that ObjectManager, signals and rights need to know nothing of them. Queries are left
 * out: they change nothing, and a client that reads statistics every second would make as much noise as all
 * else. */

#include "bus/jobs.h"
#include "bus/error-names.h"
#include "bus/signals.h"
#include "core/loop.h"

static GHashTable *job_objects; /* Job * -> JobObject *, which the driver's table holds */

static void job_object_free(Object *object)
{
        JobObject *job_object = (JobObject *)object;

        object_unref(job_object->target);
        object_done(object);
        g_free(job_object);
}

static void job_started(Object *target, Job *job)
{
        JobObject *job_object = g_new0(JobObject, 1);
        char id[24];

        g_snprintf(id, sizeof id, "%" PRIu64, job_get_id(job));
        object_init(&job_object->object, OBJECT_JOB, target->driver, id, id, NULL, target->owner,
                    job_object_free);
        job_object->target = object_ref(target);
        job_object->job = job;
        g_hash_table_insert(job_objects, job, job_object);
        (void)object_table_add(target->driver->objects, &job_object->object); /* ids are never used again */
        object_unref(&job_object->object);
        object_changed(target, "Job");
}

static void tell_end(const JobObject *job_object)
{
        const Error *error = job_get_error(job_object->job);
        const char *result = !error ? "completed" : error->code == ERROR_CANCELLED ? "cancelled" : "failed";

        signals_send_native(&job_object->object, "Finished",
                            g_variant_new("(sss)", result, error ? error_name(error->code, NULL) : "",
                                          error ? error->message : ""));
}

static void job_ended(JobObject *job_object)
{
        _cleanup_(object_unrefp) Object *target = object_ref(job_object->target);
        _cleanup_(object_unrefp) Object *object = object_ref(&job_object->object);

        tell_end(job_object);
        g_hash_table_remove(job_objects, job_object->job);
        object_table_remove(target->driver->objects, object);
        job_object->job = NULL;
        object_changed(target, "Job");
}

static void job_changed(int type, const void *data, void *user_data)
{
        const JobEvent *event = data;
        JobObject *job_object;

        (void)user_data;
        if (type != EVENT_JOB_CHANGED || job_get_kind(event->job) == JOB_QUERY)
                return;
        job_object = g_hash_table_lookup(job_objects, event->job);
        if (job_object && job_is_done(event->job))
                job_ended(job_object);
        else if (job_object)
                object_changed(&job_object->object, "Done"), object_changed(&job_object->object, "Total");
        else if (!job_is_done(event->job))
                job_started(event->object, event->job);
}

void jobs_watch(Driver *driver)
{
        if (!job_objects)
                job_objects = g_hash_table_new(NULL, NULL);
        (void)event_listen(driver->events, job_changed, NULL); /* until the driver is freed */
}

void jobs_clear(void)
{
        g_clear_pointer(&job_objects, g_hash_table_unref);
}

const char *job_path_of(const Object *object)
{
        const Job *job = job_queue_current(object->jobs);
        const JobObject *job_object = job && job_objects ? g_hash_table_lookup(job_objects, job) : NULL;

        return job_object ? job_object->object.path : "/";
}
