/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each operation is one step of a worker, because the kernel may take its time to remove a device. */

#include "drivers/network/bridge.h"
#include "core/fiber.h"
#include "core/worker.h"
#include "drivers/network/links.h"
#include "drivers/network/vlans.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <string.h>
#include <unistd.h>

#define CENTISECONDS 100 /* the kernel's unit of a bridge's delays */
/* A device can be made with a group and not with an alias: one of this group is not finished. */
#define UNFINISHED_GROUP 0x76627573

typedef struct Task {
        int (*step)(struct Task *task);
        NetworkDefinition *definition;
        GPtrArray *found; /* LeftBridge */
        struct nl_sock *socket;
        Error error;
} Task;

static void task_clear(Task *task)
{
        network_definition_free(task->definition);
        nl_socket_free(task->socket);
        error_clear(&task->error);
}

static int fail(Task *task, int result, const char *what)
{
        return error_set(&task->error, ERROR_OPERATION_FAILED, "network '%s': cannot %s '%s': %s",
                         task->definition->name, what, task->definition->bridge.name, nl_geterror(result));
}

static int run_step(void *data)
{
        Task *task = data;
        int r;

        task->socket = nl_socket_alloc();
        r = task->socket ? nl_connect(task->socket, NETLINK_ROUTE) : -NLE_NOMEM;
        return r < 0 ? fail(task, r, "speak with the kernel about") : task->step(task);
}

static int run(const NetworkDefinition *definition, int (*step)(Task *task), Error *error) AWAITS
{
        _cleanup_(task_clear)
                Task task = { .step = step, .definition = network_definition_copy(definition) };
        int r = worker_finish(run_step, &task);

        if (r < 0)
                error_move(error, &task.error);
        return r;
}

static char *alias_of(const NetworkDefinition *definition)
{
        return g_strconcat(BRIDGE_TAG, definition->uuid, NULL);
}

/* Also one that was made and, in a crash, not finished. */
static bool is_ours(const NetworkDefinition *definition, struct rtnl_link *link)
{
        _cleanup_(freep) char *expected = alias_of(definition);
        const char *type = rtnl_link_get_type(link), *alias = rtnl_link_get_ifalias(link);
        struct nl_addr *address = rtnl_link_get_addr(link);
        char mac[32];

        if (g_strcmp0(type, "bridge") != 0)
                return false;
        if (alias && *alias)
                return strcmp(alias, expected) == 0;
        return rtnl_link_get_group(link) == UNFINISHED_GROUP && address &&
               g_ascii_strcasecmp(nl_addr2str(address, mac, sizeof mac), definition->mac) == 0;
}

/* 1: there is one and it is ours; 0: there is none; ERROR_EXISTS: somebody else's. */
static int find(Task *task, int *ret_index)
{
        struct rtnl_link *link;
        bool is_found;
        int r = rtnl_link_get_kernel(task->socket, 0, task->definition->bridge.name, &link);

        if (r == -NLE_OBJ_NOTFOUND || r == -NLE_NODEV)
                return 0;
        if (r < 0)
                return fail(task, r, "look for");
        is_found = is_ours(task->definition, link);
        *ret_index = rtnl_link_get_ifindex(link);
        rtnl_link_put(link);
        return is_found ? 1
                        : error_set(&task->error, ERROR_OPERATION_FAILED,
                                    "network '%s': the host has a device '%s' that is not this network's",
                                    task->definition->name, task->definition->bridge.name);
}

