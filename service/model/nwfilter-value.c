/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values of a filter's attributes, each brought into one form. */

#include "model/nwfilter.h"
#include "model/table-private.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#define COMMENT_MAX  256
#define SET_NAME_MAX 31
#define SET_FLAGS    6

static const char variable_characters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_";

/* "[ 1 ]" and "[ @2 ]" behind a name; the iterator @0 is what is meant without. */
static char *index_clean(const char *text)
{
        _cleanup_(freep) char *inside = NULL;
        size_t length = strlen(text);
        const char *digits;

        if (length < 3 || text[0] != '[' || text[length - 1] != ']')
                return NULL;
        inside = g_strstrip(g_strndup(text + 1, length - 2));
        digits = inside + (inside[0] == '@');
        if (!*digits || digits[strspn(digits, G_CSET_DIGITS)] || strlen(digits) > 9)
                return NULL;
        return strcmp(inside, "@0") == 0 ? g_strdup("") : g_strdup_printf("[%s]", inside);
}

static char *variable_clean(const char *text)
{
        size_t length = strspn(text + 1, variable_characters);
        _cleanup_(freep) char *name = g_strndup(text, length + 1), *rest = g_strdup(text + 1 + length);
        _cleanup_(freep) char *index = NULL;

        g_strstrip(rest);
        if (length == 0)
                return NULL;
        if (!*rest)
                return g_steal_pointer(&name);
        index = index_clean(rest);
        return index ? g_strconcat(name, index, NULL) : NULL;
}

static bool number_read(const char *text, uint64_t max, uint64_t *ret)
{
        bool is_hex = g_ascii_strncasecmp(text, "0x", 2) == 0;

        return g_ascii_string_to_unsigned(text + (is_hex ? 2 : 0), is_hex ? 16 : 10, 0, max, ret, NULL);
}

static char *number_clean(const char *text, uint64_t max)
{
        uint64_t value;

        if (!number_read(text, max, &value))
                return NULL;
        return g_strdup_printf(g_ascii_strncasecmp(text, "0x", 2) == 0 ? "0x%" PRIx64 : "%" PRIu64, value);
}

static char *word_or_number_clean(const char *text, const char *const *words, uint64_t min, uint64_t max)
{
        uint64_t value;

        for (; *words; words++)
                if (strcasecmp(text, *words) == 0)
                        return g_strdup(*words);
        return number_read(text, max, &value) && value >= min ? number_clean(text, max) : NULL;
}

/* Bits from the left, or NULL if there are others. */
static char *bits_of(const uint8_t *bytes, unsigned n_bytes)
{
        unsigned bits = 0;

        while (bits < n_bytes * 8 && bytes[bits / 8] & (0x80 >> bits % 8))
                bits++;
        for (unsigned i = bits; i < n_bytes * 8; i++)
                if (bytes[i / 8] & (0x80 >> i % 8))
                        return NULL;
        return g_strdup_printf("%u", bits);
}

static char *mask_clean(int family, const char *text)
{
        unsigned n_bytes = family == AF_INET ? 4 : 16;
        uint8_t bytes[16];
        char *bits;

        if (inet_pton(family, text, bytes) != 1)
                return number_clean(text, n_bytes * 8);
        bits = bits_of(bytes, n_bytes);
        return bits ? bits : g_strdup(text);
}

static char *address_clean(int family, const char *text)
{
        uint8_t bytes[16];

        return inet_pton(family, text, bytes) == 1 ? g_strdup(text) : NULL;
}

static char *mac_clean(const char *text)
{
        char mac[18];

        return mac_parse(text, mac) ? g_strdup(mac) : NULL;
}

/* Some of the words, in the order of the list; NULL if there is another. */
static char *words_clean(const char *text, const char *const *words)
{
        _cleanup_(strvp) char **given = g_strsplit(text, ",", -1);
        GString *clean = g_string_new(NULL);

        for (char **word = given; *word; word++)
                if (!g_strv_contains(words, g_strstrip(*word)))
                        return g_string_free(clean, TRUE);
        for (; *words; words++)
                if (g_strv_contains((const char *const *)given, *words))
                        g_string_append_printf(clean, "%s%s", clean->len > 0 ? "," : "", *words);
        return g_string_free(clean, FALSE);
}

static char *state_clean(const char *text)
{
        static const char *const states[] = { "NEW", "ESTABLISHED", "RELATED", "INVALID", NULL };

        return strcmp(text, "NONE") == 0 ? g_strdup(text) : *text ? words_clean(text, states) : NULL;
}

