/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <secret>: what is accepted, written and refused; values that are sealed, opened, and not opened by others.
 */

#include "drivers/secret/value.h"
#include "model/secret.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define UUID_A "5a1c0c64-5f0e-4a39-8a36-3a4a3a0d7d05"
#define UUID_B "5a1c0c64-5f0e-4a39-8a36-3a4a3a0d7d06"

static void writes_back_what_was_said(void **state)
{
        static const char xml[] = "<secret ephemeral='yes' private='no'>\n"
                                  "  <uuid>" UUID_A "</uuid>\n"
                                  "  <description>a &lt; b</description>\n"
                                  "  <usage type='iscsi'>\n"
                                  "    <target>iqn.2026-01.org.example:disk</target>\n"
                                  "  </usage>\n"
                                  "</secret>\n";
        _cleanup_(secret_definition_freep) SecretDefinition *definition = NULL;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(freep) char *out = NULL;

        (void)state;
        assert_int_equal(secret_definition_parse(xml, strlen(xml), 0, &definition, &error), 0);
        secret_definition_complete(definition);
        out = secret_definition_format(definition);
        assert_string_equal(out, xml);
        assert_string_equal(secret_definition_usage(definition), "iqn.2026-01.org.example:disk");
}

static void completes(void **state)
{
        _cleanup_(secret_definition_freep) SecretDefinition *definition = NULL;
        _cleanup_(error_clear) Error error = {};

        (void)state;
        assert_int_equal(secret_definition_parse("<secret/>", 9, 0, &definition, &error), 0);
        secret_definition_complete(definition);
        assert_int_equal(strlen(definition->uuid), 36);
        assert_int_equal(definition->is_private, NO);
        assert_int_equal(definition->is_ephemeral, NO);
        assert_string_equal(secret_definition_usage(definition), "");
}

static void refuses(void **state)
{
        static const struct {
                const char *xml, *word;
        } cases[] = {
                { "<domain/>", "<secret>" },
                { "<secret private='maybe'/>", "maybe" },
                { "<secret><uuid>1</uuid></secret>", "uuid" },
                { "<secret><usage type='letter'/></secret>", "letter" },
                { "<secret><usage type='volume'/></secret>", "<volume>" },
                { "<secret><usage type='volume'><name>a</name></usage></secret>", "<volume>" },
                { "<secret><usage type='ceph'><name></name></usage></secret>", "<name>" },
                { "<secret><usage type='iscsi'><volume>/a</volume></usage></secret>", "<target>" },
        };

        (void)state;
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                SecretDefinition *definition = NULL;
                _cleanup_(error_clear) Error error = {};

                if (secret_definition_parse(cases[i].xml, strlen(cases[i].xml), 0, &definition, &error) >= 0)
                        fail_msg("%s: is accepted", cases[i].xml);
                if (!strstr(error.message, cases[i].word))
                        fail_msg("%s: '%s'", cases[i].xml, error.message);
        }
}

typedef struct Folder {
        char path[32];
        int fd;
} Folder;

static void folder_make(Folder *folder)
{
        strcpy(folder->path, "/tmp/secret-XXXXXX");
        assert_non_null(mkdtemp(folder->path));
        folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(folder->fd >= 0);
}

static void folder_remove(Folder *folder)
{
        (void)unlinkat(folder->fd, "key", 0);
        close(folder->fd);
        assert_int_equal(rmdir(folder->path), 0);
}

static void assert_opens(const SecretKeys *keys, const char *sealed, const char *expected, size_t size)
{
        _cleanup_(error_clear) Error error = {};
        uint8_t *value;
        size_t value_size;

        assert_int_equal(secret_value_open(keys, UUID_A, sealed, &value, &value_size, &error), 0);
        assert_int_equal(value_size, size);
        assert_memory_equal(value, expected, size);
        secret_value_free(value, value_size);
}

