/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The questions that are on their way to polkit, and those that wait for their turn. See auth/authority.h
 * for the limits; questions that a person answers, which may be never, have narrower ones, so that they do
 * not stand in the way of those that polkit answers itself. */

#include "auth/authority.h"

#define PROMPTS_MAX         32
#define PROMPTS_PER_UID_MAX 4

#define POLKIT_NAME      "org.freedesktop.PolicyKit1"
#define POLKIT_PATH      "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

typedef struct Questions Questions;

Questions *questions_new(sd_bus *bus);
/* Questions that are still out end with -ECANCELED. */
Questions *questions_free(Questions *questions);

/* Asks and waits. *ret_is_lasting: the answer is polkit's own and good until its rules change, not a
 * person's. */
int questions_ask(Questions *questions, Caller *caller, const char *action, const AuthorityDetail *details,
                  bool is_interactive, uint64_t deadline_usec, Answer *ret_answer, bool *ret_is_lasting,
                  Error *error) AWAITS;

/* Whether a message comes from the polkit that answered last, or may. */
bool questions_is_from_polkit(const Questions *questions, sd_bus_message *message);
/* Another polkit answers from now on. */
void questions_forget_polkit(Questions *questions);

/* All but answered_from_memory. */
void questions_get_statistics(const Questions *questions, AuthorityStatistics *ret_statistics);
