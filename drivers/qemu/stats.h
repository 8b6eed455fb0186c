/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Statistics by groups, with libvirt's names. */

#include "drivers/qemu/machine.h"

int qemu_domain_get_stats(Call *call, Domain *domain, uint32_t stats, uint32_t flags, GVariant **ret_records,
                          Error *error) AWAITS;
