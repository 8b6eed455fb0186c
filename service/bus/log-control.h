/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.freedesktop.LogControl1 at /org/freedesktop/LogControl1 (`busctl`, `systemctl service-log-level`): how
 * much is logged and where to, while the daemon runs. */

#include "core/error.h"
#include <systemd/sd-bus.h>

int log_control_install(sd_bus *bus, Error *error);
