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
int test_domain_get_perf_events(Call *call, Domain *domain, uint32_t flags, GVariant **ret_events,
                                Error *error);
int test_domain_set_perf_events(Call *call, Domain *domain, GVariant *values, uint32_t flags, Error *error);
int test_domain_get_block_io_tune(Call *call, Domain *domain, const char *disk, uint32_t flags,
                                  GVariant **ret_limits, Error *error);
int test_domain_set_block_io_tune(Call *call, Domain *domain, const char *disk, GVariant *values,
                                  uint32_t flags, Error *error);
int test_domain_get_interface_parameters(Call *call, Domain *domain, const char *device, uint32_t flags,
                                         GVariant **ret_values, Error *error);
int test_domain_set_interface_parameters(Call *call, Domain *domain, const char *device, GVariant *values,
                                         uint32_t flags, Error *error);
