/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Hears from the kernel which names in a folder came, went or were written, so that nobody has to look. What
 * a server of files does for other hosts is not heard. */

#include "core/cleanup.h"

typedef struct Watch Watch;
typedef void (*WatchChanged)(void *data);

/* `changed` is called on the loop when there is something to take. Fails where the host gives no more
 * watches. */
int watch_new(int folder_fd, WatchChanged changed, void *data, Watch **ret_watch);
/* Whether there is something to take, of what was read. */
bool watch_has_news(const Watch *watch);
/* Reads what the kernel has up to now. The names since the last time, a set that the caller unrefs; NULL if
 * there are none. *ret_all: too many for names, or the folder itself is gone. */
GHashTable *watch_take(Watch *watch, bool *ret_all);
Watch *watch_free(Watch *watch);
DEFINE_CLEANUP(Watch, watch_free)
