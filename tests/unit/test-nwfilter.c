/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <filter>: each kind of value in its one form, rules and references in their order, and what is refused. */

#include "model/nwfilter.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define IDENTITY "<uuid>5a1c0c64-5f0e-4a39-8a36-3a4a3a0d7d05</uuid>"

static char *written(const char *xml)
{
        _cleanup_(filter_definition_freep) FilterDefinition *definition = NULL;
        _cleanup_(error_clear) Error error = {};

        if (filter_definition_parse(xml, strlen(xml), &definition, &error) < 0)
                fail_msg("%s: %s", xml, error.message);
        return filter_definition_format(definition);
}

static void writes_in_one_form(void **state)
{
        static const char in[] =
                "<filter name='f' chain='ipv4-mine'>" IDENTITY
                "<rule action='accept' direction='in' statematch='0'><tcp srcmacaddr='1:2:3:4:5:6' "
                "match='no'"
                " dstipmask='255.255.255.0' srcipaddr='$A[ 1 ] ' dscp='0x32' state='RELATED,NEW' "
                "flags='ACK,SYN/'"
                " srcportstart='$P[ @0 ]' dstportend='0X1f' unknown='1'/></rule>"
                "<filterref filter='other'><parameter name='B' value='2'/><parameter name='A' "
                "value='1.2.3.4'/>"
                "<parameter name='B' value='1'/></filterref>"
                "<rule action='drop' direction='inout' priority='-7'><ipv6 srcipmask='ffff:ff80::'/></rule>"
                "<rule action='return' direction='out'/></filter>";
        static const char out[] =
                "<filter name='f' chain='ipv4-mine'>\n  " IDENTITY "\n"
                "  <rule action='accept' direction='in' priority='500' statematch='false'>\n"
                "    <tcp match='no' srcmacaddr='01:02:03:04:05:06' srcipaddr='$A[1]' dstipmask='24' "
                "dscp='0x32'"
                " state='NEW,RELATED' srcportstart='$P' dstportend='0x1f' flags='SYN,ACK/NONE'/>\n  "
                "</rule>\n"
                "  <filterref filter='other'>\n    <parameter name='A' value='1.2.3.4'/>\n"
                "    <parameter name='B' value='2'/>\n    <parameter name='B' value='1'/>\n  </filterref>\n"
                "  <rule action='drop' direction='inout' priority='-7'>\n    <ipv6 srcipmask='25'/>\n  "
                "</rule>\n"
                "  <rule action='return' direction='out' priority='500'/>\n</filter>\n";
        _cleanup_(freep) char *first = written(in), *second = NULL;

        (void)state;
        assert_string_equal(first, out);
        second = written(first);
        assert_string_equal(second, first);
}

static FilterDefinition *from_text(const char *text, Error *error)
{
        g_autoptr(GVariant) values = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
        FilterDefinition *definition = NULL;

        if (!values)
                fail_msg("%s", text);
        return filter_definition_from_variant(values, &definition, error) < 0 ? NULL : definition;
}

/* Numbers have no notation there. */
static void is_the_same_natively(void **state)
{
        static const char xml[] =
                "<filter name='f' chain='ipv4-mine' priority='-3'>" IDENTITY
                "<rule action='accept' direction='in' statematch='0'><tcp match='no' srcipaddr='$A[1]' "
                "dscp='0x32' state='NEW' dstportend='31' comment='a &lt; \"b\"'/></rule>"
                "<filterref filter='other'><parameter name='A' value='1.2.3.4'/><parameter name='B' "
                "value='2'/><parameter name='B' value='1'/></filterref>"
                "<rule action='drop' direction='out'><arp gratuitous='true' opcode='Request'/></rule>"
                "<rule action='drop' direction='out'><udp match='no' srcipaddr='$IP'/><udp dscp='7'/></rule>"
                "<rule action='return' direction='out'/></filter>";
        _cleanup_(freep) char *written_xml = written(xml), *again = NULL, *text = NULL;
        _cleanup_(filter_definition_freep) FilterDefinition *first = NULL, *second = NULL;
        _cleanup_(error_clear) Error error = {};
        g_autoptr(GVariant) told = NULL;
        GString *expected = g_string_new(written_xml);

        (void)state;
        assert_int_equal(filter_definition_parse(xml, strlen(xml), &first, &error), 0);
        told = g_variant_ref_sink(filter_definition_to_variant(first));
        text = g_variant_print(told, false);
        assert_non_null(strstr(text, "'dstportend': <uint32 31>"));
        assert_non_null(strstr(text, "'gratuitous': <true>"));
        assert_non_null(strstr(text, "'srcipaddr': <'$A[1]'>"));
        assert_non_null(
                strstr(text, "'match': <{'dscp': <uint32 7>}>, 'mismatch': <{'srcipaddr': <'$IP'>}>"));
        if (filter_definition_from_variant(told, &second, &error) < 0)
                fail_msg("%s: %s", text, error.message);
        again = filter_definition_format(second);
        (void)g_string_replace(expected, "0x32", "50", 1);
        assert_string_equal(again, expected->str);
        g_string_free(expected, TRUE);
}

