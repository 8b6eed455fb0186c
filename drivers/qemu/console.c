/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Descriptors for those who look at a machine or type into it. Where they lead was said by QEMU or stands in
 * the definition, both of which may lie: a terminal must be one that the machine's own user made, a socket
 * one behind which the machine's own process listens. Only one at a time has a terminal: the lock on it goes
 * with the descriptor, and ends with its last copy, wherever that is. */

#include "drivers/qemu/console.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/owner-files.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <termios.h>

#define PTS_PREFIX "/dev/pts/"
/* Major numbers of Unix98 terminals' near ends. */
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST  143

/* virDomainOpenGraphicsFlags. */
enum { GRAPHICS_SKIP_AUTHENTICATION = 1 << 0 };

/* The user that the machine's process runs as. */
static int process_owner(const Machine *machine, uid_t *ret_uid)
{
        _cleanup_(freep) char *path = g_strdup_printf("/proc/%d", (int)child_get_pid(machine->child));
        struct stat status;

        if (stat(path, &status) < 0)
                return -errno;
        *ret_uid = status.st_uid;
        return child_is_running(machine->child) ? 0 : -ESRCH; /* after the look: the pid was still its own */
}

static int open_terminal(const Domain *domain, const char *path, int *ret_fd, Error *error)
{
        _cleanup_(closep) int fd = -EBADF;
        struct termios mode;
        struct stat status;
        uid_t owner = (uid_t)-1;

        if (!path || !g_str_has_prefix(path, PTS_PREFIX) || strchr(path + strlen(PTS_PREFIX), '/'))
                return error_set(error, ERROR_OPERATION_FAILED, "QEMU did not say which terminal it uses");
        if (process_owner(machine_of(domain), &owner) < 0)
                return error_set(error, ERROR_OPERATION_INVALID, "The %s has ended",
                                 object_describe(&domain->object));
        fd = open(path, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &status) < 0)
                return error_set_errno(error, errno, "Cannot open console %s", path);
        if (!S_ISCHR(status.st_mode) || major(status.st_rdev) < PTS_MAJOR_FIRST ||
            major(status.st_rdev) > PTS_MAJOR_LAST || status.st_uid != owner)
                return error_set(error, ERROR_ACCESS_DENIED, "Console %s is no terminal of the %s", path,
                                 object_describe(&domain->object));
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? error_set(error, ERROR_BUSY, "The console of the %s is in use",
                                                        object_describe(&domain->object))
                                            : error_set_errno(error, errno, "Cannot lock console %s", path);
        if (tcgetattr(fd, &mode) < 0)
                return error_set_errno(error, errno, "Cannot use console %s", path);
        cfmakeraw(&mode); /* no echo between two programs */
        if (tcsetattr(fd, TCSANOW, &mode) < 0)
                return error_set_errno(error, errno, "Cannot use console %s", path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* In our own folder nobody but the daemon bound it. */
static int connect_inside(const Domain *domain, const char *path, int *ret_fd, Error *error)
{
        _cleanup_(freep) char *name = g_path_get_basename(path), *near = NULL;
        _cleanup_(closep) int folder = folder_open(domain, error), fd = -EBADF;
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (folder < 0)
                return folder;
        near = folder_socket_path(folder, name);
        if (g_strlcpy(address.sun_path, near, sizeof address.sun_path) >= sizeof address.sun_path)
                return error_set(error, ERROR_OPERATION_FAILED, "The path of a socket is too long: %s",
                                 near);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
                return error_set_errno(error, errno, "Cannot connect to console %s", path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* What is elsewhere may be another's by now. QEMU's user could connect with it without us, and what that may
 * not reach does not even hear of us. Of what is there an owner learns no more. */
static int connect_outside(const Domain *domain, const char *path, int *ret_fd, Error *error) AWAITS
{
        const Machine *machine = machine_of(domain);
        const pid_t pid = child_get_pid(machine->child);
        const uint64_t run = machine->run;
        _cleanup_(freep) char *copy = g_strdup(path); /* the device may go meanwhile */
        _cleanup_(closep) int fd = -EBADF;
        struct ucred peer;
        socklen_t size = sizeof peer;
        uid_t uid = (uid_t)-1;

        if (process_owner(machine, &uid) < 0)
                return error_set(error, ERROR_OPERATION_INVALID, "The %s has ended",
                                 object_describe(&domain->object));
        fd = owner_files_connect(domain, uid, copy, owner_is_other(domain) ? NULL : error);
        if (fd < 0 && !owner_is_other(domain))
                return fd;
        if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid != pid ||
            machine->run != run || machine_check_monitor(domain, NULL) < 0)
                return error_set(error, ERROR_ACCESS_DENIED, "Behind console %s is not the %s", copy,
                                 object_describe(&domain->object));
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int open_socket(const Domain *domain, const ChardevSource *source, int *ret_fd, Error *error) AWAITS
{
        _cleanup_(freep) char *own = folder_path(domain);

        if (source->mode == SOCKET_CONNECT || !source->path)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "This console of the %s is connected by QEMU to somebody else",
                                 object_describe(&domain->object));
        return g_str_has_prefix(source->path, own) ? connect_inside(domain, source->path, ret_fd, error)
                                                   : connect_outside(domain, source->path, ret_fd, error);
}

typedef struct Found {
        const ChardevSource *source;
        bool is_usable;
} Found;

/* True when the search is over. */
static bool consider(Found *found, const ChardevSource *source, const DeviceInfo *info, const char *alias)
{
        bool is_usable = source->type == CHARDEV_TYPE_PTY || source->type == CHARDEV_TYPE_UNIX;

        if (alias ? g_strcmp0(info->alias, alias) != 0 : !is_usable)
                return false;
        *found = (Found){ source, is_usable };
        return true;
}

/* `alias` NULL: the first serial port or console that can be opened. */
static Found find(const DomainDevices *devices, const char *alias)
{
        Found found = {};

        LIST_FOREACH (serial, devices->serials) {
                if (consider(&found, &serial->source, &serial->info, alias))
                        return found;
        }
        LIST_FOREACH (console, devices->consoles) {
                if (consider(&found, &console->source, &console->info, alias))
                        return found;
        }
        LIST_FOREACH (parallel, devices->parallels) {
                if (alias && consider(&found, &parallel->source, &parallel->info, alias))
                        return found;
        }
        LIST_FOREACH (channel, devices->channels) {
                if (alias && consider(&found, &channel->source, &channel->info, alias))
                        return found;
        }
        return found;
}

int qemu_domain_open_console(Call *call, Domain *domain, const char *alias, uint32_t flags, int *ret_console,
                             Error *error)
{
        int r = error_check_flags(error, "OpenConsole", flags, 0);
        _cleanup_(closep) int fd = -EBADF;
        Found found;

        (void)call;
        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r < 0)
                return r;
        found = find(&domain->live->devices, alias && *alias ? alias : NULL);
        if (!found.source)
                return alias && *alias
                               ? error_set(error, ERROR_NO_DEVICE, "The %s has no console named '%s'",
                                           object_describe(&domain->object), alias)
                               : error_set(error, ERROR_NO_DEVICE,
                                           "The %s has no console that can be opened",
                                           object_describe(&domain->object));
        if (!found.is_usable)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "Console '%s' is of type %s, which cannot be opened", alias,
                                 chardev_type_to_string(found.source->type));
        r = found.source->type == CHARDEV_TYPE_PTY ? open_terminal(domain, found.source->path, &fd, error)
                                                   : open_socket(domain, found.source, &fd, error);
        if (r < 0)
                return r;
        /* Opening must not wait; who reads a console waits for what the guest writes. */
        if (fcntl(fd, F_SETFL, 0) < 0)
                return error_set_errno(error, errno, "Cannot use the console of the %s",
                                       object_describe(&domain->object));
        *ret_console = TAKE_FD(fd);
        return 0;
}

