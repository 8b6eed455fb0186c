/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callers on a message bus and on a socket of their own: who they are, and how it is told that they left. */

#include "auth/caller.h"
#include "on-fiber.h"
#include "private-bus.h"
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

#define DAEMON   ((uid_t)1) /* a user that every system has: the bus takes no others */
#define DEADLINE deadline_after_usec(20 * G_USEC_PER_SEC)

typedef struct Stage {
        PrivateBus *bus;
        sd_bus *service;
        Inbox inbox;
        CallerTable *table;
} Stage;

static PrivateBus *the_bus;

static void stage_open(Stage *stage, bool is_session, uid_t uid)
{
        *stage = (Stage){ .bus = the_bus, .service = private_bus_connect(the_bus) };
        inbox_open(&stage->inbox, stage->service);
        stage->table = caller_table_new(is_session, uid);
        assert_int_equal(caller_table_add_bus(stage->table, stage->service, false, NULL), 0);
}

static void stage_close(Stage *stage)
{
        stage->table = caller_table_free(stage->table);
        inbox_close(&stage->inbox);
        stage->service = private_bus_close(stage->service);
}

static sd_bus_message *message_from(Stage *stage, sd_bus *client)
{
        call_without_reply(client, unique_name(stage->service));
        return inbox_take(&stage->inbox);
}

static Caller *caller_from(Stage *stage, sd_bus *client)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = message_from(stage, client);
        Caller *caller = NULL;

        assert_int_equal(caller_of_message(stage->table, message, DEADLINE, &caller, NULL), 0);
        return caller;
}

typedef struct Gone {
        unsigned n;
        Condition told;
} Gone;

static void gone(Caller *caller, void *data)
{
        Gone *news = data;

        assert_true(caller->is_gone);
        news->n++;
        condition_wake_all(&news->told);
}

static void wait_until_gone(Gone *news)
{
        while (news->n == 0)
                assert_int_equal(condition_wait(&news->told, DEADLINE), 0);
}

static bool has_group(const Caller *caller, gid_t gid)
{
        for (size_t i = 0; i < caller->n_groups; i++)
                if (caller->groups[i] == gid)
                        return true;
        return false;
}

static void is_who_runs_this(void *data _unused_)
{
        Stage stage;
        sd_bus *client;
        Caller *caller;

        stage_open(&stage, false, 0);
        client = private_bus_connect(stage.bus);
        caller = caller_from(&stage, client);
        assert_string_equal(caller->name, unique_name(client));
        assert_int_equal(caller->uid, getuid());
        assert_true(has_group(caller, getgid()));
        assert_int_equal(caller->is_root, getuid() == 0);
        assert_false(caller->is_peer);
        assert_false(caller->is_gone);
        assert_ptr_equal(caller->bus, stage.service);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void users_are_told_apart(void *data _unused_)
{
        struct group *administrators = getgrnam("libvirt");
        Stage stage;
        sd_bus *clients[2];
        Caller *nobody, *root;

        stage_open(&stage, false, 0);
        clients[0] = private_bus_connect_as(stage.bus, NOBODY);
        clients[1] = private_bus_connect_as(stage.bus, 0);
        nobody = caller_from(&stage, clients[0]);
        root = caller_from(&stage, clients[1]);
        assert_int_equal(nobody->uid, NOBODY);
        assert_false(nobody->is_root);
        assert_int_equal(nobody->is_shared, administrators && has_group(nobody, administrators->gr_gid));
        assert_true(root->is_root);
        assert_true(root->is_shared);
        caller_unref(nobody);
        caller_unref(root);
        private_bus_close(clients[0]);
        private_bus_close(clients[1]);
        stage_close(&stage);
}

static void session_belongs_to_its_user(void *data _unused_)
{
        Stage stage;
        sd_bus *clients[2];
        Caller *user, *other;

        stage_open(&stage, true, NOBODY);
        clients[0] = private_bus_connect_as(stage.bus, NOBODY);
        clients[1] = private_bus_connect_as(stage.bus, DAEMON);
        user = caller_from(&stage, clients[0]);
        other = caller_from(&stage, clients[1]);
        assert_true(user->is_root);
        assert_false(user->is_shared);
        assert_false(other->is_root);
        assert_string_equal(other->user, getpwuid(DAEMON)->pw_name);
        caller_unref(user);
        caller_unref(other);
        private_bus_close(clients[0]);
        private_bus_close(clients[1]);
        stage_close(&stage);
}

typedef struct Question {
        Stage *stage;
        sd_bus_message *message;
        Caller *caller;
        unsigned *n_left;
        Condition *done;
} Question;

static void ask_at_the_same_time(void *data)
{
        Question *question = data;

        assert_int_equal(caller_of_message(question->stage->table, question->message, DEADLINE,
                                           &question->caller, NULL),
                         0);
        --*question->n_left;
        condition_wake_all(question->done);
}

/* Every message that a connection sends has the next number. */
static uint64_t next_number(sd_bus *bus)
{
        sd_bus_message *message = NULL;
        uint64_t number;

        assert_true(sd_bus_message_new_signal(bus, &message, "/", "org.virtbus1.Test", "Probe") >= 0);
        assert_true(sd_bus_send(bus, message, &number) >= 0);
        sd_bus_message_unref(message);
        return number;
}

static void is_asked_about_once(void *data _unused_)
{
        Stage stage;
        Question questions[8];
        unsigned n_left = G_N_ELEMENTS(questions);
        Condition done = {};
        sd_bus *client;
        uint64_t before;

        stage_open(&stage, false, 0);
        client = private_bus_connect(stage.bus);
        for (size_t i = 0; i < G_N_ELEMENTS(questions); i++)
                questions[i] = (Question){ &stage, message_from(&stage, client), NULL, &n_left, &done };
        before = next_number(stage.service);
        for (size_t i = 0; i < G_N_ELEMENTS(questions); i++)
                assert_int_equal(fiber_start("ask", ask_at_the_same_time, &questions[i]), 0);
        while (n_left > 0)
                assert_int_equal(condition_wait(&done, DEADLINE), 0);
        assert_int_equal(next_number(stage.service), before + 2);
        for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
                assert_ptr_equal(questions[i].caller, questions[0].caller);
                sd_bus_message_unref(questions[i].message);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(questions); i++)
                caller_unref(questions[i].caller);
        condition_clear(&done);
        private_bus_close(client);
        stage_close(&stage);
}

