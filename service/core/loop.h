/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one loop thread (sd-event). Handlers run on its stack and must not wait; whatever waits runs on a
 * fiber (core/fiber.h). In a debug build a watchdog logs every handler or fiber slice of more than 10 ms. */

#include "core/cleanup.h"
#include <systemd/sd-event.h>

/* Creates the loop, blocks SIGCHLD, SIGTERM, SIGINT and SIGHUP in this thread (before any other thread
 * starts). Once per process. */
int loop_open(void);
/* Drops what is left; every fiber must have ended. */
void loop_close(void);
/* Runs until loop_exit(); returns its code. */
int loop_run(void);
void loop_exit(int code);
sd_event *loop_get(void);

/* What a handler or a fiber may take at a stretch; a build with the watchdog logs who takes more. */
#define LOOP_SLICE_MAX_USEC 10000u

/* CLOCK_MONOTONIC now, in microseconds: the clock of every deadline. */
uint64_t loop_now_usec(void);
#define DEADLINE_NEVER UINT64_MAX
/* now + timeout, without overflow. */
uint64_t deadline_after_usec(uint64_t timeout_usec);

/* Priorities of sources: news of guests is handled before requests about them. */
enum {
        LOOP_PRIORITY_CHILD = -20, /* pidfds: a machine that died */
        LOOP_PRIORITY_MONITOR = -10,
        LOOP_PRIORITY_FIBER = -5,
        LOOP_PRIORITY_BUS = 0,
        LOOP_PRIORITY_IDLE = 10,
};

/* Calls `function(data)` once, on the loop, after the handlers of this turn; for merging changes. */
typedef void (*LoopCallback)(void *data);
void loop_defer(LoopCallback function, void *data);
/* Calls what is put off now: before what it is about goes. */
void loop_flush(void);
