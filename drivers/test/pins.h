/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A machine's I/O threads, and where its threads may run. */

#include "driver.h"

int test_domain_get_emulator_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_map,
                                      Error *error);
int test_domain_get_vcpu_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error);
int test_domain_pin_emulator(Call *call, Domain *domain, GVariant *map, uint32_t flags, Error *error);
int test_domain_pin_vcpu(Call *call, Domain *domain, uint32_t vcpu, GVariant *map, uint32_t flags,
                         Error *error);
int test_domain_pin_iothread(Call *call, Domain *domain, uint32_t id, GVariant *map, uint32_t flags,
                             Error *error);
int test_domain_get_iothread_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error);
int test_domain_add_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error);
int test_domain_del_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error);
