/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Statistics of machines in memory: what their states and definitions say. */

#include "driver.h"

/* As DriverType.get_domain_stats. */
int test_get_domain_stats(Call *call, const GPtrArray *domains, uint32_t stats, uint32_t flags,
                          Records **ret_records, Error *error);
int test_domain_get_stats(Call *call, Domain *domain, uint32_t stats, uint32_t flags, Records **ret_records,
                          Error *error);
