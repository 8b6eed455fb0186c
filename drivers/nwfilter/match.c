/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Protocols of the first layer look at frames as they are; those of the second at IP packets and at the
 * connections that these belong to. */

#include "drivers/nwfilter/match.h"
#include <string.h>
#include <sys/socket.h>

#define STP_ADDRESS "01:80:c2:00:00:00"

/* Of the two sides that is meant. */
static const char *side(const Match *match, const char *source, const char *destination)
{
        return match->is_reversed ? destination : source;
}

static void add_ethertype(GString *text, unsigned type)
{
        g_string_append_printf(text, "ether type 0x%04x ", type);
}

static int add_ethernet(const Match *match, GString *text, Error *error)
{
        int r = match_mac(match, text, side(match, "ether saddr", "ether daddr"), "srcmacaddr", "srcmacmask",
                          error);

        return r < 0 ? r
                     : match_mac(match, text, side(match, "ether daddr", "ether saddr"), "dstmacaddr",
                                 "dstmacmask", error);
}

static int add_mac(const Match *match, GString *text, Error *error)
{
        const char *type = match_value(match, "protocolid");

        (void)error;
        if (!type)
                return 0;
        if (strcmp(type, "stp") == 0)
                g_string_append_printf(text, "ether daddr %s" STP_ADDRESS " ",
                                       match_negation(match, "protocolid"));
        else
                g_string_append_printf(text, "ether type %s0x%04x ", match_negation(match, "protocolid"),
                                       match_ethertype(type));
        return 0;
}

static int add_vlan(const Match *match, GString *text, Error *error)
{
        const char *inside = match_value(match, "encap-protocol");

        (void)error;
        add_ethertype(text, 0x8100);
        match_number(match, text, "vlan id", "vlanid");
        if (inside)
                g_string_append_printf(text, "vlan type %s0x%04x ", match_negation(match, "encap-protocol"),
                                       match_ethertype(inside));
        return 0;
}

/* Bits behind the Ethernet header: three bytes of LLC, then the BPDU. */
static int add_stp(const Match *match, GString *text, Error *error)
{
        static const struct {
                const char *name, *high, *key;
        } fields[] = {
                { "root-priority", "root-priority-hi", "@nh,64,16" },
                { "root-cost", "root-cost-hi", "@nh,128,32" },
                { "sender-priority", "sender-priority-hi", "@nh,160,16" },
                { "port", "port-hi", "@nh,224,16" },
                { "age", "age-hi", "@nh,240,16" },
                { "max-age", "max-age-hi", "@nh,256,16" },
                { "hello-time", "hello-time-hi", "@nh,272,16" },
                { "forward-delay", "forward-delay-hi", "@nh,288,16" },
        };
        int r;

        g_string_append(text, "ether daddr " STP_ADDRESS " ");
        match_number(match, text, "@nh,48,8", "type");
        match_number(match, text, "@nh,56,8", "flags");
        r = match_mac(match, text, "@nh,80,48", "root-address", "root-address-mask", error);
        if (r >= 0)
                r = match_mac(match, text, "@nh,176,48", "sender-address", "sender-address-mask", error);
        for (unsigned i = 0; i < G_N_ELEMENTS(fields) && r >= 0; i++)
                r = match_range(match, text, fields[i].key, fields[i].name, fields[i].high, error);
        return r;
}

/* Whether both sides have the same address. nftables compares no two fields, but sets can: one that has the
 * pair of the source with itself has that of source and target only if they are the same. */
static void add_gratuitous(const Match *match, GString *text)
{
        g_string_append_printf(text,
                               "update @same/%u { arp saddr ip . arp saddr ip } "
                               "arp saddr ip . arp daddr ip %s@same/%u ",
                               match->device, match_negation(match, "gratuitous"), match->device);
}

