/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a definition may ask for. */

#include "driver.h"

int test_connect_get_domain_capabilities(Call *call, const char *emulator, const char *arch,
                                         const char *machine, const char *type, uint32_t flags,
                                         char **ret_capabilities, Error *error);
