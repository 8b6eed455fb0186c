/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The definition of a machine: <domain>. Pure data: nothing here asks the host, a hypervisor or the bus.
 * Enums are packed to a byte; 0 is "not given". Optional numbers that may be 0 have a has_x beside them. */

#include "model/domain/chardev.h"
#include "model/domain/controller.h"
#include "model/domain/cpu.h"
#include "model/domain/disk.h"
#include "model/domain/display.h"
#include "model/domain/features.h"
#include "model/domain/interface.h"
#include "model/domain/misc.h"
#include "model/domain/os.h"
#include "model/domain/tune.h"

#define DOMAIN_TYPES(E)                                                                                     \
        E(DOMAIN_TYPE_ABSENT, NULL)                                                                         \
        E(DOMAIN_TYPE_QEMU, "qemu")                                                                         \
        E(DOMAIN_TYPE_KQEMU, "kqemu")                                                                       \
        E(DOMAIN_TYPE_KVM, "kvm")                                                                           \
        E(DOMAIN_TYPE_XEN, "xen")                                                                           \
        E(DOMAIN_TYPE_LXC, "lxc")                                                                           \
        E(DOMAIN_TYPE_UML, "uml")                                                                           \
        E(DOMAIN_TYPE_OPENVZ, "openvz")                                                                     \
        E(DOMAIN_TYPE_TEST, "test")                                                                         \
        E(DOMAIN_TYPE_VMWARE, "vmware")                                                                     \
        E(DOMAIN_TYPE_HYPERV, "hyperv")                                                                     \
        E(DOMAIN_TYPE_VBOX, "vbox")                                                                         \
        E(DOMAIN_TYPE_PHYP, "phyp")                                                                         \
        E(DOMAIN_TYPE_PARALLELS, "parallels")                                                               \
        E(DOMAIN_TYPE_BHYVE, "bhyve")                                                                       \
        E(DOMAIN_TYPE_VZ, "vz")                                                                             \
        E(DOMAIN_TYPE_HVF, "hvf")
DECLARE_ENUM(DomainType, domain_type, DOMAIN_TYPES)

#define LIFECYCLE_ACTIONS(E)                                                                                \
        E(LIFECYCLE_ABSENT, NULL)                                                                           \
        E(LIFECYCLE_DESTROY, "destroy")                                                                     \
        E(LIFECYCLE_RESTART, "restart")                                                                     \
        E(LIFECYCLE_RENAME_RESTART, "rename-restart")                                                       \
        E(LIFECYCLE_PRESERVE, "preserve")                                                                   \
        E(LIFECYCLE_COREDUMP_DESTROY, "coredump-destroy")                                                   \
        E(LIFECYCLE_COREDUMP_RESTART, "coredump-restart")
DECLARE_ENUM(LifecycleAction, lifecycle_action, LIFECYCLE_ACTIONS)

#define LOCK_FAILURES(E)                                                                                    \
        E(LOCK_FAILURE_DEFAULT, "default")                                                                  \
        E(LOCK_FAILURE_POWEROFF, "poweroff")                                                                \
        E(LOCK_FAILURE_RESTART, "restart") E(LOCK_FAILURE_PAUSE, "pause") E(LOCK_FAILURE_IGNORE, "ignore")
DECLARE_ENUM(LockFailure, lock_failure, LOCK_FAILURES)

typedef struct DomainVcpu {
        uint32_t id, order;
        YesNo enabled, hotpluggable;
} DomainVcpu;

typedef struct DomainIothread {
        uint32_t id;
        bool has_pool_min, has_pool_max;
        int32_t pool_min, pool_max;
} DomainIothread;

typedef struct IdMap {
        uint32_t start, target, count;
} IdMap;

typedef struct DomainSeclabel {
        char *type, *model;
        YesNo relabel;
        char *label, *imagelabel, *baselabel;
} DomainSeclabel;

