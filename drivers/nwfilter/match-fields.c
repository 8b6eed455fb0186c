/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/nwfilter/match.h"
#include "drivers/nwfilter/parameters.h"
#include <arpa/inet.h>
#include <netinet/ether.h>
#include <string.h>

#define MAC_SIZE 6

static const FilterPair *find(const Match *match, const char *name)
{
        for (unsigned i = 0; i < match->pairs->len; i++) {
                const FilterPair *pair = match->pairs->pdata[i];

                if (strcmp(pair->name, name) == 0)
                        return pair;
        }
        return NULL;
}

const char *match_value(const Match *match, const char *name)
{
        const FilterPair *pair = find(match, name);

        return pair ? pair->value : NULL;
}

bool match_is_negated(const Match *match, const char *name)
{
        const FilterPair *pair = find(match, name);

        return pair && pair->is_negated;
}

const char *match_negation(const Match *match, const char *name)
{
        return match_is_negated(match, name) ? "!= " : "";
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

void match_number(const Match *match, GString *text, const char *key, const char *name)
{
        const char *value = match_value(match, name);

        if (value)
                g_string_append_printf(text, "%s %s%" G_GUINT64_FORMAT " ", key, match_negation(match, name),
                                       number_of(value));
}

/* The ends of a range, or an address and its mask: both are meant, or both are not. */
static int check_both(const Match *match, const char *one, const char *other, Error *error)
{
        if (!match_value(match, one) || !match_value(match, other) ||
            match_is_negated(match, one) == match_is_negated(match, other))
                return 0;
        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                         "filter '%s': <%s>: %s and %s belong together: match='no' is for both or for none",
                         match->filter, match->entry->protocol, one, other);
}

/* Without a low end it begins with 0. */
int match_range(const Match *match, GString *text, const char *key, const char *low, const char *high,
                Error *error)
{
        const char *first = match_value(match, low), *last = match_value(match, high);
        const char *negation = match_negation(match, first ? low : high);
        uint64_t from = first ? number_of(first) : 0, to = last ? number_of(last) : from;
        int r = check_both(match, low, high, error);

        if (r < 0 || (!first && !last))
                return r;
        if (from > to)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': <%s>: the range from %s to %s is empty", match->filter,
                                 match->entry->protocol, first, last);
        if (from == to)
                g_string_append_printf(text, "%s %s%" G_GUINT64_FORMAT " ", key, negation, from);
        else
                g_string_append_printf(text, "%s %s%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT " ", key,
                                       negation, from, to);
        return 0;
}

static void read_mac(const char *text, uint8_t *bytes)
{
        (void)ether_aton_r(text, (struct ether_addr *)bytes); /* the model has written it */
}

/* nftables writes addresses with colons, and what is at an offset ("@...") as one number. */
static void append_mac(GString *text, const char *key, const uint8_t *bytes)
{
        bool is_raw = key[0] == '@';

        g_string_append(text, is_raw ? "0x" : "");
        for (unsigned i = 0; i < MAC_SIZE; i++)
                g_string_append_printf(text, "%s%02x", i > 0 && !is_raw ? ":" : "", bytes[i]);
}

