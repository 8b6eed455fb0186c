/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The contract that every driver fills. A driver is a table of operations, one per method of the
 * introspection files that names it (introspection/README.md); operations.h is generated from these files.
 * An operation that is NULL is answered with one NotSupported error that names driver and method. Drivers
 * know nothing of D-Bus: they change objects (objects/domain.h), raise events, and return errors. */

#include "config.h"
#include "core/event.h"
#include "core/job.h"
#include "core/records.h"
#include "model/network.h"
#include "model/nwfilter.h"
#include "model/secret.h"
#include "model/storage-pool.h"
#include "objects/domain.h"
#include "objects/object.h"
#include "objects/snapshot.h"

typedef struct DriverType DriverType;

/* Who asks, and until when an answer is of use. Lives as long as the operation runs. */
typedef struct Call {
        Driver *driver;
        uid_t uid;   /* of the caller */
        uid_t owner; /* whom a new object of this caller belongs to: its own uid, or 0 for root and
                      * members of group libvirt */
        Job *job;    /* NULL for JOB_NONE */
        uint64_t deadline_usec; /* CLOCK_MONOTONIC */
        bool keeps_networks;    /* of a start: networks that are down stay so, and it fails */
        /* Whether the caller may do to that object, or to a new one of that kind, name and UUID (`object`
         * NULL), what only the driver was asked for; by driver_authorise(). */
        int (*authorise)(struct Call *call, const Object *object, ObjectKind kind, const char *name,
                         const char *uuid, Error *error) AWAITS;
} Call;

/* For operations that find out by themselves which object they are about. */
static inline int driver_authorise(Call *call, const Object *object, ObjectKind kind, const char *name,
                                   const char *uuid, Error *error)
{
        return call->authorise ? call->authorise(call, object, kind, name, uuid, error) : 0;
}

/* virDomainCreateFlags, and one that no caller can set: bus/options.c makes Call.keeps_networks of it, and
 * drivers that hand a start on make it of that again. */
enum {
        START_PAUSED = 1 << 0,
        START_AUTODESTROY = 1 << 1,
        START_BYPASS_CACHE = 1 << 2,
        START_FORCE_BOOT = 1 << 3,
        START_VALIDATE = 1 << 4,
        START_RESET_NVRAM = 1 << 5,
        START_KEEP_NETWORKS = 1 << 30,
};

#include "operations.h"

/* Of another service on the host's bus; also a signal. */
typedef struct ServiceMethod {
        const char *service, *path, *interface, *member;
} ServiceMethod;

struct Driver {
        Object object; /* OBJECT_CONNECT: the path is /org/libvirt/NAME */
        const DriverType *type;
        const char *name;                   /* "QEMU", as in paths; also polkit's connect_driver */
        const char *uri;                    /* "qemu:///system" */
        const DriverOperations *operations; /* NULL: not built in, or cannot run here: `missing` says why */
        const char *missing;                /* "bhyve exists on FreeBSD only", or `failure` */
        char *failure;                      /* why it could not be opened; NULL if it could */
        const Config *config;
        ObjectTable *objects;
        EventSource *events;
        struct NetworkState *networks;     /* of drivers/network; NULL: the driver has none */
        struct InterfaceState *interfaces; /* of drivers/host; NULL: the driver has none */
        struct DeviceState *devices;       /* of drivers/host; NULL: the driver has none */
        struct GivenState *given;     /* of drivers/host; NULL: it gives devices of the host to nobody */
        struct FilterState *filters;  /* of drivers/nwfilter; NULL: the driver has none */
        struct SecretState *secrets;  /* of drivers/secret; NULL: the driver has none */
        struct StorageState *storage; /* of drivers/storage; NULL: the driver has none */
        void *private_data;
        uint64_t version; /* hypervisor's: major * 1000000 + minor * 1000 + release; 0: not known yet */
        uint64_t next_domain_id;
        /* Moves a process of a machine into a unit of its own, virtbus-NAME.scope of systemd, so that it is
         * no longer a part of the daemon's. Set by the front end; NULL where no systemd runs that would do
         * it. */
        int (*scope_start)(const char *name, const char *description, pid_t pid, uint64_t deadline_usec,
                           Error *error) AWAITS;
        /* Calls a method of a service that runs; one that does not is not started. `arguments` is a tuple (a
         * floating one is consumed; NULL: none), and so are the values of the reply. Set by the front end;
         * NULL in a session. */
        int (*service_call)(const ServiceMethod *method, GVariant *arguments, uint64_t deadline_usec,
                            GVariant **ret_values, Error *error) AWAITS;
        /* Calls `changed` whenever a service has got or lost its name, and at each such signal of it, until
         * the daemon ends. Set by the front end; NULL in a session. */
        int (*service_watch)(const ServiceMethod *signal, void (*changed)(void *data), void *data,
                             Error *error);
};

