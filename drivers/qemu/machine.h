/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the driver knows of a machine beyond what the bus shows: its process, its monitor, and what is going
 * on with them. Every Domain of this driver has a Machine as private_data, running or not. */

#include "core/await.h"
#include "core/child.h"
#include "driver.h"
#include "drivers/qemu/cache.h"
#include "drivers/qemu/qmp.h"
#include <sys/types.h>

/* How a run ends, as far as is known before it has ended. */
typedef enum MachineEnd {
        MACHINE_END_UNEXPECTED, /* killed, or QEMU itself crashed */
        MACHINE_END_SHUTDOWN,   /* the guest or a signal switched it off in an orderly way */
        MACHINE_END_DESTROYED,
        MACHINE_END_PANICKED,
        MACHINE_END_SNAPSHOT, /* to go back to one, or because one was taken */
        MACHINE_END_DUMPED,   /* as a crash, after its memory was written */
        MACHINE_END_SAVED,    /* its memory is in a file */
        MACHINE_END_RESET,    /* the guest reset itself, and its definition says that this is the end */
        _MACHINE_END_MAX,
} MachineEnd;

typedef enum MachinePhase {
        MACHINE_OFF,
        MACHINE_STARTING, /* there may be a process, but the guest has not run and nobody was told of it */
        MACHINE_RUNNING,
} MachinePhase;

typedef struct QemuAddresses QemuAddresses;

typedef struct QemuDriver {
        Driver *driver;
        CapabilitiesCache *capabilities;
        int definitions_fd; /* CONFIG/qemu */
        int run_fd;         /* RUN/qemu */
        char *run_path;
        GHashTable *reserved;     /* names and UUIDs of machines on their way to the disk */
        GHashTable *unknown;      /* UUIDs of runs of which nothing is known but their tag: folder.h */
        QemuAddresses *addresses; /* addresses.c; NULL: not open */
        bool is_running;          /* the names on the bus are owned: what happens is heard */
        Condition running;
        /* Starts a machine anew whose definition wants that at its end. Set by driver.c, as what ends
         * machines is below what starts them. */
        void (*restart)(Domain *domain);
        /* QEMU says of one of its jobs that it is now "ready", "concluded" ... Set by driver.c likewise. */
        void (*job_changed)(Domain *domain, const char *id, const char *status);
} QemuDriver;

/* Where a run begins, if not with its firmware. */
typedef struct MachineOrigin {
        int running_reason, paused_reason;    /* of the machine's state */
        int started_detail, suspended_detail; /* of the events */
        bool is_incoming;                     /* QEMU waits for the memory */
        /* When QEMU is there and nothing has run; NULL: nothing to do. */
        int (*load)(Domain *domain, const void *data, Error *error) AWAITS;
        /* When the machine counts as running and its guest does not yet: the memory that is kept for it is
         * not kept any longer. NULL: the memory is from elsewhere. */
        int (*loaded)(Domain *domain, const void *data, Error *error) AWAITS;
        const void *data;
} MachineOrigin;

/* Of memory-job.c. */
typedef struct MemoryJob {
        int kind; /* 0: nothing goes on */
        const char *query;
        uint64_t since_usec;
} MemoryJob;

typedef enum MemoryFilePoint {
        MEMORY_FILE_PART,  /* it is being written, or was to be */
        MEMORY_FILE_WHOLE, /* and has its name, or is about to get it */
        MEMORY_FILE_KEPT,  /* it is no concern any more, only the guest stands still */
} MemoryFilePoint;

/* Of memory-file.c. */
typedef struct MemoryFile {
        char *path, *part; /* as it will be named, and is until it is whole; NULL: the managed one */
        bool was_running;  /* the guest */
        bool ends_run;     /* when it is whole */
        MemoryFilePoint point;
        dev_t device; /* of one that is whole */
        ino_t inode;
} MemoryFile;

MemoryFile *memory_file_free(MemoryFile *file);

