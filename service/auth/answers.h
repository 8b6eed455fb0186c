/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers of polkit that are remembered, by caller, action and details. There is no end to the things that a
 * caller could ask about, so there is one to what is kept for it and for all callers of its user; then an
 * older answer makes room. */

#include "auth/authority.h"

#define ANSWERS_PER_CALLER_MAX 2048
#define ANSWERS_PER_UID_MAX    8192
/* The longest question that is remembered, and the longest that is asked: names can be as long as a message.
 */
#define KEY_REMEMBERED_MAX 1024
#define KEY_MAX            8192

typedef struct Answers Answers;

Answers *answers_new(void);
Answers *answers_free(Answers *answers);

/* What all equal questions of a caller have in common and no others; the caller frees. */
char *answers_key(const char *action, const AuthorityDetail *details);

bool answers_recall(const Answers *answers, const Caller *caller, const char *key, Answer *ret_answer);
void answers_remember(Answers *answers, Caller *caller, const char *key, Answer answer);

/* Forgets all; what is remembered later has another generation. */
void answers_forget(Answers *answers);
uint64_t answers_get_generation(const Answers *answers);
