/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Run folders: made anew, removed with all in them, their sockets reached by nobody else, their processes
 * found. */

#include "drivers/qemu/folder.h"
#include "qemu-stage.h"
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void made_and_removed(Stage *stage, Domain *domain)
{
        g_autofree char *path = folder_path(domain), *deep = NULL, *outside = NULL, *link = NULL;
        _cleanup_(closep) int fd = folder_make(domain, (uid_t)-1, (gid_t)-1, NULL);
        struct stat status;

        assert_true(fd >= 0);
        assert_int_equal(fstatat(fd, FOLDER_OWN, &status, 0), 0);
        assert_int_equal(status.st_mode & 07777, 0700);
        deep = g_build_filename(path, FOLDER_OWN, "a", "b", NULL);
        outside = g_build_filename(stage->root, "outside", NULL);
        link = g_build_filename(path, FOLDER_OWN, "link", NULL);
        assert_int_equal(g_mkdir_with_parents(deep, 0700), 0);
        assert_int_equal(g_mkdir_with_parents(outside, 0700), 0);
        assert_int_equal(symlink(outside, link), 0);
        assert_int_equal(folder_remove(qemu_driver(stage->driver), domain->object.uuid, NULL), 0);
        assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
        assert_true(g_file_test(outside, G_FILE_TEST_IS_DIR)); /* links are not followed */
        assert_int_equal(folder_remove(qemu_driver(stage->driver), domain->object.uuid, NULL), 0);
}

static void bound(Domain *domain)
{
        _cleanup_(closep) int folder = folder_make(domain, (uid_t)-1, (gid_t)-1, NULL);
        _cleanup_(closep) int listening = folder_bind(folder, "monitor.sock", NULL);
        _cleanup_(closep) int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        _cleanup_(error_clear) Error error = {};
        g_autofree char *path = folder_socket_path(folder, "monitor.sock"), *name = g_strnfill(200, 'x');
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct stat status;

        g_strlcpy(address.sun_path, path, sizeof address.sun_path);
        assert_true(listening >= 0);
        assert_int_equal(fstatat(folder, "monitor.sock", &status, 0), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
        assert_true(folder_bind(folder, name, &error) < 0);
        assert_non_null(strstr(error.message, "too long"));
}

static Child *start(const char *variable)
{
        const char *const arguments[] = { "/bin/sleep", "60", NULL };
        const char *const environment[] = { "PATH=/bin", variable, NULL };
        const ChildOptions options = { .arguments = arguments,
                                       .environment = environment,
                                       .stdin_fd = -EBADF,
                                       .stdout_fd = -EBADF,
                                       .stderr_fd = -EBADF };
        Child *child = NULL;

        assert_int_equal(child_spawn(&options, DEADLINE_NEVER, &child, NULL), 0);
        return child;
}

static void tagged(Stage *stage, Domain *domain)
{
        const QemuDriver *qemu = qemu_driver(stage->driver);
        g_autofree char *path = folder_path(domain), *tag = g_strdup_printf(FOLDER_TAG "=%s", path);
        g_autofree char *longer = g_strdup_printf("%sx", tag);
        Child *ours = start(tag), *other = start(longer);
        g_autoptr(GArray) killed = folder_kill_tagged(qemu, domain->object.uuid);
        g_autoptr(GArray) none = NULL;

        assert_int_equal(killed->len, 1);
        assert_int_equal(folder_wait_for_ends(killed, deadline_after_usec(5 * G_USEC_PER_SEC), NULL), 0);
        assert_int_equal(child_wait(ours, deadline_after_usec(5 * G_USEC_PER_SEC), NULL, NULL), 0);
        assert_true(child_is_running(other));
        none = folder_kill_tagged(qemu, domain->object.uuid);
        assert_int_equal(none->len, 0);
        assert_int_equal(child_signal(other, SIGKILL), 0);
        assert_int_equal(child_wait(other, deadline_after_usec(5 * G_USEC_PER_SEC), NULL, NULL), 0);
        child_free(ours);
        child_free(other);
}

static void everything(void *data)
{
        Stage *stage = data;
        Domain *domain = machine_new(stage->driver, stage_definition(""), 0);

        made_and_removed(stage, domain);
        bound(domain);
        tagged(stage, domain);
        domain_unref(domain);
        stage_close(stage);
}

static void folders(void **state)
{
        Stage stage;

        (void)state;
        stage_open(&stage);
        on_fiber(everything, &stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(folders) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
