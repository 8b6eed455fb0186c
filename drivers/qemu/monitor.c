/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Between qmp.c, which knows no machines, and events.c and end.c, which know no sockets. */

#include "drivers/qemu/monitor.h"
#include "core/log.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/events.h"
#include "drivers/qemu/folder.h"

static void event_arrived(const char *name, json_t *arguments, void *data)
{
        events_handle(data, name, arguments);
}

static void closed(const char *reason, void *data)
{
        Domain *domain = data;

        if (reason)
                log_warning(domain->object.path, "the monitor of machine %s is of no use any more: %s",
                            domain->object.name, reason);
        end_hung_up(domain);
}

static void flooded(void *data)
{
        Domain *domain = data;

        machine_of(domain)->is_flooding = true;
        log_warning(domain->object.path, "the QEMU of machine %s sends more events than are read",
                    domain->object.name);
}

static const QmpHandlers handlers = { .event = event_arrived, .closed = closed, .flooded = flooded };

int monitor_connect(Domain *domain, Error *error)
{
        _cleanup_(closep) int folder = folder_open(domain, error);
        _cleanup_(freep) char *path = NULL;

        if (folder < 0)
                return folder;
        path = folder_socket_path(folder, MONITOR_SOCKET);
        return qmp_connect(path, &handlers, domain, &machine_of(domain)->qmp, error);
}
