/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Machines in units of their own, where systemd is the one that knows of processes. */

#include "bus/front.h"

/* Gives the drivers their scope_start() if this bus has a service manager that would do it for us. */
void scope_open(const FrontEnd *front);
