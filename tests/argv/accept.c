/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes a key for secrets, opens what the line wants opened, spawns, connects, asks for the status, quits.
 */

#include "tests/argv/accept.h"
#include "core/child.h"
#include "core/loop.h"
#include "drivers/qemu/qmp.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define TIMEOUT_USEC (60 * G_USEC_PER_SEC)

static void ignore_event(const char *name, json_t *arguments, void *data)
{
        (void)name;
        (void)arguments;
        (void)data;
}

static void ignore_end(const char *reason, void *data)
{
        (void)reason;
        (void)data;
}

static const QmpHandlers handlers = { .event = ignore_event, .closed = ignore_end };

static int listen_at(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int make_key(const char *folder, Error *error)
{
        g_autofree char *path = g_build_filename(folder, MASTER_KEY_FILE, NULL);

        if (!g_file_set_contents(path, "0123456789abcdef0123456789abcdef", 32, NULL))
                return error_set(error, ERROR_INTERNAL, "Cannot write %s", path);
        return 0;
}

static int open_all(const CommandLine *line, int *fds, Error *error)
{
        for (unsigned i = 0; i < line->sockets->len; i++) {
                const PassedSocket *passed = g_ptr_array_index(line->sockets, i);

                fds[passed->fd - 3] = listen_at(passed->path);
                if (fds[passed->fd - 3] < 0)
                        return error_set_errno(error, fds[passed->fd - 3], "Cannot listen at %s",
                                               passed->path);
        }
        for (unsigned i = 0; i < line->files->len; i++) {
                const PassedFile *passed = g_ptr_array_index(line->files, i);

                fds[passed->fd - 3] =
                        open(passed->path, (passed->is_writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
                if (fds[passed->fd - 3] < 0)
                        return error_set_errno(error, errno, "Cannot open %s", passed->path);
        }
        return 0;
}

static int talk(const CommandLine *line, Error *error)
{
        const PassedSocket *monitor = g_ptr_array_index(line->sockets, 0);
        _cleanup_(qmp_freep) Qmp *qmp = NULL;
        _cleanup_(json_decrefp) json_t *status = NULL;
        uint64_t deadline = deadline_after_usec(TIMEOUT_USEC);
        int r;

        r = qmp_connect(monitor->path, &handlers, NULL, &qmp, error);
        if (r < 0)
                return r;
        QmpCommand *greeting = qmp_send_capabilities(qmp);

        r = qmp_call(qmp, "query-status", NULL, deadline, &status, error);
        qmp_command_free(greeting);
        if (r >= 0 && g_strcmp0(json_string_value(json_object_get(status, "status")), "prelaunch") != 0)
                r = error_set(error, ERROR_OPERATION_FAILED, "The guest runs already");
        return r < 0 ? r : qmp_call(qmp, "quit", NULL, deadline, NULL, error);
}

static void add_words(int log_fd, Error *error)
{
        char words[4096] = "";

        if (pread(log_fd, words, sizeof(words) - 1, 0) > 0)
                error_prefix(error, "%s", words);
}

int line_accept(const CommandLine *line, const char *folder, Error *error)
{
        size_t n_fds = line->next_fd - 3;
        g_autofree int *fds = g_new(int, n_fds);
        _cleanup_(closep) int log_fd = memfd_create("qemu-words", MFD_CLOEXEC);
        _cleanup_(child_freep) Child *child = NULL;
        g_autoptr(GPtrArray) arguments = g_ptr_array_new();
        int code = 0, status = 0, r;

        for (unsigned i = 0; i < line->arguments->len; i++)
                g_ptr_array_add(arguments, g_ptr_array_index(line->arguments, i));
        g_ptr_array_add(arguments, NULL);
        for (size_t i = 0; i < n_fds; i++)
                fds[i] = -EBADF;
        r = make_key(folder, error);
        if (r >= 0)
                r = open_all(line, fds, error);
        if (r >= 0) {
                const ChildOptions options = {
                        .arguments = (const char *const *)arguments->pdata,
                        .fds = fds,
                        .n_fds = n_fds,
                        .stdin_fd = -EBADF,
                        .stdout_fd = -EBADF,
                        .stderr_fd = log_fd,
                        .folder = folder,
                };

                r = child_spawn(&options, deadline_after_usec(TIMEOUT_USEC), &child, error);
        }
        for (size_t i = 0; i < n_fds; i++)
                closep(&fds[i]);
        if (r < 0)
                return r;
        r = talk(line, error);
        if (r < 0)
                (void)child_signal(child, SIGKILL);
        if (child_wait(child, deadline_after_usec(TIMEOUT_USEC), &code, &status) < 0)
                return error_set(error, ERROR_TIMED_OUT, "QEMU does not end");
        if (r >= 0 && (code != CLD_EXITED || status != 0))
                r = error_set(error, ERROR_OPERATION_FAILED, "QEMU ended with %d", status);
        if (r < 0)
                add_words(log_fd, error);
        return r;
}
