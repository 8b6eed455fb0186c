/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs of disks: what works on a disk's chain while the guest runs. */

#include "driver.h"

int test_domain_block_commit(Call *call, Domain *domain, const char *name, const char *base, const char *top,
                             uint64_t bandwidth, uint32_t flags, Error *error);
int test_domain_block_copy(Call *call, Domain *domain, const char *disk, const char *xml, GVariant *params,
                           uint32_t flags, Error *error);
int test_domain_block_job_abort(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error);
int test_domain_block_job_set_speed(Call *call, Domain *domain, const char *name, uint64_t bandwidth,
                                    uint32_t flags, Error *error);
int test_domain_block_pull(Call *call, Domain *domain, const char *disk, uint64_t bandwidth, uint32_t flags,
                           Error *error);
int test_domain_block_rebase(Call *call, Domain *domain, const char *disk, const char *base,
                             uint64_t bandwidth, uint32_t flags, Error *error);
int test_domain_get_block_job_info(Call *call, Domain *domain, const char *name, uint32_t flags,
                                   GVariant **ret_info, Error *error);