/* What drivers (and objects/) raise on driver->events. The structure of each event follows its number. */
typedef enum EventType {
        EVENT_OBJECT_ADDED,     /* ObjectEvent */
        EVENT_OBJECT_REMOVED,   /* ObjectEvent; the object is still found */
        EVENT_OBJECT_CHANGED,   /* ObjectEvent: look at object->changed */
        EVENT_DOMAIN_LIFECYCLE, /* DomainLifecycleEvent */
        EVENT_DOMAIN_SIGNAL,    /* DomainSignalEvent: the other 22 of org.libvirt.Domain */
        EVENT_RESOURCE_EVENT,   /* ResourceEvent: of the Connect interface, for kinds beside machines */
        EVENT_RESOURCE_SIGNAL,  /* ResourceEvent: of the object's own org.libvirt interface */
        EVENT_JOB_CHANGED,      /* JobEvent */
        EVENT_LEASES_CHANGED,   /* LeasesEvent */
} EventType;

typedef struct ObjectEvent {
        Object *object;
} ObjectEvent;

typedef struct DomainLifecycleEvent {
        Domain *domain;
        DomainEventType type;
        int detail;
        uint64_t sequence;
        uint64_t job_id; /* 0: no call caused it */
        uid_t caller;    /* UID_INVALID ((uid_t)-1): no call caused it */
} DomainLifecycleEvent;

typedef struct DomainSignalEvent {
        Domain *domain;
        const char *member;  /* "Reboot", "BalloonChange", "MetadataChange", ... */
        GVariant *arguments; /* a tuple of the signal's signature; NULL for none */
} DomainSignalEvent;

/* "NetworkEvent" of org.libvirt.Connect, whose first argument is the object's path, or "Refresh" of
 * org.libvirt.StoragePool. */
typedef struct ResourceEvent {
        Object *object;
        const char *member;
        GVariant *arguments; /* a tuple of what follows the path; NULL for nothing */
} ResourceEvent;

typedef struct LeasesEvent {
        Object *network;
        const char *mac; /* whose; NULL: anybody's */
} LeasesEvent;

typedef struct JobEvent {
        Object *object;
        Job *job; /* job_is_done() tells its end */
} JobEvent;

/* Paths of what a driver keeps for a machine beside its definition and its disks; NULL: there is no such. */
typedef struct DomainKept {
        char *variables; /* the firmware's */
        char *tpm;       /* a folder */
} DomainKept;

