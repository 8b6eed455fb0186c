/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a person can say of disks, controllers, interfaces and character devices, by pairs of documents in
 * tests/xml/domain: x.in.xml as a person writes it, x.parsed.xml as it is written back, in order and without
 * what says nothing. Then, row by row, what is refused and which word of it the error names. With XML_UPDATE
 * set the parsed files are written instead of compared; read the difference before you commit it. */

#include "model/domain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static DomainDefinition *parsed(const char *xml, unsigned flags)
{
        _cleanup_(error_clear) Error error = { 0 };
        DomainDefinition *definition = NULL;

        if (domain_definition_parse(xml, strlen(xml), flags, &definition, &error) < 0)
                fail_msg("cannot be read: %s", error.message);
        return definition;
}

static char *format(const DomainDefinition *definition)
{
        return domain_definition_format(definition, DEFINITION_INACTIVE | DEFINITION_SECURE);
}

static char *load(const char *name, const char *suffix, char **ret_path)
{
        const char *folder = g_getenv("XML_DIR");
        char *text = NULL;

        assert_non_null(folder);
        *ret_path = g_strdup_printf("%s/domain/%s%s", folder, name, suffix);
        (void)g_file_get_contents(*ret_path, &text, NULL, NULL); /* NULL is the caller's to refuse */
        return text;
}

static void check_document(const char *name)
{
        _cleanup_(freep) char *in_path = NULL, *out_path = NULL;
        _cleanup_(freep) char *in = load(name, ".in.xml", &in_path),
                              *out = load(name, ".parsed.xml", &out_path);
        _cleanup_(freep) char *first = NULL, *second = NULL;

        assert_non_null(in);
        _cleanup_(domain_definition_freep) DomainDefinition *definition = parsed(in, DEFINITION_INACTIVE);
        first = format(definition);
        if (g_getenv("XML_UPDATE"))
                assert_true(g_file_set_contents(out_path, first, -1, NULL));
        else
                assert_string_equal(first, out ? out : "");

        _cleanup_(domain_definition_freep) DomainDefinition *again = parsed(first, DEFINITION_INACTIVE);
        second = format(again);
        assert_string_equal(second, first);
}

static void writes_back_what_was_said(void **state)
{
        (void)state;
        check_document("disks");
        check_document("interfaces");
        check_document("chardevs");
}

static char *with_device(const char *device)
{
        return g_strdup_printf(
                "<domain type='qemu'><name>x</name><memory>65536</memory>"
                "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>%s</devices></domain>",
                device);
}

/* What the daemon gave an earlier machine is not what its owner asked for. */
static void keeps_running_state_apart(void **state)
{
        _cleanup_(freep) char *xml =
                with_device("<disk><source file='/a' index='3'/><mirror type='file' job='copy'><source "
                            "file='/b'/></mirror>"
                            "<target dev='vda'/></disk>"
                            "<interface><target dev='vnet3'/></interface>"
                            "<serial type='pty'><source path='/dev/pts/7'/></serial>"
                            "<channel type='unix'><source mode='bind' path='/x/domain-1-x/a'/>"
                            "<target type='virtio' name='a' state='connected'/></channel>");

        (void)state;
        _cleanup_(domain_definition_freep) DomainDefinition *defined = parsed(xml, DEFINITION_INACTIVE);
        const DomainDevices *devices = &defined->devices;
        assert_int_equal(devices->disks.items[0]->source.index, 0);
        assert_null(devices->disks.items[0]->mirror);
        assert_null(devices->interfaces.items[0]->target);
        assert_null(devices->serials.items[0]->source.path);
        assert_null(devices->channels.items[0]->source.path);
        assert_int_equal(devices->channels.items[0]->state, CHANNEL_STATE_DEFAULT);

        _cleanup_(domain_definition_freep) DomainDefinition *running = parsed(xml, 0);
        devices = &running->devices;
        assert_int_equal(devices->disks.items[0]->source.index, 3);
        assert_string_equal(devices->disks.items[0]->mirror->source.file, "/b");
        assert_string_equal(devices->interfaces.items[0]->target, "vnet3");
        assert_string_equal(devices->serials.items[0]->source.path, "/dev/pts/7");
        assert_string_equal(devices->channels.items[0]->source.path, "/x/domain-1-x/a");
        assert_int_equal(devices->channels.items[0]->state, CHANNEL_CONNECTED);
}

