/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files that the daemon opens for a machine. */

#include "core/error.h"
#include <sys/types.h>

typedef struct PassedOptions {
        bool is_writable;
        bool is_direct;
        bool is_device;   /* a character device is meant */
        bool is_reopened; /* its user opens it again by /proc/self/fd */
} PassedOptions;

/* Opens a regular file or a block device. Links on the way are followed only if root or the daemon itself
 * made them: whoever else may write to a folder on the way cannot choose what is opened. Blocks: for
 * workers. Returns the fd. */
int passed_open(const char *path, const PassedOptions *options, Error *error);
/* The same for a folder; the fd is good for reaching into it only (O_PATH). */
int passed_open_folder(const char *path, Error *error);
