/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Devices change where they are. */

#include "drivers/qemu/machine.h"

/* What became of a change that a killed daemon had begun (machine->was). */
void update_recover(Domain *domain) AWAITS;

int qemu_domain_update_device(Call *call, Domain *domain, const char *xml, uint32_t flags,
                              Error *error) AWAITS;
