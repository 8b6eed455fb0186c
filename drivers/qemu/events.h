/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What QEMU's events make of a machine's state. */

#include "drivers/qemu/machine.h"

/* On the loop's stack, as they arrive. `arguments` may be NULL. */
void events_handle(Domain *domain, const char *event, json_t *arguments);

/* The machine that was starting runs now (or stands at its first instruction, if that was wanted): it is
 * live, and announced. Nothing happens if that was done already. */
void events_started(Domain *domain);

/* By the word of QEMU's query-status: makes what is known of the machine true again. */
void events_synchronise(Domain *domain, const char *status);
