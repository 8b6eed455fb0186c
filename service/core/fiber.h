/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Fibers: stackful coroutines on the loop thread (ucontext, 256 KiB of virtual stack with a guard page,
 * reused). A fiber runs until it suspends; nothing else runs meanwhile, so there are no locks. A wake-up may
 * be stale: whoever suspends loops on its condition. The number of live fibers is capped (FIBERS_MAX). */

#include "core/cleanup.h"

#define FIBERS_MAX 4096

typedef struct Fiber Fiber;
typedef void (*FiberFunction)(void *data);

/* Runs function(data) on a new fiber, at once, until it first suspends. `name` is static text for debuggers.
 * -EAGAIN when FIBERS_MAX are alive (then nothing ran). The fiber frees itself when the function returns. */
int fiber_start(const char *name, FiberFunction function, void *data);

/* NULL on the loop's own stack. */
Fiber *fiber_current(void);

/* Suspends the current fiber until some fiber_wake(). Only from core/await.c, worker.c, job.c and their
 * like. */
void fiber_suspend(void) AWAITS;
/* Makes it run in this turn of the loop. Harmless if it already ran on or was woken before. */
void fiber_wake(Fiber *fiber);

Fiber *fiber_ref(Fiber *fiber);
Fiber *fiber_unref(Fiber *fiber);
DEFINE_CLEANUP(Fiber, fiber_unref)

/* Every await of a cancelled fiber, the current and all later ones, returns -ECANCELED, until the fiber
 * clears the mark to clean up. */
void fiber_cancel(Fiber *fiber);
bool fiber_is_cancelled(const Fiber *fiber);
void fiber_clear_cancel(void);
/* Every fiber but the current one: at the end of the process. */
void fiber_cancel_all(void);

/* How many are alive now, and for each: name, where it waits (for statistics and the gdb helper). */
unsigned fiber_count(void);
/* Frees the idle stacks, before loop_close(); no fiber may be alive. */
void fiber_close(void);
