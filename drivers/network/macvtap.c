/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel makes a device node for each macvtap where devtmpfs is mounted. Elsewhere (containers) its
 * number is in sysfs, and a node is made, opened and taken away again. */

#include "drivers/network/macvtap.h"
#include "core/worker.h"
#include "drivers/network/links.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/macvtap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define ALIAS_PREFIX "virtbus:"
#define NAMES_MAX    4096

typedef struct Task {
        MacvtapOptions options; /* the caller waits: its texts are there */
        int *fds;
        size_t n_queues;
        char name[IF_NAMESIZE];
        GPtrArray *found; /* of Found */
        Error error;
} Task;

typedef struct Found {
        int index;
        char *tag;
} Found;

static void found_free(void *data)
{
        Found *found = data;

        g_free(found->tag);
        g_free(found);
}

static int fail(Task *task, int result, const char *what)
{
        return error_set(&task->error, ERROR_OPERATION_FAILED, "Cannot %s the device '%s' on '%s': %s", what,
                         task->name, task->options.lower, nl_geterror(result));
}

static int choose_name(Task *task)
{
        if (task->options.name) {
                if (strlen(task->options.name) >= IF_NAMESIZE)
                        return error_set(&task->error, ERROR_CONFIG_UNSUPPORTED,
                                         "The device's name '%s' has more than %d bytes", task->options.name,
                                         IF_NAMESIZE - 1);
                if (if_nametoindex(task->options.name) != 0)
                        return error_set(&task->error, ERROR_OPERATION_FAILED,
                                         "The host has a device '%s' already", task->options.name);
                g_strlcpy(task->name, task->options.name, sizeof task->name);
                return 0;
        }
        for (unsigned i = 0; i < NAMES_MAX; i++) {
                g_snprintf(task->name, sizeof task->name, "macvtap%u", i);
                if (if_nametoindex(task->name) == 0)
                        return 0;
        }
        return error_set(&task->error, ERROR_OPERATION_FAILED, "The host has too many devices 'macvtap...'");
}

static uint32_t kernel_mode(MacvtapMode mode)
{
        switch (mode) {
        case MACVTAP_PRIVATE:
                return MACVLAN_MODE_PRIVATE;
        case MACVTAP_BRIDGE:
                return MACVLAN_MODE_BRIDGE;
        case MACVTAP_PASSTHROUGH:
                return MACVLAN_MODE_PASSTHRU;
        default:
                return MACVLAN_MODE_VEPA;
        }
}

/* In passthrough mode the address is the lower device's, and setting it sets that one's; the kernel puts the
 * old one back when the macvtap goes. */
static int make(Task *task, struct nl_sock *socket, int lower)
{
        _cleanup_(freep) char *alias = g_strconcat(ALIAS_PREFIX, task->options.tag, NULL);
        struct rtnl_link *link = rtnl_link_macvtap_alloc(), *change = rtnl_link_alloc();
        struct nl_addr *mac = NULL;
        int r = nl_addr_parse(task->options.mac, AF_LLC, &mac);

        if (r >= 0) {
                rtnl_link_set_name(link, task->name);
                rtnl_link_set_link(link, lower);
                rtnl_link_set_addr(link, mac);
                (void)rtnl_link_macvtap_set_mode(link, (int)kernel_mode(task->options.mode)); /* it is one */
                if (task->options.mtu > 0)
                        rtnl_link_set_mtu(link, task->options.mtu);
                r = rtnl_link_add(socket, link, NLM_F_CREATE | NLM_F_EXCL);
        }
        if (r >= 0) {
                rtnl_link_set_ifindex(change, (int)if_nametoindex(task->name));
                rtnl_link_set_addr(change, mac);
                rtnl_link_set_flags(change, IFF_UP);
                rtnl_link_set_ifalias(change, alias);
                r = rtnl_link_change(socket, change, change, 0);
                if (r < 0)
                        (void)rtnl_link_delete(socket, change); /* what was made a moment ago */
        }
        nl_addr_put(mac);
        rtnl_link_put(link);
        rtnl_link_put(change);
        return r < 0 ? fail(task, r, "make") : 0;
}

/* The kernel's number of the macvtap; 0: not known, if sysfs is not of this network namespace. */
static dev_t find_number(const Task *task, int index)
{
        _cleanup_(freep) char *path = g_strdup_printf("/sys/class/net/%s/tap%d/dev", task->name, index),
                              *text = NULL;
        unsigned major_number, minor_number;

        if (!g_file_get_contents(path, &text, NULL, NULL) ||
            sscanf(text, "%u:%u", &major_number, &minor_number) != 2)
                return 0;
        return makedev(major_number, minor_number);
}

