/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Interfaces that are plugged into the host. */

#include "drivers/qemu/command/line.h"
#include "drivers/qemu/machine.h"

/* Makes the taps that the line wants and puts their descriptors where it says (`fds`, from number
 * `first_fd` on; the caller's to close). Networks that are down are brought up. The names of the taps are
 * written into the definition of the run. */
int plug_interfaces(Domain *domain, const CommandLine *line, int *fds, unsigned first_fd,
                    Error *error) AWAITS;
/* The machine was taken back with its taps: its networks know of them again. */
void plug_again(Domain *domain) AWAITS;
/* The same before that, while the daemon opens: its interfaces have filters. */
void plug_resume(Domain *domain);
