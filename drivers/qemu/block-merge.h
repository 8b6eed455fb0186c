/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images of a chain that are merged while the guest runs, upwards and downwards: the jobs begin here. */

#include "drivers/qemu/machine.h"

int qemu_domain_block_pull(Call *call, Domain *domain, const char *disk, uint64_t bandwidth, uint32_t flags,
                           Error *error) AWAITS;
int qemu_domain_block_rebase(Call *call, Domain *domain, const char *disk, const char *base,
                             uint64_t bandwidth, uint32_t flags, Error *error) AWAITS;
int qemu_domain_block_commit(Call *call, Domain *domain, const char *disk, const char *base, const char *top,
                             uint64_t bandwidth, uint32_t flags, Error *error) AWAITS;
