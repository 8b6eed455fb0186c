/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The process of a machine: as whom it runs, what it is given, where its words go. */

#include "drivers/qemu/command/line.h"
#include "drivers/qemu/machine.h"

/* Whether machines run under users of their own: where the daemon is root on behalf of all. */
bool run_needs_user(const Config *config);
/* The owner, or for a machine that no user owns the user without rights. */
int run_find_user(const Config *config, uid_t owner, uint64_t deadline_usec, RunUser *ret_user,
                  Error *error) AWAITS;

/* Makes the folder, opens and binds what the line names, and starts QEMU; `user` NULL: as the daemon itself.
 */
int run_spawn(Machine *machine, const CommandLine *line, const RunUser *user, Error *error);

/* The last line that QEMU wrote to its log in this run; NULL if there is none. The caller frees. */
char *run_last_words(const Domain *domain);

/* In the environment of every QEMU of ours: by it one is found that a crash left without anything else. */
#define RUN_TAG "VIRTBUS_RUN="
