/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many processors a machine has. */

#include "drivers/qemu/machine.h"

/* QEMU says that a device is gone: one of the processors that were plugged in? */
bool vcpus_removed(Domain *domain, const char *alias);
/* How many there are, after a daemon was killed. */
void vcpus_recover(Domain *domain) AWAITS;

int qemu_domain_get_vcpus(Call *call, Domain *domain, uint32_t flags, uint32_t *ret_vcpus,
                          Error *error) AWAITS;
int qemu_domain_set_vcpus(Call *call, Domain *domain, uint32_t vcpus, uint32_t flags, Error *error) AWAITS;
