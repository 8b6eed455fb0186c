/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/machine.h"

/* Until QEMU writes no more of it. */
int dump_wait(Domain *domain, Error *error) AWAITS;

int qemu_domain_core_dump(Call *call, Domain *domain, const char *to, uint32_t dumpformat, uint32_t flags,
                          Error *error) AWAITS;
int qemu_domain_abort_job(Call *call, Domain *domain, Error *error) AWAITS;
