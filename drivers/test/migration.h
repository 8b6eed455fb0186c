/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Operations of Domain: what a migration would go by. */

#include "driver.h"

int test_domain_migrate_get_max_speed(Call *call, Domain *domain, uint32_t flags, uint64_t *ret_speed_mib,
                                      Error *error);
int test_domain_migrate_set_max_speed(Call *call, Domain *domain, uint64_t speed_mib, uint32_t flags,
                                      Error *error);
int test_domain_migrate_get_compression_cache(Call *call, Domain *domain, uint32_t flags,
                                              uint64_t *ret_bytes, Error *error);
int test_domain_migrate_set_compression_cache(Call *call, Domain *domain, uint64_t bytes, uint32_t flags,
                                              Error *error);
