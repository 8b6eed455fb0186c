/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line of a definition on this host. */

#include "drivers/qemu/command/line.h"
#include "drivers/qemu/machine.h"

/* Makes `live` the definition of a run in `folder` and builds its line, which borrows it and nothing else.
 * Waits until the emulator is known. */
int build_line(const Driver *driver, DomainDefinition *live, uid_t owner, const char *folder, bool runs,
               uint64_t deadline_usec, CommandLine **ret_line, Error *error) AWAITS;
