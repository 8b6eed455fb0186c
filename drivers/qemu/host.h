/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host is and has, as the org.libvirt family asks for it. */

#include "drivers/qemu/machine.h"

int qemu_connect_get_capabilities(Call *call, char **ret_capabilities, Error *error) AWAITS;
int qemu_connect_get_cpu_model_names(Call *call, const char *arch, uint32_t flags, char ***ret_models,
                                     Error *error) AWAITS;
int qemu_connect_node_get_cpu_map(Call *call, uint32_t flags, GVariant **ret_map, Error *error) AWAITS;
int qemu_connect_node_get_cpu_stats(Call *call, int32_t cpu, uint32_t flags, GVariant **ret_stats,
                                    Error *error) AWAITS;
int qemu_connect_node_get_free_memory(Call *call, uint64_t *ret_bytes, Error *error) AWAITS;
int qemu_connect_node_get_memory_stats(Call *call, int32_t cell, uint32_t flags, GVariant **ret_stats,
                                       Error *error) AWAITS;
int qemu_connect_node_get_security_model(Call *call, GVariant **ret_model, Error *error) AWAITS;
