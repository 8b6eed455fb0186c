/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One method call from its arrival to its reply (docs/life-of-a-call.md). */

#include "bus/front.h"
#include "bus/interface.h"
#include "core/fiber.h"

/* What a generated invoke function and a handler in bus/ get to know of the call. */
struct CallFrame {
        Call call; /* the first: what a driver is told; valid while the operation runs */
        const InterfaceAction *actions; /* of the method that runs, or of the property that is set */
        Caller *caller;                 /* counted */
        sd_bus_message *message;        /* counted; its strings live as long as the frame */
        const char *interface;          /* that the caller named; decides names of errors */
        const char *member;
        ObjectPath path;
        Object *object;      /* counted; NULL if nothing is there, or nothing for this caller */
        char *asked_name;    /* of the object when it was found, and polkit was asked about it */
        bool is_interactive; /* the caller allows that a person is asked */
        bool is_unseen;      /* whether the caller may see the object hangs on a person's answer */
        bool is_working;     /* something changes: the caller's leaving ends nothing any longer */
        bool needs_no_reply; /* the reply was sent, or will never be */
        Fiber *fiber;
};

/* Runs `function` for the message on a fiber, with caller and path known; an error that it returns is
 * answered. Returns what an sd-bus handler returns. The path must be one that object_path_parse() takes. */
typedef int (*CallFunction)(CallFrame *frame, const void *data, Error *error) AWAITS;
int call_start(sd_bus_message *message, const char *interface, const char *member, CallFunction function,
               const void *data);

/* Fills in frame->object: the first step of whatever is about an object. An object that is not there is no
 * error yet, and is_unseen may be set. */
int call_find_object(CallFrame *frame, Error *error) AWAITS;
/* Refuses a frame whose caller does not see the object, or where there is none, or (ERROR_BUSY) where it was
 * renamed since: to be asked again after each wait. */
int call_require_object(CallFrame *frame, Error *error);

/* Asks for every action of the list that counts for the message's arguments, about the frame's object. The
 * message stands at its first argument afterwards. */
int call_authorise(CallFrame *frame, const InterfaceAction *actions, Error *error) AWAITS;
/* Finds the object, asks for the actions, and requires that it is (still) there: what every call about an
 * object does before anything else. */
int call_authorise_for_object(CallFrame *frame, const InterfaceAction *actions, Error *error) AWAITS;
/* Asks about something else: an object found while the call runs (ERROR_BUSY if it was renamed meanwhile),
 * or one that is about to be made (`name`, `uuid` of what will be the caller's). */
int call_authorise_object(CallFrame *frame, const InterfaceAction *actions, const Object *object,
                          Error *error) AWAITS;
int call_authorise_new(CallFrame *frame, const InterfaceAction *actions, ObjectKind kind, const char *name,
                       const char *uuid, Error *error) AWAITS;

/* What the caller would be answered for all of the actions that do not hang on arguments: yes, no, or that a
 * person would be asked. */
int call_ask(CallFrame *frame, const InterfaceAction *actions, Answer *ret_answer, Error *error) AWAITS;
/* Whether the driver runs here and has the method's operation. */
int call_operation_check(const CallFrame *frame, const InterfaceMethod *method, Error *error);
/* ERROR_NOT_SUPPORTED naming driver and method: for handlers that need an operation which the driver has
 * not. */
int call_not_supported(const CallFrame *frame, Error *error);

/* Waits for the object's turn; from then on the caller's leaving ends nothing. For JOB_NONE it only sets the
 * deadline of the operation. The frame gives the job back at its end. */
int call_take_job(CallFrame *frame, Object *object, JobKind kind, const char *operation,
                  Error *error) AWAITS;

/* Sends the reply; drops it if the caller wants none. */
int call_reply(CallFrame *frame, sd_bus_message *reply);