static void refuses_natively(void **state)
{
        static const struct {
                const char *values, *words;
        } cases[] = {
                { "{}", "name" },
                { "{'name': <'f'>, 'rules': <1>}", "rules: there is no such field" },
                { "{'name': <'f'>, 'name': <'g'>}", "given twice" },
                { "{'name': <'f\\u0001'>}", "name" },
                { "{'name': <('f', 'g')>}", "name" },
                { "{'name': <'f'>, 'uuid': <'1'>}", "uuid" },
                { "{'name': <'f'>, 'priority': <1001>}", "priority='1001'" },
                { "{'name': <'f'>, 'entries': <'x'>}", "entries" },
                { "{'name': <'f'>, 'entries': <['x']>}", "entries[0]" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>}]>}", "entries[0]" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'x': <1>}]>}",
                  "entries[0].x" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'protocol': "
                  "<'smtp'>}]>}",
                  "<smtp>" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'match': "
                  "<@a{sv} {}>}]>}",
                  "entries[0].match: needs a protocol" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'mismatch': "
                  "<@a{sv} {}>}]>}",
                  "entries[0].mismatch: needs a protocol" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'is_negated': "
                  "<true>}]>}",
                  "entries[0].is_negated: needs a protocol" },
                { "{'name': <'f'>, 'entries': <[{'reference': <'g'>}, {'action': <'drop'>, 'direction': "
                  "<'in'>, 'protocol': <'tcp'>, 'match': <{'dstport': <22>}>}]>}",
                  "entries[1].match.dstport" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'protocol': "
                  "<'tcp'>, 'match': <{'dstportstart': <70000>}>}]>}",
                  "dstportstart='70000'" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'protocol': "
                  "<'tcp'>, "
                  "'is_negated': <true>, 'mismatch': <{'dscp': <1>}>}]>}",
                  "entries[0].mismatch" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'protocol': "
                  "<'tcp'>, "
                  "'mismatch': <{'dscp': <1>}>, 'match': <{'dscp': <2>}>}]>}",
                  "dscp already" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'protocol': "
                  "<'tcp'>, "
                  "'mismatch': <{'dstport': <1>}>}]>}",
                  "entries[0].mismatch.dstport" },
                { "{'name': <'f'>, 'entries': <[{'reference': <'g'>, 'action': <'drop'>}]>}",
                  "nothing but reference and parameters" },
                { "{'name': <'f'>, 'entries': <[{'action': <'drop'>, 'direction': <'in'>, 'parameters': "
                  "<@a{sv} {}>}]>}",
                  "is for references" },
                { "{'name': <'f'>, 'entries': <[{'reference': <'g'>, 'parameters': <{'A': <'x y'>}>}]>}",
                  "value='x y'" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(error_clear) Error error = {};

                if (from_text(cases[i].values, &error))
                        fail_msg("%s is taken", cases[i].values);
                if (!strstr(error.message, cases[i].words))
                        fail_msg("%s: '%s'", cases[i].values, error.message);
        }
}

