/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a port loses comes before what it gets: it is never in more VLANs than it was or shall be. */

#include "drivers/network/vlans.h"
#include "drivers/network/bridge.h"
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#define VLAN_LAST 4094u
/* Each takes eight bytes. */
#define MESSAGE_SIZE (VLAN_LAST * 8 + 4096)

/* As the kernel has it. */
typedef struct BridgeState {
        bool is_bridge, is_ours, can_filter, filters;
        int index;
        uint16_t default_id; /* of ports that nothing is said of; 0: none */
} BridgeState;

/* What a port is in: the kernel's flags of each, with one that says that it is in it. */
typedef struct Membership {
        bool is_in[VLAN_LAST + 1];
        uint16_t flags[VLAN_LAST + 1];
} Membership;

static struct nl_sock *socket_free(struct nl_sock *socket)
{
        nl_socket_free(socket);
        return NULL;
}
DEFINE_CLEANUP(struct nl_sock, socket_free)

static int fail(Error *error, int result, const char *what, const char *bridge)
{
        return error_set(error, ERROR_OPERATION_FAILED, "Cannot %s the bridge '%s': %s", what, bridge,
                         nl_geterror(result));
}

static int socket_open(const char *bridge, struct nl_sock **ret, Error *error)
{
        _cleanup_(socket_freep) struct nl_sock *socket = nl_socket_alloc();
        int r = socket ? nl_connect(socket, NETLINK_ROUTE) : -NLE_NOMEM;

        if (r < 0)
                return fail(error, r, "speak with the kernel about", bridge);
        *ret = TAKE_PTR(socket);
        return 0;
}

static void read_bridge(struct nlattr *data, BridgeState *state)
{
        struct nlattr *values[IFLA_BR_MAX + 1];

        if (!data || nla_parse_nested(values, IFLA_BR_MAX, data, NULL) < 0)
                return;
        state->can_filter =
                values[IFLA_BR_VLAN_DEFAULT_PVID]; /* whether they are filtered is told by any kernel */
        if (!state->can_filter)
                return;
        state->default_id = nla_get_u16(values[IFLA_BR_VLAN_DEFAULT_PVID]);
        state->filters = values[IFLA_BR_VLAN_FILTERING] && nla_get_u8(values[IFLA_BR_VLAN_FILTERING]);
}

static int link_told(struct nl_msg *message, void *data)
{
        const struct ifinfomsg *header = nlmsg_data(nlmsg_hdr(message));
        struct nlattr *attributes[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
        BridgeState *state = data;

        if (nlmsg_parse(nlmsg_hdr(message), sizeof *header, attributes, IFLA_MAX, NULL) < 0)
                return NL_SKIP;
        state->index = header->ifi_index;
        if (!attributes[IFLA_LINKINFO] ||
            nla_parse_nested(info, IFLA_INFO_MAX, attributes[IFLA_LINKINFO], NULL) < 0)
                return NL_OK;
        state->is_bridge = info[IFLA_INFO_KIND] && nla_strcmp(info[IFLA_INFO_KIND], "bridge") == 0;
        state->is_ours = state->is_bridge && attributes[IFLA_IFALIAS] &&
                         g_str_has_prefix(nla_get_string(attributes[IFLA_IFALIAS]), BRIDGE_TAG);
        if (state->is_bridge)
                read_bridge(info[IFLA_INFO_DATA], state);
        return NL_OK;
}

static int look(const char *bridge, BridgeState *ret, Error *error)
{
        _cleanup_(socket_freep) struct nl_sock *socket = NULL;
        struct nl_msg *message;
        int r = socket_open(bridge, &socket, error);

        if (r < 0)
                return r;
        *ret = (BridgeState){};
        (void)nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, link_told, ret); /* it is there */
        message = nlmsg_alloc_simple(RTM_GETLINK, 0);
        (void)nlmsg_append(message, &(struct ifinfomsg){}, sizeof(struct ifinfomsg),
                           NLMSG_ALIGNTO); /* it has the room, here and below */
        (void)nla_put_string(message, IFLA_IFNAME, bridge);
        r = nl_send_auto(socket, message);
        nlmsg_free(message);
        if (r >= 0)
                r = nl_recvmsgs_default(socket);
        if (r >= 0)
                r = nl_wait_for_ack(socket);
        if (r == -NLE_OBJ_NOTFOUND || r == -NLE_NODEV)
                return error_set(error, ERROR_OPERATION_FAILED, "The host has no bridge '%s'", bridge);
        return r < 0 ? fail(error, r, "look at", bridge) : 0;
}

static int switch_on(const char *bridge, const BridgeState *state, Error *error)
{
        _cleanup_(socket_freep) struct nl_sock *socket = NULL;
        struct nlattr *info, *data;
        struct nl_msg *message;
        int r = socket_open(bridge, &socket, error);

        if (r < 0)
                return r;
        message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
        (void)nlmsg_append(message, &(struct ifinfomsg){ .ifi_index = state->index },
                           sizeof(struct ifinfomsg), NLMSG_ALIGNTO);
        info = nla_nest_start(message, IFLA_LINKINFO);
        (void)nla_put_string(message, IFLA_INFO_KIND, "bridge");
        data = nla_nest_start(message, IFLA_INFO_DATA);
        (void)nla_put_u8(message, IFLA_BR_VLAN_FILTERING, 1);
        (void)nla_nest_end(message, data);
        (void)nla_nest_end(message, info);
        r = nl_send_sync(socket, message);
        return r < 0 ? fail(error, r, "switch VLANs on at", bridge) : 0;
}

