/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a request for a new snapshot means for the machine as it is, for every driver. */

#include "driver.h"
#include "model/snapshot.h"

/* virDomainSnapshotCreateFlags. */
enum {
        CREATE_REDEFINE = 1 << 0,
        CREATE_CURRENT = 1 << 1,
        CREATE_NO_METADATA = 1 << 2,
        CREATE_HALT = 1 << 3,
        CREATE_DISK_ONLY = 1 << 4,
        CREATE_REUSE_EXT = 1 << 5,
        CREATE_QUIESCE = 1 << 6,
        CREATE_ATOMIC = 1 << 7,
        CREATE_LIVE = 1 << 8,
        CREATE_VALIDATE = 1 << 9,
        CREATE_ALL = (1 << 10) - 1,
};

/* Unknown ones, and those that do not go together. */
int snapshot_request_check_flags(uint32_t flags, Error *error);
/* Says in the definition what is saved beside the disks, and in which way these usually are. */
int snapshot_request_decide(SnapshotDefinition *definition, const Domain *domain, uint32_t flags,
                            DiskSnapshot *ret_usual, Error *error);
/* Puts the machine in it, as it runs and as it would run next. */
int snapshot_request_set_domains(SnapshotDefinition *definition, const Domain *domain, Error *error);
