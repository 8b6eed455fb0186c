/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A device that QEMU has let go of: what was behind it goes, too. */

#include "drivers/qemu/machine.h"

/* The device of that alias is no part of the live definition any more when this returns. What was behind it
 * is removed soon, and the status saved; machine->n_unplugging counts how many are on their way. Nothing
 * happens if there is no such device. */
void unplug_begin(Domain *domain, const char *alias);
/* Until nothing is on its way any more: names that are in use still could be taken by a new device. */
int unplug_wait(Domain *domain, uint64_t deadline_usec, Error *error) AWAITS;
/* Removes what is behind a drive and used by nobody any more: media that were taken out. */
void unplug_media(Domain *domain, const char *target) AWAITS;
