/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <network>: pairs of documents in tests/xml/network (XML_UPDATE writes them, as in test-domain-devices.c),
 * what is refused and which word of it the error names, and which addresses are in a network. */

#include "model/network.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static NetworkDefinition *parsed(const char *xml)
{
        _cleanup_(error_clear) Error error = { 0 };
        NetworkDefinition *definition = NULL;

        if (network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, &error) < 0)
                fail_msg("cannot be read: %s", error.message);
        return definition;
}

static void check_document(const char *name)
{
        _cleanup_(freep) char *in_path = g_strdup_printf("%s/network/%s.in.xml", g_getenv("XML_DIR"), name);
        _cleanup_(freep) char *out_path =
                g_strdup_printf("%s/network/%s.parsed.xml", g_getenv("XML_DIR"), name);
        _cleanup_(freep) char *in = NULL, *out = NULL, *first = NULL, *second = NULL;

        assert_true(g_file_get_contents(in_path, &in, NULL, NULL));
        (void)g_file_get_contents(out_path, &out, NULL, NULL); /* NULL differs from everything */
        _cleanup_(network_definition_freep) NetworkDefinition *definition = parsed(in);
        first = network_definition_format(definition, DEFINITION_INACTIVE);
        if (g_getenv("XML_UPDATE"))
                assert_true(g_file_set_contents(out_path, first, -1, NULL));
        else
                assert_string_equal(first, out ? out : "");

        _cleanup_(network_definition_freep) NetworkDefinition *again = parsed(first);
        second = network_definition_format(again, DEFINITION_INACTIVE);
        assert_string_equal(second, first);

        _cleanup_(network_definition_freep) NetworkDefinition *copy = network_definition_copy(definition);
        assert_null(struct_difference(&network_definition_type, copy, definition, false));
}

static void writes_back_what_was_said(void **state)
{
        (void)state;
        check_document("nat");
        check_document("pool");
        check_document("macvtap");
}

static void completes(void **state)
{
        (void)state;
        _cleanup_(network_definition_freep) NetworkDefinition *isolated =
                parsed("<network><name>a</name></network>");
        network_definition_complete(isolated);
        assert_int_equal(strlen(isolated->uuid), 36);
        assert_memory_equal(isolated->mac, "52:54:00:", 9);
        assert_int_equal(isolated->bridge.stp, ON);
        assert_true(isolated->bridge.has_delay);

        _cleanup_(network_definition_freep) NetworkDefinition *bridged =
                parsed("<network><name>a</name><forward mode='bridge'/><bridge name='br0'/></network>");
        network_definition_complete(bridged);
        assert_string_equal(bridged->mac, "");
        assert_int_equal(bridged->bridge.stp, ON_OFF_ABSENT);
}

typedef struct Refused {
        const char *content, *word;
} Refused;

#define IP4(content)  "<ip address='10.0.0.1' prefix='24'>" content "</ip>"
#define DHCP(content) IP4("<dhcp>" content "</dhcp>")

