/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/nwfilter/flow.h"
#include <string.h>

#define FLOWS_MAX  65535
#define WITH_PORTS "{ 6, 17, 132, 136 }"

/* By bits: IPv6 is 2, ports are 1. */
static const char *const names[] = { "flow4", "flow4-ports", "flow6", "flow6-ports" };

unsigned flow_parts(const char *protocol)
{
        return g_str_has_prefix(protocol, "all") ? 2 : 1;
}

static bool has_ports(const char *protocol)
{
        return g_str_has_prefix(protocol, "tcp") || g_str_has_prefix(protocol, "udp") ||
               g_str_has_prefix(protocol, "sctp");
}

unsigned flow_match(const Match *match, unsigned part, bool is_answer, GString *text)
{
        const char *protocol = match->entry->protocol;
        bool is_any = flow_parts(protocol) == 2, with_ports = is_any ? part == 1 : has_ports(protocol);
        bool is_ipv6 = strstr(protocol, "v6") != NULL;
        const char *ip = is_ipv6 ? "ip6" : "ip", *kind = is_ipv6 ? "meta l4proto" : "ip protocol";
        unsigned place = (is_ipv6 ? 2u : 0u) + (with_ports ? 1u : 0u);
        _cleanup_(freep) char *key =
                g_strdup_printf("%s %s . %s %s . %s%s", ip, is_answer ? "daddr" : "saddr", ip,
                                is_answer ? "saddr" : "daddr", kind,
                                !with_ports ? ""
                                : is_answer ? " . th dport . th sport"
                                            : " . th sport . th dport");

        if (is_any)
                g_string_append_printf(text, "%s %s" WITH_PORTS " ", kind, with_ports ? "" : "!= ");
        if (is_answer)
                g_string_append_printf(text, "%s @%s/%u ", key, names[place], match->device);
        else
                g_string_append_printf(text, "update @%s/%u { %s timeout 1h } ", names[place], match->device,
                                       key);
        return 1u << place;
}

void flow_declare(unsigned device, unsigned bits, GString *sets, GPtrArray *objects, const char *table)
{
        for (unsigned place = 0; place < G_N_ELEMENTS(names); place++) {
                const char *address = place & 2 ? "ipv6_addr" : "ipv4_addr";

                if (!(bits & 1u << place))
                        continue;
                g_string_append_printf(sets,
                                       "set %s/%u { type %s . %s . inet_proto%s; size %d; "
                                       "flags dynamic,timeout; }\n",
                                       names[place], device, address, address,
                                       place & 1 ? " . inet_service . inet_service" : "", FLOWS_MAX);
                g_ptr_array_add(objects, g_strdup_printf("set %s %s/%u", table, names[place], device));
        }
}
