/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Errors: the first one counts, numbers belong to codes, flags are refused by name. */

#include "core/error.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void the_first_cause_stays(void **state)
{
        _cleanup_(error_clear) Error error = {};

        (void)state;
        assert_int_equal(error_set(&error, ERROR_NO_DOMAIN, "No domain named %s", "web"), -ENOENT);
        assert_int_equal(error_set(&error, ERROR_INTERNAL, "a consequence"), -EIO);
        assert_int_equal(error.code, ERROR_NO_DOMAIN);
        assert_string_equal(error.message, "No domain named web");
        error_prefix(&error, "Cannot start %d", 1);
        assert_string_equal(error.message, "Cannot start 1: No domain named web");
}

static void system_errors_choose_their_code(void **state)
{
        static const struct {
                int errnum;
                ErrorCode code;
        } cases[] = {
                { ENOSPC, ERROR_NO_SPACE },     { -EDQUOT, ERROR_NO_SPACE },
                { ETIMEDOUT, ERROR_TIMED_OUT }, { EEXIST, ERROR_EXISTS },
                { ECANCELED, ERROR_CANCELLED }, { EACCES, ERROR_OPERATION_FAILED },
                { EFAULT, ERROR_INTERNAL },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(error_clear) Error error = {};

                assert_int_equal(error_set_errno(&error, cases[i].errnum, "x"), -abs(cases[i].errnum));
                assert_int_equal(error.code, cases[i].code);
        }
}

static void every_code_has_an_errno(void **state)
{
        (void)state;
        for (ErrorCode code = ERROR_NONE + 1; code < _ERROR_MAX; code++)
                assert_true(error_code_to_errno(code) > 0);
        assert_int_equal(error_code_to_errno(_ERROR_MAX), EIO);
}

static void long_quotes_are_cut(void **state)
{
        _cleanup_(error_clear) Error error = {};
        _cleanup_(freep) char *name = g_strnfill(1 << 20, 'x');

        (void)state;
        for (size_t i = 0; i + 2 < 1 << 20; i += 2)
                memcpy(name + i, "\xc3\xa4", 2);
        assert_int_equal(error_set(&error, ERROR_NO_DOMAIN, "No domain named %s: look again", name),
                         -ENOENT);
        assert_true(strlen(error.message) < 10000);
        assert_true(g_utf8_validate(error.message, -1, NULL));
        assert_true(g_str_has_prefix(error.message, "No domain named "));
        assert_true(g_str_has_suffix(error.message, ": look again"));
}

static void unknown_flags_are_named(void **state)
{
        _cleanup_(error_clear) Error error = {};

        (void)state;
        assert_int_equal(error_check_flags(&error, "GetState", 1, 3), 0);
        assert_int_equal(error_check_flags(&error, "GetState", 0x15, 0x5), -EINVAL);
        assert_string_equal(error.message, "GetState: unknown flags 0x10 (known are 0x5)");
}

static void moving_leaves_nothing(void **state)
{
        _cleanup_(error_clear) Error from = {}, to = {};

        (void)state;
        (void)error_set(&from, ERROR_BUSY, "busy");
        error_move(&to, &from);
        assert_false(error_is_set(&from));
        assert_string_equal(to.message, "busy");
        error_move(NULL, &to);
        assert_false(error_is_set(&to));
        assert_int_equal(error_set(NULL, ERROR_BUSY, "nobody listens"), -EBUSY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_cause_stays),   cmocka_unit_test(system_errors_choose_their_code),
                cmocka_unit_test(every_code_has_an_errno), cmocka_unit_test(long_quotes_are_cut),
                cmocka_unit_test(unknown_flags_are_named), cmocka_unit_test(moving_leaves_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