static int send_link(Task *task, int type, int flags, const struct ifinfomsg *header, bool is_new,
                     const char *alias)
{
        struct nl_msg *message = nlmsg_alloc_simple(type, flags);
        const NetworkDefinition *definition = task->definition;
        struct ether_addr mac;

        (void)nlmsg_append(message, (void *)header, sizeof *header, NLMSG_ALIGNTO); /* it has the room, here
                                                                                       and below */
        if (alias)
                (void)nla_put_string(message, IFLA_IFALIAS, alias);
        if (alias || is_new)
                (void)nla_put_u32(message, IFLA_GROUP, is_new ? UNFINISHED_GROUP : 0);
        if (is_new) {
                struct nlattr *info, *data;

                (void)nla_put_string(message, IFLA_IFNAME, definition->bridge.name);
                if (ether_aton_r(definition->mac, &mac))
                        (void)nla_put(message, IFLA_ADDRESS, sizeof mac, &mac);
                if (definition->mtu > 0)
                        (void)nla_put_u32(message, IFLA_MTU, definition->mtu);
                info = nla_nest_start(message, IFLA_LINKINFO);
                (void)nla_put_string(message, IFLA_INFO_KIND, "bridge");
                data = nla_nest_start(message, IFLA_INFO_DATA);
                (void)nla_put_u32(message, IFLA_BR_STP_STATE, definition->bridge.stp != OFF);
                (void)nla_put_u32(message, IFLA_BR_FORWARD_DELAY, definition->bridge.delay * CENTISECONDS);
                (void)nla_nest_end(message, data);
                (void)nla_nest_end(message, info);
        }
        return nl_send_sync(task->socket, message);
}

static int make(Task *task, int *ret_index)
{
        int r = send_link(task, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &(struct ifinfomsg){}, true, NULL);

        if (r < 0)
                return fail(task, r, "make the bridge");
        *ret_index = (int)if_nametoindex(task->definition->bridge.name);
        return 0;
}

