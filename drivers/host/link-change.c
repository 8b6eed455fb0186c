/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each operation is one step of a worker, because the kernel may take its time. A device cannot be made with
 * an alias: until it has one, a group says that it is ours. */

#include "drivers/host/link-change.h"
#include "core/fiber.h"
#include "core/worker.h"
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <string.h>

#define OUR_ALIAS    "virtbus-interface"
#define UNFINISHED   0x76626966
#define CENTISECONDS 100 /* the kernel's unit of a bridge's delay */
#define NESTING_MAX  8

typedef struct Task {
        int (*step)(struct Task *task);
        HostInterfaceDefinition *definition;
        char *name;
        struct nl_sock *socket;
        GArray *made; /* indexes, in the order of their making */
        Error error;
} Task;

static void task_clear(Task *task)
{
        host_interface_free(task->definition);
        g_free(task->name);
        nl_socket_free(task->socket);
        g_array_unref(task->made);
        error_clear(&task->error);
}

static int fail(Task *task, int result, const char *what, const char *name)
{
        return error_set(&task->error, ERROR_OPERATION_FAILED, "Cannot %s '%s': %s", what, name,
                         nl_geterror(result));
}

static int run_step(void *data)
{
        Task *task = data;
        int r;

        task->socket = nl_socket_alloc();
        r = nl_connect(task->socket, NETLINK_ROUTE);
        return r < 0 ? fail(task, r, "speak with the kernel about", task->name) : task->step(task);
}

static int run(const char *name, const HostInterfaceDefinition *definition, int (*step)(Task *task),
               Error *error) AWAITS
{
        _cleanup_(task_clear) Task task = {
                .step = step,
                .name = g_strdup(name),
                .definition = definition ? struct_copy(&host_interface_definition_type, definition) : NULL,
                .made = g_array_new(false, false, sizeof(int)),
        };
        int r = worker_finish(run_step, &task);

        if (r < 0)
                error_move(error, &task.error);
        return r;
}

/* 1: there is one, to be put; 0: there is none. */
static int find(Task *task, const char *name, struct rtnl_link **ret_link)
{
        int r = rtnl_link_get_kernel(task->socket, 0, name, ret_link);

        if (r == -NLE_OBJ_NOTFOUND || r == -NLE_NODEV)
                return 0;
        return r < 0 ? fail(task, r, "look for", name) : 1;
}

/* What `fill` sets, of the device that is there. */
typedef void (*LinkFill)(struct rtnl_link *change, const void *data);

static int change_link(Task *task, int index, LinkFill fill, const void *data)
{
        struct rtnl_link *link = rtnl_link_alloc(), *change = rtnl_link_alloc();
        int r;

        rtnl_link_set_ifindex(link, index);
        fill(change, data);
        r = rtnl_link_change(task->socket, link, change, 0);
        rtnl_link_put(link);
        rtnl_link_put(change);
        return r;
}

static void fill_up(struct rtnl_link *change, const void *data _unused_)
{
        rtnl_link_set_flags(change, IFF_UP);
}

static void fill_down(struct rtnl_link *change, const void *data _unused_)
{
        rtnl_link_unset_flags(change, IFF_UP);
}

static void fill_master(struct rtnl_link *change, const void *data)
{
        rtnl_link_set_master(change, *(const int *)data);
}

static void fill_finished(struct rtnl_link *change, const void *data _unused_)
{
        rtnl_link_set_ifalias(change, OUR_ALIAS);
        rtnl_link_set_group(change, 0);
}

static void fill_mtu(struct rtnl_link *change, const void *data)
{
        rtnl_link_set_mtu(change, *(const uint32_t *)data);
}

static void put_bridge(struct nl_msg *message, const InterfaceBridge *bridge)
{
        if (bridge->stp != ON_OFF_ABSENT)
                (void)nla_put_u32(message, IFLA_BR_STP_STATE, bridge->stp == ON);
        if (bridge->delay)
                (void)nla_put_u32(message, IFLA_BR_FORWARD_DELAY,
                                  (uint32_t)(g_ascii_strtod(bridge->delay, NULL) * CENTISECONDS));
}

