/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Questions to polkit, for auth/authority.c. A question waits in its user's queue until the user's turn
 * comes: users take turns, so that one with a thousand questions delays nobody else. The reply comes to a
 * handler of its own, not to the fiber that waits, because a question that nobody waits for any longer is
 * still out: until polkit has confirmed that it is cancelled it counts at the message bus, which lets the
 * daemon have only 128 calls unanswered.
 */

#include "auth/questions.h"
#include "core/await.h"
#include "core/fiber.h"
#include "core/log.h"
#include <errno.h>
#include <string.h>

#define ALLOW_INTERACTION 1u /* of polkit's CheckAuthorizationFlags */

/* The questions of one user who has any. */
typedef struct User {
        uid_t uid;
        unsigned n_out, n_prompts;       /* prompts are among those that are out */
        GQueue waiting, waiting_prompts; /* of Question */
} User;

struct Questions {
        sd_bus *bus;
        GQueue users;       /* of User, in the order of their turns */
        GPtrArray *out;     /* of Question */
        unsigned n_prompts; /* of those */
        char *polkit;       /* unique name of who answered last */
        uint64_t last_id;
        AuthorityStatistics statistics;
};

typedef struct Question {
        Questions *questions;
        User *user;
        Caller *caller; /* counted */
        Fiber *fiber;   /* that waits; NULL when it has given up */
        sd_bus_message *message;
        sd_bus_slot *slot;
        char id[40];
        bool is_interactive, is_out, is_answered;
        int result;
        Answer answer;
        bool is_lasting;
        Error error;
} Question;

Questions *questions_new(sd_bus *bus)
{
        Questions *questions = g_new0(Questions, 1);

        questions->bus = sd_bus_ref(bus);
        questions->out = g_ptr_array_new();
        g_queue_init(&questions->users);
        return questions;
}

static User *user_of(Questions *questions, uid_t uid)
{
        User *user;

        for (GList *at = questions->users.head; at; at = at->next)
                if (((User *)at->data)->uid == uid)
                        return at->data;
        user = g_new0(User, 1);
        user->uid = uid;
        g_queue_init(&user->waiting);
        g_queue_init(&user->waiting_prompts);
        g_queue_push_tail(&questions->users, user);
        return user;
}

static unsigned user_count_waiting(const User *user)
{
        return user->waiting.length + user->waiting_prompts.length;
}

static GQueue *queue_of(const Question *question)
{
        return question->is_interactive ? &question->user->waiting_prompts : &question->user->waiting;
}

/* polkit forgets the question, and the prompt before the person goes away. */
static void question_cancel(Question *question)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        Questions *questions = question->questions;
        int r;

        questions->statistics.cancelled++;
        r = sd_bus_message_new_method_call(questions->bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CancelCheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append_basic(message, 's', question->id);
        if (r >= 0)
                r = sd_bus_message_set_expect_reply(message, false);
        if (r >= 0)
                r = sd_bus_send(questions->bus, message, NULL);
        if (r < 0)
                log_warning(NULL, "Cannot cancel a question to polkit: %s", g_strerror(-r));
}

/* The fiber that waits goes on; the question itself stays until it is neither out nor waited for. */
static void question_answer(Question *question, int result)
{
        question->result = result;
        question->is_answered = true;
        if (question->fiber)
                fiber_wake(question->fiber);
}

static void question_free(Question *question)
{
        question->caller->n_questions--;
        caller_unref(question->caller);
        sd_bus_message_unref(question->message);
        sd_bus_slot_unref(question->slot);
        error_clear(&question->error);
        g_free(question);
}

/* The next question of the user whose turn it is; NULL if none may be asked now. */
static Question *user_next_question(const Questions *questions, User *user)
{
        if (questions->statistics.n_out >= QUESTIONS_MAX || user->n_out >= QUESTIONS_PER_UID_MAX)
                return NULL;
        if (user->waiting.length > 0)
                return g_queue_pop_head(&user->waiting);
        if (questions->n_prompts >= PROMPTS_MAX || user->n_prompts >= PROMPTS_PER_UID_MAX)
                return NULL;
        return g_queue_pop_head(&user->waiting_prompts);
}

static void question_leave_out(Question *question)
{
        Questions *questions = question->questions;

        question->is_out = false;
        (void)g_ptr_array_remove_fast(questions->out, question); /* it is in there */
        questions->statistics.n_out--;
        questions->n_prompts -= question->is_interactive;
        question->user->n_out--;
        question->user->n_prompts -= question->is_interactive;
}

