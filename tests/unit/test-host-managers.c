/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A definition of an interface of the host in the words of those who manage its network. */

#include "drivers/host/ifupdown-text.h"
#include "drivers/host/network-manager-settings.h"
#include "drivers/host/networkd-text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BRIDGE                                                                                              \
        "<interface type='bridge' name='br0'><start mode='onboot'/><mtu size='1450'/>"                      \
        "<mac address='52:54:00:00:00:01'/><protocol family='ipv4'><ip address='10.0.0.1' prefix='24'/>"    \
        "<route gateway='10.0.0.254'/></protocol><bridge stp='on' delay='4'>"                               \
        "<interface type='ethernet' name='eth0'/></bridge></interface>"
#define BOND                                                                                                \
        "<interface type='bond' name='bond0'><protocol family='ipv4'><dhcp/></protocol>"                    \
        "<bond mode='active-backup'><miimon freq='100' updelay='200' carrier='netif'/>"                     \
        "<interface type='ethernet' name='eth0'/></bond></interface>"
#define VLAN                                                                                                \
        "<interface type='vlan' name='eth0.7'><start mode='hotplug'/><vlan tag='7'>"                        \
        "<interface name='eth0'/></vlan></interface>"
#define AUTOMATIC                                                                                           \
        "<interface type='ethernet' name='eth0'><protocol family='ipv6'><autoconf/>"                        \
        "<ip address='fd00::1' prefix='64'/></protocol></interface>"
#define SEVERAL                                                                                             \
        "<interface type='ethernet' name='eth0'>"                                                           \
        "<protocol family='ipv4'><ip address='10.0.0.1' prefix='24'/></protocol>"                           \
        "<protocol family='ipv4'><dhcp peerdns='no'/><ip address='10.0.1.1'/></protocol>"                   \
        "<protocol family='ipv6'><dhcp peerdns='no'/></protocol></interface>"

static HostInterfaceDefinition *parse(const char *xml)
{
        _cleanup_(error_clear) Error error = {};
        HostInterfaceDefinition *definition = NULL;

        if (host_interface_parse(xml, strlen(xml), &definition, &error) < 0)
                fail_msg("%s", error.message);
        return definition;
}

typedef struct Text {
        const char *xml, *expected;
} Text;

static void for_ifupdown(void **state)
{
        static const Text texts[] = {
                { BRIDGE,
                  "auto br0\n"
                  "iface br0 inet manual\n"
                  "        pre-up ip link add name br0 address 52:54:00:00:00:01 type bridge stp_state 1 "
                  "forward_delay 400\n"
                  "        pre-up ip link set dev eth0 master br0\n"
                  "        pre-up ip link set dev eth0 up\n"
                  "        pre-up ip link set dev br0 mtu 1450\n"
                  "        up ip link set dev br0 up\n"
                  "        post-down ip link del dev br0\n"
                  "iface br0 inet static\n"
                  "        address 10.0.0.1/24\n"
                  "iface br0 inet manual\n"
                  "        up ip -4 route append default via 10.0.0.254 dev br0\n" },
                { BOND, "iface bond0 inet manual\n"
                        "        pre-up ip link add name bond0 type bond mode active-backup miimon 100 "
                        "updelay 200 "
                        "downdelay 0 use_carrier 1\n"
                        "        pre-up ip link set dev eth0 down\n"
                        "        pre-up ip link set dev eth0 master bond0\n"
                        "        pre-up ip link set dev eth0 up\n"
                        "        up ip link set dev bond0 up\n"
                        "        post-down ip link del dev bond0\n"
                        "iface bond0 inet dhcp\n" },
                { VLAN, "allow-hotplug eth0.7\n"
                        "iface eth0.7 inet manual\n"
                        "        pre-up ip link del dev eth0.7 2> /dev/null || true\n"
                        "        pre-up ip link add link eth0 name eth0.7 type vlan id 7\n"
                        "        up ip link set dev eth0.7 up\n"
                        "        post-down ip link del dev eth0.7\n" },
                { AUTOMATIC, "iface eth0 inet manual\n"
                             "        up ip link set dev eth0 up\n"
                             "        post-down ip link set dev eth0 down\n"
                             "iface eth0 inet6 auto\n"
                             "iface eth0 inet6 static\n"
                             "        address fd00::1/64\n"
                             "        dad-attempts 0\n"
                             "        accept_ra 2\n"
                             "        autoconf 1\n" },
                { "<interface type='ethernet' name='eth0'><protocol "
                  "family='ipv6'><dhcp/><autoconf/></protocol>"
                  "</interface>",
                  "iface eth0 inet manual\n"
                  "        up ip link set dev eth0 up\n"
                  "        post-down ip link set dev eth0 down\n"
                  "iface eth0 inet6 dhcp\n"
                  "        accept_ra 2\n"
                  "        autoconf 1\n" },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                _cleanup_(host_interface_freep) HostInterfaceDefinition *definition = parse(texts[i].xml);
                _cleanup_(freep) char *text = ifupdown_text(definition);
                const char *end;

                assert_int_equal(ifupdown_check(definition, NULL), 0);
                assert_true(g_str_has_prefix(text, IFUPDOWN_TAG));
                end = strchr(text, '\n');
                assert_non_null(end);
                assert_string_equal(end + 1, texts[i].expected);
        }
}