/* What a driver is, before it runs: in a table that manager.c goes through. */
struct DriverType {
        const char *name;                     /* "": the daemon's own object, /org/libvirt */
        const char *uri_system, *uri_session; /* NULL: not on that bus */
        const DriverOperations *operations;
        const char *missing;
        unsigned kinds;    /* of objects that it serves: 1 << OBJECT_DOMAIN | ... */
        bool is_in_memory; /* its objects are states and nothing else: the disk and the host know nothing of
                            * them, and the daemon's end is theirs */
        const char *scheduler; /* what shares processors among machines; NULL: nothing that could be set */
        /* Loads definitions and sets up; must not wait for a hypervisor. May be NULL. Runs on a fiber,
         * before the bus names are owned. */
        int (*open)(Driver *driver, Error *error);
        /* Starts what takes time (probing, taking back machines, autostart); on a fiber, after the names are
         * owned. */
        void (*run)(Driver *driver);
        /* Lets go of everything without ending any machine. */
        void (*close)(Driver *driver);
        /* What defining and creating by XML, by native values and by options come down to. The definition
         * was parsed, not completed; it is taken over, also after a failure. `existing` is the machine of
         * that UUID, which the caller may change and whose job is taken, or NULL for a new one; a name that
         * another machine of the owner has is the driver's to refuse (ERROR_EXISTS). `fds` are for a guest
         * that gets open files from its caller: borrowed. */
        int (*define_domain)(Call *call, Domain *existing, DomainDefinition *definition, Domain **ret_domain,
                             Error *error) AWAITS;
        /* What define_domain() would make of the definition, with nothing stored. */
        int (*prepare_domain)(const Driver *driver, DomainDefinition *definition, uid_t owner,
                              Error *error) AWAITS;
        /* Whether a prepared definition could be started here, as far as that can be known without touching
         * anything. NULL: the driver cannot tell. */
        int (*check_domain)(Call *call, const DomainDefinition *definition, Error *error) AWAITS;
        /* Spells out what the definition leaves to the host's processor (CPU mode host-model ...), as far as
         * it is known without waiting. NULL: nothing is left to it. */
        void (*update_cpu)(const Driver *driver, DomainDefinition *definition, uid_t owner);
        /* Writes what is in effect for a machine that runs, and is not its own (the limits of a portgroup
         * ...), into a copy of its live definition. NULL: there is no such thing. */
        void (*show_live)(const Domain *domain, DomainDefinition *shown);
        int (*create_domain)(Call *call, Domain *existing, DomainDefinition *definition, uint32_t flags,
                             const int *fds, size_t n_fds, Domain **ret_domain, Error *error) AWAITS;
        /* What undefining a machine is about, beside what its object shows. NULL: nothing else is kept. */
        int (*find_kept)(Call *call, Domain *domain, DomainKept *ret_kept, Error *error) AWAITS;
        /* Numbers about the machines, each begun by its name: all are asked at once. `flags` are those of
         * virConnectGetAllDomainStatsFlags that choose no machines. */
        int (*get_domain_stats)(Call *call, const GPtrArray *domains, uint32_t stats, uint32_t flags,
                                Records **ret_records, Error *error) AWAITS;
        /* The same for networks, filters, pools and secrets. The reference that they give is counted. */
        int (*define_network)(Call *call, Network *existing, NetworkDefinition *definition,
                              Network **ret_network, Error *error) AWAITS;
        int (*create_network)(Call *call, Network *existing, NetworkDefinition *definition,
                              Network **ret_network, Error *error) AWAITS;
        int (*define_nwfilter)(Call *call, NWFilter *existing, FilterDefinition *definition,
                               NWFilter **ret_filter, Error *error) AWAITS;
        int (*define_storage_pool)(Call *call, StoragePool *existing, StoragePoolDefinition *definition,
                                   StoragePool **ret_pool, Error *error) AWAITS;
        int (*create_storage_pool)(Call *call, StoragePool *existing, StoragePoolDefinition *definition,
                                   uint32_t flags, StoragePool **ret_pool, Error *error) AWAITS;
        /* Of a pool that is started: all its volumes (counted, the array frees them), the one of that name
         * (counted; NULL: there is none), and a new one with the content of another, which the caller may
         * read and which changes in no other way meanwhile. */
        int (*list_volumes)(Call *call, StoragePool *pool, GPtrArray **ret_volumes, Error *error) AWAITS;
        int (*find_volume)(Call *call, StoragePool *pool, const char *name, StorageVolume **ret_volume,
                           Error *error) AWAITS;
        int (*copy_volume)(Call *call, StoragePool *pool, const char *xml, StorageVolume *original,
                           uint32_t flags, StorageVolume **ret_volume, Error *error) AWAITS;
        /* A new one whose file is a copy of the other's, which shares its blocks if it `must_share`. */
        int (*clone_volume)(Call *call, StoragePool *pool, const char *xml, StorageVolume *original,
                            bool must_share, StorageVolume **ret_volume, Error *error) AWAITS;
        /* Moves `length` bytes (0: all that there are) from the descriptor to the volume's byte `offset` on,
         * or from there to the descriptor, which is borrowed. */
        int (*upload_volume)(Call *call, StorageVolume *volume, int source, uint64_t offset, uint64_t length,
                             bool is_sparse, uint64_t *ret_count, Error *error) AWAITS;
        int (*download_volume)(Call *call, StorageVolume *volume, int target, uint64_t offset,
                               uint64_t length, uint64_t *ret_count, Error *error) AWAITS;
        int (*define_secret)(Call *call, Secret *existing, SecretDefinition *definition, Secret **ret_secret,
                             Error *error) AWAITS;
};

Driver *driver_new(const DriverType *type, const Config *config);
Driver *driver_free(Driver *driver);
DEFINE_CLEANUP(Driver, driver_free)
/* 0, or ERROR_NOT_SUPPORTED with what it lacks to run here. */
int driver_check_runs(const Driver *driver, Error *error);

static inline Driver *object_get_driver(Object *object)
{
        return object->driver;
}
