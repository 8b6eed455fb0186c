/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The monitor against an other end of our own: a socket pair whose far side the test writes, well and badly.
 */

#include "core/fiber.h"
#include "drivers/qemu/qmp.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define GREETING                                                                                            \
        "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": "     \
        "\"\"}, "                                                                                           \
        "\"capabilities\": []}}\r\n"

typedef struct Peer {
        int fd;
        Qmp *qmp;
        GString *events;
        char *closed_reason;
        unsigned n_closed, n_flooded;
        bool free_on_event;
} Peer;

static void event_arrived(const char *name, json_t *arguments, void *data)
{
        Peer *peer = data;

        (void)arguments;
        g_string_append_printf(peer->events, "%s ", name);
        if (peer->free_on_event)
                peer->qmp = qmp_free(peer->qmp);
}

static void monitor_closed(const char *reason, void *data)
{
        Peer *peer = data;

        peer->n_closed++;
        peer->closed_reason = g_strdup(reason ? reason : "hung up");
}

static void monitor_flooded(void *data)
{
        Peer *peer = data;

        peer->n_flooded++;
}

static const QmpHandlers handlers = { .event = event_arrived,
                                      .closed = monitor_closed,
                                      .flooded = monitor_flooded };

static void peer_open(Peer *peer)
{
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        *peer = (Peer){ .fd = pair[1], .events = g_string_new(NULL) };
        assert_int_equal(qmp_new(pair[0], &handlers, peer, &peer->qmp, NULL), 0);
}

static void peer_close(Peer *peer)
{
        peer->qmp = qmp_free(peer->qmp);
        closep(&peer->fd);
        g_string_free(peer->events, TRUE);
        g_free(peer->closed_reason);
}

