/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What QEMU is told in confidence. Each run has a key of its own: QEMU reads it from a file of the run's
 * folder, and gets every secret encrypted with it, in its arguments or by the monitor. The file stays for
 * what is plugged in later. */

#include "drivers/qemu/command/line.h"
#include "drivers/qemu/machine.h"

/* Makes the key and its file, which only QEMU's user can read ((uid_t)-1: the daemon's own), and encrypts
 * the secrets of the line. A secret is one of the machine's owner's. */
int secret_begin(const Domain *domain, CommandLine *line, int folder_fd, uid_t uid, gid_t gid, Error *error);

/* The same for a line with devices for a machine that runs. */
int secret_fill_running(const Domain *domain, CommandLine *line, Error *error);
