/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What "Permission denied" is about: which folder on the way to a file, or the file itself. */

#include "core/error.h"

/* "/home/anna has mode 0700 and belongs to anna:anna: bob may not enter it", found with the rights of the
 * thread that asks, which tells nobody more than they could see themselves. NULL if it lets them pass.
 * Blocks: for workers. The caller frees. */
char *denial_find(const char *path);
/* The same of what is known already: `what` may not be done ("enter", "read"). The fd may be O_PATH. */
char *denial_describe(int fd, const char *what);
/* As error_set_errno(), "Cannot open PATH", and what denial_find() says of it. */
int denial_set_error(Error *error, int error_number, const char *path);
/* Adds `why` (may be NULL) to what an error says. */
void denial_append(Error *error, const char *why);
