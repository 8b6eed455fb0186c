/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The firmware's variables of a machine that does not run belong to its snapshot: a copy is kept with the
 * record. (Of one that runs QEMU has them with the memory.) */

#include "drivers/qemu/machine.h"

/* Nothing is done for a machine without any. */
int snapshot_variables_save(DomainSnapshot *snapshot, const DomainDefinition *definition,
                            Error *error) AWAITS;
/* Puts them back, into the file that the definition names. */
int snapshot_variables_restore(const DomainSnapshot *snapshot, const DomainDefinition *definition,
                               Error *error) AWAITS;
