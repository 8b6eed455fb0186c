/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/machine.h"

/* Connects to a serial port, console or channel: by its alias; "" is the first that a person can use. */
int qemu_domain_open_console(Call *call, Domain *domain, const char *alias, uint32_t flags, int *ret_console,
                             Error *error) AWAITS;
/* Connects to a display, the counter of which is `idx`. */
int qemu_domain_open_graphics_fd(Call *call, Domain *domain, uint32_t idx, uint32_t flags, int *ret_fd,
                                 Error *error) AWAITS;
