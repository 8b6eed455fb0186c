/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Trees as /sys has them: which function of which card a PCI device is, and what a card has. */

#include "drivers/host/virtual-function.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char top[] = "/tmp/virtbus-functions-XXXXXX";
static char *pci, *net;

static void make_folder(const char *path)
{
        _cleanup_(freep) char *folder = g_build_filename(top, path, NULL);

        assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
}

static void make_file(const char *path, const char *text)
{
        _cleanup_(freep) char *file = g_build_filename(top, path, NULL);

        assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void make_link(const char *path, const char *target)
{
        _cleanup_(freep) char *link = g_build_filename(top, path, NULL);

        assert_int_equal(symlink(target, link), 0);
}

/* The card 01:00.0 is "eth7", has three functions, and a switch with a device for the first of them. 02:00.0
 * is no network card and has one function; 03:00.0 has none; 04:00.0 does not know its own. */
static int make(void **state)
{
        static const char *const functions[] = { "0000:01:10.0", "0000:01:10.2", "0000:01:10.4",
                                                 "0000:02:10.0", "0000:04:10.0" };

        (void)state;
        if (!g_mkdtemp(top))
                return -1;
        pci = g_build_filename(top, "pci", NULL);
        net = g_build_filename(top, "net", NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(functions); i++) {
                _cleanup_(freep) char *folder = g_strdup_printf("pci/%s", functions[i]),
                                      *link = g_strdup_printf("%s/physfn", folder),
                                      *target = g_strdup_printf("../%.8s00.0", functions[i]);

                make_folder(folder);
                make_link(link, target);
        }
        make_folder("pci/0000:01:00.0/net/eth7r0");
        make_file("pci/0000:01:00.0/net/eth7r0/phys_port_name", "pf0vf0\n");
        make_folder("pci/0000:01:00.0/net/eth7");
        make_file("pci/0000:01:00.0/net/eth7/phys_port_name", "p0\n");
        make_link("pci/0000:01:00.0/virtfn0", "../0000:01:10.0");
        make_link("pci/0000:01:00.0/virtfn1", "../0000:01:10.2");
        make_link("pci/0000:01:00.0/virtfn2", "../0000:01:10.4");
        make_folder("pci/0000:02:00.0");
        make_link("pci/0000:02:00.0/virtfn0", "../0000:02:10.0");
        make_folder("pci/0000:03:00.0/net/eth8");
        make_folder("pci/0000:04:00.0/net/eth9");
        make_folder("net/eth7");
        make_link("net/eth7/device", "../../pci/0000:01:00.0");
        make_folder("net/eth8");
        make_link("net/eth8/device", "../../pci/0000:03:00.0");
        make_folder("net/lo");
        return 0;
}

static int remove_all(void **state)
{
        char *arguments[] = { "rm", "-r", top, NULL };

        (void)state;
        g_free(pci);
        g_free(net);
        return g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL)
                       ? 0
                       : -1;
}

static void is_found(void **state)
{
        VirtualFunction function;

        (void)state;
        assert_int_equal(virtual_function_find(pci, "0000:01:10.4", &function, NULL), 0);
        assert_string_equal(function.card, "eth7"); /* and not what stands for its first function */
        assert_int_equal(function.number, 2);
}

static void what_is_none_is_said(void **state)
{
        static const struct {
                const char *name, *word;
        } cases[] = {
                { "0000:01:00.0", "0000:01:00.0 is no virtual function of an SR-IOV card" },
                { "0000:05:00.0", "no virtual function" },
                { "0000:02:10.0", "no virtual function of a network card" },
                { "0000:04:10.0", "eth9 does not have" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(error_clear) Error error = {};
                VirtualFunction function;

                assert_true(virtual_function_find(pci, cases[i].name, &function, &error) < 0);
                assert_non_null(strstr(error.message, cases[i].word));
        }
}

static void a_card_has_them_in_order(void **state)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = NULL;

        (void)state;
        assert_int_equal(virtual_function_list(net, "eth7", &names, NULL), 0);
        assert_int_equal(names->len, 3);
        assert_string_equal(names->pdata[0], "0000:01:10.0");
        assert_string_equal(names->pdata[1], "0000:01:10.2");
        assert_string_equal(names->pdata[2], "0000:01:10.4");
}

static void a_card_without(void **state)
{
        static const struct {
                const char *card, *word;
        } cases[] = {
                { "eth8", "'eth8' has no virtual functions" },
                { "eth6", "no network card 'eth6'" },
                { "lo", "no network card 'lo'" },
                { "../net/eth7", "no network card" },
                { "..", "no network card" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(error_clear) Error error = {};
                GPtrArray *names;

                assert_true(virtual_function_list(net, cases[i].card, &names, &error) < 0);
                assert_non_null(strstr(error.message, cases[i].word));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(is_found),
                cmocka_unit_test(what_is_none_is_said),
                cmocka_unit_test(a_card_has_them_in_order),
                cmocka_unit_test(a_card_without),
        };

        return cmocka_run_group_tests(tests, make, remove_all);
}
