/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Questions to a polkit that does as the test says: what is asked, what is remembered and for how long,
 * whose turn it is, and what becomes of a question when its caller leaves. */

#include "auth/answers.h"
#include "auth/authority.h"
#include "on-fiber.h"
#include "polkit-mock.h"

#define DEADLINE deadline_after_usec(20 * G_USEC_PER_SEC)
#define START    "org.libvirt.api.domain.start"
#define ALICE    ((uid_t)1000)

typedef struct Stage {
        sd_bus *service;
        Inbox inbox;
        CallerTable *table;
        PolkitMock polkit;
        Authority *authority;
} Stage;

static PrivateBus *the_bus;

static const AuthorityDetail web[] = {
        { "connect_driver", "QEMU" }, { "domain_name", "web" }, { "owner", "bob" }, {}
};

static void stage_open(Stage *stage, PolkitMood mood)
{
        *stage = (Stage){ .service = private_bus_connect(the_bus) };
        inbox_open(&stage->inbox, stage->service);
        stage->table = caller_table_new(false, 0);
        assert_int_equal(caller_table_add_bus(stage->table, stage->service, false, NULL), 0);
        polkit_open(&stage->polkit, the_bus, mood);
        stage->authority = authority_new(stage->service);
}

static void stage_close(Stage *stage)
{
        stage->authority = authority_free(stage->authority);
        stage->table = caller_table_free(stage->table);
        polkit_close(&stage->polkit);
        inbox_close(&stage->inbox);
        stage->service = private_bus_close(stage->service);
}

/* Returns when the service has handled what `from` sent until now. */
static void catch_up(Stage *stage, sd_bus *from)
{
        call_without_reply(from, unique_name(stage->service));
        sd_bus_message_unref(inbox_take(&stage->inbox));
}

/* The caller behind a connection, which is given another uid: all are the test's own. */
static Caller *caller_from(Stage *stage, sd_bus *client, uid_t uid)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        Caller *caller = NULL;

        call_without_reply(client, unique_name(stage->service));
        message = inbox_take(&stage->inbox);
        assert_int_equal(caller_of_message(stage->table, message, DEADLINE, &caller, NULL), 0);
        caller->uid = uid;
        caller->is_root = caller->is_shared = false;
        return caller;
}

static int ask(Stage *stage, Caller *caller, const AuthorityDetail *details, bool is_interactive,
               Answer *ret_answer, Error *error) AWAITS
{
        return authority_ask(stage->authority, caller, START, details, is_interactive, DEADLINE, ret_answer,
                             error);
}

static Answer answer_of(Stage *stage, Caller *caller, const AuthorityDetail *details)
{
        Answer answer = (Answer)-1;

        assert_int_equal(ask(stage, caller, details, false, &answer, NULL), 0);
        return answer;
}

/* A question on a fiber of its own. */
typedef struct Asking {
        Stage *stage;
        Caller *caller;
        char name[16];
        bool is_interactive, is_done;
        uint64_t deadline_usec;
        int result;
        Answer answer;
        Error error;
        Condition *done;
} Asking;

static void asking_run(void *data)
{
        Asking *asking = data;
        const AuthorityDetail details[] = { { "domain_name", asking->name }, {} };

        asking->result = authority_ask(asking->stage->authority, asking->caller, START, details,
                                       asking->is_interactive, asking->deadline_usec, &asking->answer,
                                       &asking->error);
        asking->is_done = true;
        condition_wake_all(asking->done);
}

static void asking_start(Asking *asking, Stage *stage, Caller *caller, unsigned number, Condition *done)
{
        *asking = (Asking){ .stage = stage, .caller = caller, .done = done, .deadline_usec = DEADLINE };
        g_snprintf(asking->name, sizeof asking->name, "d%u", number);
        assert_int_equal(fiber_start("ask", asking_run, asking), 0);
}

static void asking_wait(Asking *asking)
{
        while (!asking->is_done)
                assert_int_equal(condition_wait(asking->done, DEADLINE), 0);
}

static AuthorityStatistics statistics_of(Stage *stage)
{
        AuthorityStatistics statistics;

        authority_get_statistics(stage->authority, &statistics);
        return statistics;
}

