/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The byte stream under qmp.c and agent.c: cuts what arrives into lines, parses each, and hands it up; sends
 * in order what does not fit into the socket at once. The limits are here. One chunk is read per turn of the
 * loop, after a full one with the bus's priority, so that a monitor that never stops talking cannot keep the
 * loop from others; and a stream that has used up its allowance of messages is not read at all until it has
 * some again, so that the flood stays in the sender's memory. */

#include "drivers/qemu/json-stream.h"
#include "core/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* What a stream that is drained may still have to say, in chunks. */
#define DRAIN_READS_MAX 64
#define CHUNK_SIZE      16384u
/* How long a stream without allowance rests: some messages are worth a wake-up. */
#define REST_USEC 20000u

typedef struct Unsent {
        GBytes *bytes;
        size_t done;
        int fd;
} Unsent;

struct JsonStream {
        unsigned refs; /* the owner's, and one while handlers run */
        int fd;
        const JsonStreamHandlers *handlers;
        void *data;
        sd_event_source *source, *rest;
        GString *line;   /* begun and not ended yet */
        size_t n_values; /* in the line so far */
        GQueue unsent;
        size_t unsent_size;
        unsigned allowance; /* messages; refilled with time */
        uint64_t refilled_usec;
        bool is_closed, is_flooded;
};

static void unsent_free(void *data)
{
        Unsent *unsent = data;

        g_bytes_unref(unsent->bytes);
        closep(&unsent->fd);
        g_free(unsent);
}

static JsonStream *stream_unref(JsonStream *stream)
{
        if (stream && --stream->refs == 0) {
                json_stream_close(stream);
                g_string_free(stream->line, TRUE);
                g_free(stream);
        }
        return NULL;
}
DEFINE_CLEANUP(JsonStream, stream_unref)

JsonStream *json_stream_free(JsonStream *stream)
{
        if (stream)
                json_stream_close(stream);
        return stream_unref(stream);
}

void json_stream_close(JsonStream *stream)
{
        if (stream->is_closed)
                return;
        stream->is_closed = true;
        stream->source = sd_event_source_disable_unref(stream->source);
        stream->rest = sd_event_source_disable_unref(stream->rest);
        g_queue_clear_full(&stream->unsent, unsent_free);
        stream->unsent_size = 0;
        closep(&stream->fd);
        stream->fd = -EBADF;
}

/* The end, told to the owner. `reason` NULL: the other side hung up. */
static void fail(JsonStream *stream, const char *reason)
{
        if (stream->is_closed)
                return;
        json_stream_close(stream);
        stream->handlers->closed(reason, stream->data);
}

/* Receiving */

static void allowance_refill(JsonStream *stream)
{
        uint64_t now = loop_now_usec();
        uint64_t more = (now - stream->refilled_usec) * JSON_MESSAGES_PER_SECOND / 1000000;

        if (more == 0)
                return;
        stream->allowance = (unsigned)MIN(stream->allowance + more, JSON_MESSAGES_BURST);
        stream->refilled_usec = now;
}

/* QEMU sends unsigned numbers of 64 bits, all ones for "not known"; jansson's integers are signed. Those
 * that do not fit become the greatest that does, of as many digits or fewer, in place. */
static void numbers_clamp(GString *line)
{
        static const char greatest[] = "9223372036854775807";
        const size_t n_greatest = sizeof greatest - 1;
        bool in_string = false;

        for (size_t i = 0; i < line->len; i++) {
                size_t n = 0;

                if (in_string && line->str[i] == '\\')
                        i++;
                else if (line->str[i] == '"')
                        in_string = !in_string;
                if (in_string || !g_ascii_isdigit(line->str[i]))
                        continue;
                while (g_ascii_isdigit(line->str[i + n]))
                        n++;
                if (n > n_greatest || (n == n_greatest && memcmp(line->str + i, greatest, n) > 0)) {
                        memset(line->str + i, ' ', n);
                        memcpy(line->str + i + n - n_greatest, greatest, n_greatest);
                }
                i += n - 1;
        }
}

