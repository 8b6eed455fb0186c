/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A hostile QEMU: any bytes on its monitor, while a command waits. */

#include "core/loop.h"
#include "drivers/qemu/qmp.h"
#include <stdlib.h>
#include <sys/socket.h>

static void event_arrived(const char *name, json_t *arguments, void *data)
{
        (void)name, (void)arguments, (void)data;
}

static void monitor_closed(const char *reason, void *data)
{
        (void)reason, (void)data;
}

static void monitor_flooded(void *data)
{
        (void)data;
}

static const QmpHandlers handlers = { event_arrived, monitor_closed, monitor_flooded };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char greeting[] =
                "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7, \"minor\": 2, \"micro\": 0}}}}\n";
        QmpCommand *command;
        int ends[2];
        Qmp *qmp;

        if (loop_open() < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
            qmp_new(ends[0], &handlers, NULL, &qmp, NULL) < 0)
                abort();
        if (size > 0 && data[0] & 1)
                qmp_receive(qmp, greeting, sizeof greeting - 1);
        command = qmp_send(qmp, "query-status", NULL, -EBADF);
        qmp_receive(qmp, (const char *)data, size);
        qmp_command_free(command);
        qmp_free(qmp);
        (void)close(ends[1]);
        loop_close();
        return 0;
}
