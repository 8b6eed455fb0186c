/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is stored comes back, and what was damaged is refused and hides nothing else. */

#include "drivers/qemu/definitions.h"
#include "qemu-stage.h"

#define MANY 200

#define DOMAIN   "<domain type='qemu'><name>x</name><memory>1</memory><os><type>hvm</type></os></domain>"
#define METADATA "<metadata><a:x xmlns:a='urn:a' k='v'>  two\n  lines  <!-- and this --></a:x></metadata>"

static void comes_back(void **state)
{
        DomainDefinition *definition = stage_definition("<title>&lt;b&gt;</title>" METADATA);
        g_autofree char *text = definitions_format(definition, 1000, true, 1234567890123456, 1001),
                        *again = NULL;
        StoredDefinition stored = {};

        (void)state;
        assert_int_equal(definitions_parse(text, strlen(text), &stored, NULL), 0);
        assert_int_equal(stored.owner, 1000);
        assert_true(stored.is_autostart);
        assert_int_equal(stored.created_usec, 1234567890123456);
        assert_string_equal(stored.definition->title, "<b>");
        again = definitions_format(stored.definition, 1000, true, 1234567890123456, 1001);
        assert_string_equal(again, text);
        assert_non_null(strstr(again, "  two\n  lines  <!-- and this -->"));
        domain_definition_free(stored.definition);
        domain_definition_free(definition);
}

static void damaged_is_refused(void **state)
{
        static const char *const texts[] = {
                "",
                "<machine",
                "<machine owner='0' autostart='no' created='1'></machine>",
                "<domain type='qemu'><name>x</name></domain>",
                "<machine owner='-1' autostart='no' created='1'>" DOMAIN "</machine>",
                "<machine owner='0' autostart='no'>" DOMAIN "</machine>",
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                _cleanup_(error_clear) Error error = {};
                StoredDefinition stored = {};

                assert_true(definitions_parse(texts[i], strlen(texts[i]), &stored, &error) < 0);
                assert_non_null(error.message);
                assert_null(stored.definition);
        }
}

static void saved_and_loaded(void *data)
{
        Stage *stage = data;
        g_autofree char *bad =
                g_build_filename(stage->root, "qemu", "00000000-0000-4000-8000-000000000000.xml", NULL);
        Domain *domain = machine_new(stage->driver, stage_definition(""), 1234), *loaded;

        assert_int_equal(definitions_save(domain, domain->definition, true, NULL), 0);
        assert_true(g_file_set_contents(bad, "<machine owner='0'><dom", -1, NULL));
        assert_int_equal(definitions_load(stage->driver, NULL), 0);
        assert_int_equal(object_table_count(stage->driver->objects, OBJECT_DOMAIN), 1);
        loaded = (Domain *)object_table_by_uuid(stage->driver->objects, OBJECT_DOMAIN, domain->object.uuid);
        assert_non_null(loaded);
        assert_int_equal(loaded->object.owner, 1234);
        assert_true(loaded->is_autostart && loaded->is_persistent);
        assert_int_equal(loaded->created_at_usec, domain->created_at_usec);
        assert_true(g_file_test(bad, G_FILE_TEST_EXISTS)); /* for its owner to look at */

        assert_int_equal(definitions_remove(loaded, NULL), 0);
        object_table_remove(stage->driver->objects, &loaded->object);
        assert_int_equal(definitions_load(stage->driver, NULL), 0);
        assert_int_equal(object_table_count(stage->driver->objects, OBJECT_DOMAIN), 0);
        domain_unref(domain);
        stage_close(stage);
}

/* A machine that is completed so that nobody could read it again: it stays what it was on the disk. */
static void unreadable_is_not_saved(void *data)
{
        Stage *stage = data;
        Domain *domain = machine_new(stage->driver, stage_definition(""), 1234);
        g_autofree char *file = g_strconcat(domain->object.uuid, ".xml", NULL),
                        *path = g_build_filename(stage->root, "qemu", file, NULL), *before = NULL,
                        *after = NULL;
        _cleanup_(error_clear) Error error = {};

        assert_int_equal(definitions_save(domain, domain->definition, false, NULL), 0);
        assert_true(g_file_get_contents(path, &before, NULL, NULL));
        g_free(domain->definition->name);
        domain->definition->name = g_strdup("a/b");
        assert_true(definitions_save(domain, domain->definition, true, &error) < 0);
        assert_non_null(strstr(error.message, "could not be read again"));
        assert_true(g_file_get_contents(path, &after, NULL, NULL));
        assert_string_equal(before, after);
        domain_unref(domain);
        stage_close(stage);
}

/* So many that threads share them; one is of another machine. */
static void many_loaded(void *data)
{
        Stage *stage = data;
        g_autofree char *wrong =
                g_build_filename(stage->root, "qemu", "00000000-0000-4000-8000-00000000000f.xml", NULL);

        for (unsigned i = 0; i < MANY; i++) {
                DomainDefinition *definition = stage_definition("");
                g_autofree char *path = NULL, *text = NULL, *name = g_strdup_printf("m%u", i);

                g_snprintf(definition->uuid, sizeof definition->uuid, "10000000-0000-4000-8000-%012u", i);
                g_free(definition->name);
                definition->name = g_steal_pointer(&name);
                path = g_strdup_printf("%s/qemu/%s.xml", stage->root, definition->uuid);
                text = definitions_format(definition, 1000, false, 1, 1000);
                assert_true(g_file_set_contents(path, text, -1, NULL));
                if (i == 0)
                        assert_true(g_file_set_contents(wrong, text, -1, NULL));
                domain_definition_free(definition);
        }
        assert_int_equal(definitions_load(stage->driver, NULL), 0);
        assert_int_equal(object_table_count(stage->driver->objects, OBJECT_DOMAIN), MANY);
        for (unsigned i = 0; i < MANY; i++) {
                g_autofree char *name = g_strdup_printf("m%u", i);

                assert_non_null(object_table_by_name(stage->driver->objects, OBJECT_DOMAIN, name, 1000));
        }
        stage_close(stage);
}

static void many_files(void **state)
{
        Stage stage;

        (void)state;
        stage_open(&stage);
        on_fiber(many_loaded, &stage);
}

static void files(void **state)
{
        Stage stage;

        (void)state;
        stage_open(&stage);
        on_fiber(saved_and_loaded, &stage);
}

static void unreadable(void **state)
{
        Stage stage;

        (void)state;
        stage_open(&stage);
        on_fiber(unreadable_is_not_saved, &stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(comes_back), cmocka_unit_test(damaged_is_refused), cmocka_unit_test(files),
                cmocka_unit_test(many_files), cmocka_unit_test(unreadable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