static int add_arp(const Match *match, GString *text, Error *error)
{
        const char *opcode = match_value(match, "opcode");
        int r;

        add_ethertype(text, match_ethertype(match->entry->protocol));
        match_number(match, text, "arp htype", "hwtype");
        match_number(match, text, "arp ptype", "protocoltype");
        if (opcode)
                g_string_append_printf(text, "arp operation %s%u ", match_negation(match, "opcode"),
                                       match_opcode(opcode));
        r = match_mac(match, text, side(match, "arp saddr ether", "arp daddr ether"), "arpsrcmacaddr", NULL,
                      error);
        if (r >= 0)
                r = match_mac(match, text, side(match, "arp daddr ether", "arp saddr ether"),
                              "arpdstmacaddr", NULL, error);
        if (r >= 0)
                r = match_address(match, text, side(match, "arp saddr ip", "arp daddr ip"), AF_INET,
                                  "arpsrcipaddr", "arpsrcipmask", error);
        if (r >= 0)
                r = match_address(match, text, side(match, "arp daddr ip", "arp saddr ip"), AF_INET,
                                  "arpdstipaddr", "arpdstipmask", error);
        if (r >= 0 && g_strcmp0(match_value(match, "gratuitous"), "true") == 0)
                add_gratuitous(match, text);
        return r;
}

static bool has_ports(const Match *match)
{
        return match_value(match, "srcportstart") || match_value(match, "srcportend") ||
               match_value(match, "dstportstart") || match_value(match, "dstportend");
}

static int add_ports(const Match *match, GString *text, Error *error)
{
        int r = match_range(match, text, side(match, "th sport", "th dport"), "srcportstart", "srcportend",
                            error);

        return r < 0 ? r
                     : match_range(match, text, side(match, "th dport", "th sport"), "dstportstart",
                                   "dstportend", error);
}

static int add_addresses(const Match *match, GString *text, int family, Error *error)
{
        const char *key = family == AF_INET ? "ip" : "ip6";
        _cleanup_(freep) char *source = g_strconcat(key, side(match, " saddr", " daddr"), NULL);
        _cleanup_(freep) char *destination = g_strconcat(key, side(match, " daddr", " saddr"), NULL);
        _cleanup_(freep) char *dscp = g_strconcat(key, " dscp", NULL);
        int r = match_address(match, text, source, family, "srcipaddr", "srcipmask", error);

        if (r >= 0)
                r = match_address(match, text, destination, family, "dstipaddr", "dstipmask", error);
        if (r >= 0)
                r = match_addresses(match, text, source, family, "srcipfrom", "srcipto", error);
        if (r >= 0)
                r = match_addresses(match, text, destination, family, "dstipfrom", "dstipto", error);
        if (r >= 0)
                match_number(match, text, dscp, "dscp");
        return r;
}

/* Ports are those of whatever has ports, if no protocol is named. */
static void add_protocol(const Match *match, GString *text, const char *key)
{
        const char *protocol = match_value(match, "protocol");

        if (protocol)
                g_string_append_printf(text, "%s %s%u ", key, match_negation(match, "protocol"),
                                       match_protocol(protocol));
        else if (has_ports(match))
                g_string_append_printf(text, "%s { 6, 17, 132, 136 } ", key);
}

static int add_ipv4(const Match *match, GString *text, Error *error)
{
        int r;

        add_ethertype(text, 0x0800);
        r = add_addresses(match, text, AF_INET, error);
        add_protocol(match, text, "ip protocol");
        return r < 0 ? r : add_ports(match, text, error);
}

static int add_ipv6(const Match *match, GString *text, Error *error)
{
        int r;

        add_ethertype(text, 0x86dd);
        r = add_addresses(match, text, AF_INET6, error);
        add_protocol(match, text, "meta l4proto");
        if (r >= 0)
                r = add_ports(match, text, error);
        if (r < 0 || (!match_value(match, "type") && !match_value(match, "typeend") &&
                      !match_value(match, "code") && !match_value(match, "codeend")))
                return r;
        if (!match_value(match, "protocol"))
                g_string_append(text, "meta l4proto 58 ");
        r = match_range(match, text, "icmpv6 type", "type", "typeend", error);
        return r < 0 ? r : match_range(match, text, "icmpv6 code", "code", "codeend", error);
}

static const struct {
        const char *protocol;
        int (*add)(const Match *match, GString *text, Error *error);
} ethernet[] = {
        { "mac", add_mac },  { "vlan", add_vlan }, { "stp", add_stp },   { "arp", add_arp },
        { "rarp", add_arp }, { "ip", add_ipv4 },   { "ipv6", add_ipv6 },
};

bool match_is_ip(const FilterEntry *entry)
{
        for (unsigned i = 0; i < G_N_ELEMENTS(ethernet); i++)
                if (!entry->protocol || strcmp(entry->protocol, ethernet[i].protocol) == 0)
                        return false;
        return true;
}

