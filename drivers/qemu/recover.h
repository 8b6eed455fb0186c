/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* After a restart of the daemon: what ran goes on, what did not survive is told, what belongs to nobody is
 * removed. */

#include "driver.h"

/* From the files alone, before anybody can call: machines whose process lives are active again. */
void recover_adopt(Driver *driver);
/* Speaks with each, tells the ends of those that are gone, and removes what a crash has left. */
void recover_run(Driver *driver) AWAITS;
