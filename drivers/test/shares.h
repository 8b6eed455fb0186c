/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host grants a machine, which nothing here measures. */

#include "driver.h"

int test_domain_get_scheduler_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                         Error *error);
int test_domain_set_scheduler_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                         Error *error);
int test_domain_get_memory_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                      Error *error);
int test_domain_set_memory_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                      Error *error);
int test_domain_get_numa_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                    Error *error);
int test_domain_set_numa_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                    Error *error);
int test_domain_get_block_io_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                        Error *error);
int test_domain_set_block_io_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                        Error *error);
