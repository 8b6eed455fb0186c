/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changes of parts of a definition, of the running machine's or of the one that is kept, and what is told of
 * them. */

#include "driver.h"

int test_domain_get_job_info(Call *call, Domain *domain, GVariant **ret_job_info, Error *error);
int test_domain_get_vcpus(Call *call, Domain *domain, uint32_t flags, uint32_t *ret_vcpus, Error *error);
int test_domain_memory_stats(Call *call, Domain *domain, uint32_t flags, GVariant **ret_stats, Error *error);
int test_domain_set_autostart(Call *call, Domain *domain, bool value, Error *error);
int test_domain_set_memory(Call *call, Domain *domain, uint64_t memory, uint32_t flags, Error *error);
int test_domain_set_metadata(Call *call, Domain *domain, int32_t type, const char *metadata, const char *key,
                             const char *uri, uint32_t flags, Error *error);
int test_domain_set_vcpus(Call *call, Domain *domain, uint32_t vcpus, uint32_t flags, Error *error);
