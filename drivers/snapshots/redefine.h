/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Records of snapshots that are there already: put back after they were lost, or changed in their words. */

#include "drivers/snapshots/forest.h"
#include "drivers/snapshots/request.h"

/* Takes the definition over, which was parsed as one of a snapshot that exists. Of the flags of creation,
 * CURRENT and DISK_ONLY count. `apply` makes the change, and keeps it where the driver keeps snapshots. */
int redefine_snapshot(Domain *domain, SnapshotDefinition *definition, uint32_t flags,
                      int (*apply)(Domain *domain, const SnapshotChange *change, Error *error),
                      DomainSnapshot **ret_snapshot, Error *error) AWAITS;
