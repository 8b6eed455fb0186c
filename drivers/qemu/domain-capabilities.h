/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What machines can have on this host. */

#include "drivers/qemu/machine.h"

int qemu_connect_get_domain_capabilities(Call *call, const char *emulator, const char *arch,
                                         const char *machine, const char *virttype, uint32_t flags,
                                         char **ret_capabilities, Error *error) AWAITS;