static void put_bond(struct nl_msg *message, const InterfaceBond *bond)
{
        if (bond->mode != BOND_MODE_UNSPECIFIED)
                (void)nla_put_u8(message, IFLA_BOND_MODE, (uint8_t)(bond->mode - BOND_MODE_BALANCE_RR));
        if (bond->miimon) {
                (void)nla_put_u32(message, IFLA_BOND_MIIMON, bond->miimon->frequency);
                if (bond->miimon->updelay)
                        (void)nla_put_u32(message, IFLA_BOND_UPDELAY, bond->miimon->updelay);
                if (bond->miimon->downdelay)
                        (void)nla_put_u32(message, IFLA_BOND_DOWNDELAY, bond->miimon->downdelay);
                if (bond->miimon->carrier != BOND_CARRIER_UNSPECIFIED)
                        (void)nla_put_u8(message, IFLA_BOND_USE_CARRIER,
                                         bond->miimon->carrier == BOND_CARRIER_NETIF);
        }
        if (bond->arpmon) {
                struct nlattr *targets;
                struct in_addr target;

                (void)inet_pton(AF_INET, bond->arpmon->target, &target); /* it was checked */
                (void)nla_put_u32(message, IFLA_BOND_ARP_INTERVAL, bond->arpmon->interval);
                targets = nla_nest_start(message, IFLA_BOND_ARP_IP_TARGET);
                (void)nla_put_u32(message, 0, target.s_addr);
                (void)nla_nest_end(message, targets);
                if (bond->arpmon->validate != BOND_VALIDATE_UNSPECIFIED)
                        (void)nla_put_u32(message, IFLA_BOND_ARP_VALIDATE,
                                          (uint32_t)(bond->arpmon->validate - BOND_VALIDATE_NONE));
        }
}

static int put_kind(Task *task, struct nl_msg *message, const HostInterfaceDefinition *definition)
{
        struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO), *data;
        struct rtnl_link *lower;
        int r;

        (void)nla_put_string(message, IFLA_INFO_KIND, host_interface_type_to_string(definition->type));
        data = nla_nest_start(message, IFLA_INFO_DATA);
        if (definition->type == HOST_INTERFACE_BRIDGE)
                put_bridge(message, &definition->bridge);
        else if (definition->type == HOST_INTERFACE_BOND)
                put_bond(message, &definition->bond);
        else
                (void)nla_put_u16(message, IFLA_VLAN_ID, (uint16_t)definition->vlan.tag);
        (void)nla_nest_end(message, data);
        (void)nla_nest_end(message, info);
        if (definition->type != HOST_INTERFACE_VLAN)
                return 0;
        r = find(task, definition->vlan.device, &lower);
        if (r < 0)
                return r;
        if (r == 0)
                return error_set(&task->error, ERROR_NO_DEVICE,
                                 "The host has no device '%s', on which '%s' is", definition->vlan.device,
                                 definition->name);
        (void)nla_put_u32(message, IFLA_LINK, (uint32_t)rtnl_link_get_ifindex(lower));
        rtnl_link_put(lower);
        return 0;
}

static int make(Task *task, const HostInterfaceDefinition *definition, int *ret_index)
{
        struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
        struct ether_addr mac;
        int r;

        (void)nlmsg_append(message, &(struct ifinfomsg){}, sizeof(struct ifinfomsg), NLMSG_ALIGNTO);
        (void)nla_put_string(message, IFLA_IFNAME, definition->name);
        (void)nla_put_u32(message, IFLA_GROUP, UNFINISHED);
        if (ether_aton_r(definition->mac, &mac))
                (void)nla_put(message, IFLA_ADDRESS, sizeof mac, &mac);
        r = put_kind(task, message, definition);
        if (r < 0) {
                nlmsg_free(message);
                return r;
        }
        r = nl_send_sync(task->socket, message);
        if (r < 0)
                return fail(task, r, "make", definition->name);
        *ret_index = (int)if_nametoindex(definition->name);
        g_array_append_val(task->made, *ret_index);
        return 0;
}

