/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host grants a machine: shares and quotas of its processors, memory, bandwidth of disks
 * (<cputune>, <memtune>, <blkiotune>), by control groups of version 1 or 2; pins and schedulers by
 * threads.h. Groups have the name of the run's folder, by which they are found again. */

#include "drivers/qemu/machine.h"

/* Refuses what this owner or this host cannot have; before anything is started. */
int limits_check(const Domain *domain, const DomainDefinition *definition, Error *error);
/* Whether the machine has groups of its own, which nobody else may take it out of. */
bool limits_need_groups(const DomainDefinition *definition);
/* Puts the process that was just started into its groups. */
int limits_begin(const Domain *domain, Error *error);
/* When the guest's processors are there, and before they run. */
int limits_set(const Domain *domain, uint64_t deadline_usec, Error *error) AWAITS;
/* The same for one of the guest's processors that was just plugged in. */
int limits_set_processor(const Domain *domain, unsigned id, uint64_t deadline_usec, Error *error) AWAITS;
/* Puts what `changed` has otherwise than the running machine's definition on its process; on failure all is
 * as before. The caller makes the definition follow. */
int limits_change(const Domain *domain, const DomainDefinition *changed, uint64_t deadline_usec,
                  Error *error) AWAITS;
/* Sets the limits of `definition`, a copy of the running machine's, to what the kernel says they are. */
void limits_read(const Domain *domain, DomainDefinition *definition);
/* Removes the groups of a machine whose process is gone. */
void limits_end(const char *uuid);
