/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the rules of others do to guests: texts as nft, firewalld, Docker, ufw and iptables write them. */

#include "drivers/network/ruleset.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FORWARD(policy, rules)                                                                              \
        "table inet t {\n\tchain f {\n\t\ttype filter hook forward priority filter; policy " policy         \
        ";\n" rules "\t}\n}\n"
#define TABLE(family)                                                                                       \
        "table " family                                                                                     \
        " t {\n\tchain f {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n"
#define INPUT(policy, rules)                                                                                \
        "table inet t {\n\tchain i {\n\t\ttype filter hook input priority filter; policy " policy           \
        ";\n" rules "\t}\n}\n"
#define FIREWALLD(zone)                                                                                     \
        "table inet firewalld {\n"                                                                          \
        "\tchain filter_FORWARD {\n\t\ttype filter hook forward priority filter + 10; policy accept;\n"     \
        "\t\tct state { established, related } accept\n\t\tct status dnat accept\n\t\tiifname \"lo\" "      \
        "accept\n"                                                                                          \
        "\t\tct state invalid drop\n\t\tjump filter_FORWARD_ZONES\n\t\treject with icmpx "                  \
        "admin-prohibited\n"                                                                                \
        "\t}\n\n\tchain filter_FORWARD_ZONES {\n" zone "\t\tgoto filter_FWD_public\n\t}\n\n"                \
        "\tchain filter_FWD_trusted {\n\t\taccept\n\t}\n\n"                                                 \
        "\tchain filter_FWD_public {\n\t\tjump allow\n\t\treject with icmpx admin-prohibited\n\t}\n\n"      \
        "\tchain allow {\n\t\toifname \"eth0\" meta l4proto icmp accept\n\t}\n}\n"

static char *find(const char *listing, const char *commands, bool is_dhcp, bool is_ipv6)
{
        _cleanup_(ruleset_freep) Ruleset *ruleset = ruleset_new();

        ruleset_add_listing(ruleset, listing);
        ruleset_add_commands(ruleset, commands, "iptables-legacy");
        return ruleset_find_drop(ruleset,
                                 &(Packet){ .bridge = "br", .is_ipv6 = is_ipv6, .is_dhcp = is_dhcp });
}

static void forwards(void **state)
{
        static const struct {
                const char *listing, *expected;
                bool is_ipv6;
        } cases[] = {
                { "", NULL },
                { FORWARD("accept", ""), NULL },
                { FORWARD("drop", ""), "chain f of table inet t has the policy drop" },
                { FORWARD("drop", "\t\tiifname \"br\" accept\n"), NULL },
                { FORWARD("drop", "\t\tiifname \"b*\" counter packets 12 bytes 345 accept\n"), NULL },
                { FORWARD("drop", "\t\tiifname \"br0\" accept\n"), "policy drop" },
                { FORWARD("drop", "\t\tiifname { \"a\", \"br\" } accept\n"), NULL },
                { FORWARD("drop", "\t\tiifname != \"docker0\" accept\n"), NULL },
                { FORWARD("drop", "\t\tiifname != { \"docker0\", \"br\" } accept\n"), "policy drop" },
                { FORWARD("drop", "\t\tiifname @trusted accept\n"), NULL },
                { FORWARD("drop", "\t\tiifname vmap { \"br\" : accept }\n"), NULL },
                { FORWARD("drop", "\t\tct state established,related accept\n"), "policy drop" },
                { FORWARD("drop", "\t\tct state vmap { established : accept, invalid : drop }\n"),
                  "policy drop" },
                { FORWARD("drop", "\t\tct state established,new accept\n"), NULL },
                { FORWARD("drop", "\t\toifname \"br\" accept\n"), "policy drop" },
                { FORWARD("drop", "\t\tip daddr 10.0.0.0/8 accept\n"), NULL },
                { FORWARD("drop", "\t\tip6 daddr fd00::/8 accept\n"), "policy drop" },
                { FORWARD("accept", "\t\tlog prefix \"drop accept \" level info\n"), NULL },
                { FORWARD("accept", "\t\tlog prefix \"x\" flags all drop\n"),
                  "rule 'log prefix \"x\" flags all drop'" },
                { FORWARD("accept", "\t\tiifname \"br\" drop\n"), "rule 'iifname \"br\" drop'" },
                { FORWARD("accept", "\t\ttcp dport 25 drop\n"), NULL },
                { FORWARD("accept", "\t\tjump g\n"), NULL },
                { FORWARD("accept", "\t\tjump f\n\t\tgoto f\n"), NULL },
                { FORWARD("accept", "\t\tlimit rate 3/minute drop\n"), NULL },
                { FORWARD("accept",
                          "\t\taccept\n") "table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook "
                                          "forward priority filter; policy drop;\n\t}\n}\n",
                  "chain FORWARD of table ip filter" },
                { "table ip6 filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; "
                  "policy "
                  "drop;\n\t}\n}\n",
                  NULL },
                { "table inet virtbus {\n\tchain forward {\n\t\ttype filter hook forward priority filter; "
                  "policy "
                  "drop;\n\t}\n}\n",
                  NULL },
                { INPUT("drop", ""), NULL },
                { FIREWALLD(""),
                  "chain filter_FWD_public of table inet firewalld has the rule 'reject with" },
                { FIREWALLD(""), "<bridge zone=" },
                { FIREWALLD("\t\tiifname \"br\" goto filter_FWD_trusted\n"), NULL },
                { FIREWALLD("\t\tiifname \"brx\" goto filter_FWD_trusted\n"), "filter_FWD_public" },
                { FORWARD("drop", ""), "policy drop", .is_ipv6 = true },
                { FORWARD("drop", "\t\tip6 daddr fd00::/8 accept\n"), NULL, .is_ipv6 = true },
                { FORWARD("drop", "\t\tip daddr 10.0.0.0/8 accept\n"), "policy drop", .is_ipv6 = true },
                { FORWARD("drop", "\t\tmeta nfproto ipv4 accept\n"), "policy drop", .is_ipv6 = true },
                { FORWARD("drop", "\t\tmeta nfproto ipv6 accept\n"), NULL, .is_ipv6 = true },
                { TABLE("ip6"), "chain f of table ip6 t", .is_ipv6 = true },
                { TABLE("ip"), NULL, .is_ipv6 = true },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(freep) char *found = find(cases[i].listing, "", false, cases[i].is_ipv6);

                if (cases[i].expected ? !found || !strstr(found, cases[i].expected) : found != NULL)
                        fail_msg("%s%s, not %s", cases[i].listing, found, cases[i].expected);
        }
}

