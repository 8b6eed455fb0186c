/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel holds back only what leaves a device. What comes in by one therefore goes over a second, an
 * ifb, that it leaves through a queue, and then on as if it had come straight. That one is named after the
 * index of the first and belongs to GROUP, by which it is found when the first is gone.
 *
 * Class 1:1 has the rate of a direction (burst at `peak`, then `average`). What is not in a guest's share
 * passes 1:2, and the shares are 1:3 and so on: each may take what the others leave of 1:1. */

#include "drivers/network/shaper.h"
#include "core/worker.h"
#include "drivers/network/links.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netlink/route/act/mirred.h>
#include <netlink/route/class.h>
#include <netlink/route/classifier.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/htb.h>
#include <stdio.h>
#include <string.h>

#define IFB_NAME      "vbifb%d"
#define GROUP         0x76627573
#define ROOT          TC_HANDLE(1, 0)
#define CLASS(number) TC_HANDLE(1, number)
#define DEFAULT       2
#define FIRST_SHARE   3
#define PRIORITY      1 /* of all filters */
#define INGRESS       TC_HANDLE(0xffffu, 0)

/* If nobody says what may pass at once: a hundredth of a second, though never less than some frames. */
#define BURST_MIN_BYTES 16384u
/* The kernel has the time that a burst takes as a small number. */
#define BURST_MAX_SECONDS 200
/* The rest of a network whose guests have all of it. */
#define RATE_MIN_BYTES 1024u
/* How much one class passes before another's turn: some frames, and what the kernel takes without a word. */
#define QUANTUM_BYTES 60000u

typedef struct Task {
        ShaperOptions options; /* the caller waits: its texts are there */
        struct nl_sock *socket;
        Error error;
} Task;

static int fail(Task *task, int result, const char *what)
{
        return error_set(&task->error, ERROR_OPERATION_FAILED,
                         "The bandwidth of the device '%s' is not limited: the kernel refuses %s: %s",
                         task->options.device, what, nl_geterror(result));
}

static int add_root(const Task *task, int index)
{
        struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
        int r;

        rtnl_tc_set_ifindex(TC_CAST(qdisc), index);
        rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
        rtnl_tc_set_handle(TC_CAST(qdisc), ROOT);
        r = rtnl_tc_set_kind(TC_CAST(qdisc), "htb");
        if (r >= 0)
                r = rtnl_htb_set_defcls(qdisc, DEFAULT);
        if (r >= 0)
                r = rtnl_qdisc_add(task->socket, qdisc, NLM_F_CREATE | NLM_F_EXCL);
        rtnl_qdisc_put(qdisc);
        return r == -NLE_EXIST ? 0 : r;
}

static uint32_t burst_of(uint64_t rate, const BandwidthLimit *limit)
{
        uint64_t burst = limit && limit->has_burst ? limit->burst * 1024 : rate / 100;

        return (uint32_t)CLAMP(burst, BURST_MIN_BYTES, UINT32_MAX);
}

/* Also changes one that is there. `limit`: for its burst, or NULL. */
static int put_class(const Task *task, int index, uint32_t parent, uint32_t handle, uint64_t rate,
                     uint64_t ceil, const BandwidthLimit *limit)
{
        struct rtnl_class *class = rtnl_class_alloc();
        int r;

        rtnl_tc_set_ifindex(TC_CAST(class), index);
        rtnl_tc_set_parent(TC_CAST(class), parent);
        rtnl_tc_set_handle(TC_CAST(class), handle);
        r = rtnl_tc_set_kind(TC_CAST(class), "htb");
        if (r >= 0)
                r = rtnl_htb_set_rate64(class, rate);
        if (r >= 0)
                r = rtnl_htb_set_ceil64(class, ceil);
        if (r >= 0)
                r = rtnl_htb_set_rbuffer(class, burst_of(rate, limit));
        if (r >= 0)
                r = rtnl_htb_set_cbuffer(class, burst_of(ceil, NULL));
        if (r >= 0)
                r = rtnl_htb_set_quantum(class, QUANTUM_BYTES);
        if (r >= 0)
                r = rtnl_class_add(task->socket, class, NLM_F_CREATE);
        rtnl_class_put(class);
        return r;
}

/* All that choose a class; what they chose goes the default way until they are there again. */
static void remove_filters(const Task *task, int index)
{
        struct rtnl_cls *filter = rtnl_cls_alloc();

        rtnl_tc_set_ifindex(TC_CAST(filter), index);
        rtnl_tc_set_parent(TC_CAST(filter), ROOT);
        rtnl_cls_set_prio(filter, PRIORITY);
        rtnl_cls_set_protocol(filter, ETH_P_ALL);
        (void)rtnl_cls_delete(task->socket, filter, 0); /* there may be none */
        rtnl_cls_put(filter);
}

