/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What dnsmasq and nft are told of a network, and what dnsmasq's leases say. */

#include "drivers/network/dnsmasq.h"
#include "drivers/network/firewall.h"
#include "drivers/network/leases.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NETWORK(forward, content)                                                                           \
        "<network><name>n</name>" forward "<bridge name='br'/>" content "</network>"

static NetworkDefinition *parsed(const char *xml)
{
        _cleanup_(error_clear) Error error = {};
        NetworkDefinition *network = NULL;

        if (network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &network, &error) < 0)
                fail_msg("%s: %s", xml, error.message);
        return network;
}

static void files(void **state)
{
        static const struct {
                const char *xml, *config, *hosts, *names;
        } cases[] = {
                { NETWORK("", "<ip address='10.0.0.1' netmask='255.255.255.0'><dhcp><range start='10.0.0.2' "
                              "end='10.0.0.9'/></dhcp></ip>"),
                  "strict-order\nno-resolv\nexcept-interface=lo\nbind-dynamic\ninterface=br\n"
                  "dhcp-range=10.0.0.2,10.0.0.9,255.255.255.0\ndhcp-no-override\ndhcp-authoritative\n"
                  "dhcp-lease-max=8\ndhcp-option=3\n",
                  "", "" },
                { NETWORK("<forward mode='nat'/>",
                          "<mtu size='1400'/><domain name='d.test' localOnly='yes'/>"
                          "<dns forwardPlainNames='no'><forwarder domain='a.test' addr='192.0.2.1'/>"
                          "<forwarder addr='192.0.2.2'/><txt name='t' value='some text'/>"
                          "<srv service='s' protocol='tcp' target='x.test' port='5' weight='3'/>"
                          "<host ip='10.0.0.7'><hostname>p</hostname><hostname>q</hostname></host></dns>"
                          "<ip address='10.0.0.1' prefix='24' localPtr='yes'><tftp root='/t'/><dhcp>"
                          "<range start='10.0.0.2' end='10.0.0.9'><lease expiry='2' unit='hours'/></range>"
                          "<host mac='52:54:00:00:00:01' name='h' ip='10.0.0.5'><lease expiry='0'/></host>"
                          "<bootp file='f' server='10.0.0.3'/></dhcp></ip>"),
                  "strict-order\nserver=/a.test/192.0.2.1\nserver=192.0.2.2\nno-resolv\n"
                  "domain=d.test\nexpand-hosts\nlocal=/d.test/\ndomain-needed\nlocal=//\n"
                  "except-interface=lo\nbind-dynamic\ninterface=br\n"
                  "txt-record=t,some text\nsrv-host=_s._tcp,x.test,5,0,3\n"
                  "enable-tftp\ntftp-root=/t\nlocal=/0.0.10.in-addr.arpa/\n"
                  "dhcp-range=10.0.0.2,10.0.0.9,255.255.255.0,2h\ndhcp-no-override\ndhcp-authoritative\n"
                  "dhcp-boot=f,,10.0.0.3\ndhcp-lease-max=8\ndhcp-option=option:mtu,1400\n",
                  "52:54:00:00:00:01,10.0.0.5,h,infinite\n", "10.0.0.7\tp\tq\n" },
                { NETWORK("<forward mode='route'/>",
                          "<dns enable='no'/><ip family='ipv6' address='fd00::1' prefix='64'><dhcp>"
                          "<range start='fd00::10' end='fd00::ff'/><host id='0:1:2' name='h' ip='fd00::5'/>"
                          "</dhcp></ip>"),
                  "strict-order\nport=0\nexcept-interface=lo\nbind-dynamic\ninterface=br\n"
                  "dhcp-range=fd00::10,fd00::ff,64\ndhcp-lease-max=240\nenable-ra\n",
                  "id:0:1:2,h,[fd00::5]\n", "" },
                { NETWORK("<forward mode='nat'/>", "<ip family='ipv6' address='fd00::1' prefix='64'/>"),
                  "strict-order\nexcept-interface=lo\nbind-dynamic\ninterface=br\n"
                  "dhcp-range=fd00::1,ra-only\n",
                  "", "" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(network_definition_freep) NetworkDefinition *network = parsed(cases[i].xml);
                _cleanup_(dnsmasq_files_clear) DnsmasqFiles made = {};

                assert_int_equal(dnsmasq_files_make(network, &made, NULL), 0);
                assert_string_equal(made.config->str, cases[i].config);
                assert_string_equal(made.hosts->str, cases[i].hosts);
                assert_string_equal(made.names->str, cases[i].names);
                assert_true(dnsmasq_is_needed(network));
        }
}

static void words_that_would_end_early(void **state)
{
        static const char *const contents[] = {
                "<dns><txt name='a' value='x&quot;y'/></dns>",
                "<dns><srv service='a,b' protocol='tcp'/></dns>",
                "<dns><forwarder domain='a/b' addr='192.0.2.1'/></dns>",
                "<ip address='10.0.0.1' prefix='24'><tftp root='/a,b'/></ip>",
                "<ip address='10.0.0.1' prefix='24'><dhcp><bootp file='a&quot;b'/></dhcp></ip>",
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(contents); i++) {
                _cleanup_(freep) char *xml = g_strdup_printf(NETWORK("", "%s"), contents[i]);
                _cleanup_(network_definition_freep) NetworkDefinition *network = NULL;
                _cleanup_(dnsmasq_files_clear) DnsmasqFiles made = {};
                int r = network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &network, NULL);

                if (r >= 0)
                        r = dnsmasq_files_make(network, &made, NULL);
                if (r >= 0)
                        fail_msg("%s", xml);
        }
}

