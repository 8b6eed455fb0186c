/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Questions to polkit. Each is asked on the fiber of the call that it decides about: it waits for its turn
 * (users take turns, so that one with a thousand questions delays nobody else), is sent, and is cancelled at
 * polkit when its fiber is. Answers are remembered by caller, action and details until polkit says that its
 * rules or sessions changed. */

#include "auth/authority.h"
#include "core/await.h"
#include "core/fiber.h"
#include "core/log.h"
#include <errno.h>
#include <string.h>

#define POLKIT_NAME       "org.freedesktop.PolicyKit1"
#define POLKIT_PATH       "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE  "org.freedesktop.PolicyKit1.Authority"
#define ALLOW_INTERACTION 1u /* CheckAuthorizationFlags */
/* Answers of one caller that are kept; then all are forgotten. */
#define ANSWERS_MAX 4096

/* The questions of one user. */
typedef struct User {
        uid_t uid;
        unsigned n_out;
        GQueue waiting; /* of Turn */
} User;

/* On the stack of a fiber that waits to ask. */
typedef struct Turn {
        Fiber *fiber;
        bool is_now;
} Turn;

struct Authority {
        sd_bus *bus;
        sd_bus_slot *changed_slot, *owner_slot;
        GQueue users; /* of User, in the order of their turns */
        uint64_t generation;
        uint64_t last_question;
        AuthorityStatistics statistics;
};

static int polkit_changed(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        Authority *authority = data;

        (void)message;
        (void)ret_error;
        authority->generation++;
        return 0;
}

Authority *authority_new(sd_bus *bus)
{
        Authority *authority = g_new0(Authority, 1);
        int r;

        g_queue_init(&authority->users);
        if (!bus)
                return authority;
        authority->bus = sd_bus_ref(bus);
        r = sd_bus_match_signal_async(bus, &authority->changed_slot, POLKIT_NAME, POLKIT_PATH,
                                      POLKIT_INTERFACE, "Changed", polkit_changed, NULL, authority);
        if (r >= 0)
                r = sd_bus_add_match_async(bus, &authority->owner_slot,
                                           "type='signal',sender='org.freedesktop.DBus',"
                                           "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                           "arg0='" POLKIT_NAME "'",
                                           polkit_changed, NULL, authority);
        if (r < 0)
                log_warning(NULL, "cannot watch polkit: %s; its answers are kept until a caller leaves",
                            g_strerror(-r));
        return authority;
}

static void user_free(void *data)
{
        User *user = data;

        g_queue_clear(&user->waiting);
        g_free(user);
}

Authority *authority_free(Authority *authority)
{
        if (!authority)
                return NULL;
        sd_bus_slot_unref(authority->changed_slot);
        sd_bus_slot_unref(authority->owner_slot);
        sd_bus_unref(authority->bus);
        g_queue_clear_full(&authority->users, user_free);
        g_free(authority);
        return NULL;
}

/* ANSWER in the low bits, the generation that it is of above them. */
static void *answer_pack(const Authority *authority, Answer answer)
{
        return (void *)(uintptr_t)(authority->generation << 2 | answer);
}

static char *question_key(const char *action, const AuthorityDetail *details)
{
        GString *key = g_string_new(action);

        /* Names of objects may have any character but this one. */
        for (; details && details->key; details++)
                g_string_append_printf(key, "\n%s\n%s", details->key, details->value);
        return g_string_free(key, FALSE);
}

static bool answer_recall(const Authority *authority, const Caller *caller, const char *key,
                          Answer *ret_answer)
{
        void *packed;

        if (!caller->answers || !g_hash_table_lookup_extended(caller->answers, key, NULL, &packed) ||
            (uint64_t)(uintptr_t)packed >> 2 != authority->generation)
                return false;
        *ret_answer = (Answer)((uintptr_t)packed & 3);
        return true;
}

static void answer_remember(const Authority *authority, Caller *caller, char *key, Answer answer)
{
        if (!caller->answers)
                caller->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        if (g_hash_table_size(caller->answers) >= ANSWERS_MAX)
                g_hash_table_remove_all(caller->answers);
        g_hash_table_replace(caller->answers, key, answer_pack(authority, answer));
}

static const char *detail_value(const AuthorityDetail *details, const char *key)
{
        for (; details && details->key; details++)
                if (strcmp(details->key, key) == 0)
                        return details->value;
        return NULL;
}