static int remove_classes_from(const Task *task, int index, uint32_t first)
{
        struct nl_cache *cache;
        int r = rtnl_class_alloc_cache(task->socket, index, &cache);

        if (r < 0)
                return r;
        for (struct nl_object *at = nl_cache_get_first(cache); at && r >= 0; at = nl_cache_get_next(at)) {
                struct rtnl_class *class = (struct rtnl_class *)at;
                uint32_t handle = rtnl_tc_get_handle(TC_CAST(class));

                if (TC_H_MAJ(handle) == ROOT && TC_H_MIN(handle) >= first)
                        r = rtnl_class_delete(task->socket, class);
        }
        nl_cache_free(cache);
        return r;
}

/* Whatever is sent to that hardware address; offsets count from the packet in the frame. */
static int add_filter(const Task *task, int index, const char *mac, uint32_t class)
{
        struct rtnl_cls *filter;
        uint8_t bytes[8] = {};
        uint32_t words[2];
        int r;

        if (!ether_aton_r(mac, (struct ether_addr *)bytes))
                return -NLE_INVAL;
        memcpy(words, bytes, sizeof words);
        filter = rtnl_cls_alloc();
        rtnl_tc_set_ifindex(TC_CAST(filter), index);
        rtnl_tc_set_parent(TC_CAST(filter), ROOT);
        rtnl_cls_set_prio(filter, PRIORITY);
        rtnl_cls_set_protocol(filter, ETH_P_ALL);
        r = rtnl_tc_set_kind(TC_CAST(filter), "u32");
        if (r >= 0)
                r = rtnl_u32_add_key(filter, words[0], UINT32_MAX, -ETH_HLEN, 0);
        if (r >= 0)
                r = rtnl_u32_add_key(filter, words[1], htonl(0xffff0000), -ETH_HLEN + 4, 0);
        if (r >= 0)
                r = rtnl_u32_set_classid(filter, class);
        if (r >= 0)
                r = rtnl_u32_set_cls_terminal(filter);
        if (r >= 0)
                r = rtnl_cls_add(task->socket, filter, NLM_F_CREATE | NLM_F_EXCL);
        rtnl_cls_put(filter);
        return r;
}

static uint64_t peak_of(const BandwidthLimit *limit)
{
        return (limit->has_peak ? limit->peak : limit->average) * 1024;
}

static int set_shares(const Task *task, int index, const BandwidthLimit *limit, unsigned n_shares)
{
        uint64_t rest = limit->average * 1024;
        int r = 0;

        remove_filters(task, index);
        for (unsigned i = 0; i < n_shares && r >= 0; i++) {
                uint64_t rate = task->options.shares[i].floor * 1024;

                r = put_class(task, index, CLASS(1), CLASS(FIRST_SHARE + i), rate, peak_of(limit), NULL);
                if (r >= 0)
                        r = add_filter(task, index, task->options.shares[i].mac, CLASS(FIRST_SHARE + i));
                rest -= MIN(rate, rest);
        }
        if (r >= 0)
                r = put_class(task, index, CLASS(1), CLASS(DEFAULT), MAX(rest, RATE_MIN_BYTES),
                              peak_of(limit), n_shares == 0 ? limit : NULL);
        return r < 0 ? r : remove_classes_from(task, index, FIRST_SHARE + n_shares);
}

static bool is_limit(const BandwidthLimit *limit)
{
        return limit && limit->has_average;
}

static void remove_queue(const Task *task, int index, uint32_t parent, uint32_t handle)
{
        struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();

        rtnl_tc_set_ifindex(TC_CAST(qdisc), index);
        rtnl_tc_set_parent(TC_CAST(qdisc), parent);
        rtnl_tc_set_handle(TC_CAST(qdisc), handle);
        (void)rtnl_qdisc_delete(task->socket, qdisc); /* there may be none */
        rtnl_qdisc_put(qdisc);
}

/* What leaves the device. */
static int limit_leaving(Task *task, int index, const BandwidthLimit *limit, unsigned n_shares)
{
        int r;

        if (!is_limit(limit)) {
                remove_queue(task, index, TC_H_ROOT, ROOT);
                return 0;
        }
        r = add_root(task, index);
        if (r >= 0)
                r = put_class(task, index, ROOT, CLASS(1), limit->average * 1024, peak_of(limit), limit);
        if (r >= 0)
                r = set_shares(task, index, limit, n_shares);
        return r < 0 ? fail(task, r, "a queue with a rate (htb)") : 0;
}

