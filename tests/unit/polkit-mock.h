/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A polkit for tests, on the test's own loop: it keeps each question that it is asked, and answers when and
 * as the test says. */

#include "private-bus.h"

#define POLKIT_NAME      "org.freedesktop.PolicyKit1"
#define POLKIT_PATH      "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

typedef struct PolkitQuestion {
        sd_bus_message *message;
        char *kind, *subject, *action, *id;
        GHashTable *details;
        uint32_t flags;
} PolkitQuestion;

typedef enum PolkitMood {
        POLKIT_HOLDS, /* answers when the test says so */
        POLKIT_SAYS_YES,
        POLKIT_SAYS_NO,
        POLKIT_SAYS_CHALLENGE, /* and yes to who may be asked */
        POLKIT_SAYS_TEMPORARY, /* yes, because a password was given lately */
        POLKIT_FAILS,
} PolkitMood;

typedef struct PolkitMock {
        sd_bus *bus;
        PolkitMood mood;
        bool is_deaf; /* keeps even cancelled questions */
        unsigned n_asked;
        GQueue held;          /* of PolkitQuestion */
        PolkitQuestion *last; /* that was answered */
        GPtrArray *cancelled; /* ids */
        Condition changed;
} PolkitMock;

static void polkit_question_free(PolkitQuestion *question)
{
        if (!question)
                return;
        sd_bus_message_unref(question->message);
        g_hash_table_unref(question->details);
        g_free(question->kind);
        g_free(question->subject);
        g_free(question->action);
        g_free(question->id);
        g_free(question);
}

static PolkitQuestion *polkit_question_read(sd_bus_message *message)
{
        PolkitQuestion *question = g_new0(PolkitQuestion, 1);
        const char *kind, *key, *subject, *action, *value, *id;

        question->message = sd_bus_message_ref(message);
        question->details = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        assert_true(sd_bus_message_read(message, "(sa{sv})", &kind, 1, &key, "s", &subject) > 0);
        assert_string_equal(key, "name");
        assert_true(sd_bus_message_read(message, "s", &action) > 0);
        assert_true(sd_bus_message_enter_container(message, 'a', "{ss}") > 0);
        while (sd_bus_message_read(message, "{ss}", &key, &value) > 0)
                assert_true(g_hash_table_insert(question->details, g_strdup(key), g_strdup(value)));
        assert_true(sd_bus_message_exit_container(message) >= 0);
        assert_true(sd_bus_message_read(message, "us", &question->flags, &id) > 0);
        question->kind = g_strdup(kind);
        question->subject = g_strdup(subject);
        question->action = g_strdup(action);
        question->id = g_strdup(id);
        return question;
}

static void polkit_reply(PolkitMock *mock, PolkitQuestion *question, PolkitMood mood)
{
        bool is_yes = mood == POLKIT_SAYS_YES || mood == POLKIT_SAYS_TEMPORARY ||
                      (mood == POLKIT_SAYS_CHALLENGE && question->flags & 1);

        if (mood == POLKIT_FAILS)
                assert_true(sd_bus_reply_method_errorf(question->message, POLKIT_NAME ".Error.Failed",
                                                       "Action %s is not registered",
                                                       question->action) >= 0);
        else if (mood == POLKIT_SAYS_TEMPORARY)
                assert_true(sd_bus_reply_method_return(question->message, "(bba{ss})", true, false, 1,
                                                       "polkit.temporary_authorization_id",
                                                       "tmpauthz1") >= 0);
        else
                assert_true(sd_bus_reply_method_return(question->message, "(bba{ss})", is_yes,
                                                       mood == POLKIT_SAYS_CHALLENGE && !is_yes, 0) >= 0);
        polkit_question_free(mock->last);
        mock->last = question;
}

/* Answers the question that is held longest. */
static _unused_ void polkit_answer(PolkitMock *mock, PolkitMood mood)
{
        PolkitQuestion *question = g_queue_pop_head(&mock->held);

        assert_non_null(question);
        polkit_reply(mock, question, mood);
}

static void polkit_cancel(PolkitMock *mock, const char *id)
{
        g_ptr_array_add(mock->cancelled, g_strdup(id));
        for (GList *at = mock->held.head; at && !mock->is_deaf; at = at->next) {
                PolkitQuestion *question = at->data;

                if (strcmp(question->id, id) != 0)
                        continue;
                g_queue_delete_link(&mock->held, at);
                assert_true(sd_bus_reply_method_errorf(question->message, POLKIT_NAME ".Error.Cancelled",
                                                       "The caller cancelled") >= 0);
                polkit_question_free(question);
                return;
        }
}

static int polkit_called(sd_bus_message *message, void *data, sd_bus_error *ret_error _unused_)
{
        PolkitMock *mock = data;
        const char *id;

        if (sd_bus_message_is_method_call(message, POLKIT_INTERFACE, "CheckAuthorization")) {
                PolkitQuestion *question = polkit_question_read(message);

                mock->n_asked++;
                if (mock->mood == POLKIT_HOLDS)
                        g_queue_push_tail(&mock->held, question);
                else
                        polkit_reply(mock, question, mock->mood);
        } else if (sd_bus_message_is_method_call(message, POLKIT_INTERFACE, "CancelCheckAuthorization")) {
                assert_true(sd_bus_message_read(message, "s", &id) > 0);
                polkit_cancel(mock, id);
        } else {
                return 0;
        }
        condition_wake_all(&mock->changed);
        return 1;
}

static _unused_ void polkit_open(PolkitMock *mock, const PrivateBus *bus, PolkitMood mood)
{
        *mock = (PolkitMock){ .mood = mood, .held = G_QUEUE_INIT };
        mock->cancelled = g_ptr_array_new_with_free_func(g_free);
        mock->bus = private_bus_connect(bus);
        assert_true(sd_bus_add_object(mock->bus, NULL, POLKIT_PATH, polkit_called, mock) >= 0);
        assert_true(sd_bus_request_name(mock->bus, POLKIT_NAME, 0) >= 0);
}

static _unused_ void polkit_close(PolkitMock *mock)
{
        PolkitQuestion *question;

        while ((question = g_queue_pop_head(&mock->held)))
                polkit_question_free(question);
        polkit_question_free(mock->last);
        g_ptr_array_unref(mock->cancelled);
        mock->bus = private_bus_close(mock->bus);
        condition_clear(&mock->changed);
}

/* Waits until so many questions are held and so many have been cancelled. */
static _unused_ void polkit_wait(PolkitMock *mock, unsigned n_held, unsigned n_cancelled)
{
        uint64_t deadline_usec = deadline_after_usec(20 * G_USEC_PER_SEC);

        while (mock->held.length != n_held || mock->cancelled->len != n_cancelled)
                assert_int_equal(condition_wait(&mock->changed, deadline_usec), 0);
}

static _unused_ void polkit_say_changed(sd_bus *from, const char *to)
{
        sd_bus_message *message = NULL;

        assert_true(sd_bus_message_new_signal(from, &message, POLKIT_PATH, POLKIT_INTERFACE, "Changed") >=
                    0);
        assert_true(sd_bus_send_to(from, message, to, NULL) >= 0);
        sd_bus_message_unref(message);
}
