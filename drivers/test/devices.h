/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Devices that come, go and change, in the running machine, in its definition, or in both. */

#include "driver.h"

int test_domain_attach_device(Call *call, Domain *domain, const char *xml, uint32_t flags, Error *error);
int test_domain_detach_device(Call *call, Domain *domain, const char *xml, uint32_t flags, Error *error);
int test_domain_update_device(Call *call, Domain *domain, const char *xml, uint32_t flags, Error *error);
int test_domain_set_link(Call *call, Domain *domain, const char *alias, bool is_up, Error *error);