static void refuses(void **state)
{
        static const Refused cases[] = {
                { "<forward mode='sideways'/>", "sideways" },
                { "<forward mode='open' dev='eth0'/>", "open" },
                { "<forward mode='nat'><interface dev='a'/><interface dev='b'/></forward>", "nat" },
                { "<forward mode='route'><nat><port start='1' end='2'/></nat></forward>", "<nat>" },
                { "<forward><nat><port start='9' end='2'/></nat></forward>", "9" },
                { "<forward><nat><address start='10.0.0.9' end='10.0.0.2'/></nat></forward>", "10.0.0.9" },
                { "<forward mode='vepa'><interface dev='a'/><interface dev='a'/></forward>", "twice" },
                { "<forward mode='vepa'><interface dev='a'/><pf dev='b'/></forward>", "<pf>" },
                { "<forward mode='bridge'/><bridge name='b'/>" IP4(""), "<ip>" },
                { "<forward mode='bridge'/><bridge name='b' stp='on'/>", "stp" },
                { "<forward mode='vepa'/><bridge name='b'/>", "<bridge>" },
                { "<bridge name='averyveryverylong'/>", "15" },
                { "<bridge name='a/b'/>", "a/b" },
                { "<mac address='01:00:5e:00:00:01'/>", "multicast" },
                { "<domain name='a,b'/>", "a,b" },
                { "<forward mode='vepa'/><vlan><tag id='3'/></vlan>", "<vlan>" },
                { "<forward mode='bridge'/><vlan><tag id='3'/></vlan>", "<vlan>" },
                { "<forward mode='passthrough'/><portgroup name='a'><vlan><tag id='3'/></vlan></portgroup>",
                  "<vlan>" },
                { "<portgroup name='a'/><portgroup name='a'/>", "twice" },
                { "<portgroup name='a' default='yes'/><portgroup name='b' default='yes'/>", "default" },
                { "<ip address='10.0.0.300'/>", "10.0.0.300" },
                { "<ip address='10.0.0.1' netmask='255.0.255.0'/>", "255.0.255.0" },
                { "<ip address='10.0.0.1' netmask='255.0.0.0' prefix='8'/>", "prefix" },
                { "<ip address='10.0.0.1' prefix='33'/>", "33" },
                { "<ip family='ipv6' address='10.0.0.1' prefix='24'/>", "IPv6" },
                { "<ip family='ipv6' address='fd00::1' netmask='255.0.0.0'/>", "netmask" },
                { DHCP("<range start='10.0.1.1' end='10.0.1.9'/>"), "10.0.1.1" },
                { DHCP("<range start='10.0.0.9' end='10.0.0.2'/>"), "10.0.0.9" },
                { DHCP("<range start='10.0.0.2' end='10.0.0.9'><lease expiry='1'/></range>"), "expiry" },
                { DHCP("<host mac='52:54:00:00:00:01' ip='10.0.9.2'/>"), "10.0.9.2" },
                { DHCP("<host ip='10.0.0.2'/>"), "@mac" },
                { DHCP("<host mac='52:54:00:00:00:01'/>"), "@ip" },
                { DHCP("<host name='a b' ip='10.0.0.2'/>"), "spaces" },
                { DHCP("<bootp file='a,b'/>"), "<bootp>" },
                { DHCP("") "<ip address='10.1.0.1' prefix='24'><dhcp/></ip>", "only one" },
                { IP4("<tftp root='/a&#10;b'/>"), "<tftp>" },
                { "<route address='10.9.0.0' prefix='16' gateway='10.0.0.2'/>", "10.0.0.2" },
                { "<dns enable='no'><forwarder addr='10.0.0.2'/></dns>", "enable" },
                { "<dns><forwarder/></dns>", "<forwarder>" },
                { "<dns><forwarder addr='here'/></dns>", "<forwarder>" },
                { "<dns><host ip='10.0.0.2'/></dns>", "<host>" },
                { "<dns><host ip='10.0.0.2'><hostname>a&#10;address=/x/</hostname></host></dns>",
                  "<hostname>" },
                { "<dns><txt name='a b' value='c'/></dns>", "<txt>" },
                { "<dns><txt name='a' value='c&#10;address=/x/1.2.3.4'/></dns>", "<txt>" },
                { "<dns><srv service='a' protocol='icmp'/></dns>", "<srv>" },
                { "<dns><srv service='a' protocol='tcp' port='3'/></dns>", "@target" },
                { "<mtu size='-1'/>", "-1" },
        };
        static const char *const names[] = { "a/b", "..", "a&#10;b", "" };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases) + G_N_ELEMENTS(names); i++) {
                bool is_name = i >= G_N_ELEMENTS(cases);
                _cleanup_(freep) char *xml = g_strdup_printf("<network><name>%s</name>%s</network>",
                                                             is_name ? names[i - G_N_ELEMENTS(cases)] : "a",
                                                             is_name ? "" : cases[i].content);
                NetworkDefinition *definition = NULL;
                _cleanup_(error_clear) Error error = { 0 };

                if (network_definition_parse(xml, strlen(xml), 0, &definition, &error) >= 0)
                        fail_msg("%s: is accepted", xml);
                if (!strstr(error.message, is_name ? "name" : cases[i].word))
                        fail_msg("%s: '%s'", xml, error.message);
        }
}

static void knows_what_is_inside(void **state)
{
        const NetworkIp small = { .address = (char *)"10.0.0.129", .has_prefix = true, .prefix = 25 },
                        large = { .address = (char *)"10.0.0.1", .netmask = (char *)"255.255.0.0" },
                        six = { .family = (char *)"ipv6", .address = (char *)"fd00::1" },
                        classful = { .address = (char *)"172.16.0.1" };
        IpNetwork a, b, c, d;

        (void)state;
        assert_int_equal(network_ip_read(&small, &a, NULL), 0);
        assert_int_equal(network_ip_read(&large, &b, NULL), 0);
        assert_int_equal(network_ip_read(&six, &c, NULL), 0);
        assert_int_equal(network_ip_read(&classful, &d, NULL), 0);
        assert_int_equal(b.prefix, 16);
        assert_int_equal(c.prefix, 64);
        assert_int_equal(d.prefix, 16);
        assert_true(ip_network_contains(&a, "10.0.0.254"));
        assert_false(ip_network_contains(&a, "10.0.0.1"));
        assert_false(ip_network_contains(&a, "fd00::1"));
        assert_true(ip_network_contains(&c, "fd00::ffff"));
        assert_true(ip_networks_overlap(&a, &b));
        assert_false(ip_networks_overlap(&a, &c));
        assert_false(ip_networks_overlap(&b, &d));
}

