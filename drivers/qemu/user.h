/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* As whom a QEMU runs: a user with all groups. Looking one up may ask a server, so it is work for
 * core/worker.h. */

#include "core/child.h"
#include "core/error.h"
#include <sys/types.h>

typedef struct RunUser {
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* the first is gid */
        size_t n_groups;
        char *name, *home;
        bool is_other; /* than the daemon's own: a process has to become it */
} RunUser;

/* By name or, if that is NULL, by number. Blocks. */
int run_user_find(const char *name, uid_t uid, RunUser *ret_user, Error *error);
/* The process is to become it. */
void run_user_become(ChildOptions *options, const RunUser *user);
void run_user_clear(RunUser *user);
