/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The moment in which a disk goes over to another image, the copy or the one that was merged into. What the
 * guest writes from then on is only there: so it stands still until the definition on the disk says so too.
 */

#include "drivers/qemu/machine.h"

/* Makes the definitions follow, on the disk and in memory. */
typedef int (*PivotFollow)(Domain *domain, const void *data, Error *error);

/* Completes QEMU's job `id`, both of whose images are equal, and lets the definitions follow. If they
 * cannot, the guest stays still and counts as paused, until they have (Machine.held_by); if QEMU does not
 * complete the job, the guest goes on as before. After -ECANCELED it may be held still (Machine.is_held):
 * QEMU was told and has not said how it went, which pivot_release() waits for. Whether the job is gone is
 * for the caller to look. */
int pivot(Domain *domain, const char *id, PivotFollow follow, const void *data, Error *error) AWAITS;
/* An error if the guest is held, or is not to go on before the definitions have followed: for whatever stops
 * it, lets it go on or changes its images. */
int pivot_check(const Domain *domain, Error *error);
/* When QEMU's job is gone, after a daemon was killed in between or the wait was given up: a guest that is
 * held goes on if the definitions have followed, and counts as paused otherwise. */
void pivot_release(Domain *domain, bool has_followed) AWAITS;
