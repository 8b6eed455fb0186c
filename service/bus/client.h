/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The callers that have called us, for as long as they stay: how many calls of each are in flight, and who
 * may be sent signals. */

#include "auth/caller.h"

/* Calls of one caller, and of all callers of one user, that may wait at a time. What is answered at once, as
 * reads are, never counts. */
#define CALLS_PER_CALLER_MAX 512
#define CALLS_PER_USER_MAX   1024

typedef struct Client {
        Caller *caller; /* counted */
        unsigned n_calls;
        uint64_t unread_since_usec; /* CLOCK_MONOTONIC: more signals than signals.c leaves; 0: not so many */
        unsigned watch;
} Client;

/* The client of a caller, made on its first call. */
Client *client_of(Caller *caller);
/* Drops everything, at the end. */
void clients_clear(void);

/* Counts a call that is about to run; ERROR_LIMITS_EXCEEDED if the caller has too many in flight. */
int client_call_begin(Caller *caller, Error *error);
void client_call_end(Caller *caller);

/* Calls function(caller, data) for each. */
typedef void (*ClientVisit)(Caller *caller, void *data);
void clients_visit(ClientVisit visit, void *data);
unsigned clients_count(void);
