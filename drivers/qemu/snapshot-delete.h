/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/machine.h"

int qemu_snapshot_delete(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error) AWAITS;
