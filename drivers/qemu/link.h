/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The cable of a guest's network card: in, or pulled out. */

#include "drivers/qemu/machine.h"

int qemu_domain_set_link(Call *call, Domain *domain, const char *alias, bool is_up, Error *error) AWAITS;
