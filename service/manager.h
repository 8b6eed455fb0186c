/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The drivers of this daemon, from the first to the last: which there are, and their lives. */

#include "driver.h"

/* Makes the drivers of the configuration's mode, and the manager that stands for the daemon itself.
 * *ret_drivers owns its drivers, in the order of their names. */
void manager_new(const Config *config, GPtrArray **ret_drivers, Driver **ret_manager);
/* Loads what every driver has on disk. A driver that cannot be opened says so to every later call and to the
 * log. */
void manager_open(const GPtrArray *drivers) AWAITS;
/* Lets the drivers take back what runs and start what starts by itself, each on a fiber of its own. */
void manager_run(const GPtrArray *drivers);
/* Lets go of everything without ending any machine. */
void manager_close(const GPtrArray *drivers);
