/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The firmware's variables belong to a machine's snapshot: a copy is kept with the record, unless there is
 * the memory of a run, which has them. */

#include "drivers/qemu/machine.h"

/* Nothing is done for a machine without any. Of one that runs they are as a loss of power would leave them,
 * as its disks are. */
int snapshot_variables_save(DomainSnapshot *snapshot, const DomainDefinition *definition,
                            Error *error) AWAITS;
/* Puts them back, into the file that the definition names. */
int snapshot_variables_restore(const DomainSnapshot *snapshot, const DomainDefinition *definition,
                               Error *error) AWAITS;