typedef struct Refused {
        const char *device, *word;
} Refused;

static void check_refused(const Refused *cases, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                _cleanup_(freep) char *xml = with_device(cases[i].device);
                _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
                _cleanup_(error_clear) Error error = { 0 };

                if (domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, &error) >= 0)
                        fail_msg("%s: is accepted", cases[i].device);
                if (!strstr(error.message, cases[i].word))
                        fail_msg("%s: '%s' does not name '%s'", cases[i].device, error.message,
                                 cases[i].word);
        }
}

#define VDA              "<target dev='vda'/></disk>"
#define DISK(more)       "<disk><source file='/a'/>" more VDA
#define NETWORK_DISK(s)  "<disk type='network'>" s VDA
#define IOTUNE(children) DISK("<iotune>" children "</iotune>")

static void refuses_disks(void **state)
{
        static const Refused cases[] = {
                { "<disk><source dev='/a'/>" VDA, "no <source>" },
                { "<disk><source file='/a'/><target dev='foo'/></disk>", "foo" },
                { "<disk><source file='/a'/><target bus='virtio'/></disk>", "@dev" },
                { "<disk type='tape'><source file='/a'/>" VDA, "tape" },
                { "<disk device='floppy'><source file='/a'/>" VDA, "floppy" },
                { "<disk device='floppy'><source file='/a'/><target dev='fda' bus='ide'/></disk>", "ide" },
                { "<disk rawio='yes'><source file='/a'/>" VDA, "lun" },
                { "<disk device='lun'><source file='/a'/><target dev='sda'/></disk>", "lun" },
                { "<disk><source file='/a' startupPolicy='requisite'/>" VDA, "requisite" },
                { DISK("<driver io='default'/>"), "native" },
                { DISK("<driver cache='sometimes'/>"), "sometimes" },
                { DISK("<driver rerror_policy='enospace'/>"), "enospace" },
                { DISK("<driver queues='-1'/>"), "-1" },
                { DISK("<serial>a;b</serial>"), "a;b" },
                { DISK("<wwn>123</wwn>"), "123" },
                { DISK("<vendor>123456789</vendor>"), "vendor" },
                { DISK("<backingStore type='file'><source file='/b'/></backingStore>"), "format" },
                { DISK("<backingStore type='file'><format type='raw'/></backingStore>"), "source" },
                { IOTUNE("<total_bytes_sec>1</total_bytes_sec><read_bytes_sec>1</read_bytes_sec>"),
                  "bytes_sec" },
                { IOTUNE("<read_iops_sec_max>1</read_iops_sec_max><total_iops_sec_max>1</"
                         "total_iops_sec_max>"),
                  "iops_sec_max" },
                { IOTUNE("<read_iops_sec_max_length>1</read_iops_sec_max_length>"), "max_length" },
                { NETWORK_DISK("<source name='x'/>"), "protocol" },
                { NETWORK_DISK("<source protocol='iscsi'><host name='h'/></source>"), "@name" },
                { NETWORK_DISK("<source protocol='rbd' name='image'/>"), "image" },
                { NETWORK_DISK("<source protocol='nbd'><host name='h' port='65536'/></source>"), "65536" },
                { NETWORK_DISK("<source protocol='nbd'><host transport='unix'/></source>"), "socket" },
                { NETWORK_DISK("<source protocol='nbd'><host name='h' socket='/s'/></source>"), "unix" },
                { NETWORK_DISK("<source protocol='nbd' startupPolicy='optional'><host name='h'/></source>"),
                  "startupPolicy" },
                { "<disk type='volume'><source pool='p'/>" VDA, "source" },
                { "<disk type='nvme'><source type='pci' namespace='1'/>" VDA, "address" },
                { "<disk type='vhostuser'><source type='unix'/>" VDA, "path" },
                { "<disk><source file='/a'><slices><slice type='storage' offset='0' "
                  "size='0'/></slices></source>" VDA,
                  "slice" },
                { "<disk><source file='/a'><encryption format='luks'><secret type='ceph' "
                  "usage='s'/></encryption>"
                  "</source>" VDA,
                  "passphrase" },
                { "<disk device='lun' type='block'><source dev='/a'><reservations managed='no'/></source>"
                  "<target dev='sda'/></disk>",
                  "reservations" },
        };

        (void)state;
        check_refused(cases, G_N_ELEMENTS(cases));
}