typedef struct CommandlineArgument {
        char *value;
} CommandlineArgument;

typedef struct CommandlineEnvironment {
        char *name, *value;
} CommandlineEnvironment;

typedef struct CommandlineCapability {
        char *name;
} CommandlineCapability;

/* What <qemu:commandline>, <qemu:capabilities> and <qemu:deprecation> add. */
typedef struct DomainCommandline {
        LIST(CommandlineArgument) arguments;
        LIST(CommandlineEnvironment) environment;
} DomainCommandline;

#define OVERRIDE_KINDS(E)                                                                                   \
        E(OVERRIDE_KIND_ABSENT, NULL)                                                                       \
        E(OVERRIDE_SIGNED, "signed")                                                                        \
        E(OVERRIDE_UNSIGNED, "unsigned")                                                                    \
        E(OVERRIDE_BOOL, "bool") E(OVERRIDE_STRING, "string") E(OVERRIDE_REMOVE, "remove")
DECLARE_ENUM(OverrideKind, override_kind, OVERRIDE_KINDS)

typedef struct OverrideProperty {
        char *name, *value;
        OverrideKind kind;
} OverrideProperty;

typedef struct DeviceOverride {
        char *alias;
        LIST(OverrideProperty) properties;
} DeviceOverride;

typedef struct DomainDevices {
        char *emulator;
        LIST(DomainDisk) disks;
        LIST(DomainController) controllers;
        LIST(DomainLease) leases;
        LIST(DomainFilesystem) filesystems;
        LIST(DomainInterface) interfaces;
        LIST(DomainSmartcard) smartcards;
        LIST(DomainSerial) serials;
        LIST(DomainParallel) parallels;
        LIST(DomainConsole) consoles;
        LIST(DomainChannel) channels;
        LIST(DomainInput) inputs;
        LIST(DomainTpm) tpms;
        LIST(DomainGraphics) graphics;
        LIST(DomainSound) sounds;
        LIST(DomainAudio) audios;
        LIST(DomainVideo) videos;
        LIST(DomainHostdev) hostdevs;
        LIST(DomainRedirdev) redirdevs;
        LIST(DomainHub) hubs;
        LIST(DomainWatchdog) watchdogs;
        LIST(DomainRng) rngs;
        LIST(DomainPanic) panics;
        LIST(DomainShmem) shmems;
        LIST(DomainMemory) memories;
        LIST(DomainIommu) iommus;
        LIST(DomainCrypto) cryptos;
        DomainRedirfilter *redirfilter;
        DomainMemballoon *memballoon;
        DomainNvram *nvram;
        DomainVsock *vsock;
} DomainDevices;

typedef struct DomainDefinition DomainDefinition;
struct DomainDefinition {
        DomainType type;
        LifecycleAction on_poweroff, on_reboot, on_crash;
        LockFailure on_lockfailure;
        Placement vcpu_placement;
        OnOff dump_core;
        YesNo suspend_to_mem, suspend_to_disk;
        bool has_id, has_genid;
        bool iothreads_given;
        int32_t id;     /* of a running machine; XML of a stopped one has none */
        char uuid[37];  /* "" until completed, if the XML has none */
        char genid[37]; /* "" with has_genid: to be made at the start */
        char *name, *title, *description, *hwuuid;
        char *metadata;      /* the children of <metadata>, byte for byte */
        uint64_t memory_kib; /* all of it: that of NUMA cells and memory devices included */
        uint64_t current_memory_kib, max_memory_kib;
        uint32_t max_memory_slots;
        uint32_t vcpus;         /* the most there can be */
        uint32_t current_vcpus; /* equal to vcpus unless said otherwise */
        uint32_t iothreads;
        char *cpuset;
        char *bootloader, *bootloader_args;
        LIST(DomainVcpu) vcpu_list;
        LIST(DomainIothread) iothread_list;
        MemoryBacking *memory_backing;
        BlkioTune *blkio_tune;
        MemoryTune *memory_tune;
        CpuTune *cpu_tune;
        Numatune *numatune;
        char *resource_partition, *fibrechannel_appid;
        LIST(DomainSysinfo) sysinfos;
        DomainOs os;
        LIST(IdMap) idmap_uids, idmap_gids;
        DomainFeatures features;
        DomainCpu *cpu; /* NULL: the hypervisor's default */
        DomainClock clock;
        LIST(PerfEvent) perf_events;
        LIST(KeywrapCipher) keywrap_ciphers;
        DomainDevices devices;
        LIST(DomainSeclabel) seclabels;
        LaunchSecurity *launch_security;
        DomainCommandline *commandline; /* qemu:commandline */
        LIST(CommandlineCapability) capabilities_added, capabilities_removed;
        char *deprecation_behavior;
        LIST(DeviceOverride) overrides;
};
extern const StructType domain_definition_type;

