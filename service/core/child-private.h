/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between child-spawn.c and child.c. */

#include "core/child.h"

/* Watches a process that was just forked; on failure it is still the caller's to end. */
int child_watch_new(pid_t pid, Child **ret_child);