/* What add_client calls the display; NULL if it takes no connections. */
static const char *display_protocol(const DomainGraphics *graphics)
{
        switch (graphics->type) {
        case GRAPHICS_TYPE_VNC:
                return "vnc";
        case GRAPHICS_TYPE_SPICE:
                return "spice";
        case GRAPHICS_TYPE_DBUS:
                return "@dbus-display";
        default:
                return NULL;
        }
}

/* Hands QEMU one end of a connection. */
static int add_client(Machine *machine, const char *protocol, bool skips_authentication, int fd,
                      uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(freep) char *name = g_strdup_printf("client-%08x", g_random_int());
        _cleanup_(qmp_command_freep) QmpCommand *pass = NULL, *add = NULL, *take_back = NULL;
        int r;

        pass = qmp_send(machine->qmp, "getfd", json_pack("{s:s}", "fdname", name), fd);
        add = qmp_send(machine->qmp, "add_client",
                       json_pack("{s:s, s:s, s:b}", "protocol", protocol, "fdname", name, "skipauth",
                                 skips_authentication),
                       -EBADF);
        r = qmp_wait(pass, deadline_usec, NULL, error);
        if (r >= 0)
                r = qmp_wait(add, deadline_usec, NULL, error);
        if (r < 0 && machine->qmp) /* QEMU may hold it still; whether it does, it need not say */
                take_back = qmp_send(machine->qmp, "closefd", json_pack("{s:s}", "fdname", name), -EBADF);
        return r;
}

int qemu_domain_open_graphics_fd(Call *call, Domain *domain, uint32_t idx, uint32_t flags, int *ret_fd,
                                 Error *error)
{
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC));
        _cleanup_(closep) int ours = -EBADF, theirs = -EBADF;
        const char *protocol;
        int pair[2], r;

        r = error_check_flags(error, "OpenGraphicsFD", flags, GRAPHICS_SKIP_AUTHENTICATION);
        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r < 0)
                return r;
        if (idx >= domain->live->devices.graphics.count)
                return error_set(error, ERROR_NO_DEVICE, "The %s has no display %u",
                                 object_describe(&domain->object), idx);
        protocol = display_protocol(domain->live->devices.graphics.items[idx]);
        if (!protocol)
                return error_set(error, ERROR_OPERATION_INVALID, "Display %u of the %s takes no connections",
                                 idx, object_describe(&domain->object));
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(error, errno, "Cannot make a connection");
        ours = pair[0];
        theirs = pair[1];
        r = add_client(machine_of(domain), protocol, flags & GRAPHICS_SKIP_AUTHENTICATION, theirs,
                       deadline_usec, error);
        if (r >= 0)
                *ret_fd = TAKE_FD(ours);
        return r;
}
