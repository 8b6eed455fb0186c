/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Stopping and waking a guest that stays where it is. */

#include "drivers/qemu/machine.h"

int qemu_domain_suspend(Call *call, Domain *domain, Error *error) AWAITS;
int qemu_domain_resume(Call *call, Domain *domain, Error *error) AWAITS;
int qemu_domain_inject_nmi(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