static void leaving_is_told(void *data _unused_)
{
        Stage stage;
        Gone first = {}, second = {}, stays = {};
        sd_bus *client, *other;
        Caller *caller, *staying;
        unsigned id;

        stage_open(&stage, false, 0);
        client = private_bus_connect(stage.bus);
        other = private_bus_connect(stage.bus);
        caller = caller_from(&stage, client);
        staying = caller_from(&stage, other);
        (void)caller_watch(caller, gone, &first);
        id = caller_watch(caller, gone, &second);
        (void)caller_watch(staying, gone, &stays);
        caller_unwatch(caller, id);
        private_bus_close(client);
        wait_until_gone(&first);
        assert_true(caller->is_gone);
        assert_null(caller->bus);
        assert_int_equal(first.n, 1);
        assert_int_equal(second.n, 0);
        assert_int_equal(stays.n, 0);
        assert_ptr_equal(caller_from(&stage, other), staying);
        caller_unref(staying);
        caller_unref(staying);
        caller_unref(caller);
        private_bus_close(other);
        stage_close(&stage);
        assert_int_equal(stays.n, 1); /* the table's end is the end of all */
        condition_clear(&first.told);
}

static void forget_oneself(Caller *caller, void *data)
{
        unsigned *ids = data;

        caller_unwatch(caller, ids[0]);
        caller_unwatch(caller, ids[1]);
        caller_unref(caller);
}

static void watchers_may_let_go(void *data _unused_)
{
        Stage stage;
        Gone told = {};
        sd_bus *client;
        Caller *caller;
        unsigned ids[2];

        stage_open(&stage, false, 0);
        client = private_bus_connect(stage.bus);
        caller = caller_from(&stage, client);
        ids[0] = caller_watch(caller, forget_oneself, ids);
        ids[1] = caller_watch(caller, gone, &told);
        caller_table_remove_bus(stage.table, stage.service);
        assert_int_equal(told.n, 0);
        private_bus_close(client);
        stage_close(&stage);
}

/* Anybody may send anything to one connection alone. */
static void leaving_cannot_be_forged(void *data _unused_)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *forged = NULL;
        Stage stage;
        sd_bus *client, *forger;
        Caller *caller;

        stage_open(&stage, false, 0);
        client = private_bus_connect(stage.bus);
        forger = private_bus_connect(stage.bus);
        caller = caller_from(&stage, client);
        assert_true(sd_bus_message_new_signal(forger, &forged, "/org/freedesktop/DBus",
                                              "org.freedesktop.DBus", "NameOwnerChanged") >= 0);
        assert_true(sd_bus_message_append(forged, "sss", caller->name, caller->name, "") >= 0);
        assert_true(sd_bus_send_to(forger, forged, unique_name(stage.service), NULL) >= 0);
        caller_unref(caller_from(&stage, forger)); /* what it sent before has arrived, too */
        assert_false(caller->is_gone);
        caller_unref(caller);
        private_bus_close(client);
        private_bus_close(forger);
        stage_close(&stage);
}

