/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files that survive: replaced whole or not at all, on a fiber and off it. */

#include "core/store.h"
#include "on-fiber.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

typedef struct Folder {
        char *path;
        int fd;
} Folder;

static int setup(void **state)
{
        Folder *folder = g_new0(Folder, 1);

        folder->path = g_dir_make_tmp("virtbus-store-XXXXXX", NULL);
        folder->fd = store_open_folder(folder->path, 0700, NULL);
        *state = folder;
        return folder->fd >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
        Folder *folder = *state;
        char *arguments[] = { "rm", "-rf", folder->path, NULL };

        (void)close(folder->fd);
        (void)g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
        g_free(folder->path);
        g_free(folder);
        return 0;
}

static void write_and_read(void *data)
{
        const Folder *folder = data;
        _cleanup_(freep) char *text = NULL;
        struct stat status;
        size_t size;

        assert_int_equal(store_write(folder->fd, "a.xml", "old", 3, 0600, NULL), 0);
        assert_int_equal(store_write(folder->fd, "a.xml", "newer", 5, 0600, NULL), 0);
        assert_int_equal(store_read(folder->fd, "a.xml", 100, &text, &size, NULL), 0);
        assert_int_equal(size, 5);
        assert_string_equal(text, "newer");
        assert_int_equal(fstatat(folder->fd, "a.xml", &status, 0), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        assert_int_equal(store_rename(folder->fd, "a.xml", "b.xml", NULL), 0);
        assert_int_equal(store_write(folder->fd, "a.xml", "x", 1, 0600, NULL), 0);
        assert_true(store_rename(folder->fd, "a.xml", "b.xml", NULL) < 0);
        assert_int_equal(store_remove(folder->fd, "a.xml", NULL), 0);
        assert_int_equal(store_remove(folder->fd, "a.xml", NULL), 0);
        assert_int_equal(fstatat(folder->fd, "a.xml", &status, 0), -1);
        assert_int_equal(store_remove(folder->fd, "b.xml", NULL), 0);
}

static void on_the_loop_and_off_it(void **state)
{
        write_and_read(*state);
        on_fiber(write_and_read, *state);
}

static void what_is_not_a_small_regular_file_is_refused(void **state)
{
        const Folder *folder = *state;
        _cleanup_(error_clear) Error error = {};
        char *text;
        size_t size;

        assert_int_equal(store_write(folder->fd, "big", "0123456789", 10, 0600, NULL), 0);
        assert_true(store_read(folder->fd, "big", 9, &text, &size, NULL) < 0);
        assert_int_equal(symlinkat("big", folder->fd, "link"), 0);
        assert_true(store_read(folder->fd, "link", 100, &text, &size, NULL) < 0);
        assert_int_equal(mkfifoat(folder->fd, "fifo", 0600), 0);
        assert_true(store_read(folder->fd, "fifo", 100, &text, &size, NULL) < 0);
        assert_int_equal(store_read(folder->fd, "none", 100, &text, &size, &error), -ENOENT);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
        const Folder *folder = *state;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int read_only = -EBADF;
        size_t size;

        assert_int_equal(store_write(folder->fd, "a.xml", "old", 3, 0600, NULL), 0);
        read_only = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* where nobody can make a file */
        assert_true(store_write(read_only, "a.xml", "new", 3, 0600, NULL) < 0);
        assert_int_equal(store_read(folder->fd, "a.xml", 100, &text, &size, NULL), 0);
        assert_string_equal(text, "old");
}

static int visit(int folder_fd, const char *name, void *data)
{
        (void)folder_fd;
        g_string_append_printf(data, "%s ", name);
        return g_str_equal(name, "stop.xml") ? -EINTR : 0;
}

static void visiting_goes_by_name(void **state)
{
        const Folder *folder = *state;
        _cleanup_(string_builder_freep) GString *names = g_string_new(NULL);

        assert_int_equal(store_write(folder->fd, "b.xml", "", 0, 0600, NULL), 0);
        assert_int_equal(store_write(folder->fd, "a.xml", "", 0, 0600, NULL), 0);
        assert_int_equal(store_write(folder->fd, "c.txt", "", 0, 0600, NULL), 0);
        assert_int_equal(store_visit(folder->fd, ".xml", visit, names, NULL), 0);
        assert_string_equal(names->str, "a.xml b.xml ");
        g_string_truncate(names, 0);
        assert_int_equal(store_write(folder->fd, "stop.xml", "", 0, 0600, NULL), 0);
        assert_int_equal(store_write(folder->fd, "z.xml", "", 0, 0600, NULL), 0);
        assert_int_equal(store_visit(folder->fd, ".xml", visit, names, NULL), -EINTR);
        assert_string_equal(names->str, "a.xml b.xml stop.xml ");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(on_the_loop_and_off_it, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_not_a_small_regular_file_is_refused, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_failed_write_leaves_the_old_file, setup, teardown),
                cmocka_unit_test_setup_teardown(visiting_goes_by_name, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
