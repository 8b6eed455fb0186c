/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Remembered answers, for auth/authority.c. They hang on their caller and go with it. polkit says that
 * something changed, never what: then the generation is raised, by which all older answers count no longer,
 * and each caller's are thrown away when it is next looked at. */

#include "auth/answers.h"
#include <string.h>

/* Stands between the parts of a key. No text of a message can have it: it is no UTF-8. */
#define SEPARATOR '\xff'

/* How many answers are kept for the callers of one user. The callers may outlive Answers, so it is counted.
 */
typedef struct Allowance {
        unsigned refs;
        unsigned n_used;
} Allowance;

struct Answers {
        uint64_t generation;
        GHashTable *allowances; /* uid -> Allowance, of users with callers */
};

typedef struct Remembered {
        Allowance *allowance; /* counted */
        uint64_t generation;
        Answer answer;
} Remembered;

static void allowance_unref(void *data)
{
        Allowance *allowance = data;

        if (--allowance->refs == 0)
                g_free(allowance);
}

static void remembered_free(void *data)
{
        Remembered *remembered = data;

        remembered->allowance->n_used--;
        allowance_unref(remembered->allowance);
        g_free(remembered);
}

Answers *answers_new(void)
{
        Answers *answers = g_new0(Answers, 1);

        answers->allowances = g_hash_table_new_full(NULL, NULL, NULL, allowance_unref);
        return answers;
}

Answers *answers_free(Answers *answers)
{
        if (!answers)
                return NULL;
        g_hash_table_unref(answers->allowances);
        g_free(answers);
        return NULL;
}

char *answers_key(const char *action, const AuthorityDetail *details)
{
        GString *key = g_string_new(action);

        for (; details && details->key; details++) {
                g_string_append_c(key, SEPARATOR);
                g_string_append(key, details->key);
                g_string_append_c(key, SEPARATOR);
                g_string_append(key, details->value);
        }
        return g_string_free(key, FALSE);
}

void answers_forget(Answers *answers)
{
        answers->generation++;
}

uint64_t answers_get_generation(const Answers *answers)
{
        return answers->generation;
}

bool answers_recall(const Answers *answers, const Caller *caller, const char *key, Answer *ret_answer)
{
        const Remembered *remembered = caller->answers ? g_hash_table_lookup(caller->answers, key) : NULL;

        if (!remembered)
                return false;
        if (remembered->generation != answers->generation) {
                g_hash_table_remove(caller->answers, key);
                return false;
        }
        *ret_answer = remembered->answer;
        return true;
}

/* Whichever answer the table has first, as good as any. */
static void forget_one(GHashTable *table)
{
        GHashTableIter iterator;

        g_hash_table_iter_init(&iterator, table);
        if (g_hash_table_iter_next(&iterator, NULL, NULL))
                g_hash_table_iter_remove(&iterator);
}

static Allowance *allowance_of(Answers *answers, uid_t uid)
{
        Allowance *allowance = g_hash_table_lookup(answers->allowances, GUINT_TO_POINTER(uid));

        if (allowance)
                return allowance;
        allowance = g_new0(Allowance, 1);
        allowance->refs = 1;
        g_hash_table_insert(answers->allowances, GUINT_TO_POINTER(uid), allowance);
        return allowance;
}

void answers_remember(Answers *answers, Caller *caller, const char *key, Answer answer)
{
        Allowance *allowance = allowance_of(answers, caller->uid);
        Remembered *remembered;

        if (strlen(key) > KEY_REMEMBERED_MAX)
                return;
        if (!caller->answers)
                caller->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, remembered_free);
        g_hash_table_remove(caller->answers, key);
        if (g_hash_table_size(caller->answers) >= ANSWERS_PER_CALLER_MAX ||
            allowance->n_used >= ANSWERS_PER_UID_MAX)
                forget_one(caller->answers);
        if (allowance->n_used >= ANSWERS_PER_UID_MAX)
                return; /* the user's other callers have all of them */
        remembered = g_new0(Remembered, 1);
        *remembered = (Remembered){ allowance, answers->generation, answer };
        allowance->refs++;
        allowance->n_used++;
        g_hash_table_insert(caller->answers, g_strdup(key), remembered);
}
