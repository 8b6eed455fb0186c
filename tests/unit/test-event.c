/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Listeners: their order, and leaving while news is told. */

#include "core/event.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct Listener {
        EventSource *source;
        GString *heard;
        const char *name;
        unsigned id;
        bool leaves;
} Listener;

static void hears(int type, const void *event, void *data)
{
        Listener *listener = data;

        g_string_append_printf(listener->heard, "%s:%d:%s ", listener->name, type, (const char *)event);
        if (listener->leaves)
                event_unlisten(listener->source, listener->id);
}

static void all_in_order_and_leaving(void **state)
{
        EventSource *source = event_source_new();
        GString *heard = g_string_new(NULL);
        Listener first = { source, heard, "first", 0, true }, second = { source, heard, "second", 0, false };

        (void)state;
        first.id = event_listen(source, hears, &first);
        second.id = event_listen(source, hears, &second);
        assert_int_not_equal(first.id, second.id);
        event_raise(source, 3, "news");
        event_raise(source, 4, "more");
        assert_string_equal(heard->str, "first:3:news second:3:news second:4:more ");
        event_unlisten(source, second.id);
        event_raise(source, 5, "nobody");
        assert_string_equal(heard->str, "first:3:news second:3:news second:4:more ");
        g_string_free(heard, TRUE);
        event_source_free(source);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(all_in_order_and_leaving) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
