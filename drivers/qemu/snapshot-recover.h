/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "drivers/qemu/machine.h"

/* A snapshot that was being taken when the last daemon ended is complete, or there is none. An error, which
 * is in the log, if that cannot be found out: its record is kept, and the images are left as they are. The
 * machine's job is taken, and QEMU is spoken with if it runs. */
int snapshot_recover(Domain *domain, Error *error) AWAITS;
