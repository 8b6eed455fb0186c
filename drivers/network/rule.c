/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words that ask for something are followed by a value or by several in braces. Those that are not known are
 * skipped, one by one, and make the answer MAYBE: so does what of a known one is not understood. */

#include "drivers/network/rule.h"
#include "core/cleanup.h"
#include <stdio.h>
#include <string.h>

typedef bool (*Equals)(const char *value, const char *wanted);

/* Split at spaces that are not in quotes; quotes stay, a comma at the end does not. */
static char **split(const char *rule)
{
        GPtrArray *words = g_ptr_array_new();

        for (const char *c = rule; *c;) {
                const char *start = c;
                bool is_quoted = false;

                for (; *c && (is_quoted || *c != ' '); c++)
                        if (*c == '"')
                                is_quoted = !is_quoted;
                if (c > start)
                        g_ptr_array_add(words, g_strndup(start, (size_t)(c - start - (c[-1] == ','))));
                else
                        c++;
        }
        g_ptr_array_add(words, NULL);
        return (char **)g_ptr_array_free(words, FALSE);
}

/* "br*" is every name that begins so. */
static bool equals_name(const char *value, const char *wanted)
{
        size_t size = strlen(value);

        if (size < 2 || value[0] != '"' || value[size - 1] != '"')
                return false;
        return value[size - 2] == '*'
                       ? strncmp(value + 1, wanted, size - 3) == 0
                       : strlen(wanted) == size - 2 && memcmp(value + 1, wanted, size - 2) == 0;
}

static bool equals_word(const char *value, const char *wanted)
{
        return strcmp(value, wanted) == 0;
}

static bool equals_port(const char *value, const char *wanted)
{
        unsigned first, last, port = (unsigned)g_ascii_strtoull(wanted, NULL, 10);
        int n = sscanf(value, "%u-%u", &first, &last);

        return n == 2 ? port >= first && port <= last : n == 1 && port == first;
}

/* "established,related", too. */
static bool equals_one(const char *value, Equals equals, const char *wanted)
{
        _cleanup_(strvp) char **parts = g_strsplit(value, ",", -1);

        for (unsigned i = 0; parts[i]; i++)
                if (equals(parts[i], wanted))
                        return true;
        return false;
}

static bool is_negation(const char *word)
{
        return word && strcmp(word, "!=") == 0;
}

static Match negate(Match match)
{
        return MATCH_YES - match;
}

/* Whether one of the values is `wanted`. */
static Match take(char ***words, Equals equals, const char *wanted)
{
        bool is_negated = is_negation(**words), is_set;
        Match match = MATCH_NO;

        if (**words && strcmp(**words, "vmap") == 0)
                return MATCH_MAYBE;
        *words += is_negated;
        is_set = **words && strcmp(**words, "{") == 0;
        *words += is_set;
        while (**words && !(is_set && strcmp(**words, "}") == 0)) {
                const char *value = *(*words)++;

                if (value[0] == '@')
                        match = MATCH_MAYBE; /* a named set */
                else if (equals_one(value, equals, wanted))
                        match = MATCH_YES;
                if (!is_set)
                        break;
        }
        *words += is_set && **words;
        return is_negated ? negate(match) : match;
}

static Match skip(char ***words)
{
        (void)take(words, equals_word, "");
        return MATCH_MAYBE;
}

/* The world is behind some device that is not the bridge. */
static Match match_output(char ***words, const Packet *packet)
{
        bool is_negated = is_negation(**words);
        Match match = take(words, equals_name, packet->bridge);

        if (packet->is_dhcp)
                return MATCH_NO;
        return match == MATCH_YES && !is_negated ? MATCH_NO : MATCH_MAYBE;
}

static Match match_state(char ***words, const Packet *packet)
{
        const char *key = *(*words)++;

        (void)packet;
        if (strcmp(key, "state") == 0 && **words && strcmp(**words, "vmap") == 0)
                return MATCH_NO; /* such a map is about others than new ones */
        if (strcmp(key, "state") == 0)
                return take(words, equals_word, "new");
        (void)skip(words);
        return strcmp(key, "status") == 0 ? MATCH_NO : MATCH_MAYBE;
}

static Match match_protocol(char ***words, const Packet *packet)
{
        char **again = *words;
        Match tcp = take(words, equals_word, "tcp"), udp = take(&again, equals_word, "udp");

        if (packet->is_dhcp)
                return udp;
        return tcp == MATCH_NO && udp == MATCH_NO ? MATCH_NO : MATCH_MAYBE;
}

