/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may do what over the private socket, where polkit is not asked: as polkit/60-virtbus.rules says. */

#include "auth/authority.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define START "org.libvirt.api.domain.start"
#define ALICE ((uid_t)1000)

static void peers_have_the_shipped_rules(void **state _unused_)
{
        static const struct {
                const char *action, *owner;
                Answer answer;
        } cases[] = {
                { START, "alice", ANSWER_YES },
                { START, "bob", ANSWER_NO },
                { START, "root", ANSWER_NO },
                { START, NULL, ANSWER_NO },
                { "org.libvirt.api.secret.read", "alice", ANSWER_YES },
                { "org.libvirt.api.connect.read", "alice", ANSWER_YES },
                { "org.libvirt.api.connect.read", NULL, ANSWER_YES },
                { "org.libvirt.api.connect.search-domains", NULL, ANSWER_YES },
                { "org.libvirt.api.connect.write", "alice", ANSWER_NO },
                { "org.libvirt.api.network.write", "alice", ANSWER_NO },
                { "org.libvirt.api.node-device.start", "alice", ANSWER_NO },
        };
        _cleanup_(authority_freep) Authority *authority = authority_new(NULL);
        Caller caller = { .is_peer = true, .uid = ALICE, .user = (char *)"alice" };

        for (size_t i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
                size_t at = i % G_N_ELEMENTS(cases);
                const AuthorityDetail details[] = { { cases[at].owner ? "owner" : NULL, cases[at].owner },
                                                    {} };
                Answer answer;

                caller.is_shared = i >= G_N_ELEMENTS(cases);
                assert_int_equal(authority_peek(authority, &caller, cases[at].action, details, &answer), 1);
                assert_int_equal(answer, caller.is_shared ? ANSWER_YES : cases[at].answer);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(peers_have_the_shipped_rules),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
