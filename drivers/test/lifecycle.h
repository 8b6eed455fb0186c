/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Starting, pausing and ending machines. */

#include "driver.h"

int test_domain_create(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_create_with_files(Call *call, Domain *domain, const int *files, size_t n_files,
                                  uint32_t flags, Error *error);
int test_domain_suspend(Call *call, Domain *domain, Error *error);
int test_domain_resume(Call *call, Domain *domain, Error *error);
int test_domain_shutdown(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_reboot(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_reset(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_destroy(Call *call, Domain *domain, uint32_t flags, Error *error);
