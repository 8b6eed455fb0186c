/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* After a restart of the daemon, however it ended. */

#include "drivers/qemu/machine.h"

/* Looks at every run folder: takes running machines back into memory, ends what was only begun, removes what
 * nobody owns. Definitions are loaded. Machines answer to commands, and those that ended meanwhile are
 * announced, once qemu->is_running. */
int recover_machines(Driver *driver, Error *error);
