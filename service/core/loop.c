/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The loop thread and its clock. Every source of the daemon hangs on this one sd_event; whoever keeps it for
 * more than 10 ms is named by the watchdog of a debug build. */

#include "core/loop.h"
#include "core/log.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

static sd_event *loop;

static GArray *deferred; /* of Deferred */
static sd_event_source *defer_source;

typedef struct Deferred {
        LoopCallback function;
        void *data;
} Deferred;

uint64_t loop_now_usec(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t deadline_after_usec(uint64_t timeout_usec)
{
        uint64_t now = loop_now_usec();

        return timeout_usec > DEADLINE_NEVER - now ? DEADLINE_NEVER : now + timeout_usec;
}

static int run_deferred(sd_event_source *source _unused_, void *data _unused_)
{
        /* What is added meanwhile belongs to the next round, in this turn still. */
        GArray *batch = TAKE_PTR(deferred);

        deferred = g_array_new(FALSE, FALSE, sizeof(Deferred));
        for (guint i = 0; i < batch->len; i++) {
                Deferred *entry = &g_array_index(batch, Deferred, i);

                entry->function(entry->data);
        }
        g_array_unref(batch);
        if (deferred->len == 0)
                return sd_event_source_set_enabled(defer_source, SD_EVENT_OFF);
        return 0;
}

void loop_defer(LoopCallback function, void *data)
{
        Deferred entry = { .function = function, .data = data };

        g_array_append_val(deferred, entry);
        g_assert(sd_event_source_set_enabled(defer_source, SD_EVENT_ON) >= 0);
}

int loop_open(void)
{
        sigset_t blocked;
        int r;

        g_assert(!loop);
        (void)sigemptyset(&blocked);
        (void)sigaddset(&blocked, SIGCHLD);
        (void)sigaddset(&blocked, SIGTERM);
        (void)sigaddset(&blocked, SIGINT);
        (void)sigaddset(&blocked, SIGHUP);
        r = pthread_sigmask(SIG_BLOCK, &blocked, NULL);
        if (r != 0)
                return -r;
        (void)signal(SIGPIPE, SIG_IGN);

        r = sd_event_new(&loop);
        if (r < 0)
                return r;
        deferred = g_array_new(FALSE, FALSE, sizeof(Deferred));
        r = sd_event_add_defer(loop, &defer_source, run_deferred, NULL);
        if (r < 0)
                return r;
        /* Behind the handlers of the turn, so that their changes are merged. */
        r = sd_event_source_set_priority(defer_source, LOOP_PRIORITY_IDLE);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(defer_source, SD_EVENT_OFF);
}

void loop_flush(void)
{
        while (deferred->len > 0)
                (void)run_deferred(NULL, NULL);
}

void loop_close(void)
{
        if (!loop)
                return;
        loop_flush();
        defer_source = sd_event_source_unref(defer_source);
        g_array_unref(deferred);
        deferred = NULL;
        loop = sd_event_unref(loop);
}

static int run_turn(void)
{
        int r = sd_event_prepare(loop);

        if (r == 0)
                r = sd_event_wait(loop, UINT64_MAX);
        if (r <= 0)
                return r;

        uint64_t started_usec = loop_now_usec();

        r = sd_event_dispatch(loop);
#if VIRTBUS_WATCHDOG
        uint64_t taken_usec = loop_now_usec() - started_usec;

        if (taken_usec > LOOP_SLICE_MAX_USEC)
                log_warning(NULL, "a handler kept the loop for %" PRIu64 " us", taken_usec);
#else
        (void)started_usec; /* only the watchdog looks */
#endif
        return r;
}

int loop_run(void)
{
        int code = 0;

        while (sd_event_get_state(loop) != SD_EVENT_FINISHED) {
                int r = run_turn();

                if (r < 0)
                        return r;
        }
        (void)sd_event_get_exit_code(loop, &code); /* finished: there is one */
        return code;
}

void loop_exit(int code)
{
        (void)sd_event_exit(loop, code); /* fails only if the loop has finished */
}

sd_event *loop_get(void)
{
        return loop;
}
