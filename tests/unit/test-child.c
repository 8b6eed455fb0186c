/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processes: what they get, how they end, taking one back, and tools with their output. */

#include "core/await.h"
#include "core/child.h"
#include "on-fiber.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHELL(script)                                                                                       \
        (const char *const[])                                                                               \
        {                                                                                                   \
                "/bin/sh", "-c", (script), NULL                                                             \
        }

static Child *spawn(const char *script)
{
        ChildOptions options = {
                .arguments = SHELL(script), .stdin_fd = -EBADF, .stdout_fd = -EBADF, .stderr_fd = -EBADF
        };
        _cleanup_(error_clear) Error error = {};
        Child *child = NULL;

        if (child_spawn(&options, DEADLINE_NEVER, &child, &error) < 0)
                fail_msg("%s", error.message);
        return child;
}

static void its_end_is_told(void *data)
{
        _cleanup_(child_freep) Child *child = spawn("exit 7");
        int code, status;

        (void)data;
        assert_int_equal(child_wait(child, DEADLINE_NEVER, &code, &status), 0);
        assert_int_equal(code, CLD_EXITED);
        assert_int_equal(status, 7);
        assert_false(child_is_running(child));
        assert_int_equal(child_signal(child, SIGKILL), 0); /* nobody is hit */
}

static void a_signal_ends_it(void *data)
{
        _cleanup_(child_freep) Child *child = spawn("exec sleep 60");
        int code, status;

        (void)data;
        assert_true(child_is_running(child));
        assert_int_equal(child_wait(child, deadline_after_usec(1000), &code, &status), -ETIMEDOUT);
        assert_int_equal(child_signal(child, SIGKILL), 0);
        assert_int_equal(child_wait(child, DEADLINE_NEVER, &code, &status), 0);
        assert_int_equal(code, CLD_KILLED);
        assert_int_equal(status, SIGKILL);
}

static void it_is_taken_back_by_pid_and_start_time(void *data)
{
        _cleanup_(child_freep) Child *child = spawn("exec sleep 60");
        _cleanup_(child_freep) Child *again = NULL;
        Child *other = NULL;
        int code, status;

        (void)data;
        assert_int_equal(child_adopt(child_get_pid(child), child_get_start_time(child), &again, NULL), 0);
        assert_int_equal(child_adopt(child_get_pid(child), child_get_start_time(child) + 1, &other, NULL),
                         -ESRCH);
        assert_null(other);
        assert_int_equal(child_signal(again, SIGKILL), 0);
        assert_int_equal(child_wait(child, DEADLINE_NEVER, &code, &status), 0);
}

static void a_missing_program_is_named(void *data)
{
        ChildOptions options = { .arguments = (const char *const[]){ "/nowhere/tool", NULL },
                                 .stdin_fd = -EBADF,
                                 .stdout_fd = -EBADF,
                                 .stderr_fd = -EBADF };
        _cleanup_(error_clear) Error error = {};
        Child *child = NULL;

        (void)data;
        assert_int_equal(child_spawn(&options, DEADLINE_NEVER, &child, &error), -ENOENT);
        assert_non_null(strstr(error.message, "/nowhere/tool"));
}

typedef struct Lease {
        int fd;
        bool is_given_back;
} Lease;

/* Another fiber, while the first waits for exec. */
static void give_back(void *data)
{
        Lease *lease = data;

        assert_int_equal(await_turn(), 0);
        lease->is_given_back = true;
        assert_int_equal(close(lease->fd), 0);
}

/* Whoever has a lease of the program's file is asked to give it back before it is opened. */
static void others_run_until_it_is_executed(void *data)
{
        _cleanup_(freep) char *folder = g_dir_make_tmp("virtbus-child-XXXXXX", NULL);
        _cleanup_(freep) char *path = g_build_filename(folder, "tool", NULL);
        ChildOptions options = { .arguments = (const char *const[]){ path, NULL },
                                 .stdin_fd = -EBADF,
                                 .stdout_fd = -EBADF,
                                 .stderr_fd = -EBADF };
        _cleanup_(error_clear) Error error = {};
        _cleanup_(child_freep) Child *child = NULL;
        int code, status;

        (void)data;
        assert_true(g_file_set_contents(path, "#!/bin/sh\nexit 7\n", -1, NULL));
        assert_int_equal(chmod(path, 0700), 0);
        Lease lease = { .fd = open(path, O_RDONLY | O_CLOEXEC) };

        assert_true(lease.fd >= 0);
        assert_true(signal(SIGIO, SIG_IGN) != SIG_ERR); /* by which it is asked for */
        if (fcntl(lease.fd, F_SETLEASE, F_WRLCK) < 0)
                skip(); /* not every file system has them */
        assert_int_equal(fiber_start("other", give_back, &lease), 0);
        if (child_spawn(&options, DEADLINE_NEVER, &child, &error) < 0)
                fail_msg("%s", error.message);
        assert_true(lease.is_given_back);
        assert_int_equal(child_wait(child, DEADLINE_NEVER, &code, &status), 0);
        assert_int_equal(status, 7);
        assert_int_equal(unlink(path) | rmdir(folder), 0);
}

