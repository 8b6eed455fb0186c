/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One method call: who calls, what it is about, whether the caller may, whose turn it is, then the work.
 * call_start() is the way in for every message that is not answered by sd-bus itself; generated handlers
 * come through call_dispatch(). The order of the steps in call_run() is the security of this daemon: nothing
 * of a message is read before polkit said yes, nothing of an object is told to a caller who may not see it,
 * and a check is made again whenever the fiber waited. */

#include "bus/call.h"
#include "bus/client.h"
#include "bus/details.h"
#include "bus/error-names.h"
#include "bus/fault.h"
#include "bus/jobs.h"
#include "bus/kinds.h"
#include "bus/visible.h"
#include "core/await.h"
#include <assert.h>
#include <string.h>

/* What is not said to be slower is done by then or given up: clients' own limits are 25 or 30 seconds. */
#define TIMEOUT_READ_USEC (25 * G_USEC_PER_SEC)

/* How long an operation may take with its wait for the object; never: its caller or Job.Cancel() ends it. */
static const uint64_t job_timeouts_usec[_JOB_KIND_MAX] = {
        [JOB_NONE] = TIMEOUT_READ_USEC,      [JOB_QUERY] = TIMEOUT_READ_USEC,
        [JOB_MODIFY] = 60 * G_USEC_PER_SEC,  [JOB_START] = 120 * G_USEC_PER_SEC,
        [JOB_DESTROY] = 60 * G_USEC_PER_SEC, [JOB_SNAPSHOT] = DEADLINE_NEVER,
        [JOB_MIGRATE] = DEADLINE_NEVER,      [JOB_BLOCK] = DEADLINE_NEVER,
};

/* A peer on the private socket with more unread messages than this waits for its next answer. */
#define UNREAD_MAX        8
#define UNREAD_CHECK_USEC (5 * G_TIME_SPAN_MILLISECOND)

typedef struct Start {
        sd_bus_message *message;
        const char *interface, *member;
        CallFunction function;
        const void *data;
} Start;

static void frame_clear(CallFrame *frame)
{
        job_release(frame->call.job);
        g_free(frame->asked_name);
        object_unref(frame->object);
        caller_unref(frame->caller);
        sd_bus_message_unref(frame->message);
}

static uid_t owner_of_new(const Caller *caller)
{
        const Config *config = front_end()->config;

        if (!config->is_system)
                return config->uid;
        return caller->is_shared ? 0 : caller->uid;
}

/* Root was asked about no name. */
static int require_name(const Caller *caller, const Object *object, const char *asked_name, Error *error)
{
        return caller->is_root ? 0 : object_check_name(object_subject(object), asked_name, error);
}

int call_find_object(CallFrame *frame, Error *error)
{
        const char *path = sd_bus_message_get_path(frame->message);
        _cleanup_(object_unrefp) Object *object = NULL;
        Sight sight;
        int r;

        object = object_path_lookup(&frame->path, path);
        if (object) {
                object_ref(object);
                frame->asked_name = g_strdup(object_subject(object)->name);
        }
        r = visible_check(frame->caller, &frame->path, object, frame->call.deadline_usec, &sight, error);
        if (r < 0)
                return r;
        if (sight == SIGHT_CHALLENGE && frame->is_interactive)
                frame->is_unseen = true;
        else if (sight != SIGHT_YES)
                return 0;
        if (object && !object->is_gone)
                frame->object = TAKE_PTR(object);
        return 0;
}

int call_require_object(CallFrame *frame, Error *error)
{
        if (frame->object && !frame->object->is_gone && !frame->is_unseen)
                return require_name(frame->caller, frame->object, frame->asked_name, error);
        return object_path_set_missing(&frame->path, error);
}

static int argument_skip(sd_bus_message *message, char type, const char *contents)
{
        _cleanup_(freep) char *array = type == 'a' ? g_strconcat("a", contents, NULL) : NULL;

        return sd_bus_message_skip(message, array ? array : (char[]){ type, '\0' });
}

