/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel asks every chain that hangs on a hook, one after the other, and what one accepts the next may
 * still drop. Ours are left out, and those of families that do not see what is routed. */

#include "core/cleanup.h"
#include "drivers/network/rule.h"
#include <string.h>

#define OWN_TABLE "table inet virtbus"
#define DEPTH_MAX 16 /* the kernel's */
#define RULES_MAX 200000
#define ADD_CHAIN "add chain "
#define ADD_RULE  "add rule "

typedef struct Chain {
        char *table, *name; /* "table ip filter" */
        GPtrArray *rules;
        bool is_forward, is_input, has_policy_drop;
} Chain;

struct Ruleset {
        GPtrArray *chains;
        GHashTable *by_name; /* "TABLE CHAIN" */
};

typedef struct Walk {
        const Ruleset *ruleset;
        const Packet *packet;
        unsigned n_rules;
        const Chain *chain; /* in which it was dropped */
        const char *rule;   /* by which; NULL: the policy */
} Walk;

static void chain_free(void *data)
{
        Chain *chain = data;

        g_free(chain->table);
        g_free(chain->name);
        g_ptr_array_unref(chain->rules);
        g_free(chain);
}

Ruleset *ruleset_new(void)
{
        Ruleset *ruleset = g_new0(Ruleset, 1);

        ruleset->chains = g_ptr_array_new_with_free_func(chain_free);
        ruleset->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        return ruleset;
}

Ruleset *ruleset_free(Ruleset *ruleset)
{
        if (!ruleset)
                return NULL;
        g_hash_table_unref(ruleset->by_name);
        g_ptr_array_unref(ruleset->chains);
        g_free(ruleset);
        return NULL;
}

static Chain *find(const Ruleset *ruleset, const char *table, const char *name)
{
        _cleanup_(freep) char *key = g_strconcat(table, " ", name, NULL);

        return g_hash_table_lookup(ruleset->by_name, key);
}

static Chain *add_chain(Ruleset *ruleset, const char *table, const char *name)
{
        Chain *chain = g_new0(Chain, 1);

        chain->table = g_strdup(table);
        chain->name = g_strdup(name);
        chain->rules = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(ruleset->chains, chain);
        g_hash_table_insert(ruleset->by_name, g_strconcat(table, " ", name, NULL), chain);
        return chain;
}

/* "type filter hook forward priority filter; policy drop;" */
static void set_hook(Chain *chain, const char *text)
{
        if (!g_str_has_prefix(text, "type filter "))
                return;
        chain->is_forward = strstr(text, "hook forward ");
        chain->is_input = strstr(text, "hook input ");
        chain->has_policy_drop = strstr(text, "policy drop;");
}

static bool is_left_out(const char *table)
{
        return strcmp(table, OWN_TABLE) == 0 || g_str_has_prefix(table, "table bridge ") ||
               g_str_has_prefix(table, "table arp ") || g_str_has_prefix(table, "table netdev ");
}

/* "chain FORWARD {" → "chain FORWARD" */
static char *head_of(const char *line)
{
        const char *brace = strchr(line, '{');

        return g_strchomp(g_strndup(line, brace ? (size_t)(brace - line) : strlen(line)));
}

void ruleset_add_listing(Ruleset *ruleset, const char *listing)
{
        _cleanup_(strvp) char **lines = g_strsplit(listing, "\n", -1);
        _cleanup_(freep) char *table = NULL;
        Chain *chain = NULL;

        for (unsigned i = 0; lines[i]; i++) {
                const char *line = g_strstrip(lines[i]);

                if (g_str_has_prefix(line, "table ")) {
                        g_free(table);
                        table = head_of(line);
                        chain = NULL;
                } else if (!table || is_left_out(table) || strcmp(line, "}") == 0) {
                        chain = NULL;
                } else if (g_str_has_prefix(line, "chain ")) {
                        _cleanup_(freep) char *head = head_of(line);

                        chain = add_chain(ruleset, table, head + strlen("chain "));
                } else if (chain && g_str_has_prefix(line, "type ")) {
                        set_hook(chain, line);
                } else if (chain && *line) {
                        g_ptr_array_add(chain->rules, g_strdup(line));
                }
        }
}