static int run(const char *script, const char *input, size_t max, uint64_t deadline_usec, char **ret_output,
               Error *error)
{
        ChildOptions options = {
                .arguments = SHELL(script), .stdin_fd = -EBADF, .stdout_fd = -EBADF, .stderr_fd = -EBADF
        };
        size_t size;

        return child_run(&options, input, input ? strlen(input) : 0, max, deadline_usec, ret_output, &size,
                         error);
}

static void a_tool_gives_its_output(void *data)
{
        _cleanup_(freep) char *output = NULL;

        (void)data;
        assert_int_equal(run("tr a-z A-Z", "hello", 100, DEADLINE_NEVER, &output, NULL), 0);
        assert_string_equal(output, "HELLO");
}

static void a_tool_that_fails_says_why(void *data)
{
        _cleanup_(error_clear) Error failed = {}, endless = {}, slow = {};
        char *output = NULL;

        (void)data;
        assert_true(run("echo no such volume >&2; exit 3", NULL, 100, DEADLINE_NEVER, &output, &failed) < 0);
        assert_non_null(strstr(failed.message, "no such volume"));
        assert_non_null(strstr(failed.message, "3"));
        assert_true(run("yes", NULL, 1000, DEADLINE_NEVER, &output, &endless) < 0);
        assert_int_equal(run("exec sleep 60", NULL, 100, deadline_after_usec(2000), &output, &slow),
                         -ETIMEDOUT);
        assert_null(output);
}

/* Its own three, what it was given, and nothing else; a clean environment. */
static void it_gets_no_more_than_it_needs(void *data)
{
        _cleanup_(freep) char *output = NULL;

        (void)data;
        assert_int_equal(setenv("VIRTBUS_SECRET", "x", 1), 0);
        assert_int_equal(run("ls /proc/self/fd | wc -l; echo [$VIRTBUS_SECRET]; umask", NULL, 100,
                             DEADLINE_NEVER, &output, NULL),
                         0);
        assert_string_equal(output, "4\n[]\n0077\n"); /* the fourth is the folder that ls reads */
}

static void its_messages_have_an_end(void *data)
{
        _cleanup_(closep) int fd = child_messages_open(100, NULL);
        ChildOptions options = { .arguments = SHELL("while echo x; do :; done; exit 3"),
                                 .stdin_fd = -EBADF,
                                 .stdout_fd = fd,
                                 .stderr_fd = fd };
        _cleanup_(child_freep) Child *child = NULL;
        struct stat file;
        char text[101];
        int code, status;

        (void)data;
        assert_true(fd >= 0);
        assert_int_equal(child_spawn(&options, DEADLINE_NEVER, &child, NULL), 0);
        assert_int_equal(child_wait(child, DEADLINE_NEVER, &code, &status), 0);
        assert_int_equal(code, CLD_EXITED);
        assert_int_equal(status, 3);
        assert_int_equal(fstat(fd, &file), 0);
        assert_int_equal(file.st_size, 100);
        assert_int_equal(pread(fd, text, sizeof text, 0), 100);
        assert_memory_equal(text, "x\nx\n", 4);
}

#define RUNS(name)                                                                                          \
        static void test_##name(void **state)                                                               \
        {                                                                                                   \
                (void)state;                                                                                \
                on_fiber(name, NULL);                                                                       \
        }
RUNS(its_end_is_told)
RUNS(a_signal_ends_it)
RUNS(it_is_taken_back_by_pid_and_start_time)
RUNS(a_missing_program_is_named)
RUNS(others_run_until_it_is_executed)
RUNS(a_tool_gives_its_output)
RUNS(a_tool_that_fails_says_why)
RUNS(it_gets_no_more_than_it_needs)
RUNS(its_messages_have_an_end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_its_end_is_told),
                cmocka_unit_test(test_a_signal_ends_it),
                cmocka_unit_test(test_it_is_taken_back_by_pid_and_start_time),
                cmocka_unit_test(test_a_missing_program_is_named),
                cmocka_unit_test(test_others_run_until_it_is_executed),
                cmocka_unit_test(test_a_tool_gives_its_output),
                cmocka_unit_test(test_a_tool_that_fails_says_why),
                cmocka_unit_test(test_it_gets_no_more_than_it_needs),
                cmocka_unit_test(test_its_messages_have_an_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
