/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs as objects on the bus: /org/libvirt/DRIVER/job/N exists while the job runs. */

#include "driver.h"

typedef struct JobObject {
        Object object;
        Object *target; /* counted: what the job is about; whoever sees it sees the job */
        Job *job;       /* borrowed; NULL once it has ended */
} JobObject;

/* The object that rights on `object` are about: of a job, what it is done to; of a snapshot, the machine. */
static inline const Object *object_subject(const Object *object)
{
        if (object->kind == OBJECT_JOB)
                return ((const JobObject *)object)->target;
        if (object->kind == OBJECT_SNAPSHOT)
                return &((const DomainSnapshot *)object)->domain->object;
        return object;
}

/* Makes and removes the objects as EVENT_JOB_CHANGED of the driver tells. */
void jobs_watch(Driver *driver);
/* At the end, when no job runs any longer. */
void jobs_clear(void);

/* The path of the job that holds `object`, or "/" if none does. Borrowed. */
const char *job_path_of(const Object *object);
