/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Other services of the host, for drivers: those that manage its network, for instance. */

#include "bus/front.h"

/* Gives the drivers their service_call() and service_watch(), if this is a bus of the host's services. */
void service_call_open(const FrontEnd *front);
