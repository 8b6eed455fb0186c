/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine of this driver while it runs: the process, the monitor, and what has happened that its end will
 * be explained by. It hangs on the Domain from the start (or the taking back) to the end. */

#include "core/child.h"
#include "driver.h"
#include "drivers/qemu/cache.h"
#include "drivers/qemu/qmp.h"
#include "drivers/qemu/user.h"

/* The driver's own. */
typedef struct QemuDriver {
        CapabilitiesCache *cache;
        int definitions_fd; /* folder of the definitions */
        int runs_fd;        /* folder of the runs: UUID.xml and, with the sockets, UUID/ */
        char *runs_path;
        char *logs_path;
} QemuDriver;

static inline QemuDriver *qemu_driver(const Driver *driver)
{
        return driver->private_data;
}

typedef struct Machine {
        Domain *domain; /* borrowed: it owns this */
        Child *child;
        Qmp *qmp;
        char *folder;
        const Job *cause;   /* of what QEMU tells while an operation runs; NULL: nobody's */
        int paused_reason;  /* for the next STOP event; 0: none was asked for */
        bool is_starting;   /* QEMU's news are the start's own until it is over */
        bool is_destroyed;  /* by us */
        bool is_failed;     /* the start gave up */
        bool is_rebooting;  /* it was asked to shut down, and begins anew then */
        bool is_restarting; /* it begins anew after its end */
        bool has_shut_down; /* QEMU said that it ends */
        bool has_panicked;
        bool is_gone; /* its end is told; only the structure is left */
} Machine;

/* NULL if it does not run. */
static inline Machine *machine_of(const Domain *domain)
{
        return domain->private_data;
}

/* A machine for a domain that does not run. */
Machine *machine_new(Domain *domain);
/* ERROR_OPERATION_INVALID unless it runs and its monitor can be spoken with. */
int machine_get_active(Domain *domain, Machine **ret_machine, Error *error);

/* The process: watched from now on; its end is machine_end(). Takes it over. */
void machine_set_child(Machine *machine, Child *child);
/* Connects to the monitor of a process that has it open; `handlers` of qmp.h. */
int machine_connect(Machine *machine, Error *error);

/* Tells the end of the run and lets go of everything that it used, once. */
void machine_end(Machine *machine);

/* Lets go of a machine that has no process yet. */
void machine_abandon(Machine *machine);

/* Called after the end of a machine that begins anew; set by the driver. */
extern void (*machine_restart)(Domain *domain);

/* What a start takes: a folder below that of the runs with the sockets of QEMU. */
char *machine_folder(const Domain *domain);
void machine_remove_folder_of(const Driver *driver, const char *uuid);

/* What QEMU may take to end on SIGTERM before it is killed. */
#define TERMINATE_USEC (40 * G_TIME_SPAN_MILLISECOND)

/* Ends the process, by SIGTERM or SIGKILL, and waits until that is told. */
int machine_terminate(Machine *machine, uint64_t deadline_usec, Error *error) AWAITS;
int machine_kill(Machine *machine, uint64_t deadline_usec, Error *error) AWAITS;
