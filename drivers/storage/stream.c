/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A worker moves what can be moved without waiting for the other side, at most a step; the fiber waits,
 * tells how far it came, and sees that it was cancelled. Pipes are opened anew, because O_NONBLOCK would
 * otherwise be the caller's, too. */

#include "drivers/storage/stream.h"
#include "core/await.h"
#include "core/worker.h"
#include "drivers/storage/device.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define STEP_BYTES   (64 * 1024 * 1024)
#define BUFFER_BYTES (1024 * 1024)
#define SPARSE_BLOCK (64 * 1024)

typedef struct Step Step;
struct Step {
        int (*function)(Step *step); /* STEP_*, or a negative errno */
        Stream *stream;
        int file;
        uint64_t offset, left, count; /* of the file; `count` grows */
        bool is_sparse;
        uint8_t *buffer;
        size_t buffered, sent; /* in the buffer: bytes on their way to a stream */
};

enum { STEP_DONE, STEP_MORE, STEP_WAIT };

void stream_clear(Stream *stream)
{
        closep(&stream->fd);
        stream->fd = -EBADF;
}

static int open_pipe(int fd, bool is_reading, int *ret_fd)
{
        char path[64];

        g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        *ret_fd = open(path, (is_reading ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (*ret_fd < 0)
                return -errno;
        (void)fcntl(*ret_fd, F_SETPIPE_SZ, BUFFER_BYTES); /* faster where the kernel allows it */
        return 0;
}

static int duplicate(int fd, int *ret_fd)
{
        *ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return *ret_fd < 0 ? -errno : 0;
}

static int open_file(int fd, int flags, Stream *stream, Error *error)
{
        off_t position = lseek(fd, 0, SEEK_CUR);

        if (flags & O_APPEND)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The file is open for appending: holes could not be kept");
        if (position < 0)
                return error_set_errno(error, errno, "Cannot use the file");
        stream->kind = STREAM_FILE;
        stream->position = (uint64_t)position;
        return 0;
}

static bool is_stream_socket(int fd)
{
        int type = 0;
        socklen_t size = sizeof type;

        return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) >= 0 && type == SOCK_STREAM;
}

int stream_open(int fd, bool is_reading, Stream *ret_stream, Error *error)
{
        int flags = fcntl(fd, F_GETFL), r = 0;
        Stream stream = { .fd = -EBADF };
        struct stat stat;

        if (flags < 0 || fstat(fd, &stat) < 0)
                return error_set_errno(error, errno, "Cannot use the descriptor");
        if ((flags & O_ACCMODE) == (is_reading ? O_WRONLY : O_RDONLY) || flags & O_PATH)
                return error_set(error, ERROR_INVALID_ARGUMENT, "The descriptor is not open for %s",
                                 is_reading ? "reading" : "writing");
        if (S_ISREG(stat.st_mode))
                r = open_file(fd, flags, &stream, error);
        else if (S_ISFIFO(stat.st_mode))
                stream.kind = STREAM_PIPE;
        else if (S_ISSOCK(stat.st_mode) && is_stream_socket(fd))
                stream.kind = STREAM_SOCKET;
        else
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The descriptor is neither a pipe nor a stream socket nor a regular file");
        if (r < 0)
                return r;
        r = stream.kind == STREAM_PIPE ? open_pipe(fd, is_reading, &stream.fd) : duplicate(fd, &stream.fd);
        if (r < 0)
                return error_set_errno(error, r, "Cannot use the descriptor");
        *ret_stream = stream;
        return 0;
}

uint64_t stream_rest(const Stream *stream)
{
        struct stat stat;

        if (stream->kind != STREAM_FILE || device_stat(stream->fd, &stat) < 0 ||
            (uint64_t)stat.st_size <= stream->position)
                return 0;
        return (uint64_t)stat.st_size - stream->position;
}

static int write_all(int file, const uint8_t *data, size_t size, uint64_t offset)
{
        while (size > 0) {
                ssize_t n = pwrite(file, data, size, (off_t)offset);

                if (n < 0)
                        return -errno;
                data += n;
                size -= (size_t)n;
                offset += (uint64_t)n;
        }
        return 0;
}

static bool is_zero(const uint8_t *data, size_t size)
{
        return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* What is not written reads as zeroes, as nothing was there. */
static int write_sparse(int file, const uint8_t *data, size_t size, uint64_t offset)
{
        while (size > 0) {
                size_t n = MIN(size, SPARSE_BLOCK - offset % SPARSE_BLOCK);
                int r = is_zero(data, n) ? 0 : write_all(file, data, n, offset);

                if (r < 0)
                        return r;
                data += n;
                size -= n;
                offset += n;
        }
        return 0;
}

static int store(Step *step, const uint8_t *data, size_t size)
{
        int r = step->is_sparse ? write_sparse(step->file, data, size, step->offset)
                                : write_all(step->file, data, size, step->offset);

        if (r < 0)
                return r;
        step->offset += size;
        step->left -= size;
        step->count += size;
        return 0;
}

/* A pipe is a socket that has no flags. */
static ssize_t receive(const Stream *stream, void *buffer, size_t size)
{
        return stream->kind == STREAM_SOCKET ? recv(stream->fd, buffer, size, MSG_DONTWAIT)
                                             : read(stream->fd, buffer, size);
}

static int read_step(Step *step)
{
        for (uint64_t moved = 0; moved < STEP_BYTES && step->left > 0;) {
                ssize_t n = receive(step->stream, step->buffer, (size_t)MIN(BUFFER_BYTES, step->left));
                int r = n < 0 ? -errno : 0;

                if (r == -EAGAIN)
                        return STEP_WAIT;
                if (r == -EINTR)
                        continue;
                if (n == 0)
                        return STEP_DONE;
                if (r >= 0)
                        r = store(step, step->buffer, (size_t)n);
                if (r < 0)
                        return r;
                moved += (uint64_t)n;
        }
        return step->left > 0 ? STEP_MORE : STEP_DONE;
}

/* By the kernel, which may share blocks, or else through the buffer; 0 at the end of the source. */
static ssize_t copy_some(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t size,
                         uint8_t *buffer)
{
        off_t from_at = (off_t)from_offset, to_at = (off_t)to_offset;
        ssize_t n = copy_file_range(from, &from_at, to, &to_at, (size_t)MIN(size, STEP_BYTES), 0);
        int r;

        if (n > 0 || (n < 0 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS &&
                      errno != EBADF))
                return n < 0 ? -errno : n;
        n = pread(from, buffer, (size_t)MIN(size, BUFFER_BYTES), (off_t)from_offset);
        if (n <= 0)
                return n < 0 ? -errno : 0;
        r = write_all(to, buffer, (size_t)n, to_offset);
        return r < 0 ? r : n;
}

/* The next stretch of data at or behind `at`, cut at `end`; all of it is data where nobody knows. */
static int find_data(int file, uint64_t at, uint64_t end, uint64_t *ret_from, uint64_t *ret_to)
{
        off_t from = lseek(file, (off_t)at, SEEK_DATA), to;

        *ret_from = *ret_to = end;
        if (from < 0 && errno == ENXIO)
                return 0;
        if (from < 0) {
                *ret_from = at;
                return errno == EINVAL ? 0 : -errno;
        }
        to = lseek(file, from, SEEK_HOLE);
        if (to < 0)
                return -errno;
        *ret_from = MIN((uint64_t)from, end);
        *ret_to = MIN((uint64_t)to, end);
        return 0;
}

/* A hole, where the target may have something. */
static int make_hole(int file, uint64_t from, uint64_t to, uint8_t *buffer)
{
        struct stat stat;
        int r = device_stat(file, &stat);

        if (r < 0)
                return r;
        to = MIN(to, (uint64_t)stat.st_size); /* what is behind the end is a hole when it grows */
        if (from >= to || fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
                                    (off_t)(to - from)) >= 0)
                return 0;
        memset(buffer, 0, BUFFER_BYTES);
        while (from < to) {
                size_t n = (size_t)MIN(BUFFER_BYTES, to - from);

                r = write_all(file, buffer, n, from);
                if (r < 0)
                        return r;
                from += n;
        }
        return 0;
}

typedef struct Ends {
        int from, to;
        uint64_t from_at, to_at;
} Ends;

static int file_step(Step *step, Ends *ends)
{
        struct stat stat;
        uint64_t end, data, data_end, hole;
        int r;

        r = device_stat(ends->from, &stat);
        if (r < 0)
                return r;
        end = (uint64_t)stat.st_size > ends->from_at ? (uint64_t)stat.st_size : ends->from_at;
        end = MIN(end - ends->from_at, step->left) + ends->from_at;
        if (end == ends->from_at)
                return STEP_DONE;
        r = find_data(ends->from, ends->from_at, end, &data, &data_end);
        if (r < 0)
                return r;
        hole = data - ends->from_at;
        r = hole > 0 ? make_hole(ends->to, ends->to_at, ends->to_at + hole, step->buffer) : 0;
        if (r < 0)
                return r;
        ends->from_at += hole;
        ends->to_at += hole;
        for (uint64_t stop = MIN(data_end, data + STEP_BYTES); ends->from_at < stop;) {
                ssize_t n = copy_some(ends->from, ends->from_at, ends->to, ends->to_at, stop - ends->from_at,
                                      step->buffer);

                if (n <= 0)
                        return n < 0 ? (int)n : STEP_DONE;
                ends->from_at += (uint64_t)n;
                ends->to_at += (uint64_t)n;
        }
        return STEP_MORE;
}

static int set_size(int file, uint64_t size)
{
        struct stat stat;

        if (fstat(file, &stat) < 0)
                return -errno;
        return (uint64_t)stat.st_size < size && ftruncate(file, (off_t)size) < 0 ? -errno : 0;
}

static void step_on(Step *step, uint64_t moved)
{
        step->offset += moved;
        step->stream->position += moved;
        step->left -= moved;
        step->count += moved;
}

static int from_file_step(Step *step)
{
        Ends ends = { step->stream->fd, step->file, step->stream->position, step->offset };
        int r;

        if (step->is_sparse) { /* through the buffer, which is looked at */
                ssize_t n = pread(ends.from, step->buffer, (size_t)MIN(BUFFER_BYTES, step->left),
                                  (off_t)ends.from_at);

                if (n <= 0)
                        return n < 0 ? -errno : STEP_DONE;
                step->stream->position += (uint64_t)n;
                r = store(step, step->buffer, (size_t)n);
                return r < 0 ? r : STEP_MORE;
        }
        r = file_step(step, &ends);
        step_on(step, ends.from_at - step->stream->position);
        return r;
}

static int to_file_step(Step *step)
{
        Ends ends = { step->file, step->stream->fd, step->offset, step->stream->position };
        int r = file_step(step, &ends);

        step_on(step, ends.from_at - step->offset);
        if (r == STEP_DONE)
                r = set_size(ends.to, step->stream->position);
        return r;
}

static ssize_t transmit(const Stream *stream, const void *data, size_t size)
{
        return stream->kind == STREAM_SOCKET ? send(stream->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                             : write(stream->fd, data, size);
}

static int write_step(Step *step)
{
        for (uint64_t moved = 0; moved < STEP_BYTES;) {
                ssize_t n;

                if (step->sent == step->buffered) {
                        n = pread(step->file, step->buffer, (size_t)MIN(BUFFER_BYTES, step->left),
                                  (off_t)step->offset);
                        if (n <= 0)
                                return n < 0 ? -errno : STEP_DONE;
                        step->offset += (uint64_t)n;
                        step->left -= (uint64_t)n;
                        step->buffered = (size_t)n;
                        step->sent = 0;
                }
                n = transmit(step->stream, step->buffer + step->sent, step->buffered - step->sent);
                if (n < 0 && errno != EINTR)
                        return errno == EAGAIN ? STEP_WAIT : -errno;
                step->sent += n > 0 ? (size_t)n : 0;
                step->count += n > 0 ? (uint64_t)n : 0;
                moved += n > 0 ? (uint64_t)n : 0;
        }
        return STEP_MORE;
}

static int run_step(void *data)
{
        Step *step = data;

        return step->function(step);
}

static int move_all(Step *step, const StreamMove *move, uint32_t events, Error *error) AWAITS
{
        int r;

        do {
                r = fiber_current() ? worker_finish(run_step, step) : run_step(step);
                if (move->progress)
                        move->progress(step->count, move->data);
                if (r == STEP_WAIT) {
                        r = await_fd(step->stream->fd, events, DEADLINE_NEVER);
                        r = r < 0 ? r : STEP_MORE;
                }
                if (fiber_current() && fiber_is_cancelled(fiber_current()))
                        return error_set(error, ERROR_CANCELLED,
                                         "The volume '%s': cancelled at byte %" PRIu64, move->name,
                                         step->count);
                if (r == -ENOSPC || r == -EDQUOT)
                        return error_set(error, ERROR_NO_SPACE,
                                         "The volume '%s': no room after byte %" PRIu64, move->name,
                                         step->count);
                if (r < 0)
                        return error_set_errno(error, r, "The volume '%s': stopped at byte %" PRIu64,
                                               move->name, step->count);
        } while (r > STEP_DONE);
        return r;
}

static int run_move(Stream *stream, const StreamMove *move, int (*function)(Step *step), uint32_t events,
                    uint64_t *ret_count, Error *error) AWAITS
{
        _cleanup_(freep) uint8_t *buffer = g_malloc(BUFFER_BYTES);
        Step step = { .function = function,
                      .stream = stream,
                      .file = move->file,
                      .offset = move->offset,
                      .left = move->length,
                      .is_sparse = move->is_sparse,
                      .buffer = buffer };
        int r = move_all(&step, move, events, error);

        if (r < 0)
                return r;
        /* As reading and writing would have done. */
        if (stream->kind == STREAM_FILE)
                (void)lseek(stream->fd, (off_t)stream->position, SEEK_SET);
        *ret_count = step.count;
        return 0;
}

int stream_read_into(Stream *stream, const StreamMove *move, uint64_t *ret_count, Error *error)
{
        return run_move(stream, move, stream->kind == STREAM_FILE ? from_file_step : read_step, EPOLLIN,
                        ret_count, error);
}

int stream_write_from(Stream *stream, const StreamMove *move, uint64_t *ret_count, Error *error)
{
        return run_move(stream, move, stream->kind == STREAM_FILE ? to_file_step : write_step, EPOLLOUT,
                        ret_count, error);
}