/* 0: there is none; an error: the name is another's. */
static int find_ifb(Task *task, const char *name)
{
        struct rtnl_link *link;
        bool is_ours;
        int index, r = rtnl_link_get_kernel(task->socket, 0, name, &link);

        if (r == -NLE_OBJ_NOTFOUND || r == -NLE_NODEV)
                return 0;
        if (r < 0)
                return fail(task, r, "to tell of its devices");
        is_ours = g_strcmp0(rtnl_link_get_type(link), "ifb") == 0 && rtnl_link_get_group(link) == GROUP;
        index = rtnl_link_get_ifindex(link);
        rtnl_link_put(link);
        return is_ours ? index
                       : error_set(&task->error, ERROR_OPERATION_FAILED,
                                   "The bandwidth of the device '%s' is not limited: the host has a device "
                                   "'%s' of somebody else's",
                                   task->options.device, name);
}

/* It is no end of anything: it has no address. */
static int make_ifb(Task *task, int device)
{
        _cleanup_(freep) char *name = g_strdup_printf(IFB_NAME, device);
        struct rtnl_link *link, *change;
        int index = find_ifb(task, name), r;

        if (index != 0)
                return index;
        link = rtnl_link_alloc();
        change = rtnl_link_alloc();
        rtnl_link_set_name(link, name);
        rtnl_link_set_group(link, GROUP);
        r = rtnl_link_set_type(link, "ifb");
        if (r >= 0)
                r = rtnl_link_add(task->socket, link, NLM_F_CREATE | NLM_F_EXCL);
        index = (int)if_nametoindex(name);
        if (r >= 0) {
                rtnl_link_set_ifindex(change, index);
                (void)rtnl_link_inet6_set_addr_gen_mode(change, IN6_ADDR_GEN_MODE_NONE);
                (void)rtnl_link_change(task->socket, change, change, 0); /* the kernel may have no IPv6 */
                rtnl_link_put(change);
                change = rtnl_link_alloc();
                rtnl_link_set_ifindex(change, index);
                rtnl_link_set_flags(change, IFF_UP);
                r = rtnl_link_change(task->socket, change, change, 0);
        }
        rtnl_link_put(link);
        rtnl_link_put(change);
        return r < 0 ? fail(task, r, "a device that what comes in passes (ifb)") : index;
}

static int add_ingress(const Task *task, int index)
{
        struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
        int r;

        rtnl_tc_set_ifindex(TC_CAST(qdisc), index);
        rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_INGRESS);
        rtnl_tc_set_handle(TC_CAST(qdisc), INGRESS);
        r = rtnl_tc_set_kind(TC_CAST(qdisc), "ingress");
        if (r >= 0)
                r = rtnl_qdisc_add(task->socket, qdisc, NLM_F_CREATE | NLM_F_EXCL);
        rtnl_qdisc_put(qdisc);
        return r;
}

/* Every frame, whatever it is. */
static int redirect(const Task *task, int index, int ifb)
{
        struct rtnl_cls *filter = rtnl_cls_alloc();
        struct rtnl_act *action = rtnl_act_alloc();
        int r;

        rtnl_tc_set_ifindex(TC_CAST(filter), index);
        rtnl_tc_set_parent(TC_CAST(filter), INGRESS);
        rtnl_cls_set_prio(filter, PRIORITY);
        rtnl_cls_set_protocol(filter, ETH_P_ALL);
        r = rtnl_tc_set_kind(TC_CAST(filter), "u32");
        if (r >= 0)
                r = rtnl_u32_add_key(filter, 0, 0, 0, 0);
        if (r >= 0)
                r = rtnl_tc_set_kind(TC_CAST(action), "mirred");
        if (r >= 0)
                r = rtnl_mirred_set_action(action, TCA_EGRESS_REDIR);
        if (r >= 0)
                r = rtnl_mirred_set_policy(action, TC_ACT_STOLEN);
        if (r >= 0)
                r = rtnl_mirred_set_ifindex(action, (uint32_t)ifb);
        if (r >= 0)
                r = rtnl_u32_add_action(filter, action);
        if (r >= 0)
                r = rtnl_u32_set_cls_terminal(filter);
        if (r >= 0)
                r = rtnl_cls_add(task->socket, filter, NLM_F_CREATE | NLM_F_EXCL);
        rtnl_act_put(action);
        rtnl_cls_put(filter);
        return r;
}

static void remove_link(struct nl_sock *socket, int index)
{
        struct rtnl_link *link = rtnl_link_alloc();

        rtnl_link_set_ifindex(link, index);
        (void)rtnl_link_delete(socket, link); /* if it is gone, all the better */
        rtnl_link_put(link);
}

