/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Limits of single disks, which QEMU keeps. */

#include "drivers/qemu/machine.h"

int qemu_domain_get_block_io_tune(Call *call, Domain *domain, const char *disk, uint32_t flags,
                                  GVariant **ret_limits, Error *error);
int qemu_domain_set_block_io_tune(Call *call, Domain *domain, const char *disk, GVariant *limits,
                                  uint32_t flags, Error *error) AWAITS;
