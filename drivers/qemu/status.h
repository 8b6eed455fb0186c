/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is needed to take a running machine back, on disk while it runs: RUN/qemu/UUID.xml with the process,
 * the state and the live definition. */

#include "drivers/qemu/machine.h"

/* Stores it as it is now. */
int status_store(Domain *domain, Error *error) AWAITS;
/* The same from where nothing can wait: on a fiber of its own, a little later, once for many changes. */
void status_store_soon(Domain *domain);
void status_remove(Domain *domain);

typedef struct Status {
        uint64_t pid, start_time, started_at_usec, sequence, created_at_usec;
        uint64_t state, reason, owner;
        bool is_persistent, is_updated;
        DomainDefinition *live;
} Status;

void status_clear(Status *status);
/* Reads one file of the folder of the runs. */
int status_read(int folder_fd, const char *name, Status *ret_status, Error *error);
