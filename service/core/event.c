/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of listeners. A listener may go, or come, while an event is raised: gone ones are skipped at once
 * and removed when the last raise has returned. */

#include "core/event.h"

typedef struct Listener {
        unsigned id;
        EventListener function; /* NULL: gone */
        void *data;
} Listener;

struct EventSource {
        GArray *listeners;
        unsigned last_id;
        unsigned n_raising;
};

EventSource *event_source_new(void)
{
        EventSource *source = g_new0(EventSource, 1);

        source->listeners = g_array_new(FALSE, FALSE, sizeof(Listener));
        return source;
}

EventSource *event_source_free(EventSource *source)
{
        if (!source)
                return NULL;
        g_assert(source->n_raising == 0);
        g_array_unref(source->listeners);
        g_free(source);
        return NULL;
}

unsigned event_listen(EventSource *source, EventListener listener, void *data)
{
        Listener entry = { .id = ++source->last_id, .function = listener, .data = data };

        g_array_append_val(source->listeners, entry);
        return entry.id;
}

static void drop_gone(EventSource *source)
{
        for (guint i = source->listeners->len; i > 0; i--)
                if (!g_array_index(source->listeners, Listener, i - 1).function)
                        g_array_remove_index(source->listeners, i - 1);
}

void event_unlisten(EventSource *source, unsigned id)
{
        for (guint i = 0; i < source->listeners->len; i++) {
                Listener *listener = &g_array_index(source->listeners, Listener, i);

                if (listener->id == id)
                        listener->function = NULL;
        }
        if (source->n_raising == 0)
                drop_gone(source);
}

void event_raise(EventSource *source, int type, const void *event)
{
        guint n = source->listeners->len; /* those who come meanwhile hear the next one */

        source->n_raising++;
        for (guint i = 0; i < n; i++) {
                Listener listener = g_array_index(source->listeners, Listener, i);

                if (listener.function)
                        listener.function(type, event, listener.data);
        }
        if (--source->n_raising == 0)
                drop_gone(source);
}
