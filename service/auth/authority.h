/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a caller may: asked of polkit, for the caller's unique name, with details, asynchronously. At most
 * QUESTIONS_MAX are out at once and QUESTIONS_PER_UID_MAX for one user; the rest wait their turn, each user
 * in turn. A question ends when its caller leaves. Answers are remembered per caller until polkit says that
 * something changed, unless they came from a person's password. Root and, in a session, the session's user
 * are not asked. */

#include "auth/caller.h"

#define QUESTIONS_MAX                64
#define QUESTIONS_PER_UID_MAX        8
#define QUESTIONS_QUEUED_PER_UID_MAX 512

typedef struct Authority Authority;

/* `bus`: where polkit answers (the system bus), or NULL: then everybody but root is refused. */
Authority *authority_new(sd_bus *bus);
Authority *authority_free(Authority *authority);
DEFINE_CLEANUP(Authority, authority_free)

typedef struct AuthorityDetail {
        const char
                *key; /* "connect_driver", "domain_name", "domain_uuid", "owner" (a user name or uid) ... */
        const char *value;
} AuthorityDetail;

typedef enum Answer {
        ANSWER_NO,
        ANSWER_YES,
        ANSWER_CHALLENGE, /* a person could be asked for a password */
} Answer;

/* Asks; `details` ends with a NULL key. With is_interactive polkit may ask a person: that can take minutes,
 * so the deadline does not apply to it. Returns 0 with the answer, negative if polkit could not be asked
 * (-ECANCELED when the caller left, ERROR_LIMITS_EXCEEDED when it has too many questions waiting). */
int authority_ask(Authority *authority, Caller *caller, const char *action, const AuthorityDetail *details,
                  bool is_interactive, uint64_t deadline_usec, Answer *ret_answer, Error *error) AWAITS;

/* As above; ERROR_ACCESS_DENIED naming the action unless the answer is yes. */
int authority_check(Authority *authority, Caller *caller, const char *action, const AuthorityDetail *details,
                    bool is_interactive, uint64_t deadline_usec, Error *error) AWAITS;

/* A remembered answer without asking: 1 with *ret_answer if there is one, 0 if not. Never waits. */
int authority_peek(Authority *authority, Caller *caller, const char *action, const AuthorityDetail *details,
                   Answer *ret_answer);

typedef struct AuthorityStatistics {
        uint64_t asked, answered_from_memory, cancelled, refused;
        unsigned n_out, n_queued;
} AuthorityStatistics;
void authority_get_statistics(const Authority *authority, AuthorityStatistics *ret_statistics);