int vlans_check(const Vlan *vlan, const char *what, Error *error)
{
        if (!vlan)
                return 0;
        LIST_FOREACH (tag, vlan->tags) {
                if (tag->id == 0 || tag->id > VLAN_LAST)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "%s: <tag id='%u'>: a bridge has the VLANs 1 to %u", what, tag->id,
                                         VLAN_LAST);
        }
        return 0;
}

int vlans_prepare(const char *bridge, Error *error)
{
        BridgeState state;
        int r = look(bridge, &state, error);

        if (r < 0)
                return r;
        if (!state.is_bridge)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "'%s' is no bridge of the kernel's: VLANs cannot be set on its ports",
                                 bridge);
        if (!state.can_filter)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "The bridge '%s' cannot tell VLANs apart: the host's kernel was built without "
                        "CONFIG_BRIDGE_VLAN_FILTERING",
                        bridge);
        if (state.filters)
                return 0;
        if (!state.is_ours)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "The bridge '%s' does not tell VLANs apart, and it is the host's own: `ip link "
                        "set %s type bridge vlan_filtering 1` lets it",
                        bridge, bridge);
        return switch_on(bridge, &state, error);
}

static void put_vlan(struct nl_msg *message, unsigned id, unsigned flags)
{
        const struct bridge_vlan_info info = { .flags = (uint16_t)flags, .vid = (uint16_t)id };

        (void)nla_put(message, IFLA_BRIDGE_VLAN_INFO, sizeof info, &info);
}

/* Those that it shall not be in, as ranges. */
static void put_others(struct nl_msg *message, const Membership *wanted)
{
        for (unsigned first = 1, last; first <= VLAN_LAST; first = last + 1) {
                last = first;
                if (wanted->is_in[first])
                        continue;
                while (last < VLAN_LAST && !wanted->is_in[last + 1])
                        last++;
                if (last == first) {
                        put_vlan(message, first, 0);
                        continue;
                }
                put_vlan(message, first, BRIDGE_VLAN_INFO_RANGE_BEGIN);
                put_vlan(message, last, BRIDGE_VLAN_INFO_RANGE_END);
        }
}

static void put_wanted(struct nl_msg *message, const Membership *wanted)
{
        for (unsigned id = 1; id <= VLAN_LAST; id++)
                if (wanted->is_in[id])
                        put_vlan(message, id, wanted->flags[id]);
}

static int change(struct nl_sock *socket, int type, int index, bool is_host, const Membership *wanted)
{
        struct nl_msg *message = nlmsg_alloc_size(MESSAGE_SIZE);
        struct nlattr *part;

        (void)nlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, 0); /* it has the room for all */
        (void)nlmsg_append(message, &(struct ifinfomsg){ .ifi_family = PF_BRIDGE, .ifi_index = index },
                           sizeof(struct ifinfomsg), NLMSG_ALIGNTO);
        part = nla_nest_start(message, IFLA_AF_SPEC);
        if (is_host)
                (void)nla_put_u16(message, IFLA_BRIDGE_FLAGS, BRIDGE_FLAGS_SELF);
        if (type == RTM_DELLINK)
                put_others(message, wanted);
        else
                put_wanted(message, wanted);
        (void)nla_nest_end(message, part);
        return nl_send_sync(socket, message);
}

static int set(const char *bridge, int index, bool is_host, const Membership *wanted, Error *error)
{
        _cleanup_(socket_freep) struct nl_sock *socket = NULL;
        bool is_empty = !memchr(wanted->is_in, true, sizeof wanted->is_in);
        int r = socket_open(bridge, &socket, error);

        if (r < 0)
                return r;
        r = change(socket, RTM_DELLINK, index, is_host, wanted);
        if (r >= 0 && !is_empty)
                r = change(socket, RTM_SETLINK, index, is_host, wanted);
        return r < 0 ? fail(error, r, "set the VLANs of a port of", bridge) : 0;
}

static void want(Membership *wanted, unsigned id, unsigned flags)
{
        if (id == 0 || id > VLAN_LAST)
                return;
        wanted->is_in[id] = true;
        wanted->flags[id] = (uint16_t)flags;
}

int vlans_set_port(const char *bridge, int port, const Vlan *vlan, Error *error)
{
        _cleanup_(freep) Membership *wanted = g_new0(Membership, 1);
        BridgeState state;
        int r = look(bridge, &state, error);

        if (r < 0 || (!vlan && !state.can_filter))
                return r;
        if (!vlan) {
                want(wanted, state.default_id, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
                return set(bridge, port, false, wanted, error);
        }
        LIST_FOREACH (tag, vlan->tags) {
                bool has_untagged = vlan->trunk != YES || tag->native_mode != VLAN_NATIVE_DEFAULT;

                want(wanted, tag->id,
                     (has_untagged ? BRIDGE_VLAN_INFO_PVID : 0) |
                             (has_untagged && tag->native_mode != VLAN_NATIVE_TAGGED
                                      ? BRIDGE_VLAN_INFO_UNTAGGED
                                      : 0));
        }
        return set(bridge, port, false, wanted, error);
}

int vlans_set_host(const char *bridge, const Vlan *vlan, Error *error)
{
        _cleanup_(freep) Membership *wanted = g_new0(Membership, 1);
        BridgeState state;
        unsigned own = 0;
        int r = look(bridge, &state, error);

        if (r < 0)
                return r;
        LIST_FOREACH (tag, vlan->tags)
                if (vlan->trunk != YES || tag->native_mode != VLAN_NATIVE_DEFAULT)
                        own = tag->id;
        if (own == 0)
                return 0;
        want(wanted, own, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
        return set(bridge, state.index, true, wanted, error);
}