/* A node that is ours alone, and only a way to open it. */
static int open_number(dev_t number)
{
        char folder[] = "/run/virtbus-macvtap-XXXXXX";
        _cleanup_(freep) char *node = NULL;
        int fd;

        if (!mkdtemp(folder))
                return -errno;
        node = g_build_filename(folder, "tap", NULL);
        fd = mknod(node, S_IFCHR | 0600, number) < 0 ? -1 : open(node, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                fd = -errno;
        (void)unlink(node);
        (void)rmdir(folder);
        return fd;
}

/* Devices of several network namespaces share the names of their nodes: the number tells whose it is. */
static int open_node(const Task *task, int index)
{
        _cleanup_(freep) char *path = g_strdup_printf("/dev/tap%d", index);
        _cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
        dev_t number = find_number(task, index);
        struct stat status;

        if (fd >= 0 && fstat(fd, &status) >= 0 && (number == 0 || status.st_rdev == number))
                return TAKE_FD(fd);
        return number == 0 ? -ENODEV : open_number(number);
}

static int open_queue(Task *task, int index, int *ret_fd)
{
        _cleanup_(closep) int fd = open_node(task, index);
        struct ifreq request = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI |
                                                      (task->options.has_header ? IFF_VNET_HDR : 0) |
                                                      (task->n_queues > 1 ? IFF_MULTI_QUEUE : 0)) };

        if (fd < 0)
                return error_set_errno(&task->error, fd, "Cannot open the device '%s'", task->name);
        if (ioctl(fd, TUNSETIFF, &request) < 0)
                return error_set_errno(&task->error, errno, "Cannot set up the device '%s'", task->name);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static void remove_index(struct nl_sock *socket, int index)
{
        struct rtnl_link *link = rtnl_link_alloc();

        rtnl_link_set_ifindex(link, index);
        (void)rtnl_link_delete(socket, link); /* if it is gone, all the better */
        rtnl_link_put(link);
}

static int open_step(void *data)
{
        Task *task = data;
        int lower = (int)if_nametoindex(task->options.lower), index, r = choose_name(task);
        struct nl_sock *socket;

        if (r >= 0 && lower == 0)
                r = error_set(&task->error, ERROR_OPERATION_FAILED, "The host has no device '%s'",
                              task->options.lower);
        if (r < 0)
                return r;
        socket = nl_socket_alloc();
        r = socket ? nl_connect(socket, NETLINK_ROUTE) : -NLE_NOMEM;
        r = r < 0 ? fail(task, r, "make") : make(task, socket, lower);
        index = (int)if_nametoindex(task->name);
        for (size_t i = 0; i < task->n_queues && r >= 0; i++) {
                r = open_queue(task, index, &task->fds[i]);
                if (r < 0)
                        remove_index(socket, index);
        }
        nl_socket_free(socket);
        return r;
}

int macvtap_open(const MacvtapOptions *options, int *fds, size_t n_queues, char **ret_name, Error *error)
{
        Task task = { .options = *options, .fds = fds, .n_queues = n_queues };
        int r;

        for (size_t i = 0; i < n_queues; i++)
                fds[i] = -EBADF;
        r = worker_finish(open_step, &task);
        if (r >= 0) {
                *ret_name = g_strdup(task.name);
                return 0;
        }
        for (size_t i = 0; i < n_queues; i++) {
                closep(&fds[i]);
                fds[i] = -EBADF;
        }
        error_move(error, &task.error);
        return r;
}

static void note(struct nl_sock *socket, struct rtnl_link *link, void *data)
{
        const Task *task = data;
        const char *alias = rtnl_link_get_ifalias(link);
        Found *found;

        (void)socket;
        if (g_strcmp0(rtnl_link_get_type(link), "macvtap") != 0 || !alias ||
            !g_str_has_prefix(alias, ALIAS_PREFIX))
                return;
        found = g_new0(Found, 1);
        found->index = rtnl_link_get_ifindex(link);
        found->tag = g_strdup(alias + strlen(ALIAS_PREFIX));
        g_ptr_array_add(task->found, found);
}

static int list_step(void *data)
{
        Task *task = data;

        return links_visit(note, task, &task->error);
}

static int remove_step(void *data)
{
        Task *task = data;
        struct nl_sock *socket = nl_socket_alloc();

        if (socket && nl_connect(socket, NETLINK_ROUTE) >= 0)
                for (unsigned i = 0; i < task->found->len; i++)
                        remove_index(socket, ((Found *)task->found->pdata[i])->index);
        nl_socket_free(socket);
        return 0;
}

int macvtap_remove(const char *name, const char *tag, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *found = g_ptr_array_new_with_free_func(found_free);
        Task task = { .found = found };
        int index = (int)if_nametoindex(name), r = worker_finish(list_step, &task);

        if (r < 0) {
                error_move(error, &task.error);
                return r;
        }
        for (unsigned i = found->len; i-- > 0;) {
                const Found *one = found->pdata[i];

                if (one->index != index || strcmp(one->tag, tag) != 0)
                        g_ptr_array_remove_index(found, i);
        }
        return found->len > 0 ? worker_finish(remove_step, &task) : 0;
}

int macvtap_sweep(MacvtapKept is_kept, void *data, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *found = g_ptr_array_new_with_free_func(found_free);
        Task task = { .found = found };
        int r = worker_finish(list_step, &task);

        if (r < 0) {
                error_move(error, &task.error);
                return r;
        }
        for (unsigned i = found->len; i-- > 0;)
                if (is_kept(((Found *)found->pdata[i])->tag, data))
                        g_ptr_array_remove_index(found, i);
        return found->len > 0 ? worker_finish(remove_step, &task) : 0;
}

static int lower_step(void *data)
{
        Task *task = data;
        struct nl_sock *socket = nl_socket_alloc();
        struct rtnl_link *link = NULL;
        int r = socket ? nl_connect(socket, NETLINK_ROUTE) : -NLE_NOMEM;

        if (r >= 0)
                r = rtnl_link_get_kernel(socket, 0, task->options.name, &link);
        if (r >= 0 && !if_indextoname((unsigned)rtnl_link_get_link(link), task->name))
                r = -NLE_NODEV;
        rtnl_link_put(link);
        nl_socket_free(socket);
        return r;
}

char *macvtap_lower(const char *name)
{
        Task task = { .options = { .name = name } };

        return worker_finish(lower_step, &task) < 0 ? NULL : g_strdup(task.name);
}
