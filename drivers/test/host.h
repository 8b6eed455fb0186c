/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host that machines in memory run on. */

#include "driver.h"

#define HOST_CPUS       8
#define HOST_VCPUS_MAX  32 /* of a machine, as with libvirt's test driver */
#define HOST_ARCH       "i686"
#define HOST_MEMORY_KIB (3ull << 20)

int test_connect_get_capabilities(Call *call, char **ret_capabilities, Error *error);
int test_connect_compare_cpu(Call *call, const char *xml, uint32_t flags, int32_t *ret_result, Error *error);
int test_connect_get_cpu_model_names(Call *call, const char *arch, uint32_t flags, char ***ret_models,
                                     Error *error);
int test_connect_get_sysinfo(Call *call, uint32_t flags, char **ret_sysinfo, Error *error);
int test_connect_node_get_cpu_map(Call *call, uint32_t flags, GVariant **ret_map, Error *error);
int test_connect_node_get_cpu_stats(Call *call, int32_t cpu, uint32_t flags, GVariant **ret_stats,
                                    Error *error);
int test_connect_node_get_free_memory(Call *call, uint64_t *ret_bytes, Error *error);
int test_connect_node_get_memory_stats(Call *call, int32_t cell, uint32_t flags, GVariant **ret_stats,
                                       Error *error);
int test_connect_node_get_security_model(Call *call, GVariant **ret_model, Error *error);
int test_connect_node_get_memory_parameters(Call *call, uint32_t flags, GVariant **ret_params, Error *error);
int test_connect_node_set_memory_parameters(Call *call, GVariant *params, uint32_t flags, Error *error);