typedef struct Machine {
        Domain *domain; /* borrowed: owns this */
        MachinePhase phase;
        DomainDefinition *pending; /* what will be live when the start is announced; NULL otherwise */
        DomainDefinition *plan;    /* of status_plan(); NULL: nothing is on its way */
        DomainDefinition *was;     /* taken back: what it was before a change that was cut off; or NULL */
        uint64_t run; /* counts the starts: tells whether it is still the same one after an await */
        Child *child;
        bool has_exited;    /* the process has ended, what that means is being found out */
        GPtrArray *helpers; /* of helpers.c; NULL: it has none, or the daemon was restarted */
        Qmp *qmp;
        bool is_ready;   /* the monitor takes commands */
        bool is_hung_up; /* by QEMU: nothing more is to be read */
        bool is_flooding;
        int messages_fd; /* what QEMU said on stderr; -EBADF after the daemon was restarted */
        MachineEnd end;
        int pause_reason;            /* of the next STOP, PAUSED_REASON_... */
        const Job *cause;            /* of what happens now; borrowed from the operation that runs */
        const MachineOrigin *origin; /* of a start; borrowed; NULL: the firmware */
        bool starts_paused;
        bool keeps_networks; /* those that are down are not brought up for this start */
        bool is_held;        /* for a moment, by us: that it stands still is no news */
        char *held_by;      /* QEMU's job that the definition is to follow; NULL: none, or not known which */
        bool is_rebooting;  /* a shutdown of the guest is to become a reset */
        bool is_saving;     /* the status is being written: one at a time, or the older could come last */
        bool is_status_due; /* a fiber is about to save the status */
        bool takes_devices; /* of the host, by passthrough_take(): its end waits for that */
        bool agent_is_there; /* the guest's agent has opened its channel */
        bool asks_agent_addresses, wants_agent_addresses;
        json_t *agent_interfaces;     /* as the agent said last; NULL: nothing */
        GPtrArray *perf;              /* of perf.c; NULL: nothing is counted */
        uint64_t migration_speed_mib; /* MigrateSetMaxSpeed; 0: nobody said */
        int64_t clock_base_sec;       /* of a clock with an offset of its own, at the start */
        uint64_t started_usec;        /* CLOCK_REALTIME, of a start that is not announced */
        unsigned n_job_changes;       /* counts what QEMU tells of its own jobs */
        MemoryJob memory_job;
        MemoryFile *memory_file;          /* NULL: none is being written */
        GVariant *memory_job_ended;       /* of the last one: (ia{sv}); NULL: none, or it was asked for */
        GHashTable *file_groups;          /* of file-groups.c; NULL: none */
        DomainSnapshot *pending_snapshot; /* begun before the daemon was killed; in no list */
        bool pending_images_made;         /* its new images were made for it */
        DomainSnapshot *pending_revert;   /* being gone back to, as the file says; one of the list */
        unsigned n_unplugging; /* devices that QEMU has let go of, with something behind them still */
        char *kept_alias;      /* of the device that the guest would not let go of last; NULL: none */
        Condition changed;     /* phase, has_exited, is_hung_up, state, devices */
} Machine;

static inline QemuDriver *qemu_driver(const Driver *driver)
{
        return driver->private_data;
}

static inline QemuDriver *qemu_driver_of(const Domain *domain)
{
        return qemu_driver(domain->object.driver);
}

static inline Machine *machine_of(const Domain *domain)
{
        return domain->private_data;
}

/* A machine that does not run, with a Machine; takes the definition over. Not yet in the driver's table. */
Domain *machine_new(Driver *driver, DomainDefinition *definition, uid_t owner);

/* Never NULL: what a boot is told as, where there is no origin. */
const MachineOrigin *machine_origin(const Machine *machine);

/* The process and everything that belongs to it is let go of; it does not end by this. */
void machine_forget_run(Machine *machine);

/* QEMU can be asked, be it ready for clients or still on its way to it: what it told of a start, or of a
 * taking back, has to be answered then. */
static inline bool machine_has_monitor(const Machine *machine)
{
        return machine->qmp && !machine->is_hung_up;
}
/* Ready for commands, or ERROR_OPERATION_INVALID (not running), or ERROR_OPERATION_FAILED (its monitor is
 * gone). */
int machine_check_monitor(const Domain *domain, Error *error);
/* The same, and a command that QEMU answers at once. `arguments` are taken over, and may be NULL; so may
 * ret_answer, of which the caller drops the reference. */
int machine_command(const Domain *domain, const char *name, json_t *arguments, json_t **ret_answer,
                    Error *error) AWAITS;

/* Until QEMU tells of a change of its jobs, or has told of one since n_job_changes was `n_changes`, or has
 * hung up: whoever waits looks again then. Otherwise condition_wait()'s error. */
int machine_wait_for_job(const Domain *domain, unsigned n_changes, uint64_t deadline_usec) AWAITS;

/* While the result lives, what happens to the machine is said to be this job's doing (NULL: nobody's):
 * `_cleanup_(machine_actp) Machine *acting = machine_act(domain, job);` */
static inline Machine *machine_act(const Domain *domain, const Job *job)
{
        machine_of(domain)->cause = job;
        return machine_of(domain);
}

static inline void machine_actp(Machine **machine)
{
        (*machine)->cause = NULL;
}
