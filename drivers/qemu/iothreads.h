/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/machine.h"

int qemu_domain_add_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error) AWAITS;
int qemu_domain_del_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error) AWAITS;
