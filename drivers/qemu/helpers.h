/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Processes that serve one device of a machine: swtpm for an emulated TPM, virtiofsd for a shared folder.
 * They are connected with QEMU by a socket that nobody else can reach, and end when that is closed: with
 * QEMU, whether a daemon is there or not. They carry the tag of the run, by which those are found that do
 * not. */

#include "drivers/qemu/command/line.h"
#include "drivers/qemu/machine.h"
#include "drivers/qemu/user.h"

/* Starts those that the line wants; QEMU's ends of the sockets become fds[number - first_fd], the caller's.
 */
int helpers_start(Domain *domain, const CommandLine *line, const RunUser *user, int *fds, unsigned first_fd,
                  uint64_t deadline_usec, Error *error) AWAITS;
/* What one of them said that ended before its time; NULL: none did. The caller frees. */
char *helpers_complaint(const Machine *machine);
/* The run with that definition is over: whichever does not end by itself is ended. */
void helpers_end(Domain *domain, const DomainDefinition *definition);