#define BRIDGE(more) "<interface type='bridge'><source bridge='b'/>" more "</interface>"
#define PORT(attributes, parameters)                                                                        \
        BRIDGE("<virtualport " attributes "><parameters " parameters "/></virtualport>")

static void refuses_interfaces(void **state)
{
        static const Refused cases[] = {
                { "<interface type='what'/>", "what" },
                { "<interface type='network'/>", "network" },
                { "<interface type='bridge'><source network='n'/></interface>", "bridge" },
                { "<interface type='direct'><source dev='e' mode='odd'/></interface>", "odd" },
                { "<interface type='internal'/>", "@name" },
                { "<interface type='hostdev'/>", "address" },
                { "<interface type='mcast'><source port='1'/></interface>", "@address" },
                { "<interface type='udp'><source port='1'/></interface>", "local" },
                { "<interface type='vhostuser'><source type='unix' path='/s'/></interface>", "@mode" },
                { "<interface type='vhostuser'><source type='unix' path='/s' mode='server'>"
                  "<reconnect enabled='yes' timeout='1'/></source></interface>",
                  "reconnect" },
                { "<interface><mac address='53:54:00:00:00:01'/></interface>", "multicast" },
                { "<interface><mac address='52:54:00:00:00'/></interface>", "52:54:00:00:00" },
                { "<interface><model type='a b'/></interface>", "a b" },
                { "<interface><ip address='192.0.2.256'/></interface>", "192.0.2.256" },
                { "<interface><ip address='192.0.2.1' family='ipv6'/></interface>", "IPv6" },
                { "<interface><ip address='192.0.2.1' prefix='33'/></interface>", "33" },
                { "<interface><route address='192.0.2.0'/></interface>", "gateway" },
                { "<interface><route address='192.0.2.0' gateway='192.0.2.1' netmask='255.255.255.0' "
                  "prefix='24'/></interface>",
                  "netmask" },
                { "<interface><virtualport type='openvswitch'/></interface>", "virtualport" },
                { "<interface><teaming type='transient'/></interface>", "persistent" },
                { "<interface><portForward proto='tcp'/></interface>", "passt" },
                { "<interface><backend type='passt'/><portForward proto='tcp'><range start='9' end='8'/>"
                  "</portForward></interface>",
                  "range" },
                { BRIDGE("<backend type='passt'/>"), "user" },
                { BRIDGE("<vlan/>"), "tag" },
                { BRIDGE("<vlan><tag id='4096'/></vlan>"), "4096" },
                { BRIDGE("<vlan trunk='no'><tag id='1'/><tag id='2'/></vlan>"), "trunk" },
                { BRIDGE("<bandwidth><inbound peak='1'/></bandwidth>"), "average" },
                { BRIDGE("<bandwidth><inbound floor='1'/></bandwidth>"), "floor" },
                { BRIDGE("<bandwidth><outbound average='1' floor='1'/></bandwidth>"), "floor" },
                { PORT("", "profileid='p'"), "@type" },
                { PORT("type='802.1Qbh'", ""), "profileid" },
                { PORT("type='802.1Qbg'", "managerid='1' typeid='2'"), "typeidversion" },
                { PORT("type='802.1Qbg'", "managerid='1' typeid='0x1000000' typeidversion='1'"), "typeid" },
                { PORT("type='802.1Qbg'", "managerid='256'"), "256" },
                { PORT("type='openvswitch'", "managerid='1'"), "managerid" },
        };

        (void)state;
        check_refused(cases, G_N_ELEMENTS(cases));
}

