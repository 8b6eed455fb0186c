/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* udev tells of a device when it has done its work with it. Where no udev runs the kernel is listened to
 * itself; messages from anybody else on that socket are dropped. */

#include "core/log.h"
#include "core/loop.h"
#include "drivers/host/scan.h"
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-device.h>

#define UDEV_CONTROL        "/run/udev/control"
#define GROUP_KERNEL        1
#define MESSAGE_MAX         (16 * 1024)
#define MESSAGES_AT_ONCE    64
#define RECEIVE_BUFFER_SIZE (8 * 1024 * 1024)

struct DeviceWatch {
        DeviceWatchTells tells;
        void *data;
        sd_device_monitor *monitor; /* udev's */
        int fd;                     /* the kernel's */
        sd_event_source *source;
};

static int udev_tells(sd_device_monitor *monitor _unused_, sd_device *device, void *data)
{
        static const char *const words[] = {
                [SD_DEVICE_ADD] = "add",   [SD_DEVICE_REMOVE] = "remove", [SD_DEVICE_CHANGE] = "change",
                [SD_DEVICE_MOVE] = "move", [SD_DEVICE_ONLINE] = "online", [SD_DEVICE_OFFLINE] = "offline",
                [SD_DEVICE_BIND] = "bind", [SD_DEVICE_UNBIND] = "unbind",
        };
        DeviceWatch *watch = data;
        sd_device_action_t action;
        const char *path, *old;

        if (sd_device_get_syspath(device, &path) < 0 || sd_device_get_action(device, &action) < 0 ||
            action < 0 || (size_t)action >= G_N_ELEMENTS(words))
                return 0;
        if (sd_device_get_property_value(device, "DEVPATH_OLD", &old) >= 0) {
                _cleanup_(freep) char *whole = g_strconcat("/sys", old, NULL);

                watch->tells(whole, "remove", watch->data);
        }
        watch->tells(path, words[action], watch->data);
        return 0;
}

/* "add@/devices/...", then KEY=VALUE texts, each ended by a NUL. */
static void kernel_told(DeviceWatch *watch, const char *message, size_t size)
{
        const char *end = message + size, *at = strchr(message, '@');
        _cleanup_(freep) char *action = at ? g_strndup(message, (size_t)(at - message)) : NULL;
        _cleanup_(freep) char *path = NULL;

        if (!at || at[1] != '/')
                return;
        for (const char *line = message; line < end; line += strlen(line) + 1)
                if (g_str_has_prefix(line, "DEVPATH_OLD=/")) {
                        _cleanup_(freep) char *old =
                                g_strconcat("/sys", line + strlen("DEVPATH_OLD="), NULL);

                        watch->tells(old, "remove", watch->data);
                }
        path = g_strconcat("/sys", at + 1, NULL);
        watch->tells(path, action, watch->data);
}

/* False: there is nothing more. */
static bool kernel_receive(DeviceWatch *watch)
{
        char buffer[MESSAGE_MAX + 1];
        struct sockaddr_nl from = {};
        socklen_t from_size = sizeof from;
        ssize_t size = recvfrom(watch->fd, buffer, MESSAGE_MAX, MSG_DONTWAIT | MSG_TRUNC,
                                (struct sockaddr *)&from, &from_size);

        if (size < 0 && errno == ENOBUFS)
                log_warning(NULL, "Changes of the host's devices were lost: there were too many at once");
        if (size < 0)
                return errno == ENOBUFS || errno == EINTR;
        if (from.nl_pid == 0 && size > 0 && size <= MESSAGE_MAX) {
                buffer[size] = 0;
                kernel_told(watch, buffer, (size_t)size);
        }
        return true;
}

static int kernel_readable(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                           void *data)
{
        for (unsigned i = 0; i < MESSAGES_AT_ONCE && kernel_receive(data); i++)
                ;
        return 0;
}

static int open_udev(DeviceWatch *watch)
{
        int r = sd_device_monitor_new(&watch->monitor);

        if (r >= 0)
                r = sd_device_monitor_set_receive_buffer_size(watch->monitor, RECEIVE_BUFFER_SIZE);
        if (r >= 0)
                r = sd_device_monitor_attach_event(watch->monitor, loop_get());
        return r < 0 ? r : sd_device_monitor_start(watch->monitor, udev_tells, watch);
}

static int open_kernel(DeviceWatch *watch)
{
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL };
        const int size = RECEIVE_BUFFER_SIZE;

        watch->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
        if (watch->fd < 0)
                return -errno;
        if (setsockopt(watch->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
                log_debug(NULL, "The kernel's messages about devices have the usual room");
        if (bind(watch->fd, (const struct sockaddr *)&address, sizeof address) < 0)
                return -errno;
        return sd_event_add_io(loop_get(), &watch->source, watch->fd, EPOLLIN, kernel_readable, watch);
}

int device_watch_open(DeviceWatchTells tells, void *data, DeviceWatch **ret_watch, Error *error)
{
        DeviceWatch *watch = g_new0(DeviceWatch, 1);
        int r;

        watch->tells = tells;
        watch->data = data;
        watch->fd = -EBADF;
        r = access(UDEV_CONTROL, F_OK) >= 0 ? open_udev(watch) : open_kernel(watch);
        if (r < 0) {
                device_watch_free(watch);
                return error_set_errno(error, r, "Cannot watch the host's devices");
        }
        *ret_watch = watch;
        return 0;
}

DeviceWatch *device_watch_free(DeviceWatch *watch)
{
        if (!watch)
                return NULL;
        sd_device_monitor_unref(watch->monitor);
        sd_event_source_disable_unref(watch->source);
        closep(&watch->fd);
        g_free(watch);
        return NULL;
}
