/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Images as qemu-img makes them, and such that were made to do harm. */

#include "model/volume-header.h"
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void made_by_qemu_img(void **state)
{
        static const char *const formats[] = { "qcow2", "qed", "vmdk", "vdi", "vhdx", "raw" };
        _cleanup_(error_clear) Error error = {};

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
                char folder[] = "/tmp/virtbus-header-XXXXXX";
                _cleanup_(volume_header_clear) VolumeHeader header = {};
                char *path, *data, *arguments[] = { "qemu-img",         "create", "-q", "-f",
                                                    (char *)formats[i], NULL,     "8M", NULL };
                size_t size;
                int status;

                assert_non_null(g_mkdtemp(folder));
                path = arguments[5] = g_build_filename(folder, "image", NULL);
                assert_true(g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                                         &status, NULL));
                assert_int_equal(status, 0);
                assert_true(g_file_get_contents(path, &data, &size, NULL));
                assert_int_equal(volume_header_read((uint8_t *)data, size, &header, &error), 0);
                assert_string_equal(header.format, formats[i]);
                if (header.has_capacity)
                        assert_int_equal(header.capacity, 8 << 20);
                assert_int_equal(header.has_capacity, i < 4);
                g_unlink(path);
                g_rmdir(folder);
                g_free(path);
                g_free(data);
        }
}

/* A qcow2 header of version 2 with a backing file; the tests spoil it. */
static void qcow2_fill(uint8_t data[128])
{
        memset(data, 0, 128);
        memcpy(data, "QFI\xfb\0\0\0\2", 8);
        data[23] = 16;
        data[15] = 96;
        data[19] = 4;
        data[30] = 16;
        memcpy(data + 72, "\xe2\x79\x2a\xca\0\0\0\3raw", 11);
        memcpy(data + 96, "base", 4);
}

static void backing_file(void **state)
{
        _cleanup_(error_clear) Error error = {};
        _cleanup_(volume_header_clear) VolumeHeader header = {};
        uint8_t data[128];

        (void)state;
        qcow2_fill(data);
        assert_int_equal(volume_header_read(data, sizeof data, &header, &error), 0);
        assert_int_equal(header.capacity, 4096);
        assert_int_equal(header.cluster_size, 65536);
        assert_false(header.is_compat_1_1);
        assert_string_equal(header.backing_path, "base");
        assert_string_equal(header.backing_format, "raw");
}

static void hostile(void **state)
{
        static const struct {
                size_t offset;
                uint8_t value;
        } spoiled[] = { { 7, 9 },  { 23, 8 }, { 23, 22 },  { 8, 255 }, { 14, 1 },
                        { 18, 4 }, { 19, 5 }, { 24, 255 }, { 78, 4 } };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(spoiled); i++) {
                _cleanup_(error_clear) Error error = {};
                VolumeHeader header = {};
                uint8_t data[128];

                qcow2_fill(data);
                data[spoiled[i].offset] = spoiled[i].value;
                assert_true(volume_header_read(data, sizeof data, &header, &error) < 0);
                assert_null(header.backing_path);
                assert_true(error_is_set(&error));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(made_by_qemu_img),
                cmocka_unit_test(backing_file),
                cmocka_unit_test(hostile),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
