/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/nwfilter/match.h"
#include "drivers/nwfilter/parameters.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define MAC_SIZE 6

static const char *negation(const Match *match)
{
        return match->entry->is_negated ? "!= " : "";
}

static uint64_t number_of(const char *text)
{
        return g_ascii_strtoull(text, NULL, g_ascii_strncasecmp(text, "0x", 2) == 0 ? 16 : 10);
}

typedef struct Word {
        const char *word;
        unsigned number;
} Word;

static unsigned word_number(const char *value, const Word *words)
{
        for (; words->word; words++)
                if (strcmp(value, words->word) == 0)
                        return words->number;
        return (unsigned)number_of(value);
}

unsigned match_ethertype(const char *value)
{
        static const Word words[] = { { "ipv4", 0x0800 }, { "ipv6", 0x86dd }, { "arp", 0x0806 },
                                      { "rarp", 0x8035 }, { "vlan", 0x8100 }, {} };

        return word_number(value, words);
}

unsigned match_protocol(const char *value)
{
        static const Word words[] = { { "tcp", 6 },
                                      { "udp", 17 },
                                      { "udplite", 136 },
                                      { "esp", 50 },
                                      { "ah", 51 },
                                      { "icmp", 1 },
                                      { "igmp", 2 },
                                      { "sctp", 132 },
                                      { "all", 0 },
                                      { "icmpv6", 58 },
                                      {} };

        return word_number(value, words);
}

unsigned match_opcode(const char *value)
{
        static const Word words[] = { { "Request", 1 },         { "Reply", 2 },
                                      { "Request_Reverse", 3 }, { "Reply_Reverse", 4 },
                                      { "DRARP_Request", 5 },   { "DRARP_Reply", 6 },
                                      { "DRARP_Error", 7 },     { "InARP_Request", 8 },
                                      { "ARP_NAK", 9 },         {} };

        return word_number(value, words);
}

void match_number(const Match *match, GString *text, const char *key, const char *value)
{
        if (value)
                g_string_append_printf(text, "%s %s%" G_GUINT64_FORMAT " ", key, negation(match),
                                       number_of(value));
}

/* Without a low end it begins with 0. */
int match_range(const Match *match, GString *text, const char *key, const char *low, const char *high,
                Error *error)
{
        uint64_t from = low ? number_of(low) : 0, to = high ? number_of(high) : from;

        if (!low && !high)
                return 0;
        if (from > to)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': <%s>: the range from %s to %s is empty", match->filter,
                                 match->entry->protocol, low, high);
        if (from == to)
                g_string_append_printf(text, "%s %s%" G_GUINT64_FORMAT " ", key, negation(match), from);
        else
                g_string_append_printf(text, "%s %s%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT " ", key,
                                       negation(match), from, to);
        return 0;
}

static void read_mac(const char *text, uint8_t *bytes)
{
        (void)sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
                     &bytes[4], &bytes[5]); /* the model has written it */
}

/* nftables writes addresses with colons, and what is at an offset ("@...") as one number. */
static void append_mac(GString *text, const char *key, const uint8_t *bytes)
{
        bool is_raw = key[0] == '@';

        g_string_append(text, is_raw ? "0x" : "");
        for (unsigned i = 0; i < MAC_SIZE; i++)
                g_string_append_printf(text, "%s%02x", i > 0 && !is_raw ? ":" : "", bytes[i]);
}

void match_mac(const Match *match, GString *text, const char *key, const char *value, const char *mask)
{
        static const uint8_t whole[MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
        uint8_t mac[MAC_SIZE] = {}, bits[MAC_SIZE];

        if (!value)
                return;
        memcpy(bits, whole, sizeof bits);
        read_mac(value, mac);
        if (mask)
                read_mac(mask, bits);
        g_string_append_printf(text, "%s ", key);
        if (memcmp(bits, whole, sizeof bits) != 0) {
                g_string_append(text, "& ");
                append_mac(text, key, bits);
                g_string_append(text, match->entry->is_negated ? " != " : " == ");
        } else {
                g_string_append(text, negation(match));
        }
        for (unsigned i = 0; i < MAC_SIZE; i++)
                mac[i] &= bits[i];
        append_mac(text, key, mac);
        g_string_append_c(text, ' ');
}

static int refuse_learnt(const Match *match, const char *what, Error *error)
{
        return error_set(
                error, ERROR_CONFIG_UNSUPPORTED,
                "filter '%s': <%s>: the variable IP has no value yet, and one that is learnt cannot "
                "be used %s: say it as a parameter",
                match->filter, match->entry->protocol, what);
}

static void append_masked(const Match *match, GString *text, const char *key, int family, const char *value,
                          const char *mask)
{
        uint8_t bytes[16], bits[16];
        char masked[INET6_ADDRSTRLEN];

        (void)inet_pton(family, value, bytes); /* the model has read both before */
        (void)inet_pton(family, mask, bits);
        for (unsigned i = 0; i < sizeof bytes; i++)
                bytes[i] &= bits[i];
        (void)inet_ntop(family, bytes, masked, sizeof masked); /* cannot fail: it fits */
        g_string_append_printf(text, "%s & %s %s %s ", key, mask,
                               match->entry->is_negated ? "!=" : "==", masked);
}

/* The mask is a number of bits, or an address if its bits are not all on the left. */
int match_address(const Match *match, GString *text, const char *key, int family, const char *value,
                  const char *mask, Error *error)
{
        unsigned bits = family == AF_INET ? 32 : 128;
        bool is_odd = mask && strpbrk(mask, ".:") && strncmp(mask, "0x", 2) != 0;
        unsigned prefix = mask && !is_odd ? (unsigned)number_of(mask) : bits;

        if (!value)
                return 0;
        if (strcmp(value, VARIABLE_LEARNT) == 0) {
                if (is_odd || prefix != bits)
                        return refuse_learnt(match, "with a mask", error);
                g_string_append_printf(text, "%s %s@ip/%u ", key, negation(match), match->device);
                return 0;
        }
        if (is_odd)
                append_masked(match, text, key, family, value, mask);
        else if (prefix < bits)
                g_string_append_printf(text, "%s %s%s/%u ", key, negation(match), value, prefix);
        else
                g_string_append_printf(text, "%s %s%s ", key, negation(match), value);
        return 0;
}

int match_addresses(const Match *match, GString *text, const char *key, int family, const char *from,
                    const char *to, Error *error)
{
        uint8_t low[16] = {}, high[16] = {};

        if (!from && !to)
                return 0;
        if (!from)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': <%s>: a range up to %s begins nowhere", match->filter,
                                 match->entry->protocol, to);
        if (!to)
                return match_address(match, text, key, family, from, NULL, error);
        if (strcmp(from, VARIABLE_LEARNT) == 0 || strcmp(to, VARIABLE_LEARNT) == 0)
                return refuse_learnt(match, "in a range", error);
        (void)inet_pton(family, from, low); /* the model has read both before */
        (void)inet_pton(family, to, high);
        if (memcmp(low, high, sizeof low) > 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': <%s>: the range from %s to %s is empty", match->filter,
                                 match->entry->protocol, from, to);
        g_string_append_printf(text, "%s %s%s%s%s ", key, negation(match), from,
                               memcmp(low, high, sizeof low) == 0 ? "" : "-",
                               memcmp(low, high, sizeof low) == 0 ? "" : to);
        return 0;
}