static char *flags_clean(const char *text)
{
        static const char *const flags[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", NULL };

        if (!*text || strcmp(text, "NONE") == 0)
                return g_strdup("NONE");
        return strcmp(text, "ALL") == 0 ? g_strdup(text) : words_clean(text, flags);
}

/* Which flags are looked at, and which of them are set. */
static char *tcp_flags_clean(const char *text)
{
        _cleanup_(strvp) char **sides = g_strsplit(text, "/", -1);
        _cleanup_(freep) char *mask = NULL, *set = NULL;

        if (g_strv_length(sides) != 2)
                return NULL;
        mask = flags_clean(sides[0]);
        set = flags_clean(sides[1]);
        return mask && set ? g_strconcat(mask, "/", set, NULL) : NULL;
}

static char *set_name_clean(const char *text)
{
        size_t length = strlen(text);

        if (length == 0 || length > SET_NAME_MAX ||
            text[strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.:,()[]{}<>@")])
                return NULL;
        return g_strdup(text);
}

static char *set_flags_clean(const char *text)
{
        _cleanup_(strvp) char **words = g_strsplit(text, ",", -1);

        if (g_strv_length(words) == 0 || g_strv_length(words) > SET_FLAGS)
                return NULL;
        for (char **word = words; *word; word++)
                if (strcmp(*word, "src") != 0 && strcmp(*word, "dst") != 0)
                        return NULL;
        return g_strdup(text);
}

static char *boolean_clean(const char *text)
{
        bool is_true =
                strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcasecmp(text, "yes") == 0;
        bool is_false =
                strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0 || strcasecmp(text, "no") == 0;

        return is_true ? g_strdup("true") : is_false ? g_strdup("false") : NULL;
}

static char *plain_clean(FilterValue kind, uint32_t max, const char *text)
{
        static const char *const ethertypes[] = { "ipv4", "ipv6", "arp", "rarp", "vlan", "stp", NULL };
        static const char *const protocols[] = { "tcp",  "udp",  "udplite", "esp",    "ah",
                                                 "icmp", "igmp", "sctp",    "icmpv6", NULL };
        static const char *const opcodes[] = {
                "Request",     "Reply",       "Request_Reverse", "Reply_Reverse", "DRARP_Request",
                "DRARP_Reply", "DRARP_Error", "InARP_Request",   "ARP_NAK",       NULL
        };

        switch (kind) {
        case FILTER_VALUE_MAC:
                return mac_clean(text);
        case FILTER_VALUE_IPV4:
                return address_clean(AF_INET, text);
        case FILTER_VALUE_IPV4_MASK:
                return mask_clean(AF_INET, text);
        case FILTER_VALUE_IPV6:
                return address_clean(AF_INET6, text);
        case FILTER_VALUE_IPV6_MASK:
                return mask_clean(AF_INET6, text);
        case FILTER_VALUE_NUMBER:
                return number_clean(text, max);
        case FILTER_VALUE_ETHERTYPE: /* below are lengths */
                return word_or_number_clean(text, ethertypes, 0x600, UINT16_MAX);
        case FILTER_VALUE_ENCAPSULATED:
                return word_or_number_clean(text, ethertypes, 0x3c, UINT16_MAX);
        case FILTER_VALUE_IP_PROTOCOL:
                return word_or_number_clean(text, protocols, 0, UINT8_MAX);
        case FILTER_VALUE_ARP_OPCODE:
                return word_or_number_clean(text, opcodes, 0, UINT16_MAX);
        case FILTER_VALUE_BOOLEAN:
                return boolean_clean(text);
        case FILTER_VALUE_STATE:
                return state_clean(text);
        case FILTER_VALUE_TCP_FLAGS:
                return tcp_flags_clean(text);
        case FILTER_VALUE_SET_NAME:
                return set_name_clean(text);
        case FILTER_VALUE_SET_FLAGS:
                return set_flags_clean(text);
        case FILTER_VALUE_COMMENT:
                return strlen(text) <= COMMENT_MAX ? g_strdup(text) : NULL;
        }
        return NULL;
}

char *filter_value_clean(FilterValue kind, uint32_t max, const char *text)
{
        return text[0] == '$' && kind != FILTER_VALUE_COMMENT ? variable_clean(text)
                                                              : plain_clean(kind, max, text);
}
