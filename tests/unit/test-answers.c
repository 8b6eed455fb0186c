/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is remembered of polkit's answers: how much at most, and that no two questions are taken for one. */

#include "auth/answers.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define START "org.libvirt.api.domain.start"
#define ALICE ((uid_t)1000)

static void remember_many(Answers *answers, Caller *caller, unsigned n)
{
        Answer answer;

        for (unsigned i = 0; i < n; i++) {
                _cleanup_(freep) char *key = g_strdup_printf("key %u", i);

                answers_remember(answers, caller, key, i % 3);
        }
        assert_false(answers_recall(answers, caller, "key", &answer));
}

static void memory_is_bounded(void **state _unused_)
{
        Answers *answers = answers_new();
        _cleanup_(freep) char *name = g_strnfill(KEY_REMEMBERED_MAX + 1, 'x');
        Caller callers[6] = {};
        Answer answer;
        unsigned n = 0;

        for (size_t i = 0; i < G_N_ELEMENTS(callers); i++) {
                callers[i].uid = ALICE;
                remember_many(answers, &callers[i], 2 * ANSWERS_PER_CALLER_MAX);
                if (callers[i].answers)
                        n += g_hash_table_size(callers[i].answers);
        }
        assert_int_equal(g_hash_table_size(callers[0].answers), ANSWERS_PER_CALLER_MAX);
        assert_int_equal(n, ANSWERS_PER_UID_MAX);
        g_clear_pointer(&callers[0].answers, g_hash_table_unref);
        answers_remember(answers, &callers[5], "key 1", ANSWER_YES); /* there is room again */
        assert_true(answers_recall(answers, &callers[5], "key 1", &answer));
        assert_int_equal(answer, ANSWER_YES);
        answers_remember(answers, &callers[5], name, ANSWER_YES);
        assert_false(answers_recall(answers, &callers[5], name, &answer));
        answers_free(answers);
        for (size_t i = 0; i < G_N_ELEMENTS(callers); i++)
                if (callers[i].answers)
                        g_hash_table_unref(callers[i].answers);
}

static void keys_are_told_apart(void **state _unused_)
{
        const AuthorityDetail one[] = { { "name", "a\nowner\nroot" }, {} };
        const AuthorityDetail two[] = { { "name", "a" }, { "owner", "root" }, {} };
        _cleanup_(freep) char *a = answers_key(START, one), *b = answers_key(START, two);

        assert_string_not_equal(a, b);
}

static void old_generations_do_not_count(void **state _unused_)
{
        Answers *answers = answers_new();
        Caller caller = { .uid = ALICE };
        Answer answer = ANSWER_NO;

        answers_remember(answers, &caller, "key", ANSWER_YES);
        assert_true(answers_recall(answers, &caller, "key", &answer));
        answers_forget(answers);
        assert_false(answers_recall(answers, &caller, "key", &answer));
        answers_remember(answers, &caller, "key", ANSWER_CHALLENGE);
        assert_true(answers_recall(answers, &caller, "key", &answer));
        assert_int_equal(answer, ANSWER_CHALLENGE);
        answers_free(answers);
        g_hash_table_unref(caller.answers); /* outlives them */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(memory_is_bounded),
                cmocka_unit_test(keys_are_told_apart),
                cmocka_unit_test(old_generations_do_not_count),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