/* Parses and checks what one document can say about itself, without anything that the host or the hypervisor
 * decides. flags: DEFINITION_INACTIVE drops what belongs to a running machine only (id, aliases, ports given
 * at the start); with DEFINITION_STATUS everything is kept. The UUID may be "" afterwards. */
int domain_definition_parse(const char *xml, size_t size, unsigned flags, DomainDefinition **ret,
                            Error *error);

/* Fills in what libvirt fills in and shows, as far as no host is needed: uuid, MACs, controllers, addresses,
 * input devices, audio, video memory, memballoon ...; then checks the devices against each other. Twice is
 * as once. */
int domain_definition_complete(DomainDefinition *definition, Error *error);

/* Names of running devices ("net0", "virtio-disk0") for those without one: at the start only. */
void domain_definition_assign_aliases(DomainDefinition *definition);

/* Where random bytes for UUIDs and MACs come from; NULL: getrandom(). For tests. */
typedef void (*DomainRandom)(uint8_t *bytes, size_t size);
void domain_definition_set_random(DomainRandom random);

char *domain_definition_format(const DomainDefinition *definition, unsigned flags);
/* The same as an element of that name in a document that is open. */
void domain_definition_write(const DomainDefinition *definition, const char *element, XmlWriter *writer,
                             unsigned flags);
DomainDefinition *domain_definition_copy(const DomainDefinition *definition);
DomainDefinition *domain_definition_free(DomainDefinition *definition);
DEFINE_CLEANUP(DomainDefinition, domain_definition_free)

/* Of one in the definition of a run, where a virtual function has the VLAN of its network as if it were its
 * own; what `stored` (may be NULL) does not tell is not. */
bool domain_interface_has_own_vlan(const DomainInterface *interface, const DomainDefinition *stored);

/* Floating a{sv}; from_variant() takes what to_variant() gives, and what a person writes. */
GVariant *domain_definition_to_variant(const DomainDefinition *definition);
int domain_definition_from_variant(GVariant *variant, DomainDefinition **ret, Error *error);

/* The path of the first field in which they differ, or NULL; with guest_only, of what the guest would
 * notice. */
char *domain_definition_difference(const DomainDefinition *a, const DomainDefinition *b, bool guest_only);

int domain_name_check(const char *name, Error *error);

/* <metadata>: title, description, and one element for each namespace. The caller frees the result; NULL with
 * ERROR_NO_METADATA if there is none. Setting NULL or "" removes it. */
typedef enum DomainMetadataKind {
        DOMAIN_METADATA_DESCRIPTION = 0,
        DOMAIN_METADATA_TITLE = 1,
        DOMAIN_METADATA_ELEMENT = 2,
} DomainMetadataKind;
int domain_definition_get_metadata(const DomainDefinition *definition, int kind, const char *namespace_uri,
                                   char **ret_text, Error *error);
int domain_definition_set_metadata(DomainDefinition *definition, int kind, const char *text,
                                   const char *prefix, const char *namespace_uri, Error *error);