/* On the private socket there is no bus name that polkit could know the caller by, and before version 124 it
 * takes no pidfd. The shipped rules are applied here then: one's own, everything for group libvirt, and what
 * everybody may. */
static Answer answer_for_peer(const Caller *caller, const char *action, const AuthorityDetail *details)
{
        static const char *const for_everybody[] = { "org.libvirt.api.connect.getattr",
                                                     "org.libvirt.api.connect.read", NULL };
        const char *owner = detail_value(details, "owner");

        if (caller->is_shared || (owner && strcmp(owner, caller->user) == 0))
                return ANSWER_YES;
        if (g_strv_contains(for_everybody, action) ||
            g_str_has_prefix(action, "org.libvirt.api.connect.search-"))
                return ANSWER_YES;
        return ANSWER_NO;
}

/* Answers without a question; 1 if it is known. */
static int answer_at_hand(Authority *authority, const Caller *caller, const char *action,
                          const AuthorityDetail *details, const char *key, Answer *ret_answer)
{
        if (caller->is_root) {
                *ret_answer = ANSWER_YES;
                return 1;
        }
        if (caller->is_peer) {
                *ret_answer = answer_for_peer(caller, action, details);
                return 1;
        }
        return answer_recall(authority, caller, key, ret_answer);
}

int authority_peek(Authority *authority, Caller *caller, const char *action, const AuthorityDetail *details,
                   Answer *ret_answer)
{
        _cleanup_(freep) char *key = question_key(action, details);

        return answer_at_hand(authority, caller, action, details, key, ret_answer);
}

static User *user_of(Authority *authority, uid_t uid)
{
        User *user;

        for (GList *at = authority->users.head; at; at = at->next)
                if (((User *)at->data)->uid == uid)
                        return at->data;
        user = g_new0(User, 1);
        user->uid = uid;
        g_queue_init(&user->waiting);
        g_queue_push_tail(&authority->users, user);
        return user;
}

static void user_forget_if_idle(Authority *authority, User *user)
{
        if (user->n_out > 0 || !g_queue_is_empty(&user->waiting))
                return;
        g_queue_remove(&authority->users, user);
        user_free(user);
}

/* Gives turns, to each user in turn, while there are any to give. */
static void turns_give(Authority *authority)
{
        for (unsigned n_looked_at = 0, n = g_queue_get_length(&authority->users);
             n_looked_at < n && authority->statistics.n_out < QUESTIONS_MAX;) {
                User *user = g_queue_pop_head(&authority->users);
                Turn *turn;

                g_queue_push_tail(&authority->users, user);
                if (user->n_out >= QUESTIONS_PER_UID_MAX || g_queue_is_empty(&user->waiting)) {
                        n_looked_at++;
                        continue;
                }
                n_looked_at = 0;
                turn = g_queue_pop_head(&user->waiting);
                authority->statistics.n_queued--;
                authority->statistics.n_out++;
                user->n_out++;
                turn->is_now = true;
                fiber_wake(turn->fiber);
        }
}

static int turn_take(Authority *authority, const Caller *caller, uint64_t deadline_usec, Error *error) AWAITS
{
        User *user = user_of(authority, caller->uid);
        Turn turn = { .fiber = fiber_current() };
        int r;

        if (g_queue_get_length(&user->waiting) >= QUESTIONS_QUEUED_PER_UID_MAX) {
                authority->statistics.refused++;
                return error_set(error, ERROR_LIMITS_EXCEEDED, "User %s has %u questions waiting for polkit",
                                 caller->user, QUESTIONS_QUEUED_PER_UID_MAX);
        }
        g_queue_push_tail(&user->waiting, &turn);
        authority->statistics.n_queued++;
        turns_give(authority);
        r = await_flag(&turn.is_now, deadline_usec);
        if (r >= 0)
                return 0;
        if (turn.is_now) { /* it came together with the end */
                user->n_out--;
                authority->statistics.n_out--;
                turns_give(authority);
        } else {
                (void)g_queue_remove(&user->waiting, &turn);
                authority->statistics.n_queued--;
        }
        user_forget_if_idle(authority, user);
        if (r == -ECANCELED)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        return error_set(error, ERROR_TIMED_OUT,
                         "polkit has too much to answer: the question was not asked in time");
}

static void turn_give_back(Authority *authority, uid_t uid)
{
        User *user = user_of(authority, uid);

        user->n_out--;
        authority->statistics.n_out--;
        turns_give(authority);
        user_forget_if_idle(authority, user);
}

