/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <interface> and <device>: documents in tests/xml/interface and tests/xml/nodedev, which are written back
 * as they are, and what is refused. HOST_CORPUS names a folder of more documents, which need only be stable.
 */

#include "model/host-interface.h"
#include "model/node-device.h"
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_interfaces_as_they_were),
                cmocka_unit_test(writes_devices_as_they_were),
                cmocka_unit_test(refuses_interfaces),
                cmocka_unit_test(refuses_devices),
                cmocka_unit_test(is_stable),
        };

        return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