static int set_up(Task *task, int index)
{
        const struct ifinfomsg header = { .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
        _cleanup_(freep) char *alias = alias_of(task->definition);
        int r = send_link(task, RTM_NEWLINK, 0, &header, false, alias);

        return r < 0 ? fail(task, r, "mark and bring up") : 0;
}

static unsigned length_of(int family)
{
        return family == AF_INET ? 4 : 16;
}

/* Nobody else has an address on this bridge: there is no need to look for one (DAD), which would take until
 * a guest is plugged in. */
static int add_address(Task *task, int index, const IpNetwork *ip)
{
        struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
        struct ifaddrmsg header = { .ifa_family = (uint8_t)ip->family,
                                    .ifa_prefixlen = (uint8_t)ip->prefix,
                                    .ifa_flags = ip->family == AF_INET6 ? IFA_F_NODAD : 0,
                                    .ifa_index = (unsigned)index };
        int r;

        (void)nlmsg_append(message, &header, sizeof header, NLMSG_ALIGNTO);
        (void)nla_put(message, IFA_LOCAL, (int)length_of(ip->family), ip->bytes);
        (void)nla_put(message, IFA_ADDRESS, (int)length_of(ip->family), ip->bytes);
        if (ip->family == AF_INET && ip->prefix < 31) {
                uint32_t address;

                memcpy(&address, ip->bytes, sizeof address);
                address |= htonl(ip->prefix == 0 ? UINT32_MAX : (1u << (32 - ip->prefix)) - 1);
                (void)nla_put(message, IFA_BROADCAST, sizeof address, &address);
        }
        r = nl_send_sync(task->socket, message);
        return r < 0 ? fail(task, r, "give its address to") : 0;
}

static int add_route(Task *task, int index, const NetworkRoute *route)
{
        const NetworkIp described = { .family = route->family,
                                      .address = route->address,
                                      .netmask = route->netmask,
                                      .has_prefix = route->has_prefix,
                                      .prefix = route->prefix };
        struct nl_msg *message;
        uint8_t gateway[16];
        IpNetwork to;
        int r = network_ip_read(&described, &to, &task->error);

        if (r < 0)
                return r;
        if (inet_pton(to.family, route->gateway, gateway) != 1)
                return fail(task, -NLE_INVAL, "set a route on");
        message = nlmsg_alloc_simple(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
        (void)nlmsg_append(message,
                           &(struct rtmsg){ .rtm_family = (uint8_t)to.family,
                                            .rtm_dst_len = (uint8_t)to.prefix,
                                            .rtm_table = RT_TABLE_MAIN,
                                            .rtm_protocol = RTPROT_STATIC,
                                            .rtm_scope = RT_SCOPE_UNIVERSE,
                                            .rtm_type = RTN_UNICAST },
                           sizeof(struct rtmsg), NLMSG_ALIGNTO);
        (void)nla_put(message, RTA_DST, (int)length_of(to.family), to.bytes);
        (void)nla_put(message, RTA_GATEWAY, (int)length_of(to.family), gateway);
        (void)nla_put_u32(message, RTA_OIF, (uint32_t)index);
        (void)nla_put_u32(message, RTA_PRIORITY, route->has_metric ? route->metric : 1);
        r = nl_send_sync(task->socket, message);
        return r < 0 ? fail(task, r, "set a route on") : 0;
}

/* The host would send what is for one of the two to the other. */
static int check_address(Task *task, const IpNetwork *ip, struct rtnl_addr *address)
{
        struct nl_addr *local = rtnl_addr_get_local(address);
        int index = rtnl_addr_get_ifindex(address);
        char name[IF_NAMESIZE] = "?";
        IpNetwork other = { .family = rtnl_addr_get_family(address) };

        if (!local || other.family != ip->family || nl_addr_get_len(local) != length_of(ip->family))
                return 0;
        memcpy(other.bytes, nl_addr_get_binary_addr(local), nl_addr_get_len(local));
        other.prefix = (unsigned)rtnl_addr_get_prefixlen(address);
        if (!ip_networks_overlap(ip, &other) ||
            strcmp(if_indextoname((unsigned)index, name) ? name : "?", task->definition->bridge.name) == 0)
                return 0;
        return error_set(
                &task->error, ERROR_OPERATION_FAILED,
                "network '%s': its addresses are those of a network that the host is in already, by "
                "its device '%s'",
                task->definition->name, name);
}

static int check_addresses(Task *task)
{
        struct nl_cache *cache;
        int r = rtnl_addr_alloc_cache(task->socket, &cache);

        if (r < 0)
                return fail(task, r, "look at the host's addresses for");
        LIST_FOREACH (ip, task->definition->ips) {
                IpNetwork read;

                if (r >= 0)
                        r = network_ip_read(ip, &read, &task->error);
                for (struct nl_object *at = nl_cache_get_first(cache); at && r >= 0;
                     at = nl_cache_get_next(at))
                        r = check_address(task, &read, (struct rtnl_addr *)at);
        }
        nl_cache_free(cache);
        return r;
}

static int set_sysctl(Task *task, const char *path, const char *value)
{
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd >= 0 && write(fd, value, strlen(value)) >= 0)
                return 0;
        return error_set_errno(&task->error, errno, "network '%s': cannot set %s", task->definition->name,
                               path);
}

static int set_sysctls(Task *task)
{
        const NetworkDefinition *definition = task->definition;
        _cleanup_(freep) char *folder =
                g_strconcat("/proc/sys/net/ipv6/conf/", definition->bridge.name, NULL);
        _cleanup_(freep) char *disable = g_strconcat(folder, "/disable_ipv6", NULL);
        _cleanup_(freep) char *accept_ra = g_strconcat(folder, "/accept_ra", NULL);
        bool forwards = network_forward_mode(definition) != FORWARD_NONE, has_ipv6 = false, has_ipv4 = false;
        bool host_has_ipv6 = access("/proc/sys/net/ipv6", F_OK) >= 0;
        int r = 0;

        LIST_FOREACH (ip, definition->ips) {
                has_ipv6 = has_ipv6 || ip_family(ip->address) == AF_INET6;
                has_ipv4 = has_ipv4 || ip_family(ip->address) == AF_INET;
        }
        if (host_has_ipv6 || has_ipv6)
                r = set_sysctl(task, disable, has_ipv6 || definition->ipv6 == YES ? "0" : "1");
        if (r >= 0 && has_ipv6)
                r = set_sysctl(task, accept_ra, "0"); /* guests are no routers of the host */
        if (r >= 0 && forwards && has_ipv4)
                r = set_sysctl(task, "/proc/sys/net/ipv4/ip_forward", "1");
        if (r >= 0 && forwards && has_ipv6)
                r = set_sysctl(task, "/proc/sys/net/ipv6/conf/all/forwarding", "1");
        return r;
}

static int vlans_step(Task *task)
{
        const NetworkDefinition *definition = task->definition;
        int r = network_has_vlans(definition) ? vlans_prepare(definition->bridge.name, &task->error) : 0;

        if (r >= 0 && definition->vlan)
                r = vlans_set_host(definition->bridge.name, definition->vlan, &task->error);
        return r;
}

int bridge_set_vlans(const NetworkDefinition *definition, Error *error)
{
        return run(definition, vlans_step, error);
}

static int up_step(Task *task)
{
        int index, r = find(task, &index);

        if (r == 0) {
                r = check_addresses(task);
                if (r >= 0)
                        r = make(task, &index);
        }
        if (r >= 0)
                r = set_up(task, index);
        if (r >= 0)
                r = set_sysctls(task);
        if (r >= 0)
                r = vlans_step(task);
        LIST_FOREACH (ip, task->definition->ips) {
                IpNetwork read;

                if (r >= 0)
                        r = network_ip_read(ip, &read, &task->error);
                if (r >= 0)
                        r = add_address(task, index, &read);
        }
        LIST_FOREACH (route, task->definition->routes) {
                if (r >= 0)
                        r = add_route(task, index, route);
        }
        return r;
}

int bridge_up(const NetworkDefinition *definition, Error *error)
{
        return run(definition, up_step, error);
}

static int down_step(Task *task)
{
        int index, r = find(task, &index);

        if (r <= 0)
                return 0; /* gone, or somebody else's by now */
        r = send_link(task, RTM_DELLINK, 0, &(struct ifinfomsg){ .ifi_index = index }, false, NULL);
        return r < 0 ? fail(task, r, "remove the bridge") : 1;
}

int bridge_down(const NetworkDefinition *definition, Error *error)
{
        return MIN(run(definition, down_step, error), 0);
}

static void note(struct nl_sock *socket, struct rtnl_link *link, void *data)
{
        const Task *task = data;
        const char *type = rtnl_link_get_type(link), *alias = rtnl_link_get_ifalias(link);
        struct nl_addr *address = rtnl_link_get_addr(link);
        bool is_finished = alias && g_str_has_prefix(alias, BRIDGE_TAG);
        char mac[32];
        LeftBridge *left;

        (void)socket;
        if (g_strcmp0(type, "bridge") != 0 || !address ||
            !(is_finished || (!(alias && *alias) && rtnl_link_get_group(link) == UNFINISHED_GROUP)))
                return;
        left = g_new0(LeftBridge, 1);
        g_strlcpy(left->name, rtnl_link_get_name(link), sizeof left->name);
        g_strlcpy(left->mac, nl_addr2str(address, mac, sizeof mac), sizeof left->mac);
        if (is_finished)
                g_strlcpy(left->uuid, alias + strlen(BRIDGE_TAG), sizeof left->uuid);
        g_ptr_array_add(task->found, left);
}

static int list_step(void *data)
{
        Task *task = data;

        return links_visit(note, task, &task->error);
}

int bridge_list(GPtrArray **ret_bridges, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
        Task task = { .found = found };
        int r = worker_finish(list_step, &task);

        if (r < 0)
                error_move(error, &task.error);
        else
                *ret_bridges = TAKE_PTR(found);
        return r;
}

int bridge_remove(const LeftBridge *left, Error *error)
{
        const NetworkDefinition named = { .name = (char *)left->name, /* both are copied */
                                          .bridge = { .name = (char *)left->name } };
        _cleanup_(network_definition_freep) NetworkDefinition *definition = network_definition_copy(&named);

        g_strlcpy(definition->uuid, left->uuid, sizeof definition->uuid);
        g_strlcpy(definition->mac, left->mac, sizeof definition->mac);
        return run(definition, down_step, error);
}
