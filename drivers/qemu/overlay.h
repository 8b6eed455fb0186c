/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver.h"

/* The descriptor of a new empty qcow2 image of the size of the one at `path`, in a file that has no name: it
 * is gone with the last process that has it open. `driver` says where. */
int overlay_make(const Driver *driver, const char *path, uint64_t deadline_usec, int *ret_fd,
                 Error *error) AWAITS;
