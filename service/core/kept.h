/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Descriptors that the service manager keeps for the next daemon, by names (systemd's store of descriptors).
 * Without a manager that has one nothing is kept, and nothing fails. */

#include <stddef.h>

/* Takes over what the manager has kept, once, before anything else. */
void kept_open(void);
/* Those of the name, at most `size`, which are the caller's now; the manager keeps its own. Gives how many.
 */
size_t kept_take(const char *name, int *ret_fds, size_t size);
/* The caller keeps the descriptors. Several calls with one name add to it. */
void kept_put(const char *name, const int *fds, size_t n_fds);
/* All of names that begin so. */
void kept_drop(const char *prefix);
void kept_close(void);
