/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What must be known of a running machine to take it back after the daemon was killed:
 * RUN/qemu/domain-UUID/status.xml. It is on disk before the guest runs its first instruction. */

#include "core/xml.h"
#include "drivers/qemu/machine.h"

#define STATUS_FILE "status.xml"
#define STATUS_MAX  XML_STORED_SIZE_MAX

typedef struct Status {
        pid_t pid;
        uint64_t start_time; /* of the process, in clock ticks since boot */
        MachinePhase phase;
        DomainState state;
        int reason;
        uid_t owner;
        bool is_persistent, is_updated, is_rebooting, starts_paused, is_held;
        uint64_t started_usec;        /* CLOCK_REALTIME */
        uint64_t sequence;            /* of the last lifecycle event */
        uint64_t migration_speed_mib; /* 0: nobody said */
        DomainDefinition *live;
        char *held_by;           /* NULL: none, or not known */
        MemoryFile *memory_file; /* NULL: none is being written */
        DomainDefinition *was;   /* NULL, or what it was before a change that has not ended */
} Status;

void status_clear(Status *status);

char *status_format(const Status *status);
int status_parse(const char *text, size_t size, Status *ret_status, Error *error);

/* Saves what is true now of a machine that runs; 0 also if it has ended. */
int status_save(Domain *domain, Error *error) AWAITS;
/* What is about to be the live definition (borrowed): a daemon that was killed meanwhile knows what to look
 * for, and what was there before. It is one until machine->plan is NULL again, which is the caller's to do,
 * with a status_save() when it has become true, or nothing of it. A failure leaves no plan. */
int status_plan(Domain *domain, DomainDefinition *plan, Error *error) AWAITS;
/* Saves what will be true of one that starts: machine->pending as its definition. */
int status_save_start(Domain *domain, MachinePhase phase, DomainState state, int reason,
                      Error *error) AWAITS;
/* Saves it soon; any number of calls until then are one. From anywhere. */
void status_save_soon(Domain *domain);
