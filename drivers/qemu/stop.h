/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Everything by which a machine is made to end or begin anew. */

#include "drivers/qemu/machine.h"

/* Ends the process of a machine that runs; `end` is what is told of it. The run is over when it returns. */
int stop_process(Domain *domain, MachineEnd end, Call *call, Error *error) AWAITS;

int qemu_domain_destroy(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_shutdown(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_reboot(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
int qemu_domain_reset(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS;
