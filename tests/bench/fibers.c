/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a fiber costs: starting one that ends at once, and suspending one until the loop's next turn. The
 * floor beside it is the same number of turns of an empty loop handler. */

#include "core/fiber.h"
#include "core/loop.h"
#include <stdio.h>

#define ROUNDS 200000

static void ends(void *data)
{
        (*(unsigned *)data)++;
}

static void turns(void *data)
{
        (void)data;
        for (unsigned i = 0; i < ROUNDS; i++) {
                fiber_wake(fiber_current());
                fiber_suspend();
        }
        loop_exit(0);
}

static int handler(sd_event_source *source, void *data)
{
        unsigned *n = data;

        if (++*n >= ROUNDS) {
                loop_exit(0);
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        }
        return 0;
}

static double nanoseconds_each(uint64_t started_usec)
{
        return (double)(loop_now_usec() - started_usec) * 1000 / ROUNDS;
}

int main(void)
{
        sd_event_source *source = NULL;
        unsigned n = 0, n_turns = 0;
        uint64_t started_usec;

        if (loop_open() < 0 || sd_event_add_defer(loop_get(), &source, handler, &n_turns) < 0 ||
            sd_event_source_set_enabled(source, SD_EVENT_ON) < 0)
                return 1;
        started_usec = loop_now_usec();
        (void)loop_run();
        printf("turn of the loop            %6.0f ns\n", nanoseconds_each(started_usec));
        sd_event_source_unref(source);
        loop_close();

        if (loop_open() < 0)
                return 1;
        started_usec = loop_now_usec();
        for (unsigned i = 0; i < ROUNDS; i++)
                (void)fiber_start("ends", ends, &n); /* an idle stack is always there */
        printf("fiber started and ended     %6.0f ns\n", nanoseconds_each(started_usec));
        started_usec = loop_now_usec();
        (void)fiber_start("turns", turns, NULL);
        (void)loop_run();
        printf("fiber suspended and resumed %6.0f ns\n", nanoseconds_each(started_usec));
        fiber_close();
        loop_close();
        return n == ROUNDS ? 0 : 1;
}
