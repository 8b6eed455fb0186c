/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* QEMU's threads: which are the guest's processors, on which of the host's they run, and how they are
 * scheduled (<vcpu cpuset>, <cputune>). */

#include "drivers/qemu/machine.h"
#include "model/pins.h"

typedef struct Thread {
        pid_t tid;
        ThreadKind kind;
        unsigned id; /* of the vcpu or iothread */
} Thread;

/* All there are (of Thread). The monitor is asked, and its answers are compared with the process. */
int threads_find(const Domain *domain, uint64_t deadline_usec, GArray **ret_threads, Error *error) AWAITS;
/* Pins and schedules them by the definition of the run. */
int threads_set(const Domain *domain, const DomainDefinition *definition, const GArray *threads,
                Error *error);
