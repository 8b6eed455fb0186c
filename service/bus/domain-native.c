/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods of org.virtbus1.Domain that are more than one operation of a driver, or the same operation
 * said in words instead of bits. */

#include "bus/call.h"
#include "bus/lookup.h"
#include "bus/options.h"
#include "core/await.h"
#include "handlers.h"
#include <string.h>

/* VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH: polkit has said yes. */
#define SKIP_PASSWORD 1u

#define OPERATIONS(frame) (&(frame)->path.driver->operations->domain)

int domain_native_start(CallFrame *frame, Domain *domain, GVariant *options, Error *error)
{
        uint32_t flags;
        int r = start_options_read(options, &frame->call, &flags, error);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->create(&frame->call, domain, flags, error);
}

int domain_native_reset(CallFrame *frame, Domain *domain, Error *error)
{
        return OPERATIONS(frame)->reset(&frame->call, domain, 0, error);
}

int domain_native_reboot(CallFrame *frame, Domain *domain, Error *error)
{
        return OPERATIONS(frame)->reboot(&frame->call, domain, 0, error);
}

/* The turn at the machine, for one step of Stop; the next step takes another. `run` is the id of the run
 * that is to end, which may have ended by then; -1: whichever there is, and which that was. */
static int step(CallFrame *frame, Domain *domain, JobKind kind,
                int (*operation)(Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS, int *run,
                Error *error) AWAITS
{
        const bool is_first = *run < 0;
        int r;

        r = call_take_job(frame, &domain->object, kind, frame->member, error);
        if (r >= 0 && (is_first || domain->id == *run)) {
                r = call_require_object(frame, error);
                if (r >= 0)
                        r = domain_check_active(domain, error);
                if (r >= 0)
                        *run = domain->id;
                if (r >= 0)
                        r = operation(&frame->call, domain, 0, error);
        }
        if (r < 0 && !is_first && domain->id != *run) {
                error_clear(error); /* it ended by itself meanwhile */
                r = 0;
        }
        if (r < 0 && frame->call.job)
                job_set_error(frame->call.job, error);
        frame->call.job = job_release(frame->call.job);
        return r;
}

/* 1 when it has ended (or this run of it has), 0 when the time has passed. */
static int wait_for_end(Domain *domain, int id, uint64_t deadline_usec) AWAITS
{
        while (domain->id == id && !domain->object.is_gone) {
                int r = condition_wait(&domain->object.condition, deadline_usec);

                if (r == -ETIMEDOUT)
                        return domain->id != id;
                if (r < 0)
                        return r;
        }
        return 1;
}

static int stop_by_guest(CallFrame *frame, Domain *domain, uint32_t timeout_msec, Error *error) AWAITS
{
        uint64_t deadline_usec = deadline_after_usec(timeout_msec * UINT64_C(1000));
        int run = -1;
        int r;

        r = step(frame, domain, JOB_MODIFY, OPERATIONS(frame)->shutdown, &run, error);
        if (r < 0 || timeout_msec == 0)
                return r;
        frame->is_working =
                false; /* whoever leaves while the guest thinks about it takes the power off back */
        r = wait_for_end(domain, run, deadline_usec);
        if (r > 0)
                return 0;
        if (r < 0)
                return error_set(error, ERROR_CANCELLED, "The caller left before the guest had shut down");
        return step(frame, domain, JOB_DESTROY, OPERATIONS(frame)->destroy, &run, error);
}

int domain_native_stop(CallFrame *frame, Domain *domain, const char *mode, uint32_t timeout_msec,
                       Error *error)
{
        int run = -1;

        if (!OPERATIONS(frame)->shutdown || !OPERATIONS(frame)->destroy)
                return call_not_supported(frame, error);
        if (strcmp(mode, "poweroff") == 0)
                return step(frame, domain, JOB_DESTROY, OPERATIONS(frame)->destroy, &run, error);
        if (strcmp(mode, "shutdown") == 0)
                return stop_by_guest(frame, domain, timeout_msec, error);
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "'%s' is no way to stop a machine: shutdown or poweroff", mode);
}

int domain_native_open_graphics(CallFrame *frame, Domain *domain, uint32_t index, uint32_t flags,
                                int *ret_display, Error *error)
{
        int r = error_check_flags(error, "OpenGraphics", flags, 0);

        if (r < 0)
                return r;
        return OPERATIONS(frame)->open_graphics_fd(&frame->call, domain, index, SKIP_PASSWORD, ret_display,
                                                   error);
}

