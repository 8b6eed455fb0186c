/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the last daemon did not end, ended: a snapshot that was being taken, or gone back to. */

#include "drivers/qemu/machine.h"

/* A snapshot that was being taken is complete, or there is none. An error, which is in the log, if that
 * cannot be found out: its record is kept. The machine's job is taken, and QEMU is spoken with if it runs.
 */
int snapshot_recover(Domain *domain, Error *error) AWAITS;
/* Of one that does not run. Its job is taken. */
void snapshot_recover_ended(Domain *domain, Job *job) AWAITS;
/* Of all that do not run. */
void snapshot_recover_stopped(Driver *driver);
