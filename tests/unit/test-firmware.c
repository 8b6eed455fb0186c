/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which of several descriptions is taken, and what it makes of the definition. */

#include "drivers/qemu/firmware.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct Folders {
        char *low, *high;
} Folders;

static void describe_as(const char *folder, const char *name, const char *code, const char *format,
                        const char *features)
{
        g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;

        text = g_strdup_printf(
                "{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"flash\", "
                "\"executable\": {\"filename\": \"%s\", \"format\": \"raw\"}, "
                "\"nvram-template\": {\"filename\": \"%s.vars\", \"format\": \"%s\"}}, "
                "\"targets\": [{\"architecture\": \"x86_64\", \"machines\": [\"pc-q35-*\"]}], "
                "\"features\": [%s]}",
                code, code, format, features);
        assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void describe(const char *folder, const char *name, const char *code, const char *features)
{
        describe_as(folder, name, code, "raw", features);
}

static int setup(void **state)
{
        Folders *folders = g_new0(Folders, 1);
        g_autofree char *broken = NULL;

        folders->low = g_dir_make_tmp("virtbus-firmware-XXXXXX", NULL);
        folders->high = g_dir_make_tmp("virtbus-firmware-XXXXXX", NULL);
        describe(folders->low, "20-secure.json", "/secure", "\"secure-boot\", \"requires-smm\"");
        describe(folders->low, "30-plain.json", "/plain", "\"acpi-s3\"");
        broken = g_build_filename(folders->low, "10-broken.json", NULL);
        assert_true(g_file_set_contents(broken, "{\"mapping\": [", -1, NULL));
        *state = folders;
        return 0;
}

static void remove_all(const char *folder)
{
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
        const char *name;

        while (dir && (name = g_dir_read_name(dir))) {
                g_autofree char *path = g_build_filename(folder, name, NULL);

                assert_int_equal(remove(path), 0);
        }
        assert_int_equal(remove(folder), 0);
}

static int teardown(void **state)
{
        Folders *folders = *state;

        remove_all(folders->low);
        remove_all(folders->high);
        g_free(folders->low);
        g_free(folders->high);
        g_free(folders);
        return 0;
}

/* What is chosen for <os firmware='efi'> with more in it, and with those variables; NULL: nothing fits. The
 * caller frees. */
static DomainDefinition *choose_for(const Folders *folders, const char *machine, const char *more,
                                    const FirmwareVariables *variables, Error *error)
{
        const char *const all[] = { folders->low, folders->high, NULL };
        g_autofree char *xml =
                g_strdup_printf("<domain type='qemu'><name>a</name><memory>65536</memory>"
                                "<os firmware='efi'><type arch='x86_64' machine='%s'>hvm</type>"
                                "%s</os></domain>",
                                machine, more);
        DomainDefinition *definition;

        assert_int_equal(domain_definition_parse(xml, strlen(xml), 0, &definition, NULL), 0);
        return firmware_choose(definition, all, variables, error) < 0 ? domain_definition_free(definition)
                                                                      : definition;
}

static DomainDefinition *choose(const Folders *folders, const char *machine, const char *more)
{
        return choose_for(folders, machine, more, NULL, NULL);
}

static void check(const Folders *folders, const char *more, const char *loader)
{
        _cleanup_(domain_definition_freep) DomainDefinition *live = choose(folders, "pc-q35-7.2", more);
        g_autofree char *template = g_strconcat(loader, ".vars", NULL);

        assert_non_null(live);
        assert_string_equal(live->os.loader, loader);
        assert_string_equal(live->os.nvram->template_path, template);
        assert_int_equal(live->os.loader_type, LOADER_PFLASH);
        assert_int_equal(live->features.smm, strcmp(loader, "/secure") == 0 ? ON : ON_OFF_ABSENT);
}

static void the_first_that_fits_is_taken(void **state)
{
        const Folders *folders = *state;
        const char *enrolled = "<firmware><feature enabled='yes' name='enrolled-keys'/></firmware>";

        check(folders, "", "/secure");
        check(folders, "<firmware><feature enabled='no' name='secure-boot'/></firmware>", "/plain");
        check(folders, "<loader secure='no'/>", "/plain");
        assert_null(choose(folders, "pc-i440fx-7.2", ""));
        assert_null(choose(folders, "pc-q35-7.2", enrolled));
        assert_null(choose(folders, "pc-q35-7.2", "<loader stateless='yes'/>"));
}

static void what_an_administrator_wrote_counts(void **state)
{
        const Folders *folders = *state;
        g_autofree char *hidden = g_build_filename(folders->high, "20-secure.json", NULL);

        describe(folders->high, "30-plain.json", "/own", "");
        check(folders, "<loader secure='no'/>", "/own");
        assert_true(g_file_set_contents(hidden, "", 0, NULL));
        check(folders, "", "/own");
}

static void make_template(const char *code, const void *start, size_t start_size, size_t size)
{
        g_autofree char *path = g_strconcat(code, ".vars", NULL), *data = g_malloc0(size);

        memcpy(data, start, start_size);
        assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
}

/* NULL: none. */
static void check_for(const Folders *folders, uint64_t file_size, uint64_t qcow2_size, const char *loader)
{
        const FirmwareVariables variables = { (char *)"/v", file_size, qcow2_size };
        _cleanup_(error_clear) Error error = {};
        _cleanup_(domain_definition_freep) DomainDefinition *live =
                choose_for(folders, "pc-q35-7.2", "", &variables, &error);

        if (loader) {
                assert_non_null(live);
                assert_string_equal(live->os.loader, loader);
                return;
        }
        assert_null(live);
        assert_int_equal(error.code, ERROR_OPERATION_INVALID);
        assert_non_null(strstr(error.message, "/v are of format"));
        assert_non_null(strstr(error.message, "needs some of format raw and 8192 bytes"));
        assert_non_null(strstr(error.message, "RESET_NVRAM"));
}

static void variables_that_are_there_need_their_format_and_size(void **state)
{
        const Folders *folders = *state;
        const char header[72] = {
                'Q', 'F', 'I', (char)0xfb, [7] = 2, [23] = 16, [30] = 16
        }; /* 4096 bytes */
        g_autofree char *large = g_build_filename(folders->low, "large", NULL),
                        *small = g_build_filename(folders->low, "small", NULL),
                        *image = g_build_filename(folders->low, "image", NULL);

        describe(folders->low, "01-large.json", large, "");
        describe(folders->low, "02-small.json", small, "");
        describe_as(folders->low, "03-image.json", image, "qcow2", "");
        make_template(large, "", 0, 8192);
        make_template(small, "", 0, 4096);
        make_template(image, header, sizeof header, 3000);
        check(folders, "", large);
        check_for(folders, 8192, 0, large);
        check_for(folders, 4096, 0, small);
        check_for(folders, 3500, 4096, image);
        check_for(folders, 3500, 8192, NULL);
        check_for(folders, 3000, 0, NULL);
        check_for(folders, 0, 0, NULL);
}

static void a_template_of_ones_own_has_a_format_of_its_own(void **state)
{
        const Folders *folders = *state;
        const char header[72] = {
                'Q', 'F', 'I', (char)0xfb, [7] = 2, [23] = 16, [30] = 16
        }; /* 4096 bytes */
        const FirmwareVariables fitting = { .path = (char *)"/v", .file_size = 4096 },
                                larger = { .path = (char *)"/v", .file_size = 8192 };
        g_autofree char *image = g_build_filename(folders->low, "image", NULL);
        _cleanup_(domain_definition_freep) DomainDefinition *live = NULL, *other = NULL;

        describe_as(folders->low, "01-image.json", image, "qcow2", "");
        make_template(image, header, sizeof header, 3000);
        live = choose_for(folders, "pc-q35-7.2", "<nvram template='/own'>/v</nvram>", &fitting, NULL);
        assert_non_null(live);
        assert_string_equal(live->os.loader, image);
        other = choose_for(folders, "pc-q35-7.2", "<nvram template='/own'>/v</nvram>", &larger, NULL);
        assert_null(other);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_first_that_fits_is_taken, setup, teardown),
                cmocka_unit_test_setup_teardown(what_an_administrator_wrote_counts, setup, teardown),
                cmocka_unit_test_setup_teardown(variables_that_are_there_need_their_format_and_size, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_template_of_ones_own_has_a_format_of_its_own, setup,
                                                teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
