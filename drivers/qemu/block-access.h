/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Single questions about disks and memory of a machine that runs. */

#include "drivers/qemu/machine.h"

int qemu_domain_block_resize(Call *call, Domain *domain, const char *disk, uint64_t size, uint32_t flags,
                             Error *error) AWAITS;
int qemu_domain_set_block_threshold(Call *call, Domain *domain, const char *dev, uint64_t threshold,
                                    uint32_t flags, Error *error) AWAITS;
int qemu_domain_get_disk_errors(Call *call, Domain *domain, uint32_t flags, GVariant **ret_errors,
                                Error *error) AWAITS;
int qemu_domain_block_peek(Call *call, Domain *domain, const char *name, uint64_t offset, uint64_t size,
                           uint32_t flags, GVariant **ret_buffer, Error *error) AWAITS;
int qemu_domain_memory_peek(Call *call, Domain *domain, uint64_t offset, uint64_t size, uint32_t flags,
                            GVariant **ret_buffer, Error *error) AWAITS;
