/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Devices change where they are. */

#include "drivers/qemu/machine.h"

int qemu_domain_update_device(Call *call, Domain *domain, const char *xml, uint32_t flags,
                              Error *error) AWAITS;
