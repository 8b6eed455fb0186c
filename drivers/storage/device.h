/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Block devices, for workers. */

#include "core/cleanup.h"
#include <sys/stat.h>

/* A descriptor of the device. -ETXTBSY: it is to be written, and something of the host uses it; -ENOTBLK: it
 * is something else. */
int device_open(const char *path, int flags);
/* fstat() of a file or a device, which here has a size as well. */
int device_stat(int file, struct stat *ret);
