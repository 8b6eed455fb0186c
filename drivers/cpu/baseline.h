/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which CPU several hosts have in common. */

#include "driver.h"
#include "drivers/cpu/features.h"

/* Of the flags of BaselineCPU and of those like it. */
int cpu_baseline_check_flags(const char *operation, uint32_t flags, Error *error);

/* The CPU that all of `cpus`, <cpu> elements, can give to a guest, as XML; the caller frees. `possible`: of
 * the features no others (NULL: any); `models`: the names of one of them (NULL: any). The flags are checked
 * ones. */
int cpu_baseline(const char *const *cpus, const CpuSet *possible, GHashTable *models, uint32_t flags,
                 char **ret_cpu, Error *error) AWAITS;

/* The operation of Connect. */
int cpus_baseline_cpu(Call *call, const char *const *cpus, uint32_t flags, char **ret_cpu,
                      Error *error) AWAITS;
