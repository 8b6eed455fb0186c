/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Starts that nobody called for. */

#include "drivers/qemu/machine.h"

/* Every machine that shall start with the host and has not run since that was booted, one after the other.
 */
void autostart_machines(Driver *driver) AWAITS;

/* A machine whose definition says that it begins anew after its end; in the background. A transient one that
 * cannot is gone then. */
void autostart_again(Domain *domain);
