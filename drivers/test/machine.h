/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all files of this driver need of a machine: its run begins and ends here. Nothing waits. */

#include "driver.h"

/* Details of libvirt's lifecycle events. */
enum {
        DEFINED_ADDED = 0,
        DEFINED_UPDATED = 1,
        DEFINED_RENAMED = 2,
        DEFINED_FROM_SNAPSHOT = 3,
        UNDEFINED_REMOVED = 0,
        UNDEFINED_RENAMED = 1,
        STARTED_BOOTED = 0,
        STARTED_RESTORED = 2,
        STARTED_FROM_SNAPSHOT = 3,
        SUSPENDED_PAUSED = 0,
        SUSPENDED_RESTORED = 4,
        SUSPENDED_FROM_SNAPSHOT = 5,
        RESUMED_UNPAUSED = 0,
        STOPPED_SHUTDOWN = 0,
        STOPPED_DESTROYED = 1,
        STOPPED_CRASHED = 2,
        STOPPED_SAVED = 4,
        STOPPED_FROM_SNAPSHOT = 6,
};

/* Refuses what this driver does not do for a start. */
int machine_check_start(const Call *call, const char *operation, uint32_t flags, Error *error);

/* What there is of a machine beside its definitions and its state. */
typedef struct Guest Guest;
typedef struct BlockJob BlockJob;
typedef struct Machine {
        Guest *guest;          /* of guest.c; NULL: nobody has asked for anything of it */
        GVariant *job_ended;   /* the last job on its memory: (ia{sv}); NULL: none, or it was asked for */
        GPtrArray *block_jobs; /* of BlockJob; NULL: there was none yet */
        uint64_t migration_speeds_mib[2]; /* before and after the guest has moved; 0: nobody said */
        uint64_t compression_cache;       /* bytes, of this run; 0: nobody said */
        GHashTable *disk_sizes; /* target → bytes, as uint64_t *, of those that were changed; NULL: none */
} Machine;
Machine *machine_of(const Domain *domain);

/* What is told of how a run begins. */
typedef struct MachineOrigin {
        int running_reason, paused_reason, started_detail, suspended_detail;
} MachineOrigin;

extern const MachineOrigin machine_boot;

/* A machine that is off runs, by a copy of the definition; announced with the numbers of the origin. */
void machine_start(Domain *domain, const DomainDefinition *definition, const MachineOrigin *origin,
                   bool is_paused, const Job *cause);

/* A machine that runs is off; announced as stopped, with these numbers. A transient one is gone then: the
 * caller holds a reference. */
void machine_end(Domain *domain, int reason, int detail, const Job *cause);

/* Raises a signal of org.libvirt.Domain; takes the floating tuple over, which may be NULL. */
void machine_signal(Domain *domain, const char *member, GVariant *arguments);
