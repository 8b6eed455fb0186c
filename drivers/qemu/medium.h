/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The disc in a drive of a machine that runs. */

#include "drivers/qemu/machine.h"
#include "model/device-list.h"

/* Puts the medium of the drive, which is a device of `live`, what the machine will be then, in the place of
 * the one that was there; none if it has no source. Its images have the number of its source, which is free.
 * `force`: even if the guest has locked the tray. After a failure the old one is in. */
int medium_change(Domain *domain, DomainDefinition *live, const Device *drive, const DomainDisk *was,
                  bool force, uint64_t deadline_usec, Error *error) AWAITS;
/* A daemon was killed while it did that. Returns 1 if the new one is in, 0 if the old one is, perhaps again.
 */
int medium_recover(Domain *domain, const DomainDisk *was, const DomainDisk *is, Error *error) AWAITS;
