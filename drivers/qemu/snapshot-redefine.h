/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Records of snapshots that are there already: put back after they were lost, or changed in their words. */

#include "drivers/qemu/machine.h"

/* Takes the definition over, which was parsed as one of a snapshot that exists. */
int snapshot_redefine(Domain *domain, SnapshotDefinition *definition, bool is_disk_only, bool is_current,
                      DomainSnapshot **ret_snapshot, Error *error) AWAITS;
