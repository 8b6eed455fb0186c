/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A small pool of threads for what blocks: fsync, libraries without an asynchronous side, large files. A
 * worker touches only the data block it was given, which it owns while it runs: copy in, copy out. */

#include "core/cleanup.h"

/* Returns 0 or more, or a negative errno; runs on a pool thread. */
typedef int (*WorkerFunction)(void *data);
typedef void (*WorkerFree)(void *data);

/* Runs function(data) on a pool thread and waits for it; returns its result. When the deadline passes or the
 * fiber is cancelled it returns -ETIMEDOUT or -ECANCELED, the thread finishes on its own, and then
 * free_data(data) runs on the loop; in every other case `data` stays the caller's. */
int worker_run(WorkerFunction function, void *data, WorkerFree free_data, uint64_t deadline_usec) AWAITS;

/* As above, but waits to the end whatever happens: for work that must not be left in doubt, such as a
 * definition on its way to the disk. Only for what is sure to end. */
int worker_finish(WorkerFunction function, void *data) AWAITS;

/* The same for each of `count` blocks of data, at once as far as there are threads. Results are not told:
 * they belong into the blocks. A negative errno if there are no threads; then nothing has run. */
int worker_finish_all(WorkerFunction function, void *const *blocks, unsigned count) AWAITS;

/* Waits for running work, but not for what was left behind, and ends the threads; from the loop's stack, at
 * exit. */
void worker_close(void);
