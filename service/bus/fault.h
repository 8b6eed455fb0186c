/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a caller has asked to go wrong with its own next calls to a driver in memory, so that a client's
 * paths for errors can be tested (drivers/test/README.md). */

#include "bus/call.h"

typedef struct Fault {
        const Driver *driver;
        uid_t uid;
        const char *interface, *member; /* static: a method, or a property that is set */
        uint32_t count;                 /* of calls that meet it */
        uint64_t delay_usec;
        char *error;   /* what the call is answered; NULL: its own answer */
        bool is_crash; /* the daemon ends as if killed */
} Fault;

/* Takes the texts over; takes the place of one for the same calls. A count of 0 only removes that. */
int fault_set(const Fault *fault, Error *error);
/* When a call's turn has come, before it does anything. */
int fault_meet(const CallFrame *frame, const char *interface, const char *member, Error *error) AWAITS;