#define CHANNEL(type, source) "<channel type='" type "'>" source "<target type='virtio'/></channel>"

static void refuses_chardevs(void **state)
{
        static const Refused cases[] = {
                { "<serial type='carrier-pigeon'/>", "carrier-pigeon" },
                { "<serial type='unix'/>", "path" },
                { "<console type='file'/>", "path" },
                { "<parallel type='tcp'><source host='h'/></parallel>", "service" },
                { "<serial type='nmdm'><source master='/m'/></serial>", "slave" },
                { CHANNEL("udp", "<source mode='bind' service='1'/>"), "service" },
                { CHANNEL("udp", "<source mode='away' service='1'/>"), "away" },
                { CHANNEL("udp", "<source service='1'/><source service='2'/><source service='3'/>"),
                  "2 <source>" },
                { CHANNEL("tcp", "<source host='h' service='1'/><source host='h' service='2'/>"),
                  "1 <source>" },
                { CHANNEL("pty", "<log file='/a'/><log file='/b'/>"), "<log>" },
                { CHANNEL("unix",
                          "<source mode='bind' path='/a'><reconnect enabled='yes' timeout='1'/></source>"),
                  "connect" },
                { CHANNEL("unix", "<source mode='connect' path='/a'><reconnect enabled='yes'/></source>"),
                  "timeout" },
                { CHANNEL("spiceport", "<source channel='a b'/>"), "a b" },
                { "<channel type='pty'/>", "target" },
                { "<channel type='spicevmc'><target type='xen' name='a'/></channel>", "spicevmc" },
                { "<channel type='pty'><target type='guestfwd' address='::1' port='1'/></channel>", "::1" },
                { "<channel type='pty'><target type='guestfwd' address='10.0.2.1' port='x'/></channel>",
                  "'x'" },
                { "<smartcard mode='passthrough'/>", "type" },
                { "<smartcard mode='host-certificates'><certificate>a</certificate></smartcard>", "three" },
                { "<smartcard mode='host'><address type='drive'/></smartcard>", "ccid" },
                { "<redirdev type='spicevmc' bus='pci'/>", "pci" },
                { "<redirdev/>", "type" },
                { "<redirfilter><usbdev version='1' allow='yes'/></redirfilter>", "version" },
                { "<redirfilter><usbdev class='0x100' allow='yes'/></redirfilter>", "class" },
                { "<redirfilter><usbdev class='1'/></redirfilter>", "allow" },
        };

        (void)state;
        check_refused(cases, G_N_ELEMENTS(cases));
}

#define ROOT_PORT(target)                                                                                   \
        "<controller type='pci' index='1' model='pcie-root-port'><target " target "/></controller>"

