/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the guest receives waits in a queue with a rate. What it sends arrives, where nothing can wait: what
 * is too much is dropped, and whoever sent it slows down. */

#include "drivers/network/shaper.h"
#include "core/child.h"
#include "drivers/network/tool.h"
#include <inttypes.h>
#include <string.h>

#define OUTPUT_MAX (64 * 1024)

/* Where no burst is given: one large packet of a guest that lets its device cut it. */
#define BURST_DEFAULT_KIB 64

static int run_tc(const char *commands, bool is_forced, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(freep) char *path = NULL, *output = NULL;
        const char *arguments[] = { NULL, "-batch", "-", is_forced ? "-force" : NULL, NULL };
        size_t size;
        int r = tool_find("tc", "which limits the bandwidth of interfaces", &path, error);

        if (r < 0)
                return r;
        arguments[0] = path;
        const ChildOptions options = {
                .arguments = arguments, .stdin_fd = -EBADF, .stdout_fd = -EBADF, .stderr_fd = -EBADF
        };

        return child_run(&options, commands, strlen(commands), OUTPUT_MAX, deadline_usec, &output, &size,
                         error);
}

static void add_inbound(GString *commands, const char *device, const BandwidthLimit *limit)
{
        g_string_append_printf(commands, "qdisc add dev %s root handle 1: htb default 1\n", device);
        g_string_append_printf(
                commands,
                "class add dev %s parent 1: classid 1:1 htb rate %" PRIu64 "bps ceil %" PRIu64 "bps", device,
                limit->average * 1024, (limit->has_peak ? limit->peak : limit->average) * 1024);
        if (limit->has_burst)
                g_string_append_printf(commands, " burst %" PRIu64 "kb", limit->burst);
        g_string_append_c(commands, '\n');
}

static void add_outbound(GString *commands, const char *device, const BandwidthLimit *limit)
{
        uint64_t burst_kib = limit->has_burst ? limit->burst : BURST_DEFAULT_KIB;

        g_string_append_printf(commands, "qdisc add dev %s ingress\n", device);
        g_string_append_printf(commands,
                               "filter add dev %s parent ffff: protocol all u32 match u32 0 0 police rate "
                               "%" PRIu64 "bps burst %" PRIu64 "kb mtu 64kb drop flowid :1\n",
                               device, limit->average * 1024, burst_kib);
}

int shaper_set(const char *device, const Bandwidth *bandwidth, uint64_t deadline_usec, Error *error)
{
        _cleanup_(string_builder_freep) GString *commands = g_string_new(NULL);
        _cleanup_(freep) char *removal =
                g_strdup_printf("qdisc del dev %s root\nqdisc del dev %s ingress\n", device, device);
        int r;

        /* tc reads words and comments of its own out of other names. */
        if (*device == '-' || device[strspn(device, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.")])
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The bandwidth of '%s': its name has characters that tc does not take",
                                 device);
        /* There may be nothing to remove, which tc takes for a failure. */
        (void)run_tc(removal, true, deadline_usec, NULL);
        if (bandwidth && bandwidth->inbound)
                add_inbound(commands, device, bandwidth->inbound);
        if (bandwidth && bandwidth->outbound)
                add_outbound(commands, device, bandwidth->outbound);
        if (commands->len == 0)
                return 0;
        r = run_tc(commands->str, false, deadline_usec, error);
        if (r < 0) {
                (void)run_tc(removal, true, deadline_usec, NULL); /* as above */
                error_prefix(error, "The bandwidth of %s", device);
        }
        return r;
}