static int answer_read(sd_bus_message *message, Answer *ret_answer, bool *ret_is_lasting)
{
        int is_authorised, is_challenge, r;
        const char *key, *value;
        bool is_lasting = true;

        r = sd_bus_message_enter_container(message, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(message, "bb", &is_authorised, &is_challenge);
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "{ss}");
        /* A password opens an action for some minutes, which polkit counts and does not announce the end of.
         */
        while (r >= 0 && (r = sd_bus_message_read(message, "{ss}", &key, &value)) > 0)
                if (strcmp(key, "polkit.temporary_authorization_id") == 0 ||
                    strcmp(key, "polkit.dismissed") == 0)
                        is_lasting = false;
        if (r < 0)
                return r;
        *ret_answer = is_authorised ? ANSWER_YES : is_challenge ? ANSWER_CHALLENGE : ANSWER_NO;
        *ret_is_lasting = is_lasting;
        return 0;
}

static int failure_read(const sd_bus_error *failure, Error *error)
{
        if (strcmp(failure->name, POLKIT_NAME ".Error.Cancelled") == 0)
                return error_set(error, ERROR_CANCELLED, "The question to polkit was cancelled");
        if (strcmp(failure->name, SD_BUS_ERROR_LIMITS_EXCEEDED) == 0)
                return error_set(error, ERROR_LIMITS_EXCEEDED, "Too many questions are out at polkit");
        return error_set(error, ERROR_ACCESS_DENIED,
                         "polkit did not decide, so nobody but root is allowed: %s",
                         failure->message ? failure->message : failure->name);
}

static void remember_polkit(Questions *questions, sd_bus_message *reply)
{
        const char *sender = sd_bus_message_get_sender(reply);

        if (sender && g_strcmp0(questions->polkit, sender) != 0) {
                g_free(questions->polkit);
                questions->polkit = g_strdup(sender);
        }
}

static int reply_read(Question *question, sd_bus_message *reply)
{
        const sd_bus_error *failure = sd_bus_message_get_error(reply);
        int r;

        if (failure)
                return failure_read(failure, &question->error);
        r = answer_read(reply, &question->answer, &question->is_lasting);
        if (r < 0)
                return error_set(&question->error, ERROR_ACCESS_DENIED, "polkit's answer cannot be read");
        remember_polkit(question->questions, reply);
        return 0;
}

static void turns_give(Questions *questions);

static int question_replied(sd_bus_message *reply, void *data, sd_bus_error *ret_error)
{
        Question *question = data;
        Questions *questions = question->questions;

        (void)ret_error; /* replies are not replied to */
        question_leave_out(question);
        if (!question->is_answered)
                question_answer(question, reply_read(question, reply));
        if (!question->fiber)
                question_free(question);
        turns_give(questions);
        return 0;
}

static void question_send(Question *question)
{
        Questions *questions = question->questions;
        int r;

        /* No time limit: a person may take any time, and polkit's end is told by the message bus. */
        r = sd_bus_call_async(questions->bus, &question->slot, question->message, question_replied, question,
                              UINT64_MAX);
        if (r < 0) {
                question_answer(question, error_set(&question->error, ERROR_ACCESS_DENIED,
                                                    "polkit cannot be asked: %s", g_strerror(-r)));
                return;
        }
        questions->statistics.asked++;
        question->is_out = true;
        g_ptr_array_add(questions->out, question);
        questions->statistics.n_out++;
        questions->n_prompts += question->is_interactive;
        question->user->n_out++;
        question->user->n_prompts += question->is_interactive;
}

/* Lets each user in turn ask one question while any may be asked, and forgets users who have none. */
static void turns_give(Questions *questions)
{
        for (unsigned n_in_vain = 0; n_in_vain < questions->users.length;) {
                User *user = g_queue_pop_head(&questions->users);
                Question *question = user_next_question(questions, user);

                if (!question && user->n_out == 0 && user_count_waiting(user) == 0) {
                        g_free(user);
                        continue;
                }
                g_queue_push_tail(&questions->users, user);
                n_in_vain++;
                if (question) {
                        n_in_vain = 0;
                        questions->statistics.n_queued--;
                        question_send(question);
                }
        }
}

/* Takes it out of its queue, or tells polkit that nobody wants to know any longer. */
static void question_withdraw(Question *question)
{
        Questions *questions = question->questions;

        if (question->is_out) {
                question_cancel(question);
                return;
        }
        if (g_queue_remove(queue_of(question), question))
                questions->statistics.n_queued--;
        turns_give(questions);
}

static void caller_left(Caller *caller, void *data)
{
        Question *question = data;

        (void)caller; /* the question's own */
        if (question->is_answered)
                return;
        question_withdraw(question);
        question_answer(question, -ECANCELED);
}