static void say(Peer *peer, const char *text)
{
        assert_int_equal(write(peer->fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Everything that was sent to the far side so far; the caller frees. */
static char *hear(Peer *peer)
{
        char buffer[65536];
        size_t size = 0;

        /* It goes out in the loop's next turns. */
        for (unsigned i = 0; i < 10; i++) {
                ssize_t n = read(peer->fd, buffer + size, sizeof(buffer) - size);

                size += n > 0 ? (size_t)n : 0;
                assert_int_equal(await_turn(), 0);
        }
        return g_strndup(buffer, size);
}

/* Runs the test on a fiber and the loop until it is through. */
static void (*test_body)(void);

static void test_fiber(void *data)
{
        (void)data;
        test_body();
        loop_exit(0);
}

static void run_on_fiber(void (*body)(void))
{
        test_body = body;
        assert_int_equal(loop_open(), 0);
        assert_int_equal(fiber_start("test", test_fiber, NULL), 0);
        assert_int_equal(loop_run(), 0);
        fiber_close();
        loop_close();
}

static uint64_t soon(void)
{
        return deadline_after_usec(10 * G_USEC_PER_SEC);
}

static void pipelined(void)
{
        Peer peer;
        _cleanup_(json_decrefp) json_t *status = NULL;
        _cleanup_(error_clear) Error error = { 0 };
        _cleanup_(freep) char *sent = NULL;

        peer_open(&peer);
        QmpCommand *first = qmp_send_capabilities(peer.qmp);
        QmpCommand *second = qmp_send(peer.qmp, "query-status", NULL, -EBADF);
        QmpCommand *third = qmp_send(peer.qmp, "nonsense", json_pack("{s:i}", "a", 1), -EBADF);

        sent = hear(&peer);
        assert_string_equal(
                sent,
                "{\"execute\":\"qmp_capabilities\",\"id\":1}\n{\"execute\":\"query-status\",\"id\":2}\n"
                "{\"execute\":\"nonsense\",\"id\":3,\"arguments\":{\"a\":1}}\n");
        /* Answers may come in another order, and events between them. */
        say(&peer,
            GREETING "{\"return\": {}, \"id\": 1}\r\n"
                     "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"never heard\"}, \"id\": 3}\n"
                     "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\n"
                     "{\"return\": {\"status\": \"prelaunch\"}, \"id\": 2}\n");
        assert_int_equal(qmp_wait(first, soon(), NULL, NULL), 0);
        assert_int_equal(qmp_get_version(peer.qmp), 7002022);
        assert_int_equal(qmp_wait(second, soon(), &status, NULL), 0);
        assert_string_equal(json_string_value(json_object_get(status, "status")), "prelaunch");
        assert_true(qmp_wait(third, soon(), NULL, &error) < 0);
        assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
        assert_non_null(strstr(error.message, "never heard"));
        assert_string_equal(peer.events->str, "STOP ");
        qmp_command_free(first);
        qmp_command_free(second);
        qmp_command_free(third);
        peer_close(&peer);
}

/* Says `text` and expects the monitor to be closed for it, with a command waiting. */
static void expect_closed(const char *text, const char *reason)
{
        Peer peer;
        _cleanup_(error_clear) Error error = { 0 };

        peer_open(&peer);
        say(&peer, text);
        assert_true(qmp_call(peer.qmp, "query-status", NULL, soon(), NULL, &error) < 0);
        assert_int_equal(error.code, ERROR_OPERATION_FAILED);
        if (!strstr(error.message, reason))
                fail_msg("'%s' does not say '%s'", error.message, reason);
        assert_int_equal(peer.n_closed, 1);
        /* Later commands fail at once. */
        assert_true(qmp_call(peer.qmp, "query-status", NULL, soon(), NULL, NULL) < 0);
        assert_int_equal(peer.n_closed, 1);
        peer_close(&peer);
}

static void garbage(void)
{
        static const char *const bad[] = { "hello\n",     "[1, 2]\n",   "\"text\"\n",
                                           "{\"a\": }\n", "\xff\xfe\n", "{}}\n" };

        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
                expect_closed(bad[i], "");
        expect_closed(GREETING "{\"return\": {}}\n", "not asked");
        expect_closed(GREETING "{\"return\": {}, \"id\": 7}\n", "not asked");
        expect_closed(GREETING "{\"return\": {}, \"id\": -1}\n", "not asked");
        expect_closed(GREETING "{\"id\": 1}\n", "not asked");
        expect_closed("{\"QMP\": {}}\n", "version");
        expect_closed("{\"QMP\": {\"version\": {\"qemu\": {\"major\": -7, \"minor\": 2, \"micro\": 1}}}}\n",
                      "version");
}

static void hang_up(void)
{
        Peer peer;
        _cleanup_(error_clear) Error error = { 0 };

        peer_open(&peer);
        QmpCommand *command = qmp_send(peer.qmp, "query-status", NULL, -EBADF);

        closep(&peer.fd);
        peer.fd = -EBADF;
        assert_true(qmp_wait(command, soon(), NULL, &error) < 0);
        assert_int_equal(error.code, ERROR_OPERATION_FAILED);
        assert_non_null(strstr(error.message, "hung up"));
        qmp_command_free(command);
        peer_close(&peer);
}

static void deadline(void)
{
        Peer peer;
        _cleanup_(error_clear) Error error = { 0 };

        peer_open(&peer);
        assert_int_equal(qmp_call(peer.qmp, "query-status", NULL, deadline_after_usec(1000), NULL, &error),
                         -ETIMEDOUT);
        assert_int_equal(error.code, ERROR_TIMED_OUT);
        /* The late answer finds nobody, and harms nobody. */
        say(&peer, GREETING "{\"return\": {}, \"id\": 1}\n{\"return\": 5, \"id\": 2}\n");
        QmpCommand *command = qmp_send(peer.qmp, "query-name", NULL, -EBADF);
        _cleanup_(json_decrefp) json_t *answer = NULL;

        assert_int_equal(qmp_wait(command, soon(), &answer, NULL), 0);
        assert_int_equal(json_integer_value(answer), 5);
        qmp_command_free(command);
        assert_int_equal(peer.n_closed, 0);
        peer_close(&peer);
}

static void long_line(void)
{
        g_autofree char *chunk = g_malloc(1 << 20);
        Peer peer;

        memset(chunk, 'x', 1 << 20);
        peer_open(&peer);
        qmp_receive(peer.qmp, "{\"event\": \"", 11);
        for (unsigned i = 0; i < 64 && peer.n_closed == 0; i++)
                qmp_receive(peer.qmp, chunk, 1 << 20);
        assert_int_equal(peer.n_closed, 1);
        peer_close(&peer);
}

static void many_values(void)
{
        GString *line = g_string_new("{\"event\": \"A\", \"data\": {\"a\": [");
        Peer peer;

        for (unsigned i = 0; i <= JSON_VALUES_MAX; i++)
                g_string_append(line, "[],");
        g_string_append(line, "1]}}\n");
        peer_open(&peer);
        qmp_receive(peer.qmp, line->str, line->len);
        assert_int_equal(peer.n_closed, 1);
        assert_int_equal(peer.events->len, 0);
        peer_close(&peer);
        g_string_free(line, TRUE);
}

static void deep_nesting(void)
{
        g_autofree char *brackets = g_strnfill(1 << 20, '[');
        Peer peer;

        peer_open(&peer);
        qmp_receive(peer.qmp, "{\"event\": ", 10);
        qmp_receive(peer.qmp, brackets, 1 << 20);
        qmp_receive(peer.qmp, "\n", 1);
        assert_int_equal(peer.n_closed, 1);
        peer_close(&peer);
}

/* A byte at a time, as the worst of sockets would. */
static void fragments(void)
{
        static const char text[] =
                GREETING "{\"event\": \"A\"}\n\r\n{\"event\": \"B\", \"data\": {\"x\": \"}\\n{\"}}\n";
        Peer peer;

        peer_open(&peer);
        for (size_t i = 0; i < sizeof(text) - 1; i++)
                qmp_receive(peer.qmp, text + i, 1);
        assert_string_equal(peer.events->str, "A B ");
        assert_int_equal(peer.n_closed, 0);
        peer_close(&peer);
}

/* Unsigned numbers of 64 bits, in a value and in a text that looks like one. */
static void great_numbers(void)
{
        static const char text[] = GREETING "{\"event\": \"A\", \"data\": {\"x\": 18446744073709551615, "
                                            "\"18446744073709551615\": \"\\\"18446744073709551615\", \"y\": "
                                            "184467440737095516150}}\n";
        Peer peer;

        peer_open(&peer);
        qmp_receive(peer.qmp, text, sizeof(text) - 1);
        assert_string_equal(peer.events->str, "A ");
        assert_int_equal(peer.n_closed, 0);
        peer_close(&peer);
}

static void too_many_commands(void)
{
        QmpCommand *commands[QMP_PENDING_MAX + 1];
        _cleanup_(error_clear) Error error = { 0 };
        Peer peer;

        peer_open(&peer);
        for (unsigned i = 0; i <= QMP_PENDING_MAX; i++)
                commands[i] = qmp_send(peer.qmp, "query-status", NULL, -EBADF);
        assert_true(qmp_wait(commands[QMP_PENDING_MAX], soon(), NULL, &error) < 0);
        assert_non_null(strstr(error.message, "without answer"));
        for (unsigned i = 0; i <= QMP_PENDING_MAX; i++)
                qmp_command_free(commands[i]);
        peer_close(&peer);
}

static void freed_by_event(void)
{
        Peer peer;

        peer_open(&peer);
        peer.free_on_event = true;
        say(&peer, GREETING "{\"event\": \"A\"}\n{\"event\": \"B\"}\n");
        for (unsigned i = 0; i < 100 && peer.qmp; i++)
                assert_int_equal(await_turn(), 0);
        assert_null(peer.qmp);
        assert_string_equal(peer.events->str, "A ");
        peer_close(&peer);
}

/* A flood is read slowly: what is not read stays with the sender, and the owner is told once. */
static void flood(void)
{
        static const char event[] = "{\"event\": \"A\"}\n";
        Peer peer;
        unsigned n_sent = 0;
        uint64_t end;

        peer_open(&peer);
        end = deadline_after_usec(300 * 1000);
        while (loop_now_usec() < end) {
                while (send(peer.fd, event, sizeof(event) - 1, MSG_DONTWAIT) > 0)
                        n_sent++;
                assert_int_equal(await_turn(), 0);
        }
        assert_int_equal(peer.n_flooded, 1);
        assert_int_equal(peer.n_closed, 0);
        assert_true(n_sent > JSON_MESSAGES_BURST);
        assert_true(peer.events->len / 2 <= JSON_MESSAGES_BURST + JSON_MESSAGES_PER_SECOND);
        peer_close(&peer);
}

static void passes_descriptor(void)
{
        char byte, control[CMSG_SPACE(sizeof(int))];
        struct iovec part = { .iov_base = &byte, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        Peer peer;

        peer_open(&peer);
        QmpCommand *command = qmp_send(peer.qmp, "getfd", json_pack("{s:s}", "fdname", "x"), peer.fd);

        assert_true(await_fd(peer.fd, EPOLLIN, soon()) > 0);
        assert_int_equal(recvmsg(peer.fd, &message, MSG_CMSG_CLOEXEC), 1);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        assert_non_null(header);
        assert_int_equal(header->cmsg_type, SCM_RIGHTS);
        int received;

        memcpy(&received, CMSG_DATA(header), sizeof(received));
        assert_true(fcntl(received, F_GETFD) >= 0);
        assert_int_equal(close(received), 0);
        qmp_command_free(command);
        peer_close(&peer);
}

#define FIBER_TEST(name)                                                                                    \
        static void test_##name(void **state)                                                               \
        {                                                                                                   \
                (void)state;                                                                                \
                run_on_fiber(name);                                                                         \
        }

FIBER_TEST(pipelined)
FIBER_TEST(garbage)
FIBER_TEST(hang_up)
FIBER_TEST(deadline)
FIBER_TEST(long_line)
FIBER_TEST(many_values)
FIBER_TEST(deep_nesting)
FIBER_TEST(fragments)
FIBER_TEST(great_numbers)
FIBER_TEST(too_many_commands)
FIBER_TEST(freed_by_event)
FIBER_TEST(flood)
FIBER_TEST(passes_descriptor)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pipelined),         cmocka_unit_test(test_garbage),
                cmocka_unit_test(test_hang_up),           cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_long_line),         cmocka_unit_test(test_many_values),
                cmocka_unit_test(test_deep_nesting),      cmocka_unit_test(test_fragments),
                cmocka_unit_test(test_great_numbers),     cmocka_unit_test(test_too_many_commands),
                cmocka_unit_test(test_freed_by_event),    cmocka_unit_test(test_flood),
                cmocka_unit_test(test_passes_descriptor),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
