/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a real QEMU takes a command line. */

#include "drivers/qemu/command/line.h"

/* Starts it as the daemon would, up to the first command of the monitor, and ends it. `folder` is the
 * machine's (line->host.folder). The error has QEMU's words. */
int line_accept(const CommandLine *line, const char *folder, Error *error) AWAITS;