/* "add rule ip filter FORWARD counter accept" */
static void add_command(Ruleset *ruleset, const char *command, const char *owner)
{
        bool is_chain = g_str_has_prefix(command, ADD_CHAIN);
        _cleanup_(strvp) char **words = NULL;
        _cleanup_(freep) char *table = NULL;
        Chain *chain;

        if (!is_chain && !g_str_has_prefix(command, ADD_RULE))
                return;
        words = g_strsplit(command + strlen(is_chain ? ADD_CHAIN : ADD_RULE), " ", 4);
        if (g_strv_length(words) < 3)
                return;
        table = g_strdup_printf("table %s %s of %s", words[0], words[1], owner);
        chain = find(ruleset, table, words[2]);
        if (!chain)
                chain = add_chain(ruleset, table, words[2]);
        if (is_chain && words[3] && g_str_has_prefix(words[3], "{ "))
                set_hook(chain, words[3] + strlen("{ "));
        else if (!is_chain && words[3])
                g_ptr_array_add(chain->rules, g_strdup(words[3]));
}

void ruleset_add_commands(Ruleset *ruleset, const char *commands, const char *owner)
{
        _cleanup_(strvp) char **lines = g_strsplit(commands, "\n", -1);

        for (unsigned i = 0; lines[i]; i++)
                add_command(ruleset, lines[i], owner);
}

static Verdict drop(Walk *walk, const Chain *chain, const char *rule)
{
        walk->chain = chain;
        walk->rule = rule;
        return VERDICT_DROP;
}

static Verdict pass(Walk *walk, const Chain *chain, unsigned depth);

/* NONE: the next rule is asked. */
static Verdict ask(Walk *walk, const Chain *chain, const char *rule, unsigned depth)
{
        _cleanup_(freep) char *target = NULL;
        Verdict verdict;
        Match match = rule_read(rule, walk->packet, &verdict, &target);
        bool is_goto = verdict == VERDICT_GOTO;
        const Chain *next;

        if (match == MATCH_NO)
                return VERDICT_NONE;
        if (verdict == VERDICT_DROP && match == MATCH_YES)
                return drop(walk, chain, rule);
        if (target) {
                next = find(walk->ruleset, chain->table, target);
                verdict = next ? pass(walk, next, depth + 1) : VERDICT_NONE;
                if (is_goto && verdict == VERDICT_NONE)
                        verdict = VERDICT_RETURN;
        }
        return match == MATCH_YES || verdict == VERDICT_ACCEPT ? verdict : VERDICT_NONE;
}

/* NONE: it comes to its end, or back. What goes too far to be followed is taken for accepted. */
static Verdict pass(Walk *walk, const Chain *chain, unsigned depth)
{
        if (depth > DEPTH_MAX)
                return VERDICT_ACCEPT;
        for (unsigned i = 0; i < chain->rules->len; i++) {
                Verdict verdict = ++walk->n_rules > RULES_MAX
                                          ? VERDICT_ACCEPT
                                          : ask(walk, chain, chain->rules->pdata[i], depth);

                if (verdict == VERDICT_ACCEPT || verdict == VERDICT_DROP)
                        return verdict;
                if (verdict == VERDICT_RETURN)
                        return VERDICT_NONE;
        }
        return VERDICT_NONE;
}

static char *describe(const Walk *walk)
{
        const char *hint =
                strcmp(walk->chain->table, "table inet firewalld") == 0
                        ? "; a zone of firewalld that lets it through is named by <bridge zone=...>"
                        : "";
        const char *what = walk->packet->is_dhcp ? "drops what guests ask it for addresses (DHCP)"
                                                 : "drops what it forwards";

        return walk->rule
                       ? g_strdup_printf("the firewall %s: chain %s of %s has the rule '%.200s'%s", what,
                                         walk->chain->name, walk->chain->table, walk->rule, hint)
                       : g_strdup_printf("the firewall %s: chain %s of %s has the policy drop and no rule "
                                         "that accepts its bridge",
                                         what, walk->chain->name, walk->chain->table);
}

char *ruleset_find_drop(const Ruleset *ruleset, const Packet *packet)
{
        const char *other = packet->is_ipv6 ? "table ip " : "table ip6 ";
        Walk walk = { .ruleset = ruleset, .packet = packet };

        for (unsigned i = 0; i < ruleset->chains->len; i++) {
                const Chain *chain = ruleset->chains->pdata[i];
                Verdict verdict;

                if (!(packet->is_dhcp ? chain->is_input : chain->is_forward) ||
                    g_str_has_prefix(chain->table, other))
                        continue;
                verdict = pass(&walk, chain, 0);
                if (verdict == VERDICT_NONE && chain->has_policy_drop)
                        verdict = drop(&walk, chain, NULL);
                if (verdict == VERDICT_DROP)
                        return describe(&walk);
        }
        return NULL;
}
