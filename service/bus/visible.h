/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which objects a caller sees. Root, a session's own user and an object's owner do; everybody else as polkit
 * says. An object that a caller does not see does not exist for it: same error, same questions. */

#include "bus/front.h"
#include "bus/interface.h"

typedef enum Sight {
        SIGHT_NO,
        SIGHT_YES,
        SIGHT_CHALLENGE, /* a person's password could tell */
} Sight;

/* Asks about one object, or about what would stand at the path if `object` is NULL: with its details, then
 * about all of the driver's. Returns 0 with the answer. */
int visible_check(Caller *caller, const ObjectPath *path, const Object *object, uint64_t deadline_usec,
                  Sight *ret_sight, Error *error) AWAITS;

/* From memory alone, for lists and signals: never asks, never waits. */
bool visible_known(Caller *caller, const Object *object);

/* The same of any actions that do not hang on arguments, as those for reading a property. */
bool visible_may_known(Caller *caller, const Object *object, const InterfaceAction *actions);
/* Asks about these actions once, for all objects of the driver, so that the answer is known. */
int visible_ask_for_all(Caller *caller, const Driver *driver, const InterfaceAction *actions,
                        uint64_t deadline_usec, Error *error) AWAITS;

/* The objects of a kind that the caller sees, counted, in the order of their making. Asks at most one
 * question, and that only once for a caller: an object that is seen by its own rule is listed once it was
 * asked about. */
int visible_list(Caller *caller, Driver *driver, ObjectKind kind, uint64_t deadline_usec,
                 GPtrArray **ret_list, Error *error) AWAITS;
/* The same for a list of such objects, which frees those that go. */
int visible_filter(Caller *caller, Driver *driver, ObjectKind kind, uint64_t deadline_usec, GPtrArray *list,
                   Error *error) AWAITS;
