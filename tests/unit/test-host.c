/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <interface> and <device>: documents in tests/xml/interface and tests/xml/nodedev, which are written back
 * as they are, and what is refused. HOST_CORPUS names a folder of more documents, which need only be stable.
 */

#include "model/host-interface.h"
#include "model/node-device.h"
#include "model/smbios.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char *interface_again(const char *xml, Error *error)
{
        _cleanup_(host_interface_freep) HostInterfaceDefinition *definition = NULL;

        return host_interface_parse(xml, strlen(xml), &definition, error) < 0
                       ? NULL
                       : host_interface_format(definition, 0);
}

static char *device_again(const char *xml, Error *error)
{
        _cleanup_(node_device_freep) NodeDeviceDefinition *definition = NULL;

        return node_device_parse(xml, strlen(xml), &definition, error) < 0 ? NULL
                                                                           : node_device_format(definition);
}

typedef char *(*Again)(const char *xml, Error *error);

static void check_folder(const char *kind, Again again)
{
        _cleanup_(freep) char *path = g_build_filename(g_getenv("XML_DIR"), kind, NULL);
        GDir *folder = g_dir_open(path, 0, NULL);
        unsigned n = 0;
        const char *name;

        assert_non_null(folder);
        while ((name = g_dir_read_name(folder))) {
                _cleanup_(freep) char *file = g_build_filename(path, name, NULL), *in = NULL, *out = NULL;
                _cleanup_(error_clear) Error error = {};

                assert_true(g_file_get_contents(file, &in, NULL, NULL));
                out = again(in, &error);
                if (!out)
                        fail_msg("%s: %s", name, error.message);
                assert_string_equal(in, out);
                n++;
        }
        g_dir_close(folder);
        assert_true(n >= 4);
}

static void writes_interfaces_as_they_were(void **state)
{
        (void)state;
        check_folder("interface", interface_again);
}

static void writes_devices_as_they_were(void **state)
{
        (void)state;
        check_folder("nodedev", device_again);
}

typedef struct Refusal {
        const char *xml, *word;
} Refusal;

static void check_refused(const Refusal *refused, size_t n, Again again)
{
        for (size_t i = 0; i < n; i++) {
                _cleanup_(error_clear) Error error = {};
                _cleanup_(freep) char *out = again(refused[i].xml, &error);

                assert_null(out);
                if (!strstr(error.message, refused[i].word))
                        fail_msg("%s: %s", refused[i].word, error.message);
        }
}

#define ETHERNET(content) "<interface type='ethernet' name='e'>" content "</interface>"

static void refuses_interfaces(void **state)
{
        static const Refusal refused[] = {
                { "<interface type='ethernet'/>", "name" },
                { "<interface type='token-ring' name='a'/>", "token-ring" },
                { "<interface type='ethernet' name='sixteen-letters-'/>", "15" },
                { "<interface type='ethernet' name='a/b'/>", "'/'" },
                { "<interface type='ethernet' name='..'/>", "'..'" },
                { ETHERNET("<protocol family='ipx'/>"), "ipx" },
                { ETHERNET("<protocol family='ipv4'><ip address='1.2.3'/></protocol>"), "1.2.3" },
                { ETHERNET("<protocol family='ipv4'><ip address='1.2.3.4' prefix='33'/></protocol>"), "33" },
                { ETHERNET("<protocol family='ipv6'><route gateway='1.2.3.4'/></protocol>"), "1.2.3.4" },
                { ETHERNET("<protocol family='ipv4'><autoconf/></protocol>"), "IPv6" },
                { "<interface type='vlan' name='v'><vlan tag='4095'><interface "
                  "name='e'/></vlan></interface>",
                  "4094" },
                { "<interface type='vlan' name='v'><vlan tag='1'/></interface>", "<interface>" },
                { "<interface type='bond' name='b'/>", "<interface>" },
                { "<interface type='bond' name='b'><bond><interface type='bridge' "
                  "name='c'/></bond></interface>",
                  "'c'" },
                { "<interface type='bridge' name='b'><bridge><interface type='bridge' name='c'/></bridge>"
                  "</interface>",
                  "'c'" },
                { "<interface type='bridge' name='b'><bridge delay='31'/></interface>", "31" },
                { "<interface type='bridge' name='b'><bridge delay='x'/></interface>", "x" },
        };

        (void)state;
        check_refused(refused, G_N_ELEMENTS(refused), interface_again);
}

static void refuses_devices(void **state)
{
        static const Refusal refused[] = {
                { "<device><name>a</name></device>", "<capability>" },
                { "<device><capability/></device>", "type" },
                { "<device><capability type='toaster'/></device>", "toaster" },
                { "<device><capability type='pci'><capability type='crumbs'/></capability></device>",
                  "crumbs" },
                { "<interface/>", "device" },
        };

        (void)state;
        check_refused(refused, G_N_ELEMENTS(refused), device_again);
}

