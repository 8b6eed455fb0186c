/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a machine's threads may run. */

#include "driver.h"

int test_domain_get_emulator_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_map,
                                      Error *error);
int test_domain_get_vcpu_pin_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                  Error *error);
int test_domain_pin_emulator(Call *call, Domain *domain, GVariant *map, uint32_t flags, Error *error);
int test_domain_pin_vcpu(Call *call, Domain *domain, uint32_t vcpu, GVariant *map, uint32_t flags,
                         Error *error);
