/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <interface type='user'>: passt where that is wanted and installed, else QEMU's own network. Both need no
 * privilege, and both forward ports of the host. */

#include "drivers/qemu/command/device.h"
#include <string.h>
#include <sys/socket.h>

#define VERSION_WITH_STREAMS 7002000u /* -netdev stream */
#define FORWARDED_PORTS_MAX  1024u    /* of QEMU's own network, each is an option */

/* What -netdev user is told of the guest's addresses: <ip> elements. */
static int set_user_addresses(json_t *netdev, const DomainInterface *interface, Error *error)
{
        LIST_FOREACH (ip, interface->ips) {
                bool is_ipv6 = ip->family ? strcmp(ip->family, "ipv6") == 0
                                          : ip->address && strchr(ip->address, ':');

                if (!ip->address || ip->peer)
                        return device_unsupported(error,
                                                  "An interface of type 'user' cannot have this <ip>");
                if (is_ipv6) {
                        json_set_string(netdev, "ipv6-prefix", ip->address);
                        json_set_number(netdev, "ipv6-prefixlen", ip->has_prefix ? ip->prefix : 64);
                } else {
                        _cleanup_(freep) char *net =
                                g_strdup_printf("%s/%u", ip->address, ip->has_prefix ? ip->prefix : 24);

                        json_set_string(netdev, "net", net);
                }
        }
        return 0;
}

static bool is_excluded(const PortForward *forward, unsigned port)
{
        LIST_FOREACH (range, forward->ranges) {
                unsigned end = range->end ? range->end : range->start;

                if (range->exclude == YES && port >= range->start && port <= end)
                        return true;
        }
        return false;
}

static int check_forward(const PortForward *forward, Error *error)
{
        if (forward->dev || (forward->address && ip_family(forward->address) != AF_INET))
                return device_unsupported(error,
                                          "Without passt ports are forwarded from IPv4 addresses of the "
                                          "host only, and not by device");
        if (forward->ranges.count == 0)
                return device_unsupported(error, "Without passt a <portForward> needs <range> elements");
        return 0;
}

/* "tcp:127.0.0.1:2222-:22" for each port. */
static int set_forwards(json_t *netdev, const DomainInterface *interface, Error *error)
{
        json_t *all = json_array();

        LIST_FOREACH (forward, interface->port_forwards) {
                int r = check_forward(forward, error);

                if (r < 0) {
                        json_decref(all);
                        return r;
                }
                LIST_FOREACH (range, forward->ranges) {
                        unsigned end = range->end ? range->end : range->start,
                                 to = range->to ? range->to : range->start;

                        if (range->exclude == YES)
                                continue;
                        for (unsigned port = range->start;
                             port <= end && json_array_size(all) <= FORWARDED_PORTS_MAX; port++, to++) {
                                _cleanup_(freep) char *text = g_strdup_printf(
                                        "%s:%s:%u-:%u", port_forward_protocol_to_string(forward->protocol),
                                        forward->address ? forward->address : "", port, to);

                                if (!is_excluded(forward, port))
                                        json_array_append_new(all, json_pack("{s:s}", "str", text));
                        }
                }
        }
        if (json_array_size(all) > FORWARDED_PORTS_MAX) {
                json_decref(all);
                return device_unsupported(error, "Without passt at most %u ports are forwarded",
                                          FORWARDED_PORTS_MAX);
        }
        json_object_set_new(netdev, "hostfwd", all);
        return 0;
}

static void set_passt(CommandLine *line, json_t *netdev, unsigned index)
{
        _cleanup_(freep) char *fd = command_fd(line, command_taps(line, index, 1, false));

        json_set_string(netdev, "type", "stream");
        json_set_bool(netdev, "server", false);
        json_object_set_new(netdev, "addr", json_pack("{s:s, s:s}", "type", "fd", "str", fd));
}

int command_user_network(CommandLine *line, json_t *netdev, const DomainInterface *interface, unsigned index,
                         Error *error)
{
        bool wants_passt = interface->backend == INTERFACE_BACKEND_PASST;
        int r;

        if (wants_passt && line->host.runs && line->host.has_passt &&
            line->host.version >= VERSION_WITH_STREAMS) {
                set_passt(line, netdev, index);
                return 0;
        }
        if (line->host.runs && (interface->source_dev || interface->backend_log))
                return device_unsupported(error, "An interface of type 'user' with a device or a log needs "
                                                 "the backend passt, and passt on this host");
        json_set_string(netdev, "type", "user");
        r = set_user_addresses(netdev, interface, error);
        return r < 0 || interface->port_forwards.count == 0 ? r : set_forwards(netdev, interface, error);
}