/* What other people wrote: what is read of it is read again. */
static void is_stable(void **state)
{
        const char *corpus = g_getenv("HOST_CORPUS");
        static const struct {
                const char *kind;
                Again again;
        } kinds[] = { { "interface/in", interface_again }, { "nodedev/in", device_again } };

        (void)state;
        for (size_t i = 0; corpus && i < G_N_ELEMENTS(kinds); i++) {
                _cleanup_(freep) char *path = g_build_filename(corpus, kinds[i].kind, NULL);
                GDir *folder = g_dir_open(path, 0, NULL);
                const char *name;

                assert_non_null(folder);
                while ((name = g_dir_read_name(folder))) {
                        _cleanup_(freep) char *file = g_build_filename(path, name, NULL), *in = NULL;
                        _cleanup_(freep) char *first = NULL, *second = NULL;
                        _cleanup_(error_clear) Error error = {};

                        assert_true(g_file_get_contents(file, &in, NULL, NULL));
                        first = kinds[i].again(in, &error);
                        if (!first)
                                fail_msg("%s: %s", name, error.message);
                        second = kinds[i].again(first, &error);
                        assert_string_equal(first, second);
                        if (g_getenv("HOST_CORPUS_SHOW"))
                                fprintf(stderr, "== %s\n%s", file, first);
                }
                g_dir_close(folder);
        }
}

/* type, length, handle; what follows; texts. */
static const char tables[] =
        "\x00\x18\x00\x00\x01\x02\x00\xe0\x03\x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x10\xff\xff"
        "Fw\0"
        "1.2\0"
        "04/01/2014\0\0"
        "\x01\x1b\x01\x00\x01\x02\x00\x03\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
        "\x06\x00\x00"
        "Maker\0"
        "KVM & <\x01>\0"
        "s\0\0"
        "\x11\x1b\x02\x00\x00\x00\xfe\xff\x40\x00\x40\x00\x00\x08\x09\x00\x01\x00\x1a\x00\x00\x80\x0c\x00"
        "\x00\x00\x00"
        "DIMM 0\0\0"
        "\x11\x1b\x03\x00\x00\x00\xfe\xff\x40\x00\x40\x00\x00\x00\x09\x00\x01\x00\x1a\x00\x00\x80\x0c\x00"
        "\x00\x00\x00"
        "empty\0\0"
        "\x0b\x05\x04\x00\x02"
        "one\0"
        "two\0\0"
        "\x7f\x04\x05\x00\0";

static void reads_smbios(void **state)
{
        static const char expected[] =
                "<sysinfo type='smbios'>\n"
                "  <bios>\n"
                "    <entry name='vendor'>Fw</entry>\n"
                "    <entry name='version'>1.2</entry>\n"
                "    <entry name='date'>04/01/2014</entry>\n"
                "    <entry name='release'>1.16</entry>\n"
                "  </bios>\n"
                "  <system>\n"
                "    <entry name='manufacturer'>Maker</entry>\n"
                "    <entry name='product'>KVM &amp; &lt;?&gt;</entry>\n"
                "    <entry name='serial'>s</entry>\n"
                "    <entry name='uuid'>04030201-0605-0807-090a-0b0c0d0e0f10</entry>\n"
                "  </system>\n"
                "  <memory_device>\n"
                "    <entry name='size'>2 GB</entry>\n"
                "    <entry name='form_factor'>DIMM</entry>\n"
                "    <entry name='locator'>DIMM 0</entry>\n"
                "    <entry name='type'>DDR4</entry>\n"
                "    <entry name='speed'>3200 MT/s</entry>\n"
                "  </memory_device>\n"
                "  <oemStrings>\n"
                "    <entry>one</entry>\n"
                "    <entry>two</entry>\n"
                "  </oemStrings>\n"
                "</sysinfo>\n";
        _cleanup_(freep) char *xml = smbios_format((const uint8_t *)tables, sizeof tables);

        (void)state;
        assert_string_equal(xml, expected);
        /* Wherever they are cut, and whichever byte is another one. */
        for (size_t size = 0; size < sizeof tables; size++) {
                _cleanup_(freep) uint8_t *cut = g_memdup2(tables, size + 1);
                _cleanup_(freep) char *part = smbios_format(cut, size), *other = NULL;

                cut[size] ^= 0xff;
                other = smbios_format(cut, size + 1);
                assert_true(g_str_has_prefix(part, "<sysinfo") && g_str_has_prefix(other, "<sysinfo"));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_interfaces_as_they_were),
                cmocka_unit_test(writes_devices_as_they_were),
                cmocka_unit_test(refuses_interfaces),
                cmocka_unit_test(refuses_devices),
                cmocka_unit_test(is_stable),
                cmocka_unit_test(reads_smbios),
        };

        return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