static int question_new(Authority *authority, const Caller *caller, const char *action,
                        const AuthorityDetail *details, bool is_interactive, const char *id,
                        sd_bus_message **ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(authority->bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(message, "(sa{sv})s", "system-bus-name", 1, "name", "s",
                                          caller->name, action);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "{ss}");
        for (; r >= 0 && details && details->key; details++)
                r = sd_bus_message_append(message, "{ss}", details->key, details->value);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_message_append(message, "us", is_interactive ? ALLOW_INTERACTION : 0, id);
        if (r >= 0)
                *ret = TAKE_PTR(message);
        return r;
}

/* polkit forgets the question, and the prompt of a person goes away. */
static void question_cancel(Authority *authority, const char *id)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        authority->statistics.cancelled++;
        r = sd_bus_message_new_method_call(authority->bus, &message, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CancelCheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append_basic(message, 's', id);
        if (r >= 0)
                r = sd_bus_message_set_expect_reply(message, false);
        if (r >= 0)
                r = sd_bus_send(authority->bus, message, NULL);
        if (r < 0)
                log_warning(NULL, "cannot cancel a question to polkit: %s", g_strerror(-r));
}

/* Whether the answer comes from a person's password, and how long it holds is polkit's to know. */
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

static int question_ask(Authority *authority, Caller *caller, const char *action,
                        const AuthorityDetail *details, bool is_interactive, uint64_t deadline_usec,
                        Answer *ret_answer, bool *ret_is_lasting, Error *error) AWAITS
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL, *answer = NULL;
        _cleanup_(error_clear) Error failure = {};
        char id[40];
        int r;

        g_snprintf(id, sizeof id, "virtbus-%" PRIu64, ++authority->last_question);
        r = question_new(authority, caller, action, details, is_interactive, id, &question);
        if (r < 0)
                return error_set_errno(error, r, "Cannot ask polkit about %s", action);
        authority->statistics.asked++;
        r = await_bus_call(authority->bus, question, is_interactive ? DEADLINE_NEVER : deadline_usec,
                           &answer, &failure);
        if (r == -ECANCELED || r == -ETIMEDOUT)
                question_cancel(authority, id);
        if (r == -ECANCELED)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        if (r >= 0)
                r = answer_read(answer, ret_answer, ret_is_lasting);
        if (r < 0)
                return error_set(error, ERROR_ACCESS_DENIED, "polkit did not answer about %s: %s", action,
                                 failure.message ? failure.message : g_strerror(-r));
        return 0;
}

int authority_ask(Authority *authority, Caller *caller, const char *action, const AuthorityDetail *details,
                  bool is_interactive, uint64_t deadline_usec, Answer *ret_answer, Error *error)
{
        _cleanup_(freep) char *key = question_key(action, details);
        uint64_t generation = authority->generation;
        bool is_lasting = false;
        Answer answer;
        int r;

        if (answer_at_hand(authority, caller, action, details, key, &answer) &&
            !(answer == ANSWER_CHALLENGE && is_interactive)) {
                authority->statistics.answered_from_memory += !caller->is_root;
                *ret_answer = answer;
                return 0;
        }
        if (caller->is_gone)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        if (!authority->bus)
                return error_set(error, ERROR_ACCESS_DENIED, "This daemon serves one user, not user %s",
                                 caller->user);
        r = turn_take(authority, caller, is_interactive ? DEADLINE_NEVER : deadline_usec, error);
        if (r < 0)
                return r;
        r = question_ask(authority, caller, action, details, is_interactive, deadline_usec, &answer,
                         &is_lasting, error);
        turn_give_back(authority, caller->uid);
        if (r < 0)
                return r;
        if (is_lasting && !is_interactive && generation == authority->generation)
                answer_remember(authority, caller, TAKE_PTR(key), answer);
        *ret_answer = answer;
        return 0;
}

int authority_check(Authority *authority, Caller *caller, const char *action, const AuthorityDetail *details,
                    bool is_interactive, uint64_t deadline_usec, Error *error)
{
        Answer answer;
        int r = authority_ask(authority, caller, action, details, is_interactive, deadline_usec, &answer,
                              error);

        if (r < 0 || answer == ANSWER_YES)
                return r;
        return error_set(error, ERROR_ACCESS_DENIED, "User %s is not allowed %s%s", caller->user, action,
                         answer == ANSWER_CHALLENGE ? " without authentication" : "");
}

void authority_get_statistics(const Authority *authority, AuthorityStatistics *ret_statistics)
{
        *ret_statistics = authority->statistics;
}