/* The integer argument of that number (the generator allows no other type), whatever stands before it. */
static int argument_peek(sd_bus_message *message, int number, uint32_t *ret_value)
{
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_rewind(message, true);
        for (int i = 0; r >= 0 && i <= number; i++) {
                r = sd_bus_message_peek_type(message, &type, &contents);
                if (r == 0 || (i == number && type != 'i' && type != 'u'))
                        return -ENXIO;
                if (r < 0)
                        return r;
                r = i < number ? argument_skip(message, type, contents)
                               : sd_bus_message_read_basic(message, type, ret_value);
        }
        return r < 0 ? r : sd_bus_message_rewind(message, true);
}

static int action_counts(const CallFrame *frame, const InterfaceAction *action)
{
        uint32_t value;
        int r;

        if (action->argument < 0)
                return true;
        r = argument_peek(frame->message, action->argument, &value);
        if (r < 0)
                return r;
        return action->is_value ? value == action->mask : (value & action->mask) != 0;
}

/* The question whether it may be seen has been answered already. */
static bool is_answered(const CallFrame *frame, const char *action)
{
        const char *see_action = kind_facts(frame->path.kind)->see_action;

        return !frame->is_unseen && see_action && strcmp(action, see_action) == 0;
}

static int authorise(CallFrame *frame, const InterfaceAction *actions, const Details *details,
                     Error *error) AWAITS
{
        for (const InterfaceAction *action = actions; action && action->action; action++) {
                int r = action_counts(frame, action);

                if (r < 0)
                        return error_set(error, ERROR_INVALID_ARGUMENT, "The arguments cannot be read");
                if (r == 0 || is_answered(frame, action->action))
                        continue;
                r = authority_check(front_end()->authority, frame->caller, action->action, details->list,
                                    frame->is_interactive, frame->call.deadline_usec, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

int call_authorise(CallFrame *frame, const InterfaceAction *actions, Error *error)
{
        _cleanup_(details_clear) Details details = {};
        int r;

        if (frame->caller->is_root)
                return 0;
        if (frame->object && !kind_is_fixed(frame->path.kind))
                r = details_of_object(&details, frame->object);
        else if (kind_is_fixed(frame->path.kind))
                r = details_of_new(&details, frame->path.driver, frame->call.owner);
        else
                details_of_path(&details, &frame->path), r = 0;
        if (r < 0)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        r = authorise(frame, actions, &details, error);
        if (r < 0)
                return r;
        if (actions && actions->action)
                frame->is_unseen = false; /* whoever was allowed this by a person may know of the object */
        return 0;
}

int call_authorise_for_object(CallFrame *frame, const InterfaceAction *actions, Error *error)
{
        int r;

        r = call_find_object(frame, error);
        if (r >= 0 && !frame->is_unseen)
                r = call_require_object(frame, error);
        if (r >= 0)
                r = call_authorise(frame, actions, error);
        if (r >= 0)
                r = call_require_object(frame, error); /* it may have gone while polkit thought */
        return r;
}

int call_authorise_object(CallFrame *frame, const InterfaceAction *actions, const Object *object,
                          Error *error)
{
        _cleanup_(freep) char *asked_name = g_strdup(object_subject(object)->name);
        _cleanup_(details_clear) Details details = {};
        int r;

        if (frame->caller->is_root)
                return 0;
        if (details_of_object(&details, object) < 0)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        r = authorise(frame, actions, &details, error);
        return r < 0 ? r : require_name(frame->caller, object, asked_name, error);
}

int call_authorise_new(CallFrame *frame, const InterfaceAction *actions, ObjectKind kind, const char *name,
                       const char *uuid, Error *error)
{
        _cleanup_(details_clear) Details details = {};

        if (frame->caller->is_root)
                return 0;
        if (details_of_new(&details, frame->path.driver, frame->call.owner) < 0)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        details_set_identity(&details, kind, name, uuid);
        return authorise(frame, actions, &details, error);
}

int call_ask(CallFrame *frame, const InterfaceAction *actions, Answer *ret_answer, Error *error)
{
        _cleanup_(details_clear) Details details = {};
        Answer worst = ANSWER_YES;

        if (!frame->caller->is_root && details_of_object(&details, frame->object) < 0)
                return error_set(error, ERROR_CANCELLED, "The caller left");
        for (; actions && actions->action && !frame->caller->is_root; actions++) {
                Answer answer;
                int r;

                if (actions->argument >= 0)
                        continue;
                r = authority_ask(front_end()->authority, frame->caller, actions->action, details.list,
                                  false, frame->call.deadline_usec, &answer, error);
                if (r < 0)
                        return r;
                if (answer == ANSWER_NO || worst == ANSWER_YES)
                        worst = answer;
        }
        *ret_answer = worst;
        return 0;
}

static int set_not_supported(const Driver *driver, const char *interface, const char *member, Error *error)
{
        _cleanup_(freep) char *method = g_strdup_printf("%s.%s", interface, member);
        const char *why = NULL;

        for (size_t i = 0; i < n_interface_reasons; i++)
                if (strcmp(interface_reasons[i].method, method) == 0 &&
                    g_ascii_strcasecmp(interface_reasons[i].driver, driver->name) == 0)
                        why = interface_reasons[i].why;
        return error_set(error, ERROR_NOT_SUPPORTED, "The driver %s does not support %s%s%s", driver->name,
                         method, why ? ": " : "", why ? why : "");
}

int call_not_supported(const CallFrame *frame, Error *error)
{
        return set_not_supported(frame->path.driver, frame->interface, frame->member, error);
}

int call_take_job(CallFrame *frame, Object *object, JobKind kind, const char *operation, Error *error)
{
        uint64_t timeout_usec = job_timeouts_usec[kind];
        int r;

        frame->call.deadline_usec =
                timeout_usec == DEADLINE_NEVER ? DEADLINE_NEVER : deadline_after_usec(timeout_usec);
        if (kind != JOB_NONE) {
                frame->is_working = false;
                if (frame->caller->is_gone)
                        return error_set(error, ERROR_CANCELLED, "The caller left");
                r = job_take(object->jobs, kind, operation, frame->caller->uid, frame->call.deadline_usec,
                             &frame->call.job, error);
                if (r < 0)
                        return r;
        }
        frame->is_working = true;
        return 0;
}

/* Who has the answer has heard before what the call did, and sees none of it as it was. */
static void end(CallFrame *frame)
{
        frame->call.job = job_release(frame->call.job);
        objects_tell_changes();
}

int call_reply(CallFrame *frame, sd_bus_message *reply)
{
        end(frame);
        frame->needs_no_reply = true;
        return sd_bus_send(NULL, reply, NULL); /* not sent for a call that expects no reply */
}

/* A caller that has left wants nothing any longer; what has begun to change an object is finished all the
 * same. */
static void caller_left(Caller *caller, void *data)
{
        CallFrame *frame = data;

        (void)caller; /* the frame's own */
        if (!frame->is_working)
                fiber_cancel(frame->fiber);
}

/* For a driver, about an object of which the message did not tell. */
static int authorise_also(Call *call, const Object *object, ObjectKind kind, const char *name,
                          const char *uuid, Error *error)
{
        CallFrame *frame = (CallFrame *)call; /* its first */

        assert(frame->actions); /* a list of none would allow all */
        return object ? call_authorise_object(frame, frame->actions, object, error)
                      : call_authorise_new(frame, frame->actions, kind, name, uuid, error);
}

/* A peer that does not read its answers is not worked for: they would only fill our memory. */
static int peer_wait_until_read(const CallFrame *frame, Error *error) AWAITS
{
        sd_bus *bus = sd_bus_message_get_bus(frame->message);
        uint64_t n_unread;

        if (!frame->caller->is_peer)
                return 0;
        while (sd_bus_get_n_queued_write(bus, &n_unread) >= 0 && n_unread > UNREAD_MAX)
                if (await_until(deadline_after_usec(UNREAD_CHECK_USEC)) < 0)
                        return error_set(error, ERROR_CANCELLED, "The caller left");
        return 0;
}

/* On the call's own fiber. */
static void call_fiber(void *data)
{
        const Start start = *(Start *)data; /* the original is gone at the first wait */
        _cleanup_(error_clear) Error error = {};
        _cleanup_(frame_clear) CallFrame frame = {
                .message = sd_bus_message_ref(start.message),
                .interface = start.interface,
                .member = start.member,
                .fiber = fiber_current(),
                .is_interactive = sd_bus_message_get_allow_interactive_authorization(start.message) > 0,
                .call = { .deadline_usec = deadline_after_usec(TIMEOUT_READ_USEC),
                          .authorise = authorise_also },
        };
        unsigned watch;
        int r;

        front_end()->n_calls++;
        r = object_path_parse(sd_bus_message_get_path(frame.message), &frame.path);
        assert(r >= 0); /* the front callback and the vtables' find() let nothing else through */
        r = caller_of_message(front_end()->callers, frame.message, frame.call.deadline_usec, &frame.caller,
                              &error);
        if (r >= 0)
                r = client_call_begin(frame.caller, &error);
        if (r >= 0) {
                frame.call.driver = frame.path.driver;
                frame.call.uid = frame.caller->uid;
                frame.call.owner = owner_of_new(frame.caller);
                watch = caller_watch(frame.caller, caller_left, &frame);
                r = peer_wait_until_read(&frame, &error);
                if (r >= 0)
                        r = start.function(&frame, start.data, &error);
                caller_unwatch(frame.caller, watch);
                client_call_end(frame.caller);
        }
        if (r < 0 && frame.call.job) {
                (void)error_set(&error, ERROR_INTERNAL, "%s", g_strerror(-r)); /* if nobody said more */
                job_set_error(frame.call.job, &error);
        }
        if (r < 0 && !frame.needs_no_reply) {
                front_end()->n_errors++;
                end(&frame);
                (void)error_reply(frame.message, frame.interface, &error, r); /* the caller may have left */
        }
}

int call_start(sd_bus_message *message, const char *interface, const char *member, CallFunction function,
               const void *data)
{
        Start start = { message, interface, member, function, data };
        _cleanup_(error_clear) Error error = {};
        int r;

        r = fiber_start("call", call_fiber, &start);
        if (r < 0) {
                (void)error_set(&error, ERROR_LIMITS_EXCEEDED, "Too many calls are in flight");
                (void)error_reply(message, interface, &error,
                                  r); /* nothing else can be done for this caller */
        }
        return 1;
}

int call_operation_check(const CallFrame *frame, const InterfaceMethod *method, Error *error)
{
        const Driver *driver = frame->path.driver;
        void (*operation)(void);

        int r = driver_check_runs(driver, error);

        if (r < 0 || !method->operation)
                return r;
        memcpy(&operation, (const char *)driver->operations + method->operation_offset, sizeof operation);
        return operation ? 0 : set_not_supported(driver, method->interface, method->member, error);
}

/* The steps that every method goes through; see the head of this file. */
static int call_run(CallFrame *frame, const void *data, Error *error) AWAITS
{
        const InterfaceMethod *method = data;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        frame->actions = method->actions;
        r = call_authorise_for_object(frame, method->actions, error);
        if (r < 0)
                return r;
        r = call_operation_check(frame, method, error);
        if (r < 0)
                return r;
        /* Of a snapshot it is the machine whose turn is waited for. */
        r = call_take_job(frame, (Object *)object_subject(frame->object), method->job, method->member,
                          error);
        if (r >= 0)
                r = fault_meet(frame, method->interface, method->member, error);
        if (r >= 0)
                r = call_require_object(frame, error);
        if (r < 0)
                return r;
        r = method->invoke(frame, frame->object, frame->message, &reply, error);
        if (r < 0 || !reply)
                return r;
        return call_reply(frame, reply);
}

int call_dispatch(sd_bus_message *message, const InterfaceMethod *method, Object *object)
{
        (void)object; /* found again on the fiber: what the caller may see of it is not known here */
        return call_start(message, method->interface, method->member, call_run, method);
}