static void knows_chains(void **state)
{
        static const struct {
                const char *chain, *written;
        } cases[] = {
                { "", "chain='root'>" },
                { "chain='rarp-x' priority='-400'", "chain='rarp-x'>" },
                { "chain='arp' priority='-400'", "chain='arp' priority='-400'>" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(freep) char *xml =
                        g_strdup_printf("<filter name='f' %s>" IDENTITY "</filter>", cases[i].chain);
                _cleanup_(freep) char *out = written(xml);

                assert_non_null(strstr(out, cases[i].written));
        }
}

#define RULE(content) "<rule action='drop' direction='in'>" content "</rule>"

static void refuses(void **state)
{
        static const struct {
                const char *content, *word;
        } cases[] = {
                { "<rule direction='in'/>", "action" },
                { "<rule action='drop' direction='up'/>", "up" },
                { "<rule action='drop' direction='in' priority='1001'/>", "1001" },
                { RULE("<quic/>"), "<quic>" },
                { RULE("<tcp/><udp/>"), "<udp>: the <rule> is about <tcp> already" },
                { RULE("<tcp dscp='1'/><tcp match='no' dscp='2'/>"), "dscp already" },
                { RULE("<stp port-hi='1' port_hi='2'/>"), "port-hi already" },
                { RULE("<vlan encap-protocol='0x3b'/>"), "0x3b" },
                { RULE("<mac protocolid='0x5ff'/>"), "0x5ff" },
                { RULE("<mac srcmacaddr='1:2:3'/>"), "1:2:3" },
                { RULE("<ip srcipaddr='1.2.3'/>"), "1.2.3" },
                { RULE("<ip srcipmask='33'/>"), "33" },
                { RULE("<ip protocol='256'/>"), "256" },
                { RULE("<ipv6 srcipaddr='1.2.3.4'/>"), "1.2.3.4" },
                { RULE("<all-ipv6 dstipmask='129'/>"), "129" },
                { RULE("<tcp dscp='64'/>"), "64" },
                { RULE("<tcp dstportend='65536'/>"), "65536" },
                { RULE("<tcp flags='SYN'/>"), "SYN" },
                { RULE("<tcp flags='SYN/NO'/>"), "SYN/NO" },
                { RULE("<tcp state='OLD'/>"), "OLD" },
                { RULE("<udp srcportstart='$'/>"), "$" },
                { RULE("<udp srcportstart='$A[x]'/>"), "$A[x]" },
                { RULE("<icmpv6 code='256'/>"), "256" },
                { RULE("<arp opcode='Ask'/>"), "Ask" },
                { RULE("<arp gratuitous='maybe'/>"), "maybe" },
                { RULE("<vlan vlanid='4096'/>"), "4096" },
                { RULE("<all ipsetflags='src,up'/>"), "src,up" },
                { "<filterref/>", "filter" },
                { "<filterref filter='a'><parameter name='a b' value='1'/></filterref>", "a b" },
                { "<filterref filter='a'><parameter name='a' value='$(x)'/></filterref>", "$(x)" },
                { "<uuid>1</uuid>", "<uuid>" },
        };
        static const char *const heads[] = { "name='a/b'",
                                             "",
                                             "name='a' chain='other'",
                                             "name='a' chain='root-x'",
                                             "name='a' chain='arp x'",
                                             "name='a' priority='x'" };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases) + G_N_ELEMENTS(heads); i++) {
                bool is_head = i >= G_N_ELEMENTS(cases);
                _cleanup_(freep) char *xml = g_strdup_printf(
                        "<filter %s>%s</filter>", is_head ? heads[i - G_N_ELEMENTS(cases)] : "name='a'",
                        is_head ? "" : cases[i].content);
                FilterDefinition *definition = NULL;
                _cleanup_(error_clear) Error error = {};

                if (filter_definition_parse(xml, strlen(xml), &definition, &error) >= 0)
                        fail_msg("%s: is accepted", xml);
                if (!strstr(error.message, is_head ? "filter" : cases[i].word))
                        fail_msg("%s: '%s'", xml, error.message);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_in_one_form),
                cmocka_unit_test(is_the_same_natively),
                cmocka_unit_test(refuses_natively),
                cmocka_unit_test(knows_chains),
                cmocka_unit_test(refuses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
