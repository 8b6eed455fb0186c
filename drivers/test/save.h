/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The saved memory of a machine, of which there is only the fact that it was saved. */

#include "driver.h"

/* Of what saves and restores. Nothing is read or written, so that the host's cache is bypassed by itself. */
int save_check_flags(const char *operation, uint32_t flags, Error *error);
/* Whether the guest runs once it is restored, as it did when it was saved or as the flags say. */
bool save_goes_on(bool was_running, uint32_t flags);

int test_domain_managed_save(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_managed_save_remove(Call *call, Domain *domain, uint32_t flags, Error *error);
int test_domain_has_managed_save_image(Call *call, Domain *domain, uint32_t flags,
                                       bool *ret_managed_save_image, Error *error);
