/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/machine.h"

/* What a daemon that was killed had begun, of a machine that does not run. */
int snapshot_revert_again(DomainSnapshot *snapshot, Job *job, Error *error) AWAITS;
int qemu_snapshot_revert(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error) AWAITS;