static void line_parse(JsonStream *stream)
{
        _cleanup_(json_decrefp) json_t *message = NULL;
        json_error_t problem;

        message = json_loadb(stream->line->str, stream->line->len, JSON_REJECT_DUPLICATES, &problem);
        if (!message && json_error_code(&problem) == json_error_numeric_overflow) {
                numbers_clamp(stream->line);
                message = json_loadb(stream->line->str, stream->line->len, JSON_REJECT_DUPLICATES, &problem);
        }
        g_string_truncate(stream->line, 0);
        stream->n_values = 0;
        if (!json_is_object(message)) {
                fail(stream, "it sent a line that is no JSON object");
                return;
        }
        if (stream->allowance > 0)
                stream->allowance--;
        stream->handlers->message(message, stream->data);
}

static bool is_blank(const GString *line)
{
        for (size_t i = 0; i < line->len; i++)
                if (!g_ascii_isspace(line->str[i]))
                        return false;
        return true;
}

/* Adds a piece of a line; false if the line is beyond the limits. */
static bool line_append(JsonStream *stream, const char *bytes, size_t size)
{
        if (stream->line->len + size > JSON_LINE_MAX) {
                fail(stream, "it sent a line that is too long");
                return false;
        }
        for (size_t i = 0; i < size; i++)
                stream->n_values += bytes[i] == ',' || bytes[i] == '[' || bytes[i] == '{';
        if (stream->n_values > JSON_VALUES_MAX) {
                fail(stream, "it sent a line with too many values");
                return false;
        }
        g_string_append_len(stream->line, bytes, (gssize)size);
        return true;
}

void json_stream_receive(JsonStream *stream, const char *bytes, size_t size)
{
        _cleanup_(stream_unrefp) JsonStream *keep = stream;

        keep->refs++;
        while (size > 0 && !stream->is_closed) {
                const char *end = memchr(bytes, '\n', size);
                size_t used = end ? (size_t)(end - bytes) : size;

                if (!line_append(stream, bytes, used))
                        return;
                if (end) {
                        used++;
                        if (is_blank(stream->line))
                                g_string_truncate(stream->line, 0);
                        else
                                line_parse(stream);
                }
                bytes += used;
                size -= used;
        }
        /* A long line's buffer is not kept for the short ones that follow. */
        if (stream->line->len == 0 && stream->line->allocated_len > 4 * CHUNK_SIZE) {
                g_string_free(stream->line, TRUE);
                stream->line = g_string_sized_new(256);
        }
}

static void watch(JsonStream *stream)
{
        uint32_t events = stream->allowance > 0 ? EPOLLIN : 0;

        if (stream->is_closed)
                return;
        if (!g_queue_is_empty(&stream->unsent))
                events |= EPOLLOUT;
        (void)sd_event_source_set_io_events(stream->source,
                                            events); /* fails only for a source that is not ours */
}

static int rest_over(sd_event_source *source, uint64_t usec, void *data)
{
        JsonStream *stream = data;

        (void)source;
        (void)usec;
        allowance_refill(stream);
        watch(stream);
        return 0;
}

/* No more reading until the allowance has grown again. */
static int rest_begin(JsonStream *stream)
{
        int r;

        if (!stream->is_flooded) {
                stream->is_flooded = true;
                if (stream->handlers->flooded)
                        stream->handlers->flooded(stream->data);
                if (stream->is_closed)
                        return 0;
        }
        stream->rest = sd_event_source_disable_unref(stream->rest);
        r = sd_event_add_time(loop_get(), &stream->rest, CLOCK_MONOTONIC, loop_now_usec() + REST_USEC, 1000,
                              rest_over, stream);
        return r < 0 ? r : sd_event_source_set_priority(stream->rest, LOOP_PRIORITY_IDLE);
}

