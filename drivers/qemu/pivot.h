/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The moment in which a disk goes over to another image, the copy or the one that was merged into. What the
 * guest writes from then on is only there: so it stands still until the definition on the disk says so too.
 */

#include "drivers/qemu/machine.h"

/* Makes the definitions follow, on the disk and in memory. */
typedef int (*PivotFollow)(Domain *domain, const void *data, Error *error);

/* Completes QEMU's job `id`, both of whose images are equal, and lets the definitions follow. If they
 * cannot, the guest stays still and counts as paused; if the job cannot be completed it goes on as before.
 * The job is gone in any case. */
int pivot(Domain *domain, const char *id, PivotFollow follow, const void *data, Error *error) AWAITS;
/* After a daemon was killed in between, when the definitions are as QEMU's images are: the guest goes on.
 * Nothing if it is not held. */
void pivot_release(Domain *domain) AWAITS;
