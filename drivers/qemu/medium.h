/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The disc in a drive of a machine that runs. */

#include "drivers/qemu/machine.h"
#include "model/device-list.h"

/* Puts the medium of the drive, which is a device of `live`, what the machine will be then, in the place of
 * the one that is there; none if it has no source. `force`: even if the guest has locked the tray. After a
 * failure the old one is in. */
int medium_change(Domain *domain, DomainDefinition *live, const Device *drive, bool force,
                  uint64_t deadline_usec, Error *error) AWAITS;
