/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who decides: nobody where the caller is root, memory where polkit has said it, the shipped rules on the
 * private socket, polkit (auth/questions.c) otherwise. What polkit can answer without a person is always
 * asked that way first, so that its answer can be remembered, and so that only what really needs a person is
 * asked interactively. */

#include "auth/answers.h"
#include "auth/questions.h"
#include "core/await.h"
#include "core/log.h"
#include <errno.h>
#include <string.h>

struct Authority {
        Questions *questions; /* NULL: there is no polkit to ask */
        Answers *answers;
        GHashTable *asking; /* of Asking, by itself */
        sd_bus_slot *changed_slot, *owner_slot;
        uint64_t n_from_memory;
};

/* A question that is being asked, and those who wait for its answer. */
typedef struct Asking {
        unsigned refs;
        const Caller *caller; /* lives as long as whoever asks for it */
        const char *key;      /* likewise */
        Condition answered;
} Asking;

static guint asking_hash(const void *data)
{
        const Asking *asking = data;

        return g_str_hash(asking->key) ^ g_direct_hash(asking->caller);
}

static gboolean asking_equal(const void *one, const void *other)
{
        const Asking *a = one, *b = other;

        return a->caller == b->caller && strcmp(a->key, b->key) == 0;
}

static Asking *asking_unref(Asking *asking)
{
        if (asking && --asking->refs == 0) {
                condition_clear(&asking->answered);
                g_free(asking);
        }
        return NULL;
}
DEFINE_CLEANUP(Asking, asking_unref)

/* A signal may be sent to us alone by anybody. */
static int polkit_changed(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        Authority *authority = data;

        (void)ret_error; /* a signal has no reply */
        if (questions_is_from_polkit(authority->questions, message))
                answers_forget(authority->answers);
        return 0;
}

static int polkit_replaced(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        Authority *authority = data;

        (void)ret_error;
        if (g_strcmp0(sd_bus_message_get_sender(message), "org.freedesktop.DBus") != 0)
                return 0;
        questions_forget_polkit(authority->questions);
        answers_forget(authority->answers);
        return 0;
}

static int polkit_watch(Authority *authority, sd_bus *bus)
{
        int r;

        /* Should the message bus refuse the matches, sd-bus closes the connection: no answer outlives its
         * rule. */
        r = sd_bus_match_signal_async(bus, &authority->changed_slot, POLKIT_NAME, POLKIT_PATH,
                                      POLKIT_INTERFACE, "Changed", polkit_changed, NULL, authority);
        if (r < 0)
                return r;
        return sd_bus_add_match_async(bus, &authority->owner_slot,
                                      "type='signal',sender='org.freedesktop.DBus',"
                                      "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                      "arg0='" POLKIT_NAME "'",
                                      polkit_replaced, NULL, authority);
}

Authority *authority_new(sd_bus *bus)
{
        Authority *authority = g_new0(Authority, 1);
        int r;

        authority->answers = answers_new();
        authority->asking = g_hash_table_new(asking_hash, asking_equal);
        if (!bus)
                return authority;
        authority->questions = questions_new(bus);
        r = polkit_watch(authority, bus);
        if (r < 0) {
                log_error(NULL, "Cannot watch polkit: %s; only root is allowed anything", g_strerror(-r));
                authority->questions = questions_free(authority->questions);
        }
        return authority;
}

Authority *authority_free(Authority *authority)
{
        if (!authority)
                return NULL;
        sd_bus_slot_unref(authority->changed_slot);
        sd_bus_slot_unref(authority->owner_slot);
        questions_free(authority->questions);
        answers_free(authority->answers);
        g_hash_table_unref(authority->asking);
        g_free(authority);
        return NULL;
}

static const char *detail_value(const AuthorityDetail *details, const char *key)
{
        for (; details && details->key; details++)
                if (strcmp(details->key, key) == 0)
                        return details->value;
        return NULL;
}

static bool has_prefix_of(const char *action, const char *const *prefixes)
{
        for (; *prefixes; prefixes++)
                if (g_str_has_prefix(action, *prefixes))
                        return true;
        return false;
}

/* On the private socket there is no bus name that polkit could know the caller by, and before version 124 it
 * takes no pidfd. There the shipped rules hold (polkit/60-virtbus.rules and the defaults of the actions). */
static Answer answer_for_peer(const Caller *caller, const char *action, const AuthorityDetail *details)
{
        /* What works with the rights of its owner alone. */
        static const char *const for_owners[] = { "org.libvirt.api.domain.", "org.libvirt.api.secret.",
                                                  "org.virtbus1.domain.", NULL };
        static const char *const for_everybody[] = { "org.libvirt.api.connect.getattr",
                                                     "org.libvirt.api.connect.read",
                                                     "org.libvirt.api.connect.search-", NULL };
        const char *owner = detail_value(details, "owner");

        if (caller->is_shared || has_prefix_of(action, for_everybody))
                return ANSWER_YES;
        if (owner && strcmp(owner, caller->user) == 0 && has_prefix_of(action, for_owners))
                return ANSWER_YES;
        return ANSWER_NO;
}

