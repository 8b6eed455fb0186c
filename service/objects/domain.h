/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine as the bus sees it, whatever driver runs it: its definition, whether it runs, since when and
 * why. Drivers change it only through these functions, so that every change is announced. */

#include "model/domain.h"
#include "objects/object.h"

/* Numbers are virDomainState's, as clients know them. */
typedef enum DomainState {
        DOMAIN_STATE_NONE = 0,
        DOMAIN_STATE_RUNNING = 1,
        DOMAIN_STATE_BLOCKED = 2,
        DOMAIN_STATE_PAUSED = 3,
        DOMAIN_STATE_SHUTDOWN = 4, /* being shut down */
        DOMAIN_STATE_SHUTOFF = 5,
        DOMAIN_STATE_CRASHED = 6,
        DOMAIN_STATE_PMSUSPENDED = 7,
        _DOMAIN_STATE_MAX,
} DomainState;

/* "running", "paused", "shutoff", ...: the native State property. */
const char *domain_state_to_string(DomainState state);
/* The native StateReason: "booted", "user", "crashed", "migration", ... for the state's reason number
 * (virDomainRunningReason, virDomainPausedReason, virDomainShutoffReason, ...). "unknown" for reason 0. */
const char *domain_reason_to_string(DomainState state, int reason);

/* Reason numbers, per state, that we use. */
enum {
        RUNNING_REASON_BOOTED = 1,
        RUNNING_REASON_MIGRATED = 2,
        RUNNING_REASON_RESTORED = 3,
        RUNNING_REASON_FROM_SNAPSHOT = 4,
        RUNNING_REASON_UNPAUSED = 5,
        RUNNING_REASON_WAKEUP = 8,
        RUNNING_REASON_CRASHED = 9,
        PAUSED_REASON_USER = 1,
        PAUSED_REASON_IOERROR = 5,
        PAUSED_REASON_WATCHDOG = 6,
        PAUSED_REASON_SAVE = 3,
        PAUSED_REASON_DUMP = 4,
        PAUSED_REASON_FROM_SNAPSHOT = 7,
        PAUSED_REASON_SHUTTING_DOWN = 8,
        PAUSED_REASON_SNAPSHOT = 9,
        PAUSED_REASON_CRASHED = 10,
        PAUSED_REASON_STARTING_UP = 11,
        SHUTOFF_REASON_SHUTDOWN = 1,
        SHUTOFF_REASON_DESTROYED = 2,
        SHUTOFF_REASON_CRASHED = 3,
        SHUTOFF_REASON_SAVED = 5,
        SHUTOFF_REASON_FAILED = 6,
        SHUTOFF_REASON_FROM_SNAPSHOT = 7,
        SHUTOFF_REASON_DAEMON = 8,
        CRASHED_REASON_PANICKED = 1,
};

/* virDomainEventType. */
typedef enum DomainEventType {
        DOMAIN_EVENT_DEFINED = 0,
        DOMAIN_EVENT_UNDEFINED = 1,
        DOMAIN_EVENT_STARTED = 2,
        DOMAIN_EVENT_SUSPENDED = 3,
        DOMAIN_EVENT_RESUMED = 4,
        DOMAIN_EVENT_STOPPED = 5,
        DOMAIN_EVENT_SHUTDOWN = 6,
        DOMAIN_EVENT_PMSUSPENDED = 7,
        DOMAIN_EVENT_CRASHED = 8,
} DomainEventType;

/* An address that a guest has on one of its interfaces. Texts are owned. */
typedef struct DomainAddress {
        char *alias, *mac, *address;
        bool is_ipv6;
        unsigned prefix;    /* 0: not known */
        const char *source; /* static: "lease", "agent" or "arp" */
} DomainAddress;
void domain_address_release(void *address);

/* virDomainInterfaceAddressesSource. */
enum {
        ADDRESS_SOURCE_LEASE = 0,
        ADDRESS_SOURCE_AGENT = 1,
        ADDRESS_SOURCE_ARP = 2,
};
int domain_address_source_check(uint32_t source, Error *error);

typedef struct Domain {
        Object object;
        DomainDefinition
                *definition;    /* what the next start uses; NULL only for a transient machine that runs */
        DomainDefinition *live; /* what runs now; NULL if it does not */
        bool is_persistent;
        bool is_autostart;
        bool has_managed_save; /* its memory is on disk, and the next start goes on from there */
        unsigned n_snapshots, n_checkpoints;
        GPtrArray *snapshots; /* of DomainSnapshot, borrowed from the driver's table (objects/snapshot.h) */
        bool is_updated;      /* the definition was changed since the start */
        int id;               /* > 0 while it runs, else -1 */
        DomainState state;
        int reason;
        uint64_t started_at_usec; /* CLOCK_REALTIME; 0 if it does not run */
        uint64_t created_at_usec; /* CLOCK_REALTIME of the first definition */
        uid_t changed_by;         /* whose call changed the definition last */
        uint64_t sequence;        /* of its last lifecycle event, from 1 */
        GPtrArray *addresses;     /* DomainAddress, as far as they are known; NULL: none */
        void *private_data;       /* the driver's */
        void (*private_free)(void *private_data);
} Domain;

/* A new machine that does not run, not yet in any table. Takes the definition over. */
Domain *domain_new(Driver *driver, DomainDefinition *definition, uid_t owner);
static inline Domain *domain_ref(Domain *domain)
{
        object_ref(&domain->object);
        return domain;
}
static inline Domain *domain_unref(Domain *domain)
{
        if (domain)
                object_unref(&domain->object);
        return NULL;
}
DEFINE_CLEANUP(Domain, domain_unref)

static inline bool domain_is_active(const Domain *domain)
{
        return domain->id > 0;
}
/* The live definition if it runs, else the persistent one. Borrowed, never NULL. */
const DomainDefinition *domain_current_definition(const Domain *domain);

/* Both change the object, note the properties that follow, and raise nothing: the caller follows with
 * domain_lifecycle(). */
void domain_set_state(Domain *domain, DomainState state, int reason);
/* Takes the live definition over and gives the machine an id; NULL ends the run (id -1). */
void domain_set_live(Domain *domain, DomainDefinition *live);
/* Takes over; what hangs on the definition (title, memory ...) is noted as changed. */
void domain_set_definition(Domain *domain, DomainDefinition *definition);
/* Whose change of the definition is under way: the caller of the machine's job; changed_by without one, or
 * if nobody called. */
uid_t domain_changer(const Domain *domain);
void domain_set_persistent(Domain *domain, bool is_persistent);
void domain_set_autostart(Domain *domain, bool is_autostart);

/* Takes the array (of DomainAddress, NULL: none) over; announced if any differs. */
void domain_set_addresses(Domain *domain, GPtrArray *addresses);

/* Announces EVENT_DOMAIN_LIFECYCLE with libvirt's numbers; cause may be NULL (then nobody's call caused it).
 */
void domain_lifecycle(Domain *domain, DomainEventType type, int detail, const Job *cause);

/* Errors that every driver needs: 0, or ERROR_OPERATION_INVALID naming the machine. */
int domain_check_active(const Domain *domain, Error *error);
int domain_check_inactive(const Domain *domain, Error *error);
int domain_check_persistent(const Domain *domain, Error *error);
