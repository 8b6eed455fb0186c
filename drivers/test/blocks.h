/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Disks, which have a size and no content. */

#include "driver.h"

/* Bytes. */
uint64_t blocks_size(const Domain *domain, const char *target);

int test_domain_block_peek(Call *call, Domain *domain, const char *name, uint64_t offset, uint64_t size,
                           uint32_t flags, GVariant **ret_buffer, Error *error);
int test_domain_block_resize(Call *call, Domain *domain, const char *name, uint64_t size, uint32_t flags,
                             Error *error);
int test_domain_get_disk_errors(Call *call, Domain *domain, uint32_t flags, GVariant **ret_errors,
                                Error *error);