static int message_new(const Question *question, const char *action, const AuthorityDetail *details,
                       sd_bus_message **ret_message)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(question->questions->bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                          question->caller->name, action);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "{ss}");
        for (; r >= 0 && details && details->key; details++)
                r = sd_bus_message_append(message, "{ss}", details->key, details->value);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_message_append(message, "us", question->is_interactive ? ALLOW_INTERACTION : 0,
                                          question->id);
        if (r >= 0)
                *ret_message = TAKE_PTR(message);
        return r;
}

static int question_new(Questions *questions, Caller *caller, const char *action,
                        const AuthorityDetail *details, bool is_interactive, Question **ret_question)
{
        Question *question = g_new0(Question, 1);
        int r;

        question->questions = questions;
        question->caller = caller_ref(caller);
        question->caller->n_questions++;
        question->fiber = fiber_current();
        question->is_interactive = is_interactive;
        g_snprintf(question->id, sizeof question->id, "virtbus-%" PRIu64, ++questions->last_id);
        r = message_new(question, action, details, &question->message);
        if (r < 0) {
                question_free(question);
                return r;
        }
        *ret_question = question;
        return 0;
}

/* Waits, and leaves the question: to its handler if it is out, to nobody otherwise. */
static int question_wait(Question *question, uint64_t deadline_usec, Answer *ret_answer,
                         bool *ret_is_lasting, Error *error) AWAITS
{
        unsigned watch = caller_watch(question->caller, caller_left, question);
        int r;

        r = await_flag(&question->is_answered, deadline_usec);
        caller_unwatch(question->caller, watch);
        question->fiber = NULL;
        if (r < 0 && !question->is_answered) {
                question_withdraw(question);
                question_answer(question, r);
        }
        r = question->result;
        if (r == -ECANCELED)
                (void)error_set(error, ERROR_CANCELLED,
                                question->caller->is_gone ? "The caller left" : "The question was given up");
        else if (r == -ETIMEDOUT)
                (void)error_set(error, ERROR_TIMED_OUT, "polkit did not answer in time");
        else if (r < 0)
                error_move(error, &question->error);
        if (r >= 0) {
                *ret_answer = question->answer;
                *ret_is_lasting = question->is_lasting;
        }
        if (!question->is_out)
                question_free(question);
        return r;
}

int questions_ask(Questions *questions, Caller *caller, const char *action, const AuthorityDetail *details,
                  bool is_interactive, uint64_t deadline_usec, Answer *ret_answer, bool *ret_is_lasting,
                  Error *error)
{
        User *user = user_of(questions, caller->uid);
        Question *question;
        int r;

        if (user_count_waiting(user) >= QUESTIONS_QUEUED_PER_UID_MAX) {
                questions->statistics.refused++;
                return error_set(error, ERROR_LIMITS_EXCEEDED,
                                 "User %s has %u questions waiting for polkit, which is the most",
                                 caller->user, QUESTIONS_QUEUED_PER_UID_MAX);
        }
        r = question_new(questions, caller, action, details, is_interactive, &question);
        if (r < 0)
                return error_set(error, ERROR_INVALID_ARGUMENT, "polkit cannot be asked about %s: %s",
                                 action, g_strerror(-r));
        question->user = user;
        g_queue_push_tail(queue_of(question), question);
        questions->statistics.n_queued++;
        turns_give(questions);
        return question_wait(question, is_interactive ? DEADLINE_NEVER : deadline_usec, ret_answer,
                             ret_is_lasting, error);
}

/* Neither polkit nor the question's fiber will come back to it. */
static void question_abandon(Question *question)
{
        if (question->is_out)
                question_leave_out(question);
        question->slot = sd_bus_slot_unref(question->slot);
        if (!question->is_answered)
                question_answer(question, -ECANCELED);
        if (!question->fiber)
                question_free(question);
}

static void user_free(void *data)
{
        User *user = data;
        Question *question;

        while ((question = g_queue_pop_head(&user->waiting)) ||
               (question = g_queue_pop_head(&user->waiting_prompts)))
                question_abandon(question);
        g_free(user);
}

Questions *questions_free(Questions *questions)
{
        if (!questions)
                return NULL;
        while (questions->out->len > 0)
                question_abandon(g_ptr_array_index(questions->out, 0));
        g_queue_clear_full(&questions->users, user_free);
        g_ptr_array_unref(questions->out);
        g_free(questions->polkit);
        sd_bus_unref(questions->bus);
        g_free(questions);
        return NULL;
}

bool questions_is_from_polkit(const Questions *questions, sd_bus_message *message)
{
        return !questions->polkit || g_strcmp0(questions->polkit, sd_bus_message_get_sender(message)) == 0;
}

void questions_forget_polkit(Questions *questions)
{
        g_clear_pointer(&questions->polkit, g_free);
}

void questions_get_statistics(const Questions *questions, AuthorityStatistics *ret_statistics)
{
        *ret_statistics = questions->statistics;
}
