/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations of Connect about CPUs. */

#include "drivers/qemu/machine.h"

int qemu_connect_baseline_hypervisor_cpu(Call *call, const char *emulator, const char *arch,
                                         const char *machine, const char *virttype, const char *const *cpus,
                                         uint32_t flags, char **ret_cpu, Error *error) AWAITS;
int qemu_connect_compare_cpu(Call *call, const char *xml, uint32_t flags, int32_t *ret_result,
                             Error *error) AWAITS;
int qemu_connect_compare_hypervisor_cpu(Call *call, const char *emulator, const char *arch,
                                        const char *machine, const char *virttype, const char *cpu,
                                        uint32_t flags, int32_t *ret_result, Error *error) AWAITS;