static void stream_read(JsonStream *stream)
{
        char chunk[CHUNK_SIZE];
        ssize_t n;

        n = recv(stream->fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                fail(stream, n < 0 && errno != ECONNRESET ? g_strerror(errno) : NULL);
                return;
        }
        allowance_refill(stream);
        json_stream_receive(stream, chunk, (size_t)n);
        if (stream->is_closed)
                return;
        if (stream->allowance == 0 && rest_begin(stream) < 0) {
                fail(stream, "its flood cannot be held back");
                return;
        }
        (void)sd_event_source_set_priority(stream->source, (size_t)n < sizeof chunk ? LOOP_PRIORITY_MONITOR
                                                                                    : LOOP_PRIORITY_BUS);
}

/* Sending */

static ssize_t send_some(int socket, const char *bytes, size_t size, int fd)
{
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec part = { .iov_base = (void *)bytes, .iov_len = size };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

        if (fd >= 0) {
                control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
                                                   .cmsg_level = SOL_SOCKET,
                                                   .cmsg_type = SCM_RIGHTS };
                memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
                message.msg_control = &control;
                message.msg_controllen = sizeof control;
        }
        return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void stream_write(JsonStream *stream)
{
        Unsent *first;

        while ((first = g_queue_peek_head(&stream->unsent))) {
                size_t size;
                const char *bytes = g_bytes_get_data(first->bytes, &size);
                ssize_t n = send_some(stream->fd, bytes + first->done, size - first->done, first->fd);

                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (n < 0) {
                        fail(stream, errno == EPIPE || errno == ECONNRESET ? NULL : g_strerror(errno));
                        return;
                }
                closep(&first->fd);
                first->fd = -EBADF;
                first->done += (size_t)n;
                stream->unsent_size -= (size_t)n;
                if (first->done == size)
                        unsent_free(g_queue_pop_head(&stream->unsent));
        }
}

static int stream_ready(sd_event_source *source, int fd, uint32_t events, void *data)
{
        JsonStream *stream = data;
        _cleanup_(stream_unrefp) JsonStream *keep = stream;

        (void)source;
        (void)fd;
        keep->refs++;
        if (events & EPOLLOUT)
                stream_write(stream);
        /* An error or hang-up shows in recv(), after the last bytes. */
        if (!stream->is_closed && events & ~(uint32_t)EPOLLOUT)
                stream_read(stream);
        watch(stream);
        return 0;
}

void json_stream_drain(JsonStream *stream)
{
        _cleanup_(stream_unrefp) JsonStream *keep = stream;
        char byte;

        keep->refs++;
        for (unsigned i = 0; i < DRAIN_READS_MAX && !stream->is_closed &&
                             recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
             i++)
                stream_read(stream);
}

int json_stream_send(JsonStream *stream, const char *bytes, size_t size, int fd)
{
        _cleanup_(closep) int copy = -EBADF;
        Unsent *unsent;

        if (stream->is_closed)
                return -ENOTCONN;
        if (stream->unsent_size + size > JSON_UNSENT_MAX)
                return -ENOBUFS;
        if (fd >= 0) {
                copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (copy < 0)
                        return -errno;
        }
        unsent = g_new(Unsent, 1);
        *unsent = (Unsent){ .bytes = g_bytes_new(bytes, size), .fd = TAKE_FD(copy) };
        g_queue_push_tail(&stream->unsent, unsent);
        stream->unsent_size += size;
        watch(stream);
        return 0;
}

int json_stream_new(int fd, const JsonStreamHandlers *handlers, void *data, JsonStream **ret_stream,
                    Error *error)
{
        _cleanup_(stream_unrefp) JsonStream *stream = g_new(JsonStream, 1);
        int r;

        *stream = (JsonStream){
                .refs = 1,
                .fd = fd,
                .handlers = handlers,
                .data = data,
                .line = g_string_sized_new(256),
                .unsent = G_QUEUE_INIT,
                .allowance = JSON_MESSAGES_BURST,
                .refilled_usec = loop_now_usec(),
        };
        r = sd_event_add_io(loop_get(), &stream->source, fd, EPOLLIN, stream_ready, stream);
        if (r >= 0)
                r = sd_event_source_set_priority(stream->source, LOOP_PRIORITY_MONITOR);
        if (r < 0)
                return error_set_errno(error, r, "Cannot watch a monitor's socket");
        *ret_stream = TAKE_PTR(stream);
        return 0;
}
