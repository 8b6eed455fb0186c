/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the daemon opens for a machine is what the path says, whoever may write to a folder on its way. */

#include "drivers/qemu/passed.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SOMEBODY 12345

typedef struct Place {
        char *folder, *file, *link;
} Place;

static int make(void **state)
{
        Place *place = g_new0(Place, 1);

        place->folder = g_dir_make_tmp("virtbus-XXXXXX", NULL);
        place->file = g_build_filename(place->folder, "disk.img", NULL);
        place->link = g_build_filename(place->folder, "link", NULL);
        *state = place;
        return g_file_set_contents(place->file, "content", -1, NULL) ? 0 : -1;
}

static int clean(void **state)
{
        Place *place = *state;

        (void)g_remove(place->link); /* not every test makes it */
        (void)g_remove(place->file);
        (void)g_rmdir(place->folder);
        g_free(place->folder);
        g_free(place->file);
        g_free(place->link);
        g_free(place);
        return 0;
}

static void assert_content(int fd, const char *expected)
{
        char text[64] = "";

        assert_true(fd >= 0);
        assert_true(pread(fd, text, sizeof text - 1, 0) >= 0);
        assert_string_equal(text, expected);
        assert_int_equal(close(fd), 0);
}

static void opens_files(void **state)
{
        Place *place = *state;
        _cleanup_(error_clear) Error error = {};
        int fd = passed_open(place->file, &(PassedOptions){ .is_writable = true }, &error);

        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
        assert_content(fd, "content");
        fd = passed_open(place->file, &(PassedOptions){}, &error);
        assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        assert_content(fd, "content");
}

static void refuses_what_is_no_file(void **state)
{
        Place *place = *state;
        const char *const paths[] = { place->folder, "/dev/null", "/no/such/file", "relative", "" };

        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                _cleanup_(error_clear) Error error = {};

                assert_true(passed_open(paths[i], &(PassedOptions){}, &error) < 0);
                assert_non_null(strstr(error.message, paths[i]));
        }
}

static void follows_own_links(void **state)
{
        Place *place = *state;

        assert_int_equal(symlink("./disk.img", place->link), 0);
        assert_content(passed_open(place->link, &(PassedOptions){}, NULL), "content");
        assert_int_equal(g_remove(place->link), 0);
        assert_int_equal(symlink(place->file, place->link), 0);
        assert_content(passed_open(place->link, &(PassedOptions){}, NULL), "content");
        assert_int_equal(g_remove(place->link), 0);
        assert_int_equal(symlink("link", place->link), 0);
        assert_int_equal(passed_open(place->link, &(PassedOptions){}, NULL), -ELOOP);
}

static void refuses_planted_links(void **state)
{
        Place *place = *state;
        _cleanup_(error_clear) Error error = {};
        g_autofree char *below = g_build_filename(place->link, "disk.img", NULL);

        if (geteuid() != 0)
                skip(); /* only root can make somebody else's link */
        assert_int_equal(symlink(place->file, place->link), 0);
        assert_int_equal(lchown(place->link, SOMEBODY, SOMEBODY), 0);
        assert_true(passed_open(place->link, &(PassedOptions){}, &error) < 0);
        assert_int_equal(error.code, ERROR_ACCESS_DENIED);
        assert_non_null(strstr(error.message, "12345"));
        error_clear(&error);
        assert_int_equal(g_remove(place->link), 0);
        /* A folder on the way as well. */
        assert_int_equal(symlink(place->folder, place->link), 0);
        assert_int_equal(lchown(place->link, SOMEBODY, SOMEBODY), 0);
        assert_true(passed_open(below, &(PassedOptions){}, &error) < 0);
        assert_int_equal(error.code, ERROR_ACCESS_DENIED);
}

static void copies_what_its_user_could_not_open_again(void **state)
{
        Place *place = *state;
        g_autofree char *again = NULL;
        int fd;

        assert_int_equal(chmod(place->file, 0600), 0);
        fd = passed_open(place->file, &(PassedOptions){ .is_reopened = true }, NULL);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GET_SEALS) > 0); /* in memory, and nobody changes it */
        again = g_strdup_printf("/proc/self/fd/%d", fd);
        assert_content(open(again, O_RDONLY | O_CLOEXEC), "content");
        assert_int_equal(close(fd), 0);
        assert_int_equal(chmod(place->file, 0644), 0);
        fd = passed_open(place->file, &(PassedOptions){ .is_reopened = true }, NULL);
        assert_true(fcntl(fd, F_GET_SEALS) <= 0 || !(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE));
        assert_content(fd, "content");
}

/* By the rights of another user, as a worker has them. */
static char *refusal(const char *path, bool is_writable)
{
        Error error = {};
        int r;

        (void)setfsuid(SOMEBODY); /* tells nothing */
        r = passed_open(path, &(PassedOptions){ .is_writable = is_writable }, &error);
        (void)setfsuid(0);
        assert_true(r < 0);
        return error.message;
}

static void says_who_does_not_let_it_pass(void **state)
{
        Place *place = *state;
        g_autofree char *read_only = NULL, *unreadable = NULL, *closed = NULL, *expected = NULL;

        if (geteuid() != 0)
                skip(); /* only root has the rights of others */
        assert_int_equal(chmod(place->folder, 0755), 0);
        assert_int_equal(chmod(place->file, 0444), 0);
        read_only = refusal(place->file, true);
        assert_non_null(strstr(read_only,
                               "/disk.img has mode 0444 and belongs to root:root: user 12345 may not "
                               "write to it"));
        assert_int_equal(chmod(place->file, 0600), 0);
        unreadable = refusal(place->file, false);
        assert_non_null(strstr(unreadable, "user 12345 may not read it"));
        assert_int_equal(chmod(place->folder, 0700), 0);
        closed = refusal(place->file, false);
        expected = g_strdup_printf(
                "Cannot open %s: Permission denied: %s has mode 0700 and belongs to root:root: "
                "user 12345 may not enter it",
                place->file, place->folder);
        assert_string_equal(closed, expected);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(opens_files, make, clean),
                cmocka_unit_test_setup_teardown(refuses_what_is_no_file, make, clean),
                cmocka_unit_test_setup_teardown(follows_own_links, make, clean),
                cmocka_unit_test_setup_teardown(refuses_planted_links, make, clean),
                cmocka_unit_test_setup_teardown(says_who_does_not_let_it_pass, make, clean),
                cmocka_unit_test_setup_teardown(copies_what_its_user_could_not_open_again, make, clean),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