static int find_or_make(Task *task, const HostInterfaceDefinition *definition, int *ret_index)
{
        struct rtnl_link *link;
        const char *wanted = host_interface_type_to_string(definition->type);
        int r = find(task, definition->name, &link);

        if (r < 0)
                return r;
        if (r > 0) {
                const char *kind = rtnl_link_get_type(link);

                if (definition->type != HOST_INTERFACE_ETHERNET && g_strcmp0(kind, wanted) != 0)
                        r = error_set(&task->error, ERROR_EXISTS, "The host's device '%s' is no %s",
                                      definition->name, wanted);
                else
                        *ret_index = rtnl_link_get_ifindex(link);
                rtnl_link_put(link);
                return r;
        }
        if (definition->type == HOST_INTERFACE_ETHERNET)
                return error_set(&task->error, ERROR_NO_DEVICE, "The host has no device '%s'",
                                 definition->name);
        return make(task, definition, ret_index);
}

static int add_address(Task *task, const char *name, int index, const InterfaceIp *ip, int family)
{
        struct rtnl_addr *address = rtnl_addr_alloc();
        struct nl_addr *local;
        int r = nl_addr_parse(ip->address, family, &local);

        if (r >= 0) {
                if (ip->has_prefix)
                        nl_addr_set_prefixlen(local, (int)ip->prefix);
                rtnl_addr_set_ifindex(address, index);
                r = rtnl_addr_set_local(address, local);
                nl_addr_put(local);
        }
        if (r >= 0)
                r = rtnl_addr_add(task->socket, address, NLM_F_REPLACE);
        rtnl_addr_put(address);
        return r < 0 ? fail(task, r, "give its address to", name) : 0;
}

static int add_route(Task *task, const char *name, int index, const InterfaceRoute *described, int family)
{
        struct rtnl_route *route = rtnl_route_alloc();
        struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
        struct nl_addr *gateway, *everywhere;
        int r = nl_addr_parse(described->gateway, family, &gateway);

        if (r >= 0)
                r = nl_addr_parse("default", family, &everywhere);
        if (r >= 0) {
                rtnl_route_nh_set_gateway(hop, gateway);
                rtnl_route_nh_set_ifindex(hop, index);
                rtnl_route_add_nexthop(route, hop);
                r = rtnl_route_set_dst(route, everywhere);
                nl_addr_put(gateway);
                nl_addr_put(everywhere);
        }
        if (r >= 0)
                r = rtnl_route_add(task->socket, route, NLM_F_REPLACE);
        rtnl_route_put(route);
        return r < 0 ? fail(task, r, "set the route of", name) : 0;
}

static int add_protocols(Task *task, const HostInterfaceDefinition *definition, int index)
{
        int r = 0;

        LIST_FOREACH (protocol, definition->protocols) {
                int family = strcmp(protocol->family, "ipv4") == 0 ? AF_INET : AF_INET6;

                LIST_FOREACH (ip, protocol->ips) {
                        if (r >= 0)
                                r = add_address(task, definition->name, index, ip, family);
                }
                LIST_FOREACH (route, protocol->routes) {
                        if (r >= 0)
                                r = add_route(task, definition->name, index, route, family);
                }
        }
        return r;
}

static int bring_up(Task *task, const HostInterfaceDefinition *definition, unsigned depth, int *ret_index);

/* A bond takes only what is down. */
static int plug_in(Task *task, const HostInterfaceDefinition *member, unsigned depth, int master,
                   bool is_bond)
{
        int index, r = bring_up(task, member, depth + 1, &index);

        if (r < 0)
                return r;
        if (is_bond)
                r = change_link(task, index, fill_down, NULL);
        if (r >= 0)
                r = change_link(task, index, fill_master, &master);
        if (r >= 0)
                r = change_link(task, index, fill_up, NULL);
        return r < 0 ? fail(task, r, "plug in", member->name) : 0;
}

