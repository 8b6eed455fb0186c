/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Limits of single disks, which QEMU keeps. */

#include "drivers/qemu/machine.h"

/* Tells QEMU the limits that are wanted (NULL: none) of the disk of a machine that runs; the definition is
 * the caller's. */
int disk_limits_change(Domain *domain, const DomainDisk *disk, const DiskTune *wanted,
                       uint64_t deadline_usec, Error *error) AWAITS;

int qemu_domain_get_block_io_tune(Call *call, Domain *domain, const char *disk, uint32_t flags,
                                  GVariant **ret_limits, Error *error);
int qemu_domain_set_block_io_tune(Call *call, Domain *domain, const char *disk, GVariant *limits,
                                  uint32_t flags, Error *error) AWAITS;