static void rules(void **state)
{
        _cleanup_(network_definition_freep) NetworkDefinition *nat =
                parsed(NETWORK("<forward mode='nat' dev='eth9'><nat><address start='192.0.2.1' "
                               "end='192.0.2.3'/><port start='2000' end='3000'/></nat></forward>",
                               "<ip address='10.0.0.1' prefix='20'/>"
                               "<ip family='ipv6' address='fd00::1' prefix='64'/>"));
        _cleanup_(network_definition_freep) NetworkDefinition *alone =
                parsed(NETWORK("", "<ip address='10.1.0.1' prefix='24'/>"));
        _cleanup_(g_ptr_array_unrefp) GPtrArray *networks = g_ptr_array_new();
        _cleanup_(freep) char *none = firewall_text(networks), *text = NULL;

        (void)state;
        assert_string_equal(none, "table inet virtbus\ndelete table inet virtbus\n");
        g_ptr_array_add(networks, nat);
        g_ptr_array_add(networks, alone);
        text = firewall_text(networks);
        assert_string_equal(
                text,
                "table inet virtbus\ndelete table inet virtbus\ntable inet virtbus {\nchain forward {\n"
                "type filter hook forward priority filter; policy accept;\n"
                "iifname \"br\" oifname \"br\" accept\niifname \"br\" oifname \"br\" accept\n"
                "oifname \"br\" reject\niifname \"br\" reject\n"
                "iifname \"eth9\" oifname \"br\" ip daddr 10.0.0.0/20 ct state established,related accept\n"
                "iifname \"eth9\" oifname \"br\" ip6 daddr fd00::/64 accept\noifname \"br\" reject\n"
                "iifname \"br\" oifname \"eth9\" ip saddr 10.0.0.0/20 accept\n"
                "iifname \"br\" oifname \"eth9\" ip6 saddr fd00::/64 accept\niifname \"br\" reject\n"
                "}\nchain postrouting {\ntype nat hook postrouting priority srcnat;\n"
                "ip saddr 10.0.0.0/20 ip daddr { 224.0.0.0/24, 255.255.255.255 } return\n"
                "oifname \"eth9\" ip saddr 10.0.0.0/20 ip daddr != 10.0.0.0/20 meta l4proto { tcp, udp } "
                "snat ip to 192.0.2.1-192.0.2.3:2000-3000\n"
                "oifname \"eth9\" ip saddr 10.0.0.0/20 ip daddr != 10.0.0.0/20 "
                "snat ip to 192.0.2.1-192.0.2.3\n}\n}\n");
}

static void leases(void **state)
{
        _cleanup_(network_definition_freep) NetworkDefinition *network =
                parsed(NETWORK("", "<ip address='10.0.0.1' prefix='24'/>"
                                   "<ip family='ipv6' address='fd00::1' prefix='64'/>"));
        static const char text[] = "2000 52:54:00:00:00:01 10.0.0.2 web 01:52\n"
                                   "999 52:54:00:00:00:02 10.0.0.3 old *\n"
                                   "0 52:54:00:00:00:03 10.0.0.4 * *\n"
                                   "duid 00:01:00:01\n"
                                   "2000 1234 fd00::5 web 00:04\n"
                                   "2000 5 fd00::6 * 00:03:00:01:52:54:00:00:00:05\n"
                                   "2000 6 fd00::7 * 00:01:00:01:2a:2b:2c:2d:52:54:00:00:00:06\n"
                                   "2000 52:54:00:00:00:0g 10.0.0.999 x *\n"
                                   "nonsense\n-1 a b c d\n";
        static const char *const expected[] = {
                "10.0.0.2/24 52:54:00:00:00:01 web 01:52  2000",
                "10.0.0.4/24 52:54:00:00:00:03    0",
                "fd00::5/64  web 00:04 1234 2000",
                "fd00::6/64 52:54:00:00:00:05  00:03:00:01:52:54:00:00:00:05 5 2000",
                "fd00::7/64 52:54:00:00:00:06  00:01:00:01:2a:2b:2c:2d:52:54:00:00:00:06 6 2000",
        };
        _cleanup_(freep) char *copy = g_strdup(text);
        GPtrArray *found = leases_parse(network, copy, 1000);

        (void)state;
        assert_int_equal(found->len, G_N_ELEMENTS(expected));
        for (unsigned i = 0; i < found->len; i++) {
                NetworkLease *lease = found->pdata[i];
                _cleanup_(freep) char *printed =
                        g_strdup_printf("%s/%u %s %s %s %s %d", lease->address, lease->prefix, lease->mac,
                                        lease->hostname, lease->client_id, lease->iaid, (int)lease->expiry);

                assert_string_equal(printed, expected[i]);
                network_lease_free(lease);
        }
        g_ptr_array_unref(found);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(files),
                cmocka_unit_test(words_that_would_end_early),
                cmocka_unit_test(rules),
                cmocka_unit_test(leases),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