static int bring_up(Task *task, const HostInterfaceDefinition *definition, unsigned depth, int *ret_index)
{
        unsigned n_made = task->made->len;
        int index, r;

        if (depth > NESTING_MAX)
                return error_set(&task->error, ERROR_INVALID_XML, "interface '%s': it is nested too deeply",
                                 definition->name);
        r = find_or_make(task, definition, &index);
        if (r < 0)
                return r;
        if (definition->mtu > 0) {
                r = change_link(task, index, fill_mtu, &definition->mtu);
                if (r < 0)
                        return fail(task, r, "set the MTU of", definition->name);
        }
        LIST_FOREACH (member, definition->bridge.members) {
                if (r >= 0)
                        r = plug_in(task, member, depth, index, false);
        }
        LIST_FOREACH (member, definition->bond.members) {
                if (r >= 0)
                        r = plug_in(task, member, depth, index, true);
        }
        if (r < 0)
                return r;
        r = change_link(task, index, fill_up, NULL);
        if (r < 0)
                return fail(task, r, "bring up", definition->name);
        r = add_protocols(task, definition, index);
        if (r >= 0 && task->made->len > n_made && g_array_index(task->made, int, n_made) == index) {
                r = change_link(task, index, fill_finished, NULL);
                if (r < 0)
                        r = fail(task, r, "mark", definition->name);
        }
        if (r >= 0)
                *ret_index = index;
        return r;
}

static int delete_link(Task *task, int index)
{
        struct rtnl_link *link = rtnl_link_alloc();
        int r;

        rtnl_link_set_ifindex(link, index);
        r = rtnl_link_delete(task->socket, link);
        rtnl_link_put(link);
        return r;
}

static int bring_up_step(Task *task)
{
        int index, r = bring_up(task, task->definition, 0, &index);

        for (unsigned i = task->made->len; r < 0 && i > 0; i--)
                (void)delete_link(task, g_array_index(task->made, int, i - 1)); /* the cause is told */
        return r;
}

int link_bring_up(const HostInterfaceDefinition *definition, Error *error)
{
        return run(definition->name, definition, bring_up_step, error);
}

static int find_there(Task *task, struct rtnl_link **ret_link)
{
        int r = find(task, task->name, ret_link);

        return r != 0 ? r
                      : error_set(&task->error, ERROR_NO_DEVICE, "The host has no device '%s'", task->name);
}

static int change_step(Task *task, LinkFill fill, const char *what)
{
        struct rtnl_link *link;
        int index, r = find_there(task, &link);

        if (r < 0)
                return r;
        index = rtnl_link_get_ifindex(link);
        rtnl_link_put(link);
        r = change_link(task, index, fill, NULL);
        return r < 0 ? fail(task, r, what, task->name) : 0;
}

static int set_up_step(Task *task)
{
        return change_step(task, fill_up, "bring up");
}

static int mark_step(Task *task)
{
        return change_step(task, fill_finished, "mark");
}

int link_mark(const char *name, Error *error)
{
        return run(name, NULL, mark_step, error);
}

int link_set_up(const char *name, Error *error)
{
        return run(name, NULL, set_up_step, error);
}

static int take_down_step(Task *task)
{
        struct rtnl_link *link;
        bool is_ours;
        int index, r = find_there(task, &link);

        if (r < 0)
                return r;
        index = rtnl_link_get_ifindex(link);
        is_ours = g_strcmp0(rtnl_link_get_ifalias(link), OUR_ALIAS) == 0 ||
                  rtnl_link_get_group(link) == UNFINISHED;
        rtnl_link_put(link);
        r = is_ours ? delete_link(task, index) : change_link(task, index, fill_down, NULL);
        return r < 0 ? fail(task, r, is_ours ? "remove" : "take down", task->name) : 0;
}

int link_take_down(const char *name, Error *error)
{
        return run(name, NULL, take_down_step, error);
}
