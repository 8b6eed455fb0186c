/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/network/tap.h"
#include "core/worker.h"
#include "drivers/network/vlans.h"
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NAME_PATTERN "vnet%d"

typedef struct Task {
        TapOptions options; /* the caller waits: its texts are there */
        int *fds;
        size_t n_queues;
        char name[IF_NAMESIZE];
        Error error;
} Task;

static int open_queue(Task *task, bool is_first, int *ret_fd)
{
        _cleanup_(closep) int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
        struct ifreq request = {
                .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | (task->options.has_header ? IFF_VNET_HDR : 0) |
                                     (task->n_queues > 1 ? IFF_MULTI_QUEUE : 0) |
                                     (is_first && !task->options.is_there ? IFF_TUN_EXCL : 0))
        };

        g_strlcpy(request.ifr_name, task->name, sizeof request.ifr_name);
        if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
                return error_set_errno(&task->error, errno, "Cannot make the device '%s' for a guest",
                                       task->name);
        g_strlcpy(task->name, request.ifr_name, sizeof task->name);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Its own hardware address is the guest's with a first byte that makes a bridge keep its own. */
static struct nl_msg *message_new(const Task *task, int index, int master, bool is_up)
{
        struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
        struct ifinfomsg header = { .ifi_index = index,
                                    .ifi_flags = is_up ? IFF_UP : 0,
                                    .ifi_change = IFF_UP };
        struct ether_addr mac;

        (void)nlmsg_append(message, &header, sizeof header,
                           NLMSG_ALIGNTO); /* it has the room, here and below */
        if (ether_aton_r(task->options.mac, &mac)) {
                mac.ether_addr_octet[0] = 0xfe;
                (void)nla_put(message, IFLA_ADDRESS, sizeof mac, &mac);
        }
        if (task->options.mtu > 0)
                (void)nla_put_u32(message, IFLA_MTU, task->options.mtu);
        if (master > 0)
                (void)nla_put_u32(message, IFLA_MASTER, (uint32_t)master);
        return message;
}

static int set_isolated(struct nl_sock *socket, int index, bool is_isolated)
{
        struct nl_msg *message = nlmsg_alloc_simple(RTM_SETLINK, 0);
        struct nlattr *port;

        (void)nlmsg_append(message, &(struct ifinfomsg){ .ifi_family = PF_BRIDGE, .ifi_index = index },
                           sizeof(struct ifinfomsg), NLMSG_ALIGNTO);
        port = nla_nest_start(message, IFLA_PROTINFO | NLA_F_NESTED);
        (void)nla_put_u8(message, IFLA_BRPORT_ISOLATED, is_isolated);
        (void)nla_nest_end(message, port);
        return nl_send_sync(socket, message);
}

static bool is_plugged_into(struct nl_sock *socket, int index, int master)
{
        struct rtnl_link *link;
        bool is_there;

        if (rtnl_link_get_kernel(socket, index, NULL, &link) < 0)
                return false;
        is_there = rtnl_link_get_master(link) == master;
        rtnl_link_put(link);
        return is_there;
}

static int fail(Task *task, int result)
{
        return error_set(&task->error, ERROR_OPERATION_FAILED, "Cannot plug the device '%s' into '%s': %s",
                         task->name, task->options.bridge ? task->options.bridge : "the host",
                         nl_geterror(result));
}

/* A port that is not like the others of its bridge is down until it has become so: it hears nothing of
 * them. */
static int plug_into(Task *task, struct nl_sock *socket, int index, int master)
{
        const TapOptions *options = &task->options;
        bool is_special = options->is_isolated || options->vlan,
             is_up = !is_special || is_plugged_into(socket, index, master);
        int r = nl_send_sync(socket, message_new(task, index, master, is_up));

        if (r >= 0 && (options->is_isolated || options->was_isolated))
                r = set_isolated(socket, index, options->is_isolated);
        if (r < 0)
                return fail(task, r);
        if (options->vlan || options->had_vlan)
                r = vlans_set_port(options->bridge, index, options->vlan, &task->error);
        if (r < 0 || is_up)
                return r;
        r = nl_send_sync(socket, message_new(task, index, master, true));
        return r < 0 ? fail(task, r) : 0;
}

static int plug_step(void *data)
{
        Task *task = data;
        const char *bridge = task->options.bridge;
        int master = bridge ? (int)if_nametoindex(bridge) : 0;
        struct nl_sock *socket;
        int r = 0;

        if (master == 0 && bridge)
                return error_set(&task->error, ERROR_OPERATION_FAILED, "The host has no bridge '%s'",
                                 bridge);
        if (task->options.vlan)
                r = vlans_prepare(bridge, &task->error);
        if (r < 0)
                return r;
        socket = nl_socket_alloc();
        r = socket ? nl_connect(socket, NETLINK_ROUTE) : -NLE_NOMEM;
        r = r < 0 ? fail(task, r) : plug_into(task, socket, (int)if_nametoindex(task->name), master);
        nl_socket_free(socket);
        return r;
}

int tap_plug(const TapOptions *options, Error *error)
{
        Task task = { .options = *options };
        int r;

        g_strlcpy(task.name, options->name, sizeof task.name);
        r = worker_finish(plug_step, &task);
        if (r < 0)
                error_move(error, &task.error);
        return r;
}

static int open_step(void *data)
{
        Task *task = data;
        int r = 0;

        if (task->options.name && strlen(task->options.name) >= IF_NAMESIZE)
                return error_set(&task->error, ERROR_CONFIG_UNSUPPORTED,
                                 "The device's name '%s' has more than %d bytes", task->options.name,
                                 IF_NAMESIZE - 1);
        if (task->options.is_there && if_nametoindex(task->options.name) == 0)
                return error_set(&task->error, ERROR_OPERATION_FAILED, "The host has no device '%s'",
                                 task->options.name);
        if (!task->options.is_there && task->options.name && if_nametoindex(task->options.name) != 0)
                return error_set(&task->error, ERROR_OPERATION_FAILED, "The host has a device '%s' already",
                                 task->options.name);
        g_strlcpy(task->name, task->options.name ? task->options.name : NAME_PATTERN, sizeof task->name);
        for (size_t i = 0; i < task->n_queues && r >= 0; i++)
                r = open_queue(task, i == 0, &task->fds[i]);
        return r < 0 || !task->options.bridge ? r : plug_step(task);
}

int tap_open(const TapOptions *options, int *fds, size_t n_queues, char **ret_name, Error *error)
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