int match_mac(const Match *match, GString *text, const char *key, const char *name, const char *mask,
              Error *error)
{
        const char *value = match_value(match, name), *masked = mask ? match_value(match, mask) : NULL;
        static const uint8_t whole[MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
        uint8_t mac[MAC_SIZE] = {}, bits[MAC_SIZE];
        int r = masked ? check_both(match, name, mask, error) : 0;

        if (r < 0 || !value)
                return r;
        memcpy(bits, whole, sizeof bits);
        read_mac(value, mac);
        if (masked)
                read_mac(masked, bits);
        g_string_append_printf(text, "%s ", key);
        if (memcmp(bits, whole, sizeof bits) != 0) {
                g_string_append(text, "& ");
                append_mac(text, key, bits);
                g_string_append(text, match_is_negated(match, name) ? " != " : " == ");
        } else {
                g_string_append(text, match_negation(match, name));
        }
        for (unsigned i = 0; i < MAC_SIZE; i++)
                mac[i] &= bits[i];
        append_mac(text, key, mac);
        g_string_append_c(text, ' ');
        return 0;
}

static int refuse_learnt(const Match *match, const char *what, Error *error)
{
        return error_set(
                error, ERROR_CONFIG_UNSUPPORTED,
                "filter '%s': <%s>: the variable IP has no value yet, and one that is learnt cannot "
                "be used %s: say it as a parameter",
                match->filter, match->entry->protocol, what);
}

static void append_masked(GString *text, const char *key, int family, const char *value, const char *mask,
                          bool is_negated)
{
        uint8_t bytes[16], bits[16];
        char masked[INET6_ADDRSTRLEN];

        (void)inet_pton(family, value, bytes); /* the model has read both before */
        (void)inet_pton(family, mask, bits);
        for (unsigned i = 0; i < sizeof bytes; i++)
                bytes[i] &= bits[i];
        (void)inet_ntop(family, bytes, masked, sizeof masked); /* cannot fail: it fits */
        g_string_append_printf(text, "%s & %s %s %s ", key, mask, is_negated ? "!=" : "==", masked);
}

/* The mask is a number of bits, or an address if its bits are not all on the left. */
int match_address(const Match *match, GString *text, const char *key, int family, const char *name,
                  const char *mask_name, Error *error)
{
        const char *value = match_value(match, name);
        const char *mask = mask_name ? match_value(match, mask_name) : NULL;
        const char *negation = match_negation(match, name);
        unsigned bits = family == AF_INET ? 32 : 128;
        bool is_odd = mask && strpbrk(mask, ".:") && strncmp(mask, "0x", 2) != 0;
        unsigned prefix = mask && !is_odd ? (unsigned)number_of(mask) : bits;
        int r = mask ? check_both(match, name, mask_name, error) : 0;

        if (r < 0 || !value)
                return r;
        if (strcmp(value, VARIABLE_LEARNT) == 0) {
                if (is_odd || prefix != bits)
                        return refuse_learnt(match, "with a mask", error);
                g_string_append_printf(text, "%s %s@ip/%u ", key, negation, match->device);
                return 0;
        }
        if (is_odd)
                append_masked(text, key, family, value, mask, match_is_negated(match, name));
        else if (prefix < bits)
                g_string_append_printf(text, "%s %s%s/%u ", key, negation, value, prefix);
        else
                g_string_append_printf(text, "%s %s%s ", key, negation, value);
        return 0;
}

int match_addresses(const Match *match, GString *text, const char *key, int family, const char *low,
                    const char *high, Error *error)
{
        const char *from = match_value(match, low), *to = match_value(match, high);
        uint8_t first[16] = {}, last[16] = {};
        int r = check_both(match, low, high, error), order;

        if (r < 0 || (!from && !to))
                return r;
        if (!from)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': <%s>: a range up to %s begins nowhere", match->filter,
                                 match->entry->protocol, to);
        if (!to)
                return match_address(match, text, key, family, low, NULL, error);
        if (strcmp(from, VARIABLE_LEARNT) == 0 || strcmp(to, VARIABLE_LEARNT) == 0)
                return refuse_learnt(match, "in a range", error);
        (void)inet_pton(family, from, first); /* the model has read both before */
        (void)inet_pton(family, to, last);
        order = memcmp(first, last, sizeof first);
        if (order > 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "filter '%s': <%s>: the range from %s to %s is empty", match->filter,
                                 match->entry->protocol, from, to);
        g_string_append_printf(text, "%s %s%s%s%s ", key, match_negation(match, low), from,
                               order == 0 ? "" : "-", order == 0 ? "" : to);
        return 0;
}
