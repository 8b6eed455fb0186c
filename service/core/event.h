/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a lower layer tells its news without knowing who listens. The type numbers and the event's structure
 * belong to whoever owns the EventSource (service/driver.h has the drivers'). Listeners run at once, in the
 * order in which they were added, on the stack of whoever raises: they must not wait. */

#include "core/cleanup.h"

typedef struct EventSource EventSource;
typedef void (*EventListener)(int type, const void *event, void *data);

EventSource *event_source_new(void);
EventSource *event_source_free(EventSource *source);
DEFINE_CLEANUP(EventSource, event_source_free)

/* Returns an id for event_unlisten(). */
unsigned event_listen(EventSource *source, EventListener listener, void *data);
void event_unlisten(EventSource *source, unsigned id);
void event_raise(EventSource *source, int type, const void *event);
