/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The saved memory of a machine, of which there is only the fact that it was saved. */

#include "driver.h"

int test_domain_managed_save(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_managed_save_remove(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_has_managed_save_image(Call *call, Domain *domain, uint32_t flags,
                                       bool *ret_managed_save_image, Error *error);