/* Answers without a question, if it can. */
static bool answer_at_hand(Authority *authority, const Caller *caller, const char *action,
                           const AuthorityDetail *details, const char *key, Answer *ret_answer)
{
        if (caller->is_root) {
                *ret_answer = ANSWER_YES;
                return true;
        }
        if (caller->is_peer) {
                *ret_answer = answer_for_peer(caller, action, details);
                return true;
        }
        return answers_recall(authority->answers, caller, key, ret_answer);
}

int authority_peek(Authority *authority, Caller *caller, const char *action, const AuthorityDetail *details,
                   Answer *ret_answer)
{
        _cleanup_(freep) char *key = answers_key(action, details);

        return answer_at_hand(authority, caller, action, details, key, ret_answer);
}

/* Waits while the same is being asked for the same caller. */
static int wait_for_same(Authority *authority, const Caller *caller, const char *key, uint64_t deadline_usec,
                         Error *error) AWAITS
{
        Asking same = { .caller = caller, .key = key };
        _cleanup_(asking_unrefp) Asking *asking = g_hash_table_lookup(authority->asking, &same);
        int r;

        if (!asking)
                return 0;
        asking->refs++;
        r = condition_wait(&asking->answered, deadline_usec);
        if (r == -ETIMEDOUT)
                return error_set(error, ERROR_TIMED_OUT, "polkit did not answer in time");
        if (r < 0 || caller->is_gone)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        return 0;
}

/* Asks polkit, which asks nobody, and remembers the answer. */
static int ask_and_remember(Authority *authority, Caller *caller, const char *action,
                            const AuthorityDetail *details, const char *key, uint64_t deadline_usec,
                            Answer *ret_answer, Error *error) AWAITS
{
        uint64_t generation = answers_get_generation(authority->answers);
        _cleanup_(asking_unrefp) Asking *asking = g_new0(Asking, 1);
        bool is_lasting = false, is_first;
        Answer answer = ANSWER_NO;
        int r;

        *asking = (Asking){ .refs = 1, .caller = caller, .key = key };
        is_first = !g_hash_table_contains(authority->asking, asking);
        if (is_first)
                g_hash_table_add(authority->asking, asking);
        r = questions_ask(authority->questions, caller, action, details, false, deadline_usec, &answer,
                          &is_lasting, error);
        if (is_first)
                g_hash_table_remove(authority->asking, asking);
        if (r >= 0 && is_lasting && generation == answers_get_generation(authority->answers))
                answers_remember(authority->answers, caller, key, answer);
        condition_wake_all(&asking->answered);
        if (r >= 0)
                *ret_answer = answer;
        return r;
}

static int answer_find(Authority *authority, Caller *caller, const char *action,
                       const AuthorityDetail *details, const char *key, uint64_t deadline_usec,
                       Answer *ret_answer, Error *error) AWAITS
{
        int r = 0;

        if (!answer_at_hand(authority, caller, action, details, key, ret_answer)) {
                if (caller->is_gone)
                        return error_set(error, ERROR_CANCELLED, "The caller left");
                if (!authority->questions)
                        return error_set(error, ERROR_ACCESS_DENIED,
                                         "There is no polkit to ask, so nobody but root is allowed %s",
                                         action);
                if (strlen(key) > KEY_MAX)
                        return error_set(error, ERROR_INVALID_ARGUMENT, "The name is too long");
                r = wait_for_same(authority, caller, key, deadline_usec, error);
                if (r < 0)
                        return r;
                if (!answers_recall(authority->answers, caller, key, ret_answer))
                        return ask_and_remember(authority, caller, action, details, key, deadline_usec,
                                                ret_answer, error);
        }
        authority->n_from_memory += !caller->is_root && !caller->is_peer;
        return 0;
}

int authority_ask(Authority *authority, Caller *caller, const char *action, const AuthorityDetail *details,
                  bool is_interactive, uint64_t deadline_usec, Answer *ret_answer, Error *error)
{
        _cleanup_(freep) char *key = answers_key(action, details);
        bool is_lasting;
        Answer answer;
        int r;

        r = answer_find(authority, caller, action, details, key, deadline_usec, &answer, error);
        if (r >= 0 && answer == ANSWER_CHALLENGE && is_interactive)
                r = questions_ask(authority->questions, caller, action, details, true, DEADLINE_NEVER,
                                  &answer, &is_lasting, error);
        if (r >= 0)
                *ret_answer = answer;
        return r;
}

int authority_check(Authority *authority, Caller *caller, const char *action, const AuthorityDetail *details,
                    bool is_interactive, uint64_t deadline_usec, Error *error)
{
        Answer answer;
        int r;

        r = authority_ask(authority, caller, action, details, is_interactive, deadline_usec, &answer, error);
        if (r < 0 || answer == ANSWER_YES)
                return r;
        return error_set(error, ERROR_ACCESS_DENIED, "User %s is not allowed %s%s", caller->user, action,
                         answer == ANSWER_CHALLENGE ? " without authentication" : "");
}

void authority_get_statistics(const Authority *authority, AuthorityStatistics *ret_statistics)
{
        AuthorityStatistics statistics = {};

        if (authority->questions)
                questions_get_statistics(authority->questions, &statistics);
        statistics.answered_from_memory = authority->n_from_memory;
        *ret_statistics = statistics;
}
