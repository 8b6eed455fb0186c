/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between child.c, and child-spawn.c and child-run.c. */

#include "core/child.h"

/* Watches a process that was just forked; on failure it is still the caller's to end. */
int child_watch_new(pid_t pid, Child **ret_child);
/* Also on a fiber that is cancelled. One that the kernel does not let go (a server of files is gone) is left
 * behind. */
void child_kill_and_wait(Child *child) AWAITS;