static void refuses_controllers(void **state)
{
        static const Refused cases[] = {
                { "<controller type='what'/>", "what" },
                { "<controller/>", "type" },
                { "<controller type='scsi' model='piix3-uhci'/>", "piix3-uhci" },
                { "<controller type='usb' model='virtio-scsi'/>", "virtio-scsi" },
                { "<controller type='pci'/>", "model" },
                { "<controller type='scsi' index='-1'/>", "-1" },
                { "<controller type='usb' model='qemu-xhci' ports='16'/>", "16" },
                { "<controller type='usb' model='ehci' ports='4'/>", "ports" },
                { "<controller type='pci' model='pci-root' index='1'/>", "index" },
                { "<controller type='pci' model='pci-root'><address type='pci' slot='1'/></controller>",
                  "address" },
                { "<controller type='scsi'><address type='drive'/></controller>", "drive" },
                { "<controller type='scsi'><address type='usb' bus='0' port='1'/></controller>", "usb" },
                { ROOT_PORT("chassis='256'"), "chassis" },
                { ROOT_PORT("port='0x100'"), "port" },
                { ROOT_PORT("hotplug='maybe'"), "maybe" },
                { "<controller type='pci' index='1' model='pci-bridge'><target chassisNr='0'/></controller>",
                  "chassisNr" },
                { "<controller type='pci' index='1' model='pci-expander-bus'><target "
                  "busNr='255'/></controller>",
                  "busNr" },
        };

        (void)state;
        check_refused(cases, G_N_ELEMENTS(cases));
}

/* It says what is passed, not where that was once. */
static void stores_no_place_that_was_found(void **state)
{
        _cleanup_(freep) char *xml =
                with_device("<hostdev mode='subsystem' type='usb' managed='no'><source foundAddress='yes'>"
                            "<vendor id='0x0627'/><product id='0x0001'/><address bus='1' "
                            "device='3'/></source></hostdev>");
        _cleanup_(domain_definition_freep) DomainDefinition *live = parsed(xml, DEFINITION_STATUS);
        _cleanup_(freep) char *stored = format(live), *shown = domain_definition_format(live, 0),
                              *status = domain_definition_format(live, DEFINITION_STATUS);

        (void)state;
        assert_null(strstr(stored, "<address bus='1' device='3'/>"));
        assert_non_null(strstr(stored, "<vendor id='0x0627'/>"));
        assert_non_null(strstr(shown, "<address bus='1' device='3'/>"));
        assert_null(strstr(shown, "foundAddress"));
        assert_non_null(strstr(status, "<source foundAddress='yes'>"));
        assert_non_null(strstr(status, "<address bus='1' device='3'/>"));
}

static bool has_own_vlan(bool is_function, const char *vlan, const char *stored_vlan)
{
        static const char format[] = "<interface type='network'><mac address='52:54:00:00:00:01'/>"
                                     "<source network='n'/>%s</interface>";
        _cleanup_(freep) char *is = g_strdup_printf(format, vlan),
                              *was = g_strdup_printf(format, stored_vlan ? stored_vlan : ""),
                              *xml = with_device(is), *stored_xml = with_device(was);
        _cleanup_(domain_definition_freep) DomainDefinition *live = parsed(xml, DEFINITION_STATUS),
                                                            *stored =
                                                                    parsed(stored_xml, DEFINITION_INACTIVE);
        DomainInterface *interface = live->devices.interfaces.items[0];

        if (is_function)
                interface->source_device = g_new0(DeviceAddress, 1);
        return domain_interface_has_own_vlan(interface, stored_vlan ? stored : NULL);
}

static void knows_whose_a_vlan_is(void **state)
{
        static const char seven[] = "<vlan><tag id='7'/></vlan>", eight[] = "<vlan><tag id='8'/></vlan>";

        (void)state;
        assert_true(has_own_vlan(false, seven, ""));
        assert_false(has_own_vlan(false, "", seven));
        assert_true(has_own_vlan(true, seven, seven));
        assert_false(has_own_vlan(true, seven, eight));
        assert_false(has_own_vlan(true, seven, ""));
        assert_false(has_own_vlan(true, seven, NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_back_what_was_said),
                cmocka_unit_test(stores_no_place_that_was_found),
                cmocka_unit_test(keeps_running_state_apart),
                cmocka_unit_test(knows_whose_a_vlan_is),
                cmocka_unit_test(refuses_disks),
                cmocka_unit_test(refuses_interfaces),
                cmocka_unit_test(refuses_chardevs),
                cmocka_unit_test(refuses_controllers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
