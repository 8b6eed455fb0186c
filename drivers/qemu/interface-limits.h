/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The bandwidth of one interface of a machine. */

#include "drivers/qemu/machine.h"

int qemu_domain_get_interface_parameters(Call *call, Domain *domain, const char *device, uint32_t flags,
                                         GVariant **ret_values, Error *error) AWAITS;
int qemu_domain_set_interface_parameters(Call *call, Domain *domain, const char *device, GVariant *values,
                                         uint32_t flags, Error *error) AWAITS;
