/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of a definition. */

#include "drivers/qemu/machine.h"

int qemu_domain_undefine(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;

/* DriverType.find_kept. */
int qemu_find_kept(Call *call, Domain *domain, DomainKept *ret_kept, Error *error) AWAITS;
