/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the last daemon did not end, ended: a snapshot that was being taken, an image that was being merged.
 */

#include "drivers/qemu/machine.h"

/* Of a machine that runs, when it is spoken with again. Its job is taken. */
void snapshot_recover(Domain *domain) AWAITS;
/* Of one that does not run. Its job is taken. */
void snapshot_recover_ended(Domain *domain, Job *job) AWAITS;
/* Of all that do not run. */
void snapshot_recover_stopped(Driver *driver);
