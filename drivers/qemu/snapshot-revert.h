/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/machine.h"

int qemu_snapshot_revert(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error) AWAITS;

/* What the last daemon did not end, ended: a snapshot that was being taken, or gone back to. Of a machine
 * that does not run; its job is taken. */
void snapshot_revert_recover(Domain *domain, Job *job) AWAITS;
/* Of all that do not run. */
void snapshot_revert_recover_all(Driver *driver);
