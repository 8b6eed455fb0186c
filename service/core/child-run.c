/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tools that run to their end: input in, output out, both bounded. */

#include "core/await.h"
#include "core/child-private.h"
#include "core/child.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ERROR_OUTPUT_MAX 4096u

typedef struct Stream {
        int fd; /* ours, non-blocking; -EBADF when it has ended */
        GString *text;
        size_t max_size;
        void (*seen)(const char *text, size_t size, void *data); /* instead of keeping it */
        void *data;
} Stream;

static void stream_close(Stream *stream)
{
        closep(&stream->fd);
        stream->fd = -EBADF;
}

static void stream_done(Stream *stream)
{
        stream_close(stream);
        string_builder_freep(&stream->text);
        stream->text = NULL;
}

/* Reads what is there. -EFBIG when it is too much. */
static int stream_read(Stream *stream)
{
        char chunk[4096];

        while (stream->fd >= 0) {
                ssize_t n = read(stream->fd, chunk, sizeof(chunk) - 1);

                if (n < 0)
                        return errno == EAGAIN ? 0 : errno == EINTR ? 0 : -errno;
                if (n == 0)
                        stream_close(stream);
                else if (stream->seen)
                        chunk[n] = 0, stream->seen(chunk, (size_t)n, stream->data);
                else if (stream->text->len + (size_t)n > stream->max_size)
                        return -EFBIG;
                else
                        g_string_append_len(stream->text, chunk, n);
        }
        return 0;
}

/* The input is a file in memory: the tool reads it when it likes. */
static int make_input(const char *input, size_t size)
{
        _cleanup_(closep) int fd = memfd_create("input", MFD_CLOEXEC);

        if (fd < 0)
                return -errno;
        for (size_t done = 0; done < size;) {
                ssize_t n = pwrite(fd, input + done, size - done, (off_t)done);

                if (n < 0 && errno != EINTR)
                        return -errno;
                done += n > 0 ? (size_t)n : 0;
        }
        return TAKE_FD(fd);
}

/* Makes a pipe whose reading end belongs to the stream, watched by `poll_fd`. */
static int stream_open(Stream *stream, size_t max_size, int poll_fd, int *ret_write_fd)
{
        struct epoll_event event = { .events = EPOLLIN };
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        *stream = (Stream){ .fd = fds[0], .text = g_string_new(NULL), .max_size = max_size };
        *ret_write_fd = fds[1];
        if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, fds[0], &event) < 0)
                return -errno;
        return 0;
}

static int collect(Stream *output, Stream *errors, int poll_fd, uint64_t deadline_usec)
{
        for (;;) {
                int r = stream_read(output);

                if (r >= 0)
                        r = stream_read(errors);
                if (r < 0 || (output->fd < 0 && errors->fd < 0))
                        return r;
                r = await_fd(poll_fd, EPOLLIN, deadline_usec);
                if (r < 0)
                        return r;
        }
}

static int explain(const char *tool, const Stream *errors, size_t max_output, int result, int code,
                   int status, Error *error)
{
        if (result == -EFBIG)
                return error_set(error, ERROR_OPERATION_FAILED, "%s wrote more than %zu bytes", tool,
                                 max_output);
        if (result < 0)
                return error_set_errno(error, result, "%s did not finish", tool);
        if (code == CLD_EXITED && status == 0)
                return 0;
        return error_set(error, ERROR_OPERATION_FAILED, "%s %s %d: %s", tool,
                         code == CLD_EXITED ? "ended with status" : "was killed by signal", status,
                         g_strchomp(errors->text->str));
}

/* The tool is ours alone: whatever happened, it is gone when we return, and makes nothing any more of what
 * our caller removes then. */
static int finish(Child *child, int result, int *ret_code, int *ret_status)
{
        if (result >= 0)
                result = child_wait(child, DEADLINE_NEVER, ret_code, ret_status);
        if (result < 0)
                child_kill_and_wait(child);
        return result;
}

static int run(ChildOptions *options, int poll_fd, Stream *output, Stream *errors, size_t max_output,
               uint64_t deadline_usec, Error *error)
{
        _cleanup_(closep) int output_fd = -EBADF, errors_fd = -EBADF;
        _cleanup_(child_freep) Child *child = NULL;
        int code = 0, status = 0;
        int r = stream_open(output, max_output, poll_fd, &output_fd);

        if (r >= 0)
                r = stream_open(errors, max_output + ERROR_OUTPUT_MAX, poll_fd, &errors_fd);
        if (r < 0)
                return error_set_errno(error, r, "Cannot start %s", options->arguments[0]);
        output->seen = options->output_seen;
        output->data = options->output_data;
        options->stdout_fd = output_fd;
        options->stderr_fd = errors_fd;
        r = child_spawn(options, deadline_usec, &child, error);
        if (r < 0)
                return r;
        closep(&output_fd);
        closep(&errors_fd);
        output_fd = errors_fd = -EBADF;
        r = collect(output, errors, poll_fd, deadline_usec);
        r = finish(child, r, &code, &status);
        return explain(options->arguments[0], errors, max_output, r, code, status, error);
}

int child_run(const ChildOptions *options, const char *input, size_t input_size, size_t max_output,
              uint64_t deadline_usec, char **ret_output, size_t *ret_size, Error *error)
{
        _cleanup_(closep) int poll_fd = epoll_create1(EPOLL_CLOEXEC);
        _cleanup_(closep) int input_fd = input ? make_input(input, input_size) : -EBADF;
        _cleanup_(stream_done) Stream output = { .fd = -EBADF }, errors = { .fd = -EBADF };
        ChildOptions all = *options;

        if (poll_fd < 0 || (input && input_fd < 0))
                return error_set_errno(error, errno, "Cannot start %s", options->arguments[0]);
        all.stdin_fd = input_fd;

        int r = run(&all, poll_fd, &output, &errors, max_output, deadline_usec, error);

        if (r < 0)
                return r;
        if (ret_size)
                *ret_size = output.text->len;
        if (ret_output)
                *ret_output = g_string_free(TAKE_PTR(output.text), FALSE);
        return 0;
}
