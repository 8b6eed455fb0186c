/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a command line to a process: whose it is, what it gets to hold, where it runs. */

#include "drivers/qemu/command/line.h"
#include "drivers/qemu/machine.h"
#include "drivers/qemu/user.h"

/* Whether machines of this owner get files opened by the daemon: those that no user owns, whose QEMU has no
 * rights. */
bool launch_passes_files(const Driver *driver, uid_t owner);

/* As whom the machine's QEMU runs, and everything else that is run for it. */
int launch_find_user(const Domain *domain, uint64_t deadline_usec, RunUser *ret_user, Error *error) AWAITS;

/* Makes the run folder, opens and binds what the line wants, and starts QEMU, which is then machine->child.
 */
int launch(Domain *domain, CommandLine *line, const RunUser *user, uint64_t deadline_usec,
           Error *error) AWAITS;
/* Fails if a file that was opened for the line, to be written to, is not at its path any more: for when QEMU
 * has it and the guest does not run by it yet, as nothing but QEMU's locks keeps others from removing or
 * replacing an image. What is only read may be replaced: QEMU has what it was. */
int launch_check_files(const Domain *domain, const CommandLine *line, uint64_t deadline_usec,
                       Error *error) AWAITS;

/* What launch() does, for devices of a machine that runs: opens, binds and plugs in what their line wants;
 * the descriptor with number N is fds[N - first_fd], the caller's to close, also after a failure. `live`
 * learns the names of taps. */
int launch_open(Domain *domain, DomainDefinition *live, const CommandLine *line, const RunUser *user,
                unsigned first_fd, uint64_t deadline_usec, int *fds, Error *error) AWAITS;