static void assert_does_not_open(const SecretKeys *keys, const char *uuid, const char *sealed)
{
        _cleanup_(error_clear) Error error = {};
        uint8_t *value;
        size_t size;

        assert_true(secret_value_open(keys, uuid, sealed, &value, &size, &error) < 0);
        assert_non_null(error.message);
}

static void seals(void **state)
{
        static const char value[] = "open\0sesame";
        _cleanup_(freep) char *sealed = NULL, *again = NULL, *empty = NULL, *broken = NULL;
        _cleanup_(error_clear) Error error = {};
        SecretKeys keys = {}, same = {}, none = {};
        Folder folder;

        (void)state;
        folder_make(&folder);
        assert_int_equal(secret_keys_load(&keys, folder.fd, &error), 0);
        assert_int_equal(secret_keys_load(&same, folder.fd, &error), 0);
        assert_int_equal(secret_value_seal(&keys, UUID_A, value, sizeof value, &sealed, &error), 0);
        assert_int_equal(secret_value_seal(&keys, UUID_A, value, sizeof value, &again, &error), 0);
        assert_int_equal(secret_value_seal(&keys, UUID_A, "", 0, &empty, &error), 0);
        assert_string_not_equal(sealed, again);
        assert_opens(&same, sealed, value, sizeof value);
        assert_opens(&same, empty, "", 0);
        assert_does_not_open(&keys, UUID_B, sealed);
        assert_does_not_open(&none, UUID_A, sealed);
        assert_does_not_open(&keys, UUID_A, "");
        assert_does_not_open(&keys, UUID_A, "&&&");
        broken = g_strdup(sealed);
        broken[20] = broken[20] == 'A' ? 'B' : 'A';
        assert_does_not_open(&keys, UUID_A, broken);
        assert_true(secret_value_seal(&none, UUID_A, "a", 1, &broken, &error) < 0);
        folder_remove(&folder);
}

/* What stands on disks must be read by every version. */
static void opens_what_was_sealed_before(void **state)
{
        SecretKeys keys = { .count = 1 };

        (void)state;
        for (unsigned i = 0; i < SECRET_KEY_SIZE; i++)
                keys.keys[0][i] = (uint8_t)i;
        assert_opens(&keys, "VbA6eBHReP3njA9ycdXOL/8EnQI/lyfgpm59jMnBUeW0WDGz9Jzy", "open sesame", 11);
}

static void prefers_a_credential(void **state)
{
        SecretKeys before = {}, after = {};
        _cleanup_(freep) char *old = NULL, *new = NULL, *path = NULL;
        _cleanup_(error_clear) Error error = {};
        Folder folder, credentials;

        (void)state;
        folder_make(&folder);
        folder_make(&credentials);
        assert_int_equal(secret_keys_load(&before, folder.fd, &error), 0);
        assert_int_equal(secret_value_seal(&before, UUID_A, "a", 1, &old, &error), 0);

        path = g_build_filename(credentials.path, "virtbus-secrets-key", NULL);
        assert_true(g_file_set_contents(path, "0123456789abcdef0123456789abcdef", 32, NULL));
        g_setenv("CREDENTIALS_DIRECTORY", credentials.path, true);
        assert_int_equal(secret_keys_load(&after, folder.fd, &error), 0);
        assert_int_equal(secret_value_seal(&after, UUID_A, "b", 1, &new, &error), 0);
        assert_opens(&after, old, "a", 1);
        assert_opens(&after, new, "b", 1);
        assert_does_not_open(&before, UUID_A, new);

        assert_true(g_file_set_contents(path, "short", 5, NULL));
        assert_true(secret_keys_load(&(SecretKeys){}, folder.fd, &error) < 0);
        g_unsetenv("CREDENTIALS_DIRECTORY");
        assert_int_equal(unlink(path), 0);
        folder_remove(&credentials);
        folder_remove(&folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(writes_back_what_was_said),
                cmocka_unit_test(completes),
                cmocka_unit_test(refuses),
                cmocka_unit_test(seals),
                cmocka_unit_test(opens_what_was_sealed_before),
                cmocka_unit_test(prefers_a_credential),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