static int open_way(Task *task, int index, const BandwidthLimit *limit)
{
        int ifb = make_ifb(task, index), r;

        r = ifb < 0 ? ifb : limit_leaving(task, ifb, limit, 0);
        if (r < 0)
                return r;
        remove_queue(task, index, TC_H_INGRESS, INGRESS);
        r = add_ingress(task, index);
        if (r >= 0)
                r = redirect(task, index, ifb);
        return r < 0 ? fail(task, r, "to send what comes in another way (ingress, u32, mirred)") : 0;
}

/* What comes in by the device. */
static int limit_coming(Task *task, int index, const BandwidthLimit *limit)
{
        _cleanup_(freep) char *name = g_strdup_printf(IFB_NAME, index);
        int r = is_limit(limit) ? open_way(task, index, limit) : 0, ifb;

        if (is_limit(limit) && r >= 0)
                return 0;
        ifb = find_ifb(task, name);
        if (ifb > 0) {
                remove_queue(task, index, TC_H_INGRESS, INGRESS);
                remove_link(task->socket, ifb);
        }
        if (ifb < 0 && r >= 0)
                error_clear(&task->error); /* there is nothing of ours to remove */
        return r;
}

static int set_step(void *data)
{
        Task *task = data;
        const Bandwidth *bandwidth = task->options.bandwidth;
        const BandwidthLimit *inbound = bandwidth ? bandwidth->inbound : NULL,
                             *outbound = bandwidth ? bandwidth->outbound : NULL;
        bool swaps = task->options.is_guests_end;
        int index = (int)if_nametoindex(task->options.device), r;

        if (index == 0)
                return error_set(&task->error, ERROR_OPERATION_FAILED, "The host has no device '%s'",
                                 task->options.device);
        task->socket = nl_socket_alloc();
        r = task->socket ? nl_connect(task->socket, NETLINK_ROUTE) : -NLE_NOMEM;
        r = r < 0 ? fail(task, r, "to be spoken with") : 0;
        if (r >= 0)
                r = limit_coming(task, index, swaps ? inbound : outbound);
        if (r >= 0)
                r = limit_leaving(task, index, swaps ? outbound : inbound, task->options.n_shares);
        nl_socket_free(task->socket);
        return r;
}

int shaper_set(const ShaperOptions *options, Error *error)
{
        Task task = { .options = *options };
        int r = worker_finish(set_step, &task);

        if (r < 0)
                error_move(error, &task.error);
        return r;
}

/* The index of the device that this one limits; 0: it is no such. */
static int limited_by(struct rtnl_link *link)
{
        int index = 0;

        if (g_strcmp0(rtnl_link_get_type(link), "ifb") == 0 && rtnl_link_get_group(link) == GROUP)
                (void)sscanf(rtnl_link_get_name(link), IFB_NAME, &index); /* 0 if it is not */
        return index;
}

static void sweep(struct nl_sock *socket, struct rtnl_link *link, void *data)
{
        int index = limited_by(link);
        char name[IF_NAMESIZE];

        (void)data;
        if (index > 0 && !if_indextoname((unsigned)index, name))
                remove_link(socket, rtnl_link_get_ifindex(link));
}

static int sweep_step(void *data)
{
        return links_visit(sweep, NULL, &((Task *)data)->error);
}

int shaper_sweep(Error *error)
{
        Task task = {};
        int r = worker_finish(sweep_step, &task);

        if (r < 0)
                error_move(error, &task.error);
        return r;
}

static int check_limit(const BandwidthLimit *limit, const char *what, const char *direction, Error *error)
{
        if (!limit)
                return 0;
        if ((limit->has_average && limit->average == 0) || limit->average > UINT32_MAX ||
            limit->peak > UINT32_MAX || limit->floor > UINT32_MAX || (limit->has_floor && limit->floor == 0))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "%s: <%s>: 1 to %u KiB/s are possible for average, peak and floor", what,
                                 direction, UINT32_MAX);
        if (limit->has_peak && limit->peak < limit->average)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "%s: <%s>: the peak, %" G_GUINT64_FORMAT
                                 ", is less than the average, %" G_GUINT64_FORMAT,
                                 what, direction, limit->peak, limit->average);
        if (limit->burst > limit->average * BURST_MAX_SECONDS || limit->burst > UINT32_MAX / 1024)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "%s: <%s>: a burst is less than 4 GiB, and not more than the average of %d "
                                 "seconds",
                                 what, direction, BURST_MAX_SECONDS);
        return 0;
}

int shaper_check(const Bandwidth *bandwidth, const char *what, Error *error)
{
        int r;

        if (!bandwidth)
                return 0;
        r = check_limit(bandwidth->inbound, what, "inbound", error);
        return r < 0 ? r : check_limit(bandwidth->outbound, what, "outbound", error);
}
