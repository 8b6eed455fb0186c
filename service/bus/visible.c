/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Visibility. polkitd answers some hundred questions a second, so none is asked per listed object: one
 * question without an object's details ("may you see all machines of this driver?") and what is remembered
 * from questions about single objects decide lists, GetManagedObjects and who is sent signals. */

#include "bus/visible.h"
#include "bus/details.h"
#include "bus/jobs.h"
#include "bus/kinds.h"

static bool needs_no_question(const Caller *caller, const Object *object)
{
        return caller->is_root || kind_is_fixed(object->kind) || object->owner == caller->uid;
}

static int ask(Caller *caller, const char *action, const Details *details, uint64_t deadline_usec,
               Sight *ret_sight, Error *error) AWAITS
{
        Answer answer;
        int r;

        r = authority_ask(front_end()->authority, caller, action, details->list, false, deadline_usec,
                          &answer, error);
        if (r < 0)
                return r;
        *ret_sight = answer == ANSWER_YES         ? SIGHT_YES
                     : answer == ANSWER_CHALLENGE ? SIGHT_CHALLENGE
                                                  : SIGHT_NO;
        return 0;
}

static int ask_about_all(Caller *caller, const Driver *driver, const char *action, uint64_t deadline_usec,
                         Sight *ret_sight, Error *error) AWAITS
{
        _cleanup_(details_clear) Details details = {};

        details_of_driver(&details, driver);
        return ask(caller, action, &details, deadline_usec, ret_sight, error);
}

static bool is_remembered(Caller *caller, const char *action, const Details *details)
{
        Answer answer;

        return authority_peek(front_end()->authority, caller, action, details->list, &answer) > 0 &&
               answer == ANSWER_YES;
}

/* Of the object or of all of its driver's. */
static bool is_known(Caller *caller, const Object *object, const char *action)
{
        _cleanup_(details_clear) Details of_all = {}, of_one = {};

        details_of_driver(&of_all, object->driver);
        return is_remembered(caller, action, &of_all) ||
               (details_of_object_known(&of_one, object) && is_remembered(caller, action, &of_one));
}

bool visible_known(Caller *caller, const Object *object)
{
        object = object_subject(object);
        return needs_no_question(caller, object) ||
               is_known(caller, object, kind_facts(object->kind)->see_action);
}

bool visible_may_known(Caller *caller, const Object *object, const InterfaceAction *actions)
{
        object = object_subject(object);
        for (; actions->action && !needs_no_question(caller, object); actions++)
                if (!is_known(caller, object, actions->action))
                        return false;
        return true;
}

int visible_ask_for_all(Caller *caller, const Driver *driver, const InterfaceAction *actions,
                        uint64_t deadline_usec, Error *error)
{
        Sight unused;

        for (; actions->action && !caller->is_root; actions++) {
                int r = ask_about_all(caller, driver, actions->action, deadline_usec, &unused, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int visible_check(Caller *caller, const ObjectPath *path, const Object *object, uint64_t deadline_usec,
                  Sight *ret_sight, Error *error)
{
        _cleanup_(details_clear) Details details = {};
        ObjectKind kind = path->kind;
        Sight one = SIGHT_NO, all = SIGHT_NO;
        int r;

        if (object) {
                object = object_subject(object);
                kind = object->kind;
        } else if (kind == OBJECT_JOB || kind == OBJECT_SNAPSHOT) {
                kind = OBJECT_DOMAIN; /* what it would be about */
        }
        *ret_sight = SIGHT_YES;
        if (caller->is_root || kind_is_fixed(kind) || (object && visible_known(caller, object)))
                return 0;
        if (object)
                r = details_of_object(&details, object);
        else
                details_of_path(&details, path), r = 0;
        if (r < 0)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        r = ask(caller, kind_facts(kind)->see_action, &details, deadline_usec, &one, error);
        if (r >= 0 && one != SIGHT_YES)
                r = ask_about_all(caller, path->driver, kind_facts(kind)->see_action, deadline_usec, &all,
                                  error);
        if (r < 0)
                return r;
        *ret_sight = one == SIGHT_YES || all == SIGHT_YES               ? SIGHT_YES
                     : one == SIGHT_CHALLENGE || all == SIGHT_CHALLENGE ? SIGHT_CHALLENGE
                                                                        : SIGHT_NO;
        return 0;
}

int visible_filter(Caller *caller, Driver *driver, ObjectKind kind, uint64_t deadline_usec, GPtrArray *list,
                   Error *error)
{
        Sight all = SIGHT_NO;
        unsigned n = 0;
        int r;

        if (caller->is_root || list->len == 0)
                return 0;
        if (kind != OBJECT_JOB) {
                r = ask_about_all(caller, driver, kind_facts(kind)->see_action, deadline_usec, &all, error);
                if (r < 0)
                        return r;
        }
        /* Some went while polkit thought. Kept in place and in order; the others' references are dropped
         * with the tail. */
        for (unsigned i = 0; i < list->len; i++) {
                const Object *object = list->pdata[i];

                if (object->is_gone || (all != SIGHT_YES && !visible_known(caller, object)))
                        continue;
                void *seen = list->pdata[i];
                list->pdata[i] = list->pdata[n];
                list->pdata[n++] = seen;
        }
        g_ptr_array_set_size(list, (int)n);
        return 0;
}

int visible_list(Caller *caller, Driver *driver, ObjectKind kind, uint64_t deadline_usec,
                 GPtrArray **ret_list, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *list = object_table_list(driver->objects, kind);
        int r = visible_filter(caller, driver, kind, deadline_usec, list, error);

        if (r >= 0)
                *ret_list = TAKE_PTR(list);
        return r;
}