static void gives_addresses(void **state)
{
        static const struct {
                const char *listing, *expected;
        } cases[] = {
                { INPUT("accept", ""), NULL },
                { INPUT("drop", "\t\tudp dport 67 accept\n"), NULL },
                { INPUT("drop", "\t\tudp dport { 53, 60-70 } accept\n"), NULL },
                { INPUT("drop", "\t\tudp dport 53 accept\n\t\ttcp dport 67 accept\n"),
                  "(DHCP): chain i of" },
                { INPUT("drop", "\t\tmeta l4proto { tcp, udp } th dport 67 accept\n"), NULL },
                { INPUT("drop", "\t\tmeta l4proto icmp accept\n"), "policy drop" },
                { INPUT("drop", "\t\tip protocol icmp accept\n"), "policy drop" },
                { INPUT("drop", "\t\tudp sport 67 udp dport 68 accept\n"), "policy drop" },
                { INPUT("accept", "\t\toifname \"x\" accept\n\t\treject\n"), "rule 'reject'" },
                { FORWARD("drop", ""), NULL },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(freep) char *found = find(cases[i].listing, "", true, false);

                if (cases[i].expected ? !found || !strstr(found, cases[i].expected) : found != NULL)
                        fail_msg("%s%s, not %s", cases[i].listing, found, cases[i].expected);
        }
}

static void legacy(void **state)
{
        static const char head[] =
                "# Translated by x\nadd table ip filter\n"
                "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }\n"
                "add chain ip filter DOCKER\n"
                "add rule ip filter FORWARD counter jump DOCKER\n"
                "add rule ip filter FORWARD ct state related,established counter accept\n";
        _cleanup_(freep) char *dropped = find("", head, false, false), *accepted = NULL,
                              *text = g_strconcat(
                                      head, "add rule ip filter DOCKER iifname \"br\" counter accept\n",
                                      NULL);

        (void)state;
        accepted = find("", text, false, false);
        assert_null(accepted);
        assert_non_null(
                strstr(dropped, "chain FORWARD of table ip filter of iptables-legacy has the policy drop"));
        g_free(find("",
                    "add rule\nadd rule ip\nadd chain ip filter\nadd rule ip filter F\nadd chain ip a b c\n",
                    false, false));
        g_free(find("table\n}\nchain x {\ntable a {\nchain {\nudp\nip\nct\nmeta\njump\nlog prefix\nudp "
                    "dport {\n}",
                    "", true, false));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(forwards),
                cmocka_unit_test(gives_addresses),
                cmocka_unit_test(legacy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
