/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* On which of the host's processors a machine's threads may run. */

#include "drivers/qemu/machine.h"

int qemu_domain_pin_vcpu(Call *call, Domain *domain, uint32_t vcpu, GVariant *map, uint32_t flags,
                         Error *error) AWAITS;
int qemu_domain_pin_emulator(Call *call, Domain *domain, GVariant *map, uint32_t flags, Error *error) AWAITS;
int qemu_domain_pin_iothread(Call *call, Domain *domain, uint32_t id, GVariant *map, uint32_t flags,
                             Error *error) AWAITS;
int qemu_domain_get_vcpu_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error);
int qemu_domain_get_emulator_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_map,
                                      Error *error);
int qemu_domain_get_iothread_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error);