static void everything_is_told_to_polkit(void *data _unused_)
{
        Stage stage;
        sd_bus *client;
        Caller *caller;

        stage_open(&stage, POLKIT_SAYS_YES);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_YES);
        assert_string_equal(stage.polkit.last->kind, "system-bus-name");
        assert_string_equal(stage.polkit.last->subject, unique_name(client));
        assert_string_equal(stage.polkit.last->action, START);
        assert_int_equal(stage.polkit.last->flags, 0);
        assert_int_equal(g_hash_table_size(stage.polkit.last->details), 3);
        assert_string_equal(g_hash_table_lookup(stage.polkit.last->details, "domain_name"), "web");
        assert_string_equal(g_hash_table_lookup(stage.polkit.last->details, "owner"), "bob");
        assert_int_equal(statistics_of(&stage).asked, 1);
        assert_int_equal(statistics_of(&stage).n_out, 0);
        assert_int_equal(caller->n_questions, 0);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void answers_are_passed_on(void *data _unused_)
{
        static const struct {
                PolkitMood mood;
                Answer answer;
        } cases[] = { { POLKIT_SAYS_YES, ANSWER_YES },
                      { POLKIT_SAYS_NO, ANSWER_NO },
                      { POLKIT_SAYS_CHALLENGE, ANSWER_CHALLENGE } };
        Stage stage;
        sd_bus *client;
        Caller *caller;

        stage_open(&stage, POLKIT_HOLDS);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(freep) char *name = g_strdup_printf("d%zu", i);
                const AuthorityDetail details[] = { { "domain_name", name }, {} };
                _cleanup_(error_clear) Error error = {};
                int r;

                stage.polkit.mood = cases[i].mood;
                assert_int_equal(answer_of(&stage, caller, details), cases[i].answer);
                r = authority_check(stage.authority, caller, START, details, false, DEADLINE, &error);
                assert_int_equal(r, cases[i].answer == ANSWER_YES ? 0 : -EACCES);
                assert_int_equal(error.code,
                                 cases[i].answer == ANSWER_YES ? ERROR_NONE : ERROR_ACCESS_DENIED);
                assert_true(cases[i].answer == ANSWER_YES || strstr(error.message, START));
        }
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void root_is_not_asked_about(void *data _unused_)
{
        Stage stage;
        sd_bus *client;
        Caller *caller;

        stage_open(&stage, POLKIT_SAYS_NO);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, 0);
        caller->is_root = true;
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_YES);
        assert_int_equal(stage.polkit.n_asked, 0);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void answers_are_remembered(void *data _unused_)
{
        const AuthorityDetail other[] = { { "domain_name", "db" }, {} };
        Stage stage;
        sd_bus *clients[2];
        Caller *caller, *another;
        Answer answer = ANSWER_NO;

        stage_open(&stage, POLKIT_SAYS_YES);
        clients[0] = private_bus_connect(the_bus);
        clients[1] = private_bus_connect(the_bus);
        caller = caller_from(&stage, clients[0], ALICE);
        another = caller_from(&stage, clients[1], ALICE);
        assert_int_equal(authority_peek(stage.authority, caller, START, web, &answer), 0);
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_YES);
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_YES);
        assert_int_equal(stage.polkit.n_asked, 1);
        assert_int_equal(statistics_of(&stage).answered_from_memory, 1);
        assert_int_equal(authority_peek(stage.authority, caller, START, web, &answer), 1);
        assert_int_equal(answer, ANSWER_YES);
        assert_int_equal(authority_peek(stage.authority, another, START, web, &answer), 0);
        assert_int_equal(authority_peek(stage.authority, caller, START, other, &answer), 0);
        assert_int_equal(authority_peek(stage.authority, caller, START ".x", web, &answer), 0);
        assert_int_equal(answer_of(&stage, another, web), ANSWER_YES);
        assert_int_equal(answer_of(&stage, caller, other), ANSWER_YES);
        assert_int_equal(stage.polkit.n_asked, 3);
        caller_unref(caller);
        caller_unref(another);
        private_bus_close(clients[0]);
        private_bus_close(clients[1]);
        stage_close(&stage);
}

