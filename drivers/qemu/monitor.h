/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The machine's monitor: its socket in the run folder, and where its news go. */

#include "drivers/qemu/machine.h"

#define MONITOR_SOCKET "monitor.sock"

/* Connects; QEMU listens since before it was started, and need not answer yet. */
int monitor_connect(Domain *domain, Error *error);