static Match match_udp(char ***words, const Packet *packet)
{
        const char *key = *(*words)++;

        if (!packet->is_dhcp)
                return skip(words);
        if (strcmp(key, "dport") == 0)
                return take(words, equals_port, "67");
        return strcmp(key, "sport") == 0 ? take(words, equals_port, "68") : skip(words);
}

static Match match_tcp(char ***words, const Packet *packet)
{
        (*words)++;
        (void)skip(words);
        return packet->is_dhcp ? MATCH_NO : MATCH_MAYBE;
}

static Match match_icmp(char ***words, const Packet *packet)
{
        (void)packet;
        (*words)++;
        (void)skip(words);
        return MATCH_NO;
}

static Match match_meta(char ***words, const Packet *packet)
{
        const char *key = *(*words)++;

        if (strcmp(key, "nfproto") == 0)
                return take(words, equals_word, packet->is_ipv6 ? "ipv6" : "ipv4");
        return strcmp(key, "l4proto") == 0 ? match_protocol(words, packet) : skip(words);
}

static Match match_address(char ***words, const Packet *packet)
{
        bool is_ipv6 = strcmp((*words)[-1], "ip6") == 0;
        const char *key = *(*words)++;
        Match match = strcmp(key, "protocol") == 0 || strcmp(key, "nexthdr") == 0
                              ? match_protocol(words, packet)
                              : skip(words);

        return is_ipv6 == packet->is_ipv6 ? match : MATCH_NO;
}

static Match match_input(char ***words, const Packet *packet)
{
        return take(words, equals_name, packet->bridge);
}

static Match skip_counter(char ***words, const Packet *packet)
{
        (void)packet;
        if (**words && strcmp(**words, "packets") == 0)
                for (unsigned i = 0; i < strlen("pnbn") && **words; i++)
                        (*words)++;
        return MATCH_YES;
}

/* log prefix "..." level info flags all, comment "..." */
static Match skip_text(char ***words, const Packet *packet)
{
        static const char *const known[] = { "prefix",  "level",           "flags", "group",
                                             "snaplen", "queue-threshold", NULL };

        (void)packet;
        while (**words && (***words == '"' || g_strv_contains(known, **words)))
                *words += ***words == '"' || !(*words)[1] ? 1 : 2;
        return MATCH_YES;
}

static const struct {
        const char *word;
        Match (*match)(char ***words, const Packet *packet);
        bool has_key; /* of which one more word says what is compared */
} matches[] = {
        { "iifname", match_input },   { "iif", match_input },        { "oifname", match_output },
        { "oif", match_output },      { "ct", match_state, true },   { "udp", match_udp, true },
        { "tcp", match_tcp, true },   { "icmp", match_icmp, true },  { "icmpv6", match_icmp, true },
        { "meta", match_meta, true }, { "ip", match_address, true }, { "ip6", match_address, true },
        { "counter", skip_counter },  { "log", skip_text },          { "comment", skip_text },
};

static const struct {
        const char *word;
        Verdict verdict;
        bool has_target;
} verdicts[] = {
        { "accept", VERDICT_ACCEPT },   { "drop", VERDICT_DROP },    { "reject", VERDICT_DROP },
        { "return", VERDICT_RETURN },   { "queue", VERDICT_ACCEPT }, { "jump", VERDICT_JUMP, true },
        { "goto", VERDICT_GOTO, true }, { "vmap", VERDICT_ACCEPT },
};

static Match match_next(char ***words, const Packet *packet)
{
        const char *word = *(*words)++;

        for (unsigned i = 0; i < G_N_ELEMENTS(matches); i++)
                if (strcmp(matches[i].word, word) == 0)
                        return matches[i].has_key && !**words ? MATCH_MAYBE
                                                              : matches[i].match(words, packet);
        return MATCH_MAYBE;
}

static bool read_verdict(char **words, Verdict *verdict, char **target)
{
        for (unsigned i = 0; i < G_N_ELEMENTS(verdicts); i++) {
                if (strcmp(verdicts[i].word, words[0]) != 0)
                        continue;
                *verdict = verdicts[i].verdict;
                if (verdicts[i].has_target)
                        *target = g_strdup(words[1] ? words[1] : "");
                return true;
        }
        return false;
}

Match rule_read(const char *rule, const Packet *packet, Verdict *ret_verdict, char **ret_target)
{
        _cleanup_(strvp) char **own = split(rule);
        char **words = own;
        Match match = MATCH_YES, next;

        *ret_verdict = VERDICT_NONE;
        *ret_target = NULL;
        while (*words && match != MATCH_NO) {
                if (read_verdict(words, ret_verdict, ret_target))
                        return match;
                next = match_next(&words, packet);
                match = MIN(match, next);
        }
        return match;
}