static void answers_are_forgotten(void *data _unused_)
{
        Stage stage;
        sd_bus *client;
        Caller *caller;

        stage_open(&stage, POLKIT_SAYS_YES);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_YES);
        stage.polkit.mood = POLKIT_SAYS_NO;
        polkit_say_changed(client, unique_name(stage.service)); /* who is that to say? */
        catch_up(&stage, client);
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_YES);
        polkit_say_changed(stage.polkit.bus, NULL);
        catch_up(&stage, stage.polkit.bus);
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_NO);
        stage.polkit.mood = POLKIT_SAYS_YES;
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_NO);
        assert_true(sd_bus_release_name(stage.polkit.bus, POLKIT_NAME) >= 0);
        assert_true(sd_bus_request_name(stage.polkit.bus, POLKIT_NAME, 0) >= 0);
        catch_up(&stage, stage.polkit.bus);
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_YES);
        assert_int_equal(stage.polkit.n_asked, 3);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void old_rules_answer_is_not_kept(void *data _unused_)
{
        Condition done = {};
        Asking asking;
        Stage stage;
        sd_bus *client;
        Caller *caller;

        stage_open(&stage, POLKIT_HOLDS);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        asking_start(&asking, &stage, caller, 1, &done);
        polkit_wait(&stage.polkit, 1, 0);
        polkit_say_changed(stage.polkit.bus, NULL);
        polkit_answer(&stage.polkit, POLKIT_SAYS_YES);
        asking_wait(&asking);
        assert_int_equal(asking.answer, ANSWER_YES);
        assert_int_equal(authority_peek(stage.authority, caller, START,
                                        (AuthorityDetail[]){ { "domain_name", "d1" }, {} }, &asking.answer),
                         0);
        condition_clear(&done);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void passwords_are_not_remembered(void *data _unused_)
{
        Stage stage;
        sd_bus *client;
        Caller *caller;
        Answer answer = ANSWER_NO;

        stage_open(&stage, POLKIT_SAYS_CHALLENGE);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        assert_int_equal(ask(&stage, caller, web, true, &answer, NULL), 0);
        assert_int_equal(answer, ANSWER_YES);
        assert_int_equal(stage.polkit.n_asked, 2); /* without a person, and with one */
        assert_int_equal(stage.polkit.last->flags, 1);
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_CHALLENGE);
        assert_int_equal(ask(&stage, caller, web, true, &answer, NULL), 0);
        assert_int_equal(stage.polkit.n_asked, 3);

        polkit_say_changed(stage.polkit.bus, NULL);
        catch_up(&stage, stage.polkit.bus);
        stage.polkit.mood = POLKIT_SAYS_TEMPORARY;
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_YES);
        assert_int_equal(authority_peek(stage.authority, caller, START, web, &answer), 0);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void equal_questions_share_an_answer(void *data _unused_)
{
        Condition done = {};
        Asking askings[20];
        Stage stage;
        sd_bus *client;
        Caller *caller;

        stage_open(&stage, POLKIT_HOLDS);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        for (size_t i = 0; i < G_N_ELEMENTS(askings); i++)
                asking_start(&askings[i], &stage, caller, 1, &done);
        polkit_wait(&stage.polkit, 1, 0);
        polkit_answer(&stage.polkit, POLKIT_SAYS_YES);
        for (size_t i = 0; i < G_N_ELEMENTS(askings); i++) {
                asking_wait(&askings[i]);
                assert_int_equal(askings[i].result, 0);
                assert_int_equal(askings[i].answer, ANSWER_YES);
        }
        assert_int_equal(stage.polkit.n_asked, 1);
        condition_clear(&done);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void leaving_ends_questions(void *data _unused_)
{
        Condition done = {};
        Asking askings[12];
        Stage stage;
        sd_bus *client;
        Caller *caller;

        stage_open(&stage, POLKIT_HOLDS);
        stage.polkit.is_deaf = true;
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        for (unsigned i = 0; i < G_N_ELEMENTS(askings); i++)
                asking_start(&askings[i], &stage, caller, i, &done);
        polkit_wait(&stage.polkit, QUESTIONS_PER_UID_MAX, 0);
        assert_int_equal(caller->n_questions, G_N_ELEMENTS(askings));
        assert_int_equal(statistics_of(&stage).n_queued, G_N_ELEMENTS(askings) - QUESTIONS_PER_UID_MAX);
        private_bus_close(client);
        for (size_t i = 0; i < G_N_ELEMENTS(askings); i++) {
                asking_wait(&askings[i]);
                assert_int_equal(askings[i].result, -ECANCELED);
                assert_int_equal(askings[i].error.code, ERROR_CANCELLED);
                error_clear(&askings[i].error);
        }
        polkit_wait(&stage.polkit, QUESTIONS_PER_UID_MAX, QUESTIONS_PER_UID_MAX);
        assert_string_equal(g_ptr_array_index(stage.polkit.cancelled, 0),
                            ((PolkitQuestion *)stage.polkit.held.head->data)->id);
        assert_int_equal(statistics_of(&stage).cancelled, QUESTIONS_PER_UID_MAX);
        /* What polkit has not ended yet still counts. */
        assert_int_equal(statistics_of(&stage).n_out, QUESTIONS_PER_UID_MAX);
        assert_int_equal(statistics_of(&stage).n_queued, 0);
        while (stage.polkit.held.length > 0)
                polkit_answer(&stage.polkit, POLKIT_SAYS_YES);
        catch_up(&stage, stage.polkit.bus);
        assert_int_equal(statistics_of(&stage).n_out, 0);
        assert_int_equal(caller->n_questions, 0);
        assert_int_equal(authority_ask(stage.authority, caller, START, web, false, DEADLINE,
                                       &askings[0].answer, NULL),
                         -ECANCELED);
        condition_clear(&done);
        caller_unref(caller);
        stage_close(&stage);
}

static void deadline_is_kept(void *data _unused_)
{
        _cleanup_(error_clear) Error error = {};
        Stage stage;
        sd_bus *client;
        Caller *caller;
        Answer answer;

        stage_open(&stage, POLKIT_HOLDS);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        assert_int_equal(
                authority_ask(stage.authority, caller, START, web, false, loop_now_usec(), &answer, &error),
                -ETIMEDOUT);
        assert_int_equal(error.code, ERROR_TIMED_OUT);
        polkit_wait(&stage.polkit, 0, 1);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void too_many_are_refused(void *data _unused_)
{
        enum { N = QUESTIONS_PER_UID_MAX + QUESTIONS_QUEUED_PER_UID_MAX };
        Asking *askings = g_new0(Asking, N + 1);
        Condition done = {};
        Stage stage;
        sd_bus *client;
        Caller *caller;

        stage_open(&stage, POLKIT_HOLDS);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        for (unsigned i = 0; i <= N; i++)
                asking_start(&askings[i], &stage, caller, i, &done);
        assert_true(askings[N].is_done);
        assert_int_equal(askings[N].error.code, ERROR_LIMITS_EXCEEDED);
        assert_int_equal(statistics_of(&stage).refused, 1);
        assert_int_equal(statistics_of(&stage).n_out, QUESTIONS_PER_UID_MAX);
        assert_int_equal(statistics_of(&stage).n_queued, QUESTIONS_QUEUED_PER_UID_MAX);
        polkit_wait(&stage.polkit, QUESTIONS_PER_UID_MAX, 0);
        stage.polkit.mood = POLKIT_SAYS_NO;
        while (stage.polkit.held.length > 0)
                polkit_answer(&stage.polkit, POLKIT_SAYS_NO);
        for (size_t i = 0; i < N; i++) {
                asking_wait(&askings[i]);
                assert_int_equal(askings[i].result, 0);
                assert_int_equal(askings[i].answer, ANSWER_NO);
        }
        assert_int_equal(statistics_of(&stage).n_out, 0);
        error_clear(&askings[N].error);
        g_free(askings);
        condition_clear(&done);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

/* So many users that all turns are taken, each with more to ask, then one with a single question. */
static void users_take_turns(void *data _unused_)
{
        enum { N_USERS = QUESTIONS_MAX / QUESTIONS_PER_UID_MAX, N_EACH = 20 };
        Asking *askings = g_new0(Asking, N_USERS * N_EACH + 1), *last = &askings[N_USERS * N_EACH];
        Condition done = {};
        Stage stage;
        sd_bus *clients[N_USERS + 1];
        Caller *callers[N_USERS + 1];

        stage_open(&stage, POLKIT_HOLDS);
        for (unsigned i = 0; i <= N_USERS; i++) {
                clients[i] = private_bus_connect(the_bus);
                callers[i] = caller_from(&stage, clients[i], ALICE + i);
        }
        for (unsigned i = 0; i < N_USERS * N_EACH; i++)
                asking_start(&askings[i], &stage, callers[i / N_EACH], i, &done);
        polkit_wait(&stage.polkit, QUESTIONS_MAX, 0);
        asking_start(last, &stage, callers[N_USERS], 9999, &done);
        assert_int_equal(statistics_of(&stage).n_out, QUESTIONS_MAX);
        for (unsigned i = 0; i <= N_USERS && !last->is_done; i++) {
                unsigned n_asked = stage.polkit.n_asked;
                const PolkitQuestion *newest;

                polkit_answer(&stage.polkit, POLKIT_SAYS_NO);
                while (stage.polkit.n_asked == n_asked)
                        assert_int_equal(condition_wait(&stage.polkit.changed, DEADLINE), 0);
                newest = stage.polkit.held.tail->data;
                if (strcmp(newest->subject, callers[N_USERS]->name) == 0)
                        last->is_done = true; /* its turn came while all others had more to ask */
        }
        assert_true(last->is_done);
        last->is_done = false;
        stage.polkit.mood = POLKIT_SAYS_YES;
        while (stage.polkit.held.length > 0)
                polkit_answer(&stage.polkit, POLKIT_SAYS_YES);
        for (size_t i = 0; i <= N_USERS * N_EACH; i++)
                asking_wait(&askings[i]);
        for (unsigned i = 0; i <= N_USERS; i++) {
                caller_unref(callers[i]);
                private_bus_close(clients[i]);
        }
        g_free(askings);
        condition_clear(&done);
        stage_close(&stage);
}

/* Persons who do not answer keep nobody else from being answered, not even their own programs. */
static void prompts_stand_in_nobodys_way(void *data _unused_)
{
        enum { N_USERS = 12, N_EACH = 10, N_PROMPTS = 32 };
        Asking *askings = g_new0(Asking, N_USERS * N_EACH);
        Condition done = {};
        Stage stage;
        sd_bus *clients[N_USERS];
        Caller *callers[N_USERS];

        stage_open(&stage, POLKIT_SAYS_CHALLENGE);
        for (unsigned i = 0; i < N_USERS; i++) {
                clients[i] = private_bus_connect(the_bus);
                callers[i] = caller_from(&stage, clients[i], ALICE + i);
                assert_int_equal(
                        answer_of(&stage, callers[i], (AuthorityDetail[]){ { "domain_name", "d7" }, {} }),
                        ANSWER_CHALLENGE);
        }
        stage.polkit.mood = POLKIT_HOLDS;
        for (unsigned i = 0; i < N_USERS * N_EACH; i++) {
                askings[i] = (Asking){ .stage = &stage,
                                       .caller = callers[i / N_EACH],
                                       .name = "d7",
                                       .is_interactive = true,
                                       .done = &done };
                assert_int_equal(fiber_start("ask", asking_run, &askings[i]), 0);
        }
        polkit_wait(&stage.polkit, N_PROMPTS, 0);
        assert_int_equal(statistics_of(&stage).n_out, N_PROMPTS);
        stage.polkit.mood = POLKIT_SAYS_YES;
        for (unsigned i = 0; i < N_USERS; i++)
                assert_int_equal(answer_of(&stage, callers[i], web), ANSWER_YES);
        assert_int_equal(stage.polkit.held.length, N_PROMPTS);
        for (unsigned i = 0; i < N_USERS; i++)
                private_bus_close(clients[i]);
        for (size_t i = 0; i < N_USERS * N_EACH; i++) {
                asking_wait(&askings[i]);
                assert_int_equal(askings[i].result, -ECANCELED);
                error_clear(&askings[i].error);
        }
        polkit_wait(&stage.polkit, 0, N_PROMPTS);
        for (unsigned i = 0; i < N_USERS; i++)
                caller_unref(callers[i]);
        g_free(askings);
        condition_clear(&done);
        stage_close(&stage);
}

static void without_polkit_nobody_is_allowed(void *data _unused_)
{
        Stage stage;
        sd_bus *client;
        Caller *caller;
        Answer answer;

        stage_open(&stage, POLKIT_FAILS);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        for (unsigned i = 0; i < 3; i++) {
                _cleanup_(error_clear) Error error = {};
                Answer peeked;

                if (i == 1)
                        assert_true(sd_bus_release_name(stage.polkit.bus, POLKIT_NAME) >= 0);
                if (i == 2) {
                        authority_free(stage.authority);
                        stage.authority = authority_new(NULL);
                }
                assert_int_equal(ask(&stage, caller, web, true, &answer, &error), -EACCES);
                assert_int_equal(error.code, ERROR_ACCESS_DENIED);
                assert_non_null(strstr(error.message, "polkit"));
                assert_int_equal(authority_peek(stage.authority, caller, START, web, &peeked), 0);
        }
        caller->is_root = true;
        assert_int_equal(answer_of(&stage, caller, web), ANSWER_YES);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void polkit_that_dies_allows_nothing(void *data _unused_)
{
        Condition done = {};
        Asking asking;
        Stage stage;
        sd_bus *client, *old;
        Caller *caller;

        stage_open(&stage, POLKIT_HOLDS);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        asking_start(&asking, &stage, caller, 1, &done);
        polkit_wait(&stage.polkit, 1, 0);
        old = stage.polkit.bus;
        stage.polkit.bus = private_bus_connect(the_bus);
        private_bus_close(old);
        asking_wait(&asking);
        assert_int_equal(asking.result, -EACCES);
        error_clear(&asking.error);
        assert_int_equal(statistics_of(&stage).n_out, 0);
        condition_clear(&done);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void endless_names_are_refused(void *data _unused_)
{
        _cleanup_(freep) char *name = g_strnfill(KEY_MAX + 1, 'x');
        const AuthorityDetail endless[] = { { "domain_name", name }, {} };
        const AuthorityDetail no_text[] = { { "domain_name", "\xff" }, {} };
        Stage stage;
        sd_bus *client;
        Caller *caller;
        Answer answer;

        stage_open(&stage, POLKIT_SAYS_YES);
        client = private_bus_connect(the_bus);
        caller = caller_from(&stage, client, ALICE);
        assert_int_equal(ask(&stage, caller, endless, false, &answer, NULL), -EINVAL);
        assert_int_equal(ask(&stage, caller, no_text, false, &answer, NULL), -EINVAL);
        assert_int_equal(stage.polkit.n_asked, 0);
        assert_int_equal(caller->n_questions, 0);
        caller_unref(caller);
        private_bus_close(client);
        stage_close(&stage);
}

static void run(void **state)
{
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(everything_is_told_to_polkit),
                TEST(answers_are_passed_on),
                TEST(root_is_not_asked_about),
                TEST(answers_are_remembered),
                TEST(answers_are_forgotten),
                TEST(old_rules_answer_is_not_kept),
                TEST(passwords_are_not_remembered),
                TEST(equal_questions_share_an_answer),
                TEST(leaving_ends_questions),
                TEST(deadline_is_kept),
                TEST(too_many_are_refused),
                TEST(users_take_turns),
                TEST(prompts_stand_in_nobodys_way),
                TEST(without_polkit_nobody_is_allowed),
                TEST(polkit_that_dies_allows_nothing),
                TEST(endless_names_are_refused),
        };

        return cmocka_run_group_tests(tests, open_bus, close_bus);
}
