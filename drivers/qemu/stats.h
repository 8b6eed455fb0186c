/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Statistics by groups, with libvirt's names. */

#include "drivers/qemu/machine.h"

/* As DriverType.get_domain_stats. */
int qemu_get_domain_stats(Call *call, const GPtrArray *domains, uint32_t stats, uint32_t flags,
                          Records **ret_records, Error *error) AWAITS;

int qemu_domain_get_stats(Call *call, Domain *domain, uint32_t stats, uint32_t flags, Records **ret_records,
                          Error *error) AWAITS;
