/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The definition of a snapshot of a machine: <domainsnapshot>. */

#include "model/domain.h"

#define SNAPSHOT_STATES(E)                                                                                  \
        E(SNAPSHOT_STATE_ABSENT, NULL)                                                                      \
        E(SNAPSHOT_RUNNING, "running")                                                                      \
        E(SNAPSHOT_BLOCKED, "blocked")                                                                      \
        E(SNAPSHOT_PAUSED, "paused")                                                                        \
        E(SNAPSHOT_SHUTDOWN, "shutdown")                                                                    \
        E(SNAPSHOT_SHUTOFF, "shutoff")                                                                      \
        E(SNAPSHOT_CRASHED, "crashed")                                                                      \
        E(SNAPSHOT_PMSUSPENDED, "pmsuspended")                                                              \
        E(SNAPSHOT_DISK_ONLY, "disk-snapshot")
DECLARE_ENUM(SnapshotState, snapshot_state, SNAPSHOT_STATES)

/* What becomes of one disk. An internal one is in the image, an external one begins a new image, which is
 * `source`; the old one holds what was snapshotted. */
typedef struct SnapshotDisk {
        char *name; /* the target in the machine; in a request also the path of its source */
        DiskSnapshot snapshot;
        DiskType type;
        DiskFormat format;
        uint64_t metadata_cache_max_size;
        DiskSource source;
} SnapshotDisk;
extern const StructType snapshot_disk_type;

typedef struct SnapshotDefinition {
        char *name, *description, *parent;
        SnapshotState state;
        int64_t creation_time; /* seconds since 1970 */
        DiskSnapshot memory;
        char *memory_file;
        LIST(SnapshotDisk) disks;
        DomainType domain_type;            /* of `domain`; absent: there is none */
        char domain_uuid[37];              /* without a domain: all that is known of it */
        DomainDefinition *domain;          /* the machine as it was */
        DomainDefinition *inactive_domain; /* as its next start would have been, if it ran */
        char *cookie;                      /* what another program noted for itself, byte for byte */
} SnapshotDefinition;
extern const StructType snapshot_definition_type;

/* A request for a new snapshot (`is_redefinition` false: state, parent, time and domain are not read), or
 * all of one that exists. */
int snapshot_definition_parse(const char *xml, size_t size, bool is_redefinition, SnapshotDefinition **ret,
                              Error *error);
/* Refuses elements that the language does not have. */
int snapshot_definition_validate(const char *xml, size_t size, Error *error);
char *snapshot_definition_format(const SnapshotDefinition *definition, unsigned flags);
/* The same into a document that is open. */
void snapshot_definition_write(const SnapshotDefinition *definition, XmlWriter *writer, unsigned flags);
SnapshotDefinition *snapshot_definition_free(SnapshotDefinition *definition);
DEFINE_CLEANUP(SnapshotDefinition, snapshot_definition_free)

/* Both may be NULL; taken over. */
void snapshot_definition_set_domain(SnapshotDefinition *definition, DomainDefinition *domain,
                                    DomainDefinition *inactive_domain);

/* Gives a request its name and time, and checks what a name is. */
int snapshot_definition_complete(SnapshotDefinition *definition, int64_t now, Error *error);

/* Puts one disk for each of the domain's, in their order; those that were not named are snapshotted in the
 * way `usual`. New images get names after the snapshot where none was given. */
int snapshot_definition_align(SnapshotDefinition *definition, const DomainDefinition *domain,
                              DiskSnapshot usual, Error *error);

/* Whether the guest was off, or nothing but its disks was saved. */
bool snapshot_definition_is_offline(const SnapshotDefinition *definition);
/* Whether it has a part outside of the machine's images. */
bool snapshot_definition_is_external(const SnapshotDefinition *definition);