static void refused_by_ifupdown(void **state)
{
        static const Text refused[] = {
                { SEVERAL, "peerdns" },
                { "<interface type='bond' name='bond0'><bond><interface type='ethernet' name='eth0'>"
                  "<protocol family='ipv4'><dhcp/></protocol></interface></bond></interface>",
                  "'eth0' in it" },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
                _cleanup_(host_interface_freep) HostInterfaceDefinition *definition = parse(refused[i].xml);
                _cleanup_(error_clear) Error error = {};

                assert_true(ifupdown_check(definition, &error) < 0);
                assert_non_null(strstr(error.message, refused[i].expected));
        }
}

/* All files in one, each below its name. */
static char *files_text(GPtrArray *files)
{
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < files->len; i++) {
                const NetworkdFile *file = files->pdata[i];

                g_string_append_printf(text, "== %s%s%s\n%s", file->folder ? file->folder : "",
                                       file->folder ? "/" : "", file->name, file->text);
        }
        g_ptr_array_unref(files);
        return g_string_free(text, FALSE);
}

#define MAIN(NAME)                                                                                          \
        "== 10-virtbus-" NAME ".network\n# Made by virtbus\n[Match]\nName=" NAME                            \
        "\n\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nKeepConfiguration=yes\n"
#define NETWORK "[Network]\nConfigureWithoutCarrier=yes\nKeepConfiguration=no\nLinkLocalAddressing=ipv6\n"

static void for_networkd(void **state)
{
        static const Text texts[] = {
                { BRIDGE,
                  "== 10-virtbus-br0.netdev\n# Made by virtbus for the interface br0\n[NetDev]\nName=br0\n"
                  "Kind=bridge\nMACAddress=52:54:00:00:00:01\n\n[Bridge]\nSTP=yes\nForwardDelaySec=4000ms\n"
                  "== 10-virtbus-br0.network.d/br0.conf\n# Made by virtbus for the interface br0\n"
                  "[Link]\nMTUBytes=1450\n\n" NETWORK
                  "Address=10.0.0.1/24\nGateway=10.0.0.254\nDHCP=no\nIPv6AcceptRA=no\n"
                  "== 10-virtbus-eth0.network.d/br0.conf\n# Made by virtbus for the interface br0\n"
                  "[Network]\nBridge=br0\n" MAIN("eth0") MAIN("br0") },
                { BOND,
                  "== 10-virtbus-bond0.netdev\n# Made by virtbus for the interface bond0\n[NetDev]\n"
                  "Name=bond0\nKind=bond\n\n[Bond]\nMode=active-backup\nMIIMonitorSec=100ms\n"
                  "UpDelaySec=200ms\n"
                  "== 10-virtbus-bond0.network.d/bond0.conf\n# Made by virtbus for the interface "
                  "bond0\n" NETWORK "DHCP=ipv4\nIPv6AcceptRA=no\n\n[DHCPv4]\n"
                  "== 10-virtbus-eth0.network.d/bond0.conf\n# Made by virtbus for the interface bond0\n"
                  "[Network]\nBond=bond0\n" MAIN("eth0") MAIN("bond0") },
                { VLAN,
                  "== 10-virtbus-eth0.7.netdev\n# Made by virtbus for the interface eth0.7\n[NetDev]\n"
                  "Name=eth0.7\nKind=vlan\n\n[VLAN]\nId=7\n"
                  "== 10-virtbus-eth0.7.network.d/eth0.7.conf\n# Made by virtbus for the interface "
                  "eth0.7\n" NETWORK "DHCP=no\nIPv6AcceptRA=no\n"
                  "== 10-virtbus-eth0.network.d/eth0.7.conf\n# Made by virtbus for the interface eth0.7\n"
                  "[Network]\nVLAN=eth0.7\n" MAIN("eth0") MAIN("eth0.7") },
                { SEVERAL,
                  "== 10-virtbus-eth0.network.d/eth0.conf\n# Made by virtbus for the interface "
                  "eth0\n" NETWORK "Address=10.0.0.1/24\nAddress=10.0.1.1/32\nDHCP=yes\nIPv6AcceptRA=yes\n\n"
                  "[DHCPv6]\nWithoutRA=solicit\nUseDNS=no\n\n"
                  "[IPv6AcceptRA]\nUseAutonomousPrefix=no\nUseDNS=no\n\n[DHCPv4]\nUseDNS=no\n" MAIN(
                          "eth0") },
        };
        _cleanup_(host_interface_freep) HostInterfaceDefinition *bridge = parse(BRIDGE);
        _cleanup_(freep) char *down = files_text(networkd_down_files(bridge));

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                _cleanup_(host_interface_freep) HostInterfaceDefinition *definition = parse(texts[i].xml);
                _cleanup_(freep) char *text = files_text(networkd_files(definition));

                assert_string_equal(text, texts[i].expected);
        }