static void is_updated(void **state)
{
        static const char xml[] =
                "<network><name>n</name><bridge name='b'/><ip address='10.0.0.1' prefix='24'>"
                "<dhcp><range start='10.0.0.2' end='10.0.0.9'/>"
                "<host mac='52:54:00:00:00:01' name='a' ip='10.0.0.20'/></dhcp></ip></network>";
        static const struct {
                uint32_t command, section;
                int32_t index;
                const char *xml;
                const char *expected; /* in the result; "-...": not in it; NULL: refused */
        } cases[] = {
                { 3, 4, -1, "<host mac='52:54:00:00:00:02' ip='10.0.0.21'/>", "10.0.0.21'/>\n    </dhcp>" },
                { 4, 4, 0, "<host mac='52:54:00:00:00:02' ip='10.0.0.21'/>", "10.0.0.21'/>\n      <host" },
                { 3, 4, -1, "<host mac='52:54:00:00:00:01' ip='10.0.0.21'/>", NULL },
                { 3, 4, -1, "<host mac='52:54:00:00:00:02' ip='10.0.1.21'/>", NULL },
                { 3, 4, 1, "<host mac='52:54:00:00:00:02' ip='10.0.0.21'/>", NULL },
                { 1, 4, -1, "<host mac='52:54:00:00:00:01' ip='10.0.0.22'/>", "10.0.0.22" },
                { 1, 4, -1, "<host mac='52:54:00:00:00:05' ip='10.0.0.22'/>", NULL },
                { 2, 4, -1, "<host mac='52:54:00:00:00:01'/>", "-<host" },
                { 2, 4, -1, "<host mac='52:54:00:00:00:01' name='b'/>", NULL },
                { 2, 4, -1, "<host/>", NULL },
                { 2, 5, -1, "<range start='10.0.0.2' end='10.0.0.9'/>", "-<range" },
                { 1, 5, -1, "<range start='10.0.0.2' end='10.0.0.9'/>", NULL },
                { 3, 5, -1, "<range start='10.0.0.30' end='10.0.0.20'/>", NULL },
                { 3, 7, -1, "<interface dev='eth0'/>", NULL },
                { 3, 9, -1, "<portgroup name='p'/>", "<portgroup name='p'" },
                { 3, 10, -1, "<host ip='10.0.0.7'><hostname>h</hostname></host>", "<hostname>h</hostname>" },
                { 3, 10, -1, "<host><hostname>h</hostname></host>", NULL },
                { 3, 11, -1, "<txt name='t' value='v'/>", "<txt name='t' value='v'/>" },
                { 2, 11, -1, "<txt name='t' value='v'/>", NULL },
                { 4, 9, -1, "<portgroup name='p'/>", "-<dns" },
                { 3, 12, -1, "<srv service='s' protocol='tcp'/>", "<srv service='s' protocol='tcp'/>" },
                { 3, 12, -1, "<txt name='t' value='v'/>", NULL },
                { 0, 4, -1, "<host mac='52:54:00:00:00:02'/>", NULL },
                { 5, 4, -1, "<host mac='52:54:00:00:00:02'/>", NULL },
                { 3, 1, -1, "<bridge name='b'/>", NULL },
                { 3, 99, -1, "<host/>", NULL },
        };
        _cleanup_(network_definition_freep) NetworkDefinition *definition = parsed(xml);
        _cleanup_(freep) char *before = network_definition_format(definition, DEFINITION_INACTIVE);

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(network_definition_freep) NetworkDefinition *updated = NULL;
                _cleanup_(error_clear) Error error = { 0 };
                _cleanup_(freep) char *after = NULL, *out = NULL;
                int r = network_definition_update(definition, cases[i].command, cases[i].section,
                                                  cases[i].index, cases[i].xml, &updated, &error);

                if ((r >= 0) != (cases[i].expected != NULL))
                        fail_msg("%u, %s: %s", cases[i].command, cases[i].xml,
                                 r < 0 ? error.message : "not refused");
                after = network_definition_format(definition, DEFINITION_INACTIVE);
                assert_string_equal(after, before);
                if (r < 0)
                        continue;
                out = network_definition_format(updated, DEFINITION_INACTIVE);
                if (cases[i].expected[0] == '-' ? strstr(out, cases[i].expected + 1) != NULL
                                                : strstr(out, cases[i].expected) == NULL)
                        fail_msg("%s gave %s", cases[i].xml, out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_back_what_was_said),
                cmocka_unit_test(completes),
                cmocka_unit_test(refuses),
                cmocka_unit_test(knows_what_is_inside),
                cmocka_unit_test(is_updated),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
