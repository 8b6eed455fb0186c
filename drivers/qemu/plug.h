/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Interfaces that are plugged into the host: their taps, and the addresses that guests have there. */

#include "drivers/qemu/command/line.h"
#include "drivers/qemu/machine.h"

/* Makes the taps that the line wants and puts their descriptors where it says (`fds`, from number
 * `first_fd` on; the caller's to close). Networks that are down are brought up. The names of the taps are
 * written into the definition of the run. */
int plug_interfaces(Domain *domain, const CommandLine *line, int *fds, unsigned first_fd,
                    Error *error) AWAITS;

int qemu_domain_interface_addresses(Call *call, Domain *domain, uint32_t source, uint32_t flags,
                                    GVariant **ret_ifaces, Error *error) AWAITS;