int match_ethernet(const Match *match, GString *text, Error *error)
{
        const char *protocol = match->entry->protocol;
        int r;

        if (!protocol)
                return 0;
        r = add_ethernet(match, text, error);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < G_N_ELEMENTS(ethernet); i++)
                if (strcmp(protocol, ethernet[i].protocol) == 0)
                        return ethernet[i].add(match, text, error);
        return error_set(error, ERROR_INTERNAL, "filter '%s': <%s> is no protocol of frames", match->filter,
                         protocol);
}

static const char *const flag_names[] = { "fin", "syn", "rst", "psh", "ack", "urg" };

/* "SYN,ACK" as a number; nftables takes it as well. */
static unsigned flags_of(const char *text, size_t length)
{
        _cleanup_(freep) char *copy = g_ascii_strdown(text, (gssize)length);
        _cleanup_(strvp) char **words = g_strsplit(copy, ",", -1);
        unsigned flags = 0;

        for (unsigned i = 0; i < G_N_ELEMENTS(flag_names); i++)
                if (g_strv_contains((const char *const *)words, flag_names[i]) || strcmp(copy, "all") == 0)
                        flags |= 1u << i;
        return flags;
}

static void add_tcp(const Match *match, GString *text)
{
        const char *flags = match_value(match, "flags"), *option = match_value(match, "option");
        const char *slash = flags ? strchr(flags, '/') : NULL;

        if (slash)
                g_string_append_printf(text, "tcp flags & 0x%02x %s 0x%02x ",
                                       flags_of(flags, (size_t)(slash - flags)),
                                       match_is_negated(match, "flags") ? "!=" : "==",
                                       flags_of(slash + 1, strlen(slash + 1)));
        if (option)
                g_string_append_printf(text, "tcp option %" G_GUINT64_FORMAT " %s ",
                                       g_ascii_strtoull(option, NULL, 0),
                                       match_is_negated(match, "option") ? "missing" : "exists");
}

static void add_icmp(const Match *match, GString *text)
{
        bool is_ipv6 = strcmp(match->entry->protocol, "icmpv6") == 0;

        match_number(match, text, is_ipv6 ? "icmpv6 type" : "icmp type", "type");
        match_number(match, text, is_ipv6 ? "icmpv6 code" : "icmp code", "code");
}

/* The source's hardware address is known in its own direction only: a rule of nothing else has no meaning in
 * the other. What an ICMP message asks for has no answer of the same type either. */
int match_ip(const Match *match, GString *text, Error *error)
{
        const char *protocol = match->entry->protocol, *dash = strstr(protocol, "-ipv6");
        bool is_ipv6 = dash || strcmp(protocol, "icmpv6") == 0;
        _cleanup_(freep) char *name = dash ? g_strndup(protocol, (size_t)(dash - protocol)) : NULL;
        const char *mac = match_value(match, "srcmacaddr"), *comment = match_value(match, "comment");
        bool is_any = strcmp(name ? name : protocol, "all") == 0;
        int r = 0;

        if (match_value(match, "ipset"))
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "filter '%s': <%s>: ipset is not supported: nftables does not see the sets of "
                        "ipset, and the kernel tells nobody of what changes in them, so that a copy "
                        "would be out of date; say the addresses as a variable with a list",
                        match->filter, protocol);
        if (match->is_reversed && mac && match->pairs->len == (comment ? 2u : 1u))
                return 1;
        if (!match->is_reversed)
                r = match_mac(match, text, "ether saddr", "srcmacaddr", NULL, error);
        add_ethertype(text, is_ipv6 ? 0x86dd : 0x0800);
        if (!is_any)
                g_string_append_printf(text, "%s %u ", is_ipv6 ? "meta l4proto" : "ip protocol",
                                       match_protocol(name ? name : protocol));
        if (r >= 0)
                r = add_addresses(match, text, is_ipv6 ? AF_INET6 : AF_INET, error);
        if (r >= 0)
                r = add_ports(match, text, error);
        if (r < 0)
                return r;
        if (g_str_has_prefix(protocol, "tcp"))
                add_tcp(match, text);
        else if (g_str_has_prefix(protocol, "icmp"))
                add_icmp(match, text);
        return 0;
}
