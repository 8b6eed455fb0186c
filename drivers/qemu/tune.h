/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much memory a machine has, and what its balloon knows. */

#include "drivers/qemu/machine.h"

int qemu_domain_memory_stats(Call *call, Domain *domain, uint32_t flags, GVariant **ret_stats,
                             Error *error) AWAITS;
int qemu_domain_set_memory(Call *call, Domain *domain, uint64_t memory_kib, uint32_t flags,
                           Error *error) AWAITS;
int qemu_domain_set_memory_stats_period(Call *call, Domain *domain, int32_t period_sec, uint32_t flags,
                                        Error *error) AWAITS;