#define DOWN "# Made by virtbus for the interface br0\n[Match]\nKernelVersion=down\n"
        assert_string_equal(down, "== 10-virtbus-br0.network.d/br0:down.conf\n" DOWN
                                  "== 10-virtbus-br0.netdev.d/br0:down.conf\n" DOWN
                                  "== 10-virtbus-eth0.network.d/br0:down.conf\n" DOWN);
}

static char *setting_text(const NetworkManagerConnection *connection, const char *name)
{
        _cleanup_(g_variant_unrefp) GVariant *setting =
                g_variant_lookup_value(connection->settings, name, G_VARIANT_TYPE_VARDICT);

        return setting ? g_variant_print(setting, false) : g_strdup("");
}

typedef struct Setting {
        const char *xml;
        unsigned connection;
        const char *name, *expected;
} Setting;

static void for_network_manager(void **state)
{
        static const Setting settings[] = {
                { BRIDGE, 0, "connection",
                  "{'id': <'virtbus-br0'>, 'uuid': <'UUID'>, 'type': <'bridge'>, 'interface-name': <'br0'>, "
                  "'autoconnect': <true>, 'autoconnect-slaves': <1>}" },
                { BRIDGE, 0, "bridge", "{'stp': <true>, 'forward-delay': <uint32 4>}" },
                { BRIDGE, 0, "802-3-ethernet",
                  "{'mtu': <uint32 1450>, 'assigned-mac-address': <'52:54:00:00:00:01'>}" },
                { BRIDGE, 0, "ipv4",
                  "{'method': <'manual'>, 'address-data': <[{'address': <'10.0.0.1'>, 'prefix': <uint32 "
                  "24>}]>, "
                  "'route-data': <[{'dest': <'0.0.0.0'>, 'prefix': <uint32 0>, 'next-hop': "
                  "<'10.0.0.254'>}]>}" },
                { BRIDGE, 0, "ipv6", "{'method': <'link-local'>}" },
                { BRIDGE, 1, "connection",
                  "{'id': <'virtbus-eth0'>, 'uuid': <'UUID'>, 'type': <'802-3-ethernet'>, 'interface-name': "
                  "<'eth0'>, "
                  "'autoconnect': <false>, 'master': <'br0'>, 'slave-type': <'bridge'>}" },
                { BRIDGE, 1, "ipv4", "" },
                { BOND, 0, "bond",
                  "{'options': <{'mode': 'active-backup', 'miimon': '100', 'updelay': '200', 'use_carrier': "
                  "'1'}>}" },
                { BOND, 0, "ipv4", "{'method': <'auto'>}" },
                { VLAN, 0, "vlan", "{'id': <uint32 7>, 'parent': <'eth0'>}" },
                { VLAN, 0, "ipv4", "{'method': <'disabled'>}" },
                { AUTOMATIC, 0, "ipv6",
                  "{'method': <'auto'>, 'address-data': <[{'address': <'fd00::1'>, 'prefix': <uint32 "
                  "64>}]>}" },
                { SEVERAL, 0, "ipv4",
                  "{'method': <'auto'>, 'address-data': <[{'address': <'10.0.0.1'>, 'prefix': <uint32 24>}, "
                  "{'address': <'10.0.1.1'>, 'prefix': <uint32 32>}]>, 'ignore-auto-dns': <true>}" },
                { SEVERAL, 0, "ipv6", "{'method': <'dhcp'>, 'ignore-auto-dns': <true>}" },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
                _cleanup_(host_interface_freep) HostInterfaceDefinition *definition = parse(settings[i].xml);
                _cleanup_(g_ptr_array_unrefp) GPtrArray *connections =
                        network_manager_connections(definition);
                const NetworkManagerConnection *connection;
                _cleanup_(string_builder_freep) GString *text = NULL;
                _cleanup_(freep) char *printed = NULL;

                assert_true(settings[i].connection < connections->len);
                connection = connections->pdata[settings[i].connection];
                printed = setting_text(connection, settings[i].name);
                text = g_string_new(printed);
                (void)g_string_replace(text, connection->uuid, "UUID", 0); /* most have none */
                assert_string_equal(text->str, settings[i].expected);
                assert_string_equal(network_manager_owner(connection->settings), definition->name);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(for_ifupdown),
                cmocka_unit_test(refused_by_ifupdown),
                cmocka_unit_test(for_networkd),
                cmocka_unit_test(for_network_manager),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
