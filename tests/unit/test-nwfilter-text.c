/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Filters as nftables reads them: each document of tests/xml/nwfilter beside what it becomes (UPDATE=1
 * writes that anew), what does not depend on a document, and what is refused. */

#include "drivers/nwfilter/translate.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEVICE 7

/* Filters by name. */
static const FilterDefinition *find(const void *data, const char *name)
{
        return g_hash_table_lookup((GHashTable *)data, name);
}

static void release(void *data)
{
        filter_definition_free(data);
}

static GHashTable *filters_new(void)
{
        return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, release);
}

static void add_filter(GHashTable *filters, const char *xml)
{
        FilterDefinition *definition;
        _cleanup_(error_clear) Error error = {};

        if (filter_definition_parse(xml, strlen(xml), &definition, &error) < 0)
                fail_msg("%s: %s", xml, error.message);
        g_hash_table_insert(filters, definition->name, definition);
}

static GHashTable *variables(void)
{
        GHashTable *all = parameters_new();

        parameters_add(all, "MAC", "52:54:00:00:00:01");
        parameters_add(all, "A", "1.1.1.1");
        parameters_add(all, "A", "2.2.2.2");
        parameters_add(all, "A", "3.3.3.3");
        parameters_add(all, "PORTS", "80");
        parameters_add(all, "PORTS", "90");
        parameters_add(all, "PORTS", "80");
        parameters_add(all, "BAD", "x\" drop");
        parameters_add(all, "IP", VARIABLE_LEARNT);
        return all;
}

static int translate(GHashTable *filters, const char *name, FilterKernel kernel, FilterText *ret,
                     Error *error)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *values = variables();
        const FilterRequest request = { .device = DEVICE,
                                        .filter = name,
                                        .variables = values,
                                        .kernel = kernel,
                                        .find = find,
                                        .find_data = filters };

        return translate_filter(&request, ret, error);
}

static void compare(const char *folder, const char *name)
{
        _cleanup_(freep) char *path = g_build_filename(folder, name, NULL), *golden = NULL, *xml = NULL;
        _cleanup_(freep) char *expected = NULL, *whole = NULL, *removal = NULL;
        _cleanup_(g_hash_table_unrefp) GHashTable *filters = filters_new();
        _cleanup_(filter_text_clear) FilterText text = {};
        _cleanup_(error_clear) Error error = {};

        assert_true(g_file_get_contents(path, &xml, NULL, NULL));
        add_filter(filters, xml);
        if (translate(filters, "f", (FilterKernel){ true, true }, &text, &error) < 0)
                fail_msg("%s: %s", path, error.message);
        golden = g_strdup_printf("%.*s.nft", (int)(strlen(path) - strlen(".xml")), path);
        removal = translate_removal(text.objects);
        whole = g_strconcat(text.text, removal, NULL);
        if (getenv("UPDATE"))
                assert_true(g_file_set_contents(golden, whole, -1, NULL));
        assert_true(g_file_get_contents(golden, &expected, NULL, NULL));
        assert_string_equal(whole, expected);
}

static void becomes_what_is_written_beside(void **state)
{
        _cleanup_(freep) char *folder = g_build_filename(getenv("XML_DIR"), "nwfilter", NULL);
        GDir *entries = g_dir_open(folder, 0, NULL);
        unsigned count = 0;

        (void)state;
        assert_non_null(entries);
        for (const char *name; (name = g_dir_read_name(entries));)
                if (g_str_has_suffix(name, ".xml")) {
                        compare(folder, name);
                        count++;
                }
        g_dir_close(entries);
        assert_true(count > 8);
}

static void refuses(void **state)
{
        static const struct {
                const char *rule, *words;
        } cases[] = {
                { "<tcp dstportstart='$NONE'/>",
                  "'f': the variable NONE is needed for dstportstart of <tcp>" },
                { "<tcp dstportstart='$PORTS[3]'/>", "element 3 of the variable PORTS" },
                { "<tcp dstportstart='$BAD'/>", "'x\" drop'" },
                { "<tcp srcipaddr='$PORTS'/>", "'80' of a variable" },
                { "<tcp dstportstart='9' dstportend='8'/>", "from 9 to 8 is empty" },
                { "<all srcipfrom='1.2.3.4' srcipto='1.2.3.3'/>", "1.2.3.3 is empty" },
                { "<all srcipto='1.2.3.3'/>", "begins nowhere" },
                { "<ip srcipaddr='$IP' srcipmask='24'/>", "variable IP" },
                { "<all srcipfrom='$IP' srcipto='1.2.3.3'/>", "variable IP" },
                { "<all ipset='x' ipsetflags='src'/>", "ipset is not supported" },
                { "<tcp dstportstart='1'/><tcp match='no' dstportend='2'/>", "belong together" },
                { "<all srcipfrom='1.1.1.1'/><all match='no' srcipto='1.1.1.2'/>", "belong together" },
                { "<mac srcmacaddr='1:2:3:4:5:6'/><mac match='no' srcmacmask='ff:ff:ff:0:0:0'/>",
                  "srcmacaddr and srcmacmask belong together" },
                { "<arp match='no' arpsrcipaddr='1.1.1.1'/><arp arpsrcipmask='24'/>",
                  "arpsrcipaddr and arpsrcipmask belong together" },
                { "<stp root-address='1:2:3:4:5:6'/><stp match='no' root-address-mask='ff:ff:ff:0:0:0'/>",
                  "belong together" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(freep) char *xml = g_strdup_printf(
                        "<filter name='f'><rule action='drop' direction='in'>%s</rule></filter>",
                        cases[i].rule);
                _cleanup_(g_hash_table_unrefp) GHashTable *filters = filters_new();
                _cleanup_(filter_text_clear) FilterText text = {};
                _cleanup_(error_clear) Error error = {};

                add_filter(filters, xml);
                assert_true(translate(filters, "f", (FilterKernel){ true, true }, &text, &error) < 0);
                if (!strstr(error.message, cases[i].words))
                        fail_msg("%s: '%s'", cases[i].rule, error.message);
        }
}

static void what_the_kernel_lacks_is_named(void **state)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *filters = filters_new();
        _cleanup_(filter_text_clear) FilterText text = {};
        _cleanup_(error_clear) Error error = {};

        (void)state;
        add_filter(filters, "<filter name='a'><rule action='accept' direction='in'><tcp state='NEW'/></rule>"
                            "</filter>");
        add_filter(filters, "<filter name='b'><rule action='reject' direction='out'><tcp/></rule></filter>");
        assert_true(translate(filters, "a", (FilterKernel){}, &text, &error) < 0);
        assert_non_null(strstr(error.message, "nf_conntrack_bridge"));
        error_clear(&error);
        assert_int_equal(translate(filters, "b", (FilterKernel){}, &text, &error), 0);
        assert_null(strstr(text.text, "reject"));
}

