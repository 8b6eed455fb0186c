/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is to be backed up, and where to: <domainbackup>. */

#include "model/domain.h"

#define BACKUP_MODES(E) E(BACKUP_MODE_ABSENT, NULL) E(BACKUP_PUSH, "push") E(BACKUP_PULL, "pull")
DECLARE_ENUM(BackupMode, backup_mode, BACKUP_MODES)

#define BACKUP_DISK_MODES(E)                                                                                \
        E(BACKUP_DISK_MODE_ABSENT, NULL) E(BACKUP_FULL, "full") E(BACKUP_INCREMENTAL, "incremental")
DECLARE_ENUM(BackupDiskMode, backup_disk_mode, BACKUP_DISK_MODES)

typedef struct BackupServer {
        DiskTransport transport;
        YesNo tls;
        char *name, *port, *socket;
} BackupServer;

typedef struct BackupDisk {
        char *name; /* the target in the machine */
        YesNo backup;
        DiskType type;
        BackupDiskMode mode;
        char *incremental; /* the checkpoint from which changes count */
        char *export_name, *export_bitmap;
        DiskFormat format;
        DiskSource target;  /* of a push: where the data goes */
        DiskSource scratch; /* of a pull: what the guest overwrites meanwhile */
} BackupDisk;

typedef struct BackupDefinition {
        BackupMode mode;
        char *incremental;
        BackupServer *server;
        LIST(BackupDisk) disks;
} BackupDefinition;
extern const StructType backup_definition_type;

int backup_definition_parse(const char *xml, size_t size, BackupDefinition **ret, Error *error);
char *backup_definition_format(const BackupDefinition *definition);
BackupDefinition *backup_definition_free(BackupDefinition *definition);
DEFINE_CLEANUP(BackupDefinition, backup_definition_free)

/* Says of every disk of the machine whether and how it is backed up; files that are not named end in
 * `suffix`. */
int backup_definition_complete(BackupDefinition *definition, const DomainDefinition *domain,
                               const char *suffix, Error *error);