static void who_has_left_is_nobody(void *data _unused_)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        _cleanup_(error_clear) Error error = {};
        Stage stage;
        Caller *caller = NULL;
        sd_bus *client;

        stage_open(&stage, false, 0);
        client = private_bus_connect(stage.bus);
        call_without_reply(client, unique_name(stage.service));
        private_bus_close(client);
        message = inbox_take(&stage.inbox);
        assert_true(caller_of_message(stage.table, message, DEADLINE, &caller, &error) < 0);
        assert_null(caller);
        assert_true(error_is_set(&error));
        stage_close(&stage);
}

static void deadline_is_kept(void *data _unused_)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        _cleanup_(error_clear) Error error = {};
        Stage stage;
        Caller *caller = NULL;
        sd_bus *client;

        stage_open(&stage, false, 0);
        client = private_bus_connect(stage.bus);
        message = message_from(&stage, client);
        assert_int_equal(caller_of_message(stage.table, message, loop_now_usec(), &caller, &error),
                         -ETIMEDOUT);
        assert_int_equal(error.code, ERROR_TIMED_OUT);
        assert_int_equal(caller_of_message(stage.table, message, DEADLINE, &caller, NULL), 0);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static sd_bus *half_of_pair(int fd, bool is_server)
{
        sd_bus *bus = NULL;
        sd_id128_t id;

        assert_true(sd_id128_randomize(&id) >= 0);
        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, fd, fd) >= 0);
        if (is_server)
                assert_true(sd_bus_set_server(bus, true, id) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        assert_true(sd_bus_attach_event(bus, loop_get(), LOOP_PRIORITY_BUS) >= 0);
        return bus;
}

static void peer_is_known_by_the_kernel(void *data _unused_)
{
        CallerTable *table = caller_table_new(true, getuid());
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        sd_bus *server, *client;
        Caller *caller = NULL, *again = NULL;
        Gone news = {};
        Inbox inbox;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        server = half_of_pair(fds[0], true);
        client = half_of_pair(fds[1], false);
        inbox_open(&inbox, server);
        assert_int_equal(caller_table_add_bus(table, server, true, NULL), 0);
        call_without_reply(client, NULL);
        message = inbox_take(&inbox);
        assert_int_equal(caller_of_message(table, message, DEADLINE, &caller, NULL), 0);
        assert_true(caller->is_peer);
        assert_string_equal(caller->name, "peer");
        assert_int_equal(caller->uid, getuid());
        assert_true(has_group(caller, getgid()));
        assert_true(caller->is_root);
        (void)caller_watch(caller, gone, &news);
        assert_int_equal(caller_of_message(table, message, DEADLINE, &again, NULL), 0);
        assert_ptr_equal(again, caller);
        caller_table_remove_bus(table, server);
        assert_int_equal(news.n, 1);
        assert_int_equal(caller_of_message(table, message, DEADLINE, &again, NULL),
                         -error_code_to_errno(ERROR_ACCESS_DENIED));
        caller_unref(caller);
        caller_unref(caller);
        inbox_close(&inbox);
        private_bus_close(client);
        private_bus_close(server);
        caller_table_free(table);
}

static void run(void **state)
{
        on_fiber((FiberFunction)*state, NULL);
}

static void run_as_root(void **state)
{
        if (getuid() != 0)
                skip(); /* only root can connect as others */
        on_fiber((FiberFunction)*state, NULL);
}

static int open_bus(void **state _unused_)
{
        the_bus = private_bus_start();
        return 0;
}

static int close_bus(void **state _unused_)
{
        private_bus_stop(the_bus);
        return 0;
}

#define TEST(function)                                                                                      \
        {                                                                                                   \
#function, run, NULL, NULL, (void *)function                                                \
        }
#define TEST_AS_ROOT(function)                                                                              \
        {                                                                                                   \
#function, run_as_root, NULL, NULL, (void *)function                                        \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(is_who_runs_this),
                TEST_AS_ROOT(users_are_told_apart),
                TEST_AS_ROOT(session_belongs_to_its_user),
                TEST(is_asked_about_once),
                TEST(leaving_is_told),
                TEST(watchers_may_let_go),
                TEST(leaving_cannot_be_forged),
                TEST(who_has_left_is_nobody),
                TEST(deadline_is_kept),
                TEST(peer_is_known_by_the_kernel),
        };

        return cmocka_run_group_tests(tests, open_bus, close_bus);
}