/* "all" is two: with ports and without. */
static void connections_are_remembered_where_they_are_not_tracked(void **state)
{
        static const char *const words[] = {
                "set flow4-ports/7 { type ipv4_addr . ipv4_addr . inet_proto . inet_service . inet_service;",
                ("chain from-ip/7 {\nether type 0x0800 ip protocol 6 th sport 22 ip daddr . ip saddr . ip "
                 "protocol . "
                 "th dport . th sport @flow4-ports/7 accept\n"),
                ("ether type 0x86dd meta l4proto != { 6, 17, 132, 136 } "
                 "update @flow6/7 { ip6 saddr . ip6 daddr . meta l4proto timeout 1h } accept\n"),
                "ip6 daddr . ip6 saddr . meta l4proto . th dport . th sport @flow6-ports/7 accept\n",
                "ip protocol 1 icmp type 8 accept\n",
        };
        _cleanup_(g_hash_table_unrefp) GHashTable *filters = filters_new();
        _cleanup_(filter_text_clear) FilterText text = {};
        _cleanup_(error_clear) Error error = {};

        (void)state;
        add_filter(filters, "<filter name='f'>"
                            "<rule action='accept' direction='in'><tcp dstportstart='22'/></rule>"
                            "<rule action='accept' direction='out'><all-ipv6/></rule>"
                            "<rule action='accept' direction='out'><icmp type='8'/></rule></filter>");
        assert_int_equal(translate(filters, "f", (FilterKernel){}, &text, &error), 0);
        for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
                if (!strstr(text.text, words[i]))
                        fail_msg("no '%s' in\n%s", words[i], text.text);
        assert_null(strstr(text.text, "ct "));
        assert_int_equal(text.objects->len, 3 + 2 + 2 + 1); /* sets, chains, elements, version */
}

static void references_have_their_own_parameters(void **state)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *filters = filters_new();
        _cleanup_(g_hash_table_unrefp) GHashTable *names =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        _cleanup_(filter_text_clear) FilterText text = {};
        _cleanup_(error_clear) Error error = {};

        (void)state;
        add_filter(filters, "<filter name='f'><filterref filter='g'><parameter name='P' value='1'/>"
                            "<parameter name='A' value='9.9.9.9'/></filterref>"
                            "<filterref filter='g'><parameter name='P' value='2'/></filterref></filter>");
        add_filter(filters, "<filter name='g'><rule action='drop' direction='in'>"
                            "<tcp srcipaddr='$A[0]' dstportstart='$P'/></rule></filter>");
        assert_int_equal(translate(filters, "f", (FilterKernel){}, &text, &error), 0);
        assert_non_null(strstr(text.text, "ip saddr 1.1.1.1 th dport 1 drop")); /* the interface's counts */
        assert_non_null(strstr(text.text, "ip saddr 1.1.1.1 th dport 2 drop"));
        translate_parts(find, filters, "f", names);
        assert_int_equal(g_hash_table_size(names), 2);
        g_hash_table_remove(filters, "g");
        filter_text_clear(&text);
        assert_true(translate(filters, "f", (FilterKernel){}, &text, &error) < 0);
        assert_string_equal(error.message, "There is no network filter 'g', which filter 'f' refers to");
}

/* 2^32 rules, and a circle, come to an end. */
static void what_grows_without_end_is_refused(void **state)
{
        _cleanup_(g_hash_table_unrefp) GHashTable *filters = filters_new();

        (void)state;
        for (unsigned i = 0; i < 31; i++) {
                _cleanup_(freep) char *xml = g_strdup_printf("<filter name='f%u'><filterref filter='f%u'/>"
                                                             "<filterref filter='f%u'/></filter>",
                                                             i, i + 1, i + 1);

                add_filter(filters, xml);
        }
        add_filter(filters, "<filter name='f31'/>");
        add_filter(filters, "<filter name='circle'><filterref filter='circle'/></filter>");
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(filter_text_clear) FilterText text = {};
                _cleanup_(error_clear) Error error = {};

                assert_true(translate(filters, i == 0 ? "f0" : "circle", (FilterKernel){}, &text, &error) <
                            0);
                assert_int_equal(error.code, ERROR_LIMITS_EXCEEDED);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(becomes_what_is_written_beside),
                cmocka_unit_test(refuses),
                cmocka_unit_test(what_the_kernel_lacks_is_named),
                cmocka_unit_test(connections_are_remembered_where_they_are_not_tracked),
                cmocka_unit_test(references_have_their_own_parameters),
                cmocka_unit_test(what_grows_without_end_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
