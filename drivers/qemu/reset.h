/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Beginning anew in the same process: what a reboot is in which the guest only shut down, and what follows a
 * panic whose definition says so. */

#include "drivers/qemu/machine.h"

/* From an event: does it in the background, as a job of its own. */
void reset_begin(Domain *domain);
/* Resets, lets a later shutdown be an end again, and lets it run. The job is taken. */
int reset_and_run(Domain *domain, uint64_t deadline_usec, Error *error) AWAITS;
/* What QEMU does when the guest switches itself off; sent, the answer is to be waited for. */
QmpCommand *reset_send_shutdown_action(Machine *machine, bool pauses);
