/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What becomes of memory that was being written to a file when the daemon was killed. */

#include "drivers/qemu/machine.h"

/* Of a QEMU that is there, when its snapshots have been seen to: what is whole and was to end the run does,
 * anything else is given up, and the guest goes on if it ran. Nothing if none was being written. */
void memory_recover(Domain *domain, Job *job) AWAITS;
/* Of one that ended meanwhile; before the end is announced. */
void memory_recover_ended(Domain *domain) AWAITS;
