/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The memory of a snapshot that has it in a file of its own: a saved machine, of the owner's. */

#include "drivers/qemu/machine.h"

/* Writes it to an empty file. The guest stands still when this returns well, so that its disks are of the
 * same moment; until the last moment it goes on if `is_live`. */
int snapshot_memory_write(Domain *domain, const SnapshotDefinition *definition, int fd, bool is_live,
                          Error *error) AWAITS;
/* Opens one that is whole; the descriptor stands where QEMU's part begins. ERROR_OPERATION_FAILED for one
 * that is not. */
int snapshot_memory_open(const Domain *domain, const SnapshotDefinition *definition, int *ret_fd,
                         Error *error) AWAITS;
