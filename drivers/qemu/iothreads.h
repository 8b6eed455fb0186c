/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* I/O threads of a machine: those with a number in the definition, and as many more as it counts, which have
 * the lowest free numbers. */

#include "drivers/qemu/machine.h"

uint32_t iothread_count(const DomainDefinition *definition);
bool iothread_is_there(const DomainDefinition *definition, uint32_t id);

int qemu_domain_add_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error) AWAITS;
int qemu_domain_del_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error) AWAITS;