int domain_native_get_xml(CallFrame *frame, Domain *domain, GVariant *options, char **ret_xml, Error *error)
{
        static const Option known[] = {
                { "secure", DEFINITION_SECURE, 0 },
                { "inactive", DEFINITION_INACTIVE, 0 },
                { "update-cpu", DEFINITION_UPDATE_CPU, 0 },
                { "migratable", DEFINITION_MIGRATABLE, 0 },
                {},
        };
        static const InterfaceAction secure_actions[] = {
                { "org.libvirt.api.domain.read-secure", -1, 0, false },
                {},
        };
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r >= 0 && flags & (DEFINITION_SECURE | DEFINITION_MIGRATABLE))
                r = call_authorise(frame, secure_actions, error);
        if (r >= 0)
                r = call_require_object(frame, error);
        return r < 0 ? r : domain_get_xml_desc(frame, domain, flags, ret_xml, error);
}

static int set_text(CallFrame *frame, Domain *domain, DomainMetadataKind kind, const char *text,
                    Error *error) AWAITS
{
        /* virDomainModificationImpact: live, config; whatever there is of the two. */
        uint32_t flags = (domain_is_active(domain) ? 1 : 0) | (domain->is_persistent ? 2 : 0);

        return OPERATIONS(frame)->set_metadata(&frame->call, domain, (int32_t)kind, text, NULL, NULL, flags,
                                               error);
}

int domain_native_set_title(CallFrame *frame, Domain *domain, const char *title, Error *error)
{
        return set_text(frame, domain, DOMAIN_METADATA_TITLE, title, error);
}

int domain_native_set_description(CallFrame *frame, Domain *domain, const char *description, Error *error)
{
        return set_text(frame, domain, DOMAIN_METADATA_DESCRIPTION, description, error);
}

typedef int (*StateCheck)(const Domain *domain, Error *error);

/* The states that methods need a machine to be in, whatever the driver. */
static int state_check(const Domain *domain, const char *member, Error *error)
{
        static const char *const active[] = { "Stop",        "Pause",         "Resume",       "Reset",
                                              "Reboot",      "OpenConsole",   "OpenGraphics", "SetLink",
                                              "Destroy",     "Suspend",       "Shutdown",     "InjectNMI",
                                              "CoreDump",    "FSFreeze",      "FSThaw",       "FSTrim",
                                              "GetTime",     "SetTime",       "GetFSInfo",    "Save",
                                              "ManagedSave", "MemoryPeek",    "PMWakeup",     "SendKey",
                                              "GetHostname", "SetGuestVcpus", "MemoryStats",  NULL };
        static const char *const inactive[] = { "Start", "Create", "CreateWithFiles", "Rename", NULL };
        static const char *const persistent[] = { "Undefine", "PlanUndefine", "Rename", "ManagedSave",
                                                  NULL };
        const struct {
                const char *const *members;
                StateCheck check;
        } needs[] = { { active, domain_check_active },
                      { inactive, domain_check_inactive },
                      { persistent, domain_check_persistent } };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < G_N_ELEMENTS(needs); i++)
                if (g_strv_contains(needs[i].members, member))
                        r = needs[i].check(domain, error);
        return r;
}

static const InterfaceMethod *method_find(const char *operation)
{
        const char *dot = strrchr(operation, '.');
        _cleanup_(freep) char *interface = NULL;
        const InterfaceMethod *method;

        if (dot) {
                interface = g_strndup(operation, (size_t)(dot - operation));
                return interface_find_method(interface, dot + 1, OBJECT_DOMAIN);
        }
        method = interface_find_method("org.virtbus1.Domain", operation, OBJECT_DOMAIN);
        return method ? method : interface_find_method("org.libvirt.Domain", operation, OBJECT_DOMAIN);
}

int domain_native_can(CallFrame *frame, Domain *domain, const char *operation, char **ret_answer,
                      char **ret_reason, Error *error)
{
        static const char *const answers[] = {
                [ANSWER_NO] = "no",
                [ANSWER_YES] = "yes",
                [ANSWER_CHALLENGE] = "challenge",
        };
        _cleanup_(error_clear) Error reason = {};
        const InterfaceMethod *method = method_find(operation);
        Answer answer;
        int r;

        if (!method)
                return error_set(error, ERROR_INVALID_ARGUMENT, "There is no method '%s' of machines",
                                 operation);
        r = call_ask(frame, method->actions, &answer, error);
        if (r < 0)
                return r;
        r = call_require_object(frame, error);
        if (r < 0)
                return r;
        if (answer == ANSWER_NO)
                (void)error_set(&reason, ERROR_ACCESS_DENIED, "polkit does not allow it (%s)",
                                method->actions->action);
        else if (call_operation_check(frame, method, &reason) < 0 ||
                 state_check(domain, method->member, &reason) < 0)
                answer = ANSWER_NO;
        else if (answer == ANSWER_CHALLENGE)
                (void)error_set(&reason, ERROR_ACCESS_DENIED, "a person has to authenticate (%s)",
                                method->actions->action);
        *ret_answer = g_strdup(answers[answer]);
        *ret_reason = g_strdup(reason.message ? reason.message : "");
        return 0;
}
