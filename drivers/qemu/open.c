/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Descriptors of a running machine: its consoles and its displays. */

#include "drivers/qemu/operations.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

/* The far end of the console of that alias; the first one's if it is empty. */
static const ChardevSource *console_find(const DomainDefinition *live, const char *alias)
{
        LIST_FOREACH(serial, live->devices.serials)
        if (!*alias || g_strcmp0(serial->info.alias, alias) == 0)
                return &serial->source;
        LIST_FOREACH(console, live->devices.consoles)
        if (!*alias || g_strcmp0(console->info.alias, alias) == 0)
                return &console->source;
        LIST_FOREACH(channel, live->devices.channels)
        if (*alias && g_strcmp0(channel->info.alias, alias) == 0)
                return &channel->source;
        return NULL;
}

/* The path comes from QEMU: only a terminal is opened, and never becomes the daemon's own. */
static int pty_open(const Domain *domain, const char *path, Error *error)
{
        _cleanup_(closep) int fd = -EBADF;
        struct termios settings;

        if (!path || !g_str_has_prefix(path, "/dev/pts/"))
                return error_set(error, ERROR_OPERATION_INVALID, "The console of %s is not open",
                                 object_describe(&domain->object));
        fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(error, errno, "Cannot open the console %s", path);
        if (tcgetattr(fd, &settings) < 0)
                return error_set_errno(error, errno, "The console %s is no terminal", path);
        /* Two readers would each get half. The lock goes with the last copy of the descriptor. */
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return error_set(error, ERROR_BUSY, "The console of %s is in use",
                                 object_describe(&domain->object));
        cfmakeraw(&settings);
        if (tcsetattr(fd, TCSANOW, &settings) < 0 || fcntl(fd, F_SETFL, O_RDWR) < 0)
                return error_set_errno(error, errno, "Cannot prepare the console %s", path);
        return TAKE_FD(fd);
}

static int socket_connect(const char *path, Error *error)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return error_set_errno(error, errno, "Cannot make a socket");
        if (!path || strlen(path) >= sizeof address.sun_path)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The console has no path that could be connected to");
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
                return error_set_errno(error, errno, "Cannot connect to the console at %s", path);
        if (fcntl(fd, F_SETFL, O_RDWR) < 0)
                return error_set_errno(error, errno, "Cannot prepare the console");
        return TAKE_FD(fd);
}

int qemu_domain_open_console(Call *call, Domain *domain, const char *alias, int *ret_console, Error *error)
{
        const ChardevSource *source;
        Machine *machine;
        int r = machine_get_active(domain, &machine, error);

        if (r < 0)
                return r;
        source = console_find(domain->live, alias);
        if (!source)
                return error_set(error, ERROR_NO_DEVICE, "%s has no console '%s'",
                                 object_describe(&domain->object), alias);
        if (source->type == CHARDEV_TYPE_PTY)
                r = pty_open(domain, source->path, error);
        else if (source->type == CHARDEV_TYPE_UNIX && source->mode == SOCKET_BIND &&
                 domain->object.owner == call->uid && call->uid == call->driver->config->uid)
                r = socket_connect(source->path, error);
        else
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The console '%s' of %s is of type %s: only pty can be opened", alias,
                              object_describe(&domain->object), chardev_type_to_string(source->type));
        if (r < 0)
                return r;
        *ret_console = r;
        return 0;
}

static const char *protocol_of(GraphicsType type)
{
        return type == GRAPHICS_TYPE_VNC ? "vnc" : type == GRAPHICS_TYPE_SPICE ? "spice" : NULL;
}

int qemu_domain_open_graphics_fd(Call *call, Domain *domain, uint32_t idx, uint32_t flags, int *ret_fd,
                                 Error *error)
{
        _cleanup_(closep) int ours = -EBADF, theirs = -EBADF;
        _cleanup_(qmp_command_freep) QmpCommand *pass = NULL, *add = NULL;
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC));
        const char *protocol;
        Machine *machine;
        int ends[2], r;

        /* VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH is 1: whoever comes this way was authorised. */
        r = error_check_flags(error, "OpenGraphicsFD", flags, 1);
        if (r >= 0)
                r = machine_get_active(domain, &machine, error);
        if (r < 0)
                return r;
        if (idx >= domain->live->devices.graphics.count)
                return error_set(error, ERROR_NO_DEVICE, "%s has %u displays, there is no number %u",
                                 object_describe(&domain->object), domain->live->devices.graphics.count,
                                 idx);
        protocol = protocol_of(domain->live->devices.graphics.items[idx]->type);
        if (!protocol)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "A display of type %s cannot be opened: vnc and spice can",
                                 graphics_type_to_string(domain->live->devices.graphics.items[idx]->type));
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return error_set_errno(error, errno, "Cannot make a pair of sockets");
        ours = ends[0];
        theirs = ends[1];
        pass = qmp_send(machine->qmp, "getfd", json_pack("{s:s}", "fdname", "virtbus-display"), theirs);
        add = qmp_send(machine->qmp, "add_client",
                       json_pack("{s:s, s:s, s:b}", "protocol", protocol, "fdname", "virtbus-display",
                                 "skipauth", 1),
                       -EBADF);
        r = qmp_wait(pass, deadline_usec, NULL, error);
        if (r >= 0)
                r = qmp_wait(add, deadline_usec, NULL, error);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(ours);
        return 0;
}
