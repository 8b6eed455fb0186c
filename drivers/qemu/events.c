/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One function for each event that changes a state. Operations do not change it themselves: QEMU announces
 * what it does (STOP, RESUME ...) before it answers, so that there is one place and one order for everything
 * that happens, and whoever did it is the machine's `cause`. Details are libvirt's (end.h). */

#include "drivers/qemu/events.h"
#include "core/log.h"
#include "drivers/qemu/addresses.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/reset.h"
#include "drivers/qemu/status.h"
#include <signal.h>
#include <string.h>

/* State and event together, and on disk soon. */
static void change(Domain *domain, DomainState state, int reason, DomainEventType type, int detail)
{
        domain_set_state(domain, state, reason);
        domain_lifecycle(domain, type, detail, machine_of(domain)->cause);
        condition_wake_all(&machine_of(domain)->changed);
        status_save_soon(domain);
}

void events_started(Domain *domain)
{
        Machine *machine = machine_of(domain);

        if (machine->phase != MACHINE_STARTING || !machine->pending)
                return;
        machine->phase = MACHINE_RUNNING;
        domain_set_live(domain, TAKE_PTR(machine->pending));
        domain->started_at_usec = machine->started_usec; /* as it is on disk already */
        addresses_begin(domain);
        if (!domain->is_persistent)
                domain->definition = domain_definition_free(domain->definition);
        const MachineOrigin *origin = machine_origin(machine);

        if (!machine->starts_paused) {
                change(domain, DOMAIN_STATE_RUNNING, origin->running_reason, DOMAIN_EVENT_STARTED,
                       origin->started_detail);
                return;
        }
        change(domain, DOMAIN_STATE_PAUSED, origin->paused_reason, DOMAIN_EVENT_STARTED,
               origin->started_detail);
        domain_lifecycle(domain, DOMAIN_EVENT_SUSPENDED, origin->suspended_detail, machine->cause);
}

static void on_resume(Domain *domain, json_t *arguments)
{
        (void)arguments;
        if (domain->state != DOMAIN_STATE_RUNNING && !machine_of(domain)->is_held)
                change(domain, DOMAIN_STATE_RUNNING, RUNNING_REASON_UNPAUSED, DOMAIN_EVENT_RESUMED,
                       RESUMED_UNPAUSED);
}

static void on_stop(Domain *domain, json_t *arguments)
{
        Machine *machine = machine_of(domain);
        int reason = machine->pause_reason, detail = SUSPENDED_PAUSED;

        (void)arguments;
        machine->pause_reason = 0;
        if (domain->state != DOMAIN_STATE_RUNNING || machine->is_held)
                return; /* a guest that was shut down or has panicked stands still as well */
        if (reason == PAUSED_REASON_IOERROR)
                detail = SUSPENDED_IOERROR;
        else if (reason == PAUSED_REASON_WATCHDOG)
                detail = SUSPENDED_WATCHDOG;
        change(domain, DOMAIN_STATE_PAUSED, reason, DOMAIN_EVENT_SUSPENDED, detail);
}

static bool is_reset(const char *reason)
{
        return g_str_equal(reason, "guest-reset") || g_str_equal(reason, "host-qmp-system-reset") ||
               g_str_equal(reason, "subsystem-reset");
}

static void on_shutdown(Domain *domain, json_t *arguments)
{
        Machine *machine = machine_of(domain);
        json_t *guest = json_object_get(arguments, "guest");
        const char *reason = json_string_value(json_object_get(arguments, "reason"));
        int detail = json_is_true(guest)    ? SHUTDOWN_GUEST
                     : json_is_false(guest) ? SHUTDOWN_HOST
                                            : SHUTDOWN_FINISHED;

        if (machine->end != MACHINE_END_UNEXPECTED)
                return; /* being destroyed, panicked, or said already */
        machine->end = reason && is_reset(reason) ? MACHINE_END_RESET : MACHINE_END_SHUTDOWN;
        change(domain, DOMAIN_STATE_SHUTDOWN, 0, DOMAIN_EVENT_SHUTDOWN, detail);
        if (machine->is_rebooting)
                reset_begin(domain);
}

static void on_guest_panicked(Domain *domain, json_t *arguments)
{
        Machine *machine = machine_of(domain);
        const char *action = json_string_value(json_object_get(arguments, "action"));

        if (machine->end == MACHINE_END_DESTROYED)
                return;
        log_warning(domain->object.path, "the guest of machine %s has panicked", domain->object.name);
        machine->end = MACHINE_END_PANICKED;
        change(domain, DOMAIN_STATE_CRASHED, CRASHED_REASON_PANICKED, DOMAIN_EVENT_CRASHED,
               CRASHED_PANICKED);
        if (!action || strcmp(action, "pause") != 0)
                return; /* QEMU ends by itself */
        switch (domain->live->on_crash) {
        case LIFECYCLE_PRESERVE:
                break;
        case LIFECYCLE_RESTART:
        case LIFECYCLE_RENAME_RESTART:
                reset_begin(domain);
                break;
        default:
                (void)child_signal(machine->child, SIGTERM); /* if it is gone, all the better */
        }
}

static void on_suspend(Domain *domain, json_t *arguments)
{
        (void)arguments;
        change(domain, DOMAIN_STATE_PMSUSPENDED, 0, DOMAIN_EVENT_PMSUSPENDED, PMSUSPENDED_MEMORY);
        notice_raise(domain, "PMSuspend", g_variant_new("(i)", 0));
}

static void on_suspend_disk(Domain *domain, json_t *arguments)
{
        (void)arguments;
        change(domain, DOMAIN_STATE_PMSUSPENDED, 0, DOMAIN_EVENT_PMSUSPENDED, PMSUSPENDED_DISK);
        notice_raise(domain, "PMSuspendDisk", g_variant_new("(i)", 0));
}

static void on_wakeup(Domain *domain, json_t *arguments)
{
        (void)arguments;
        if (domain->state == DOMAIN_STATE_PMSUSPENDED)
                change(domain, DOMAIN_STATE_RUNNING, RUNNING_REASON_WAKEUP, DOMAIN_EVENT_STARTED,
                       STARTED_WAKEUP);
        notice_raise(domain, "PMWakeup", g_variant_new("(i)", 0));
}

static const struct {
        const char *event;
        void (*handle)(Domain *domain, json_t *arguments);
} handlers[] = {
        { "GUEST_PANICKED", on_guest_panicked },
        { "RESUME", on_resume },
        { "SHUTDOWN", on_shutdown },
        { "STOP", on_stop },
        { "SUSPEND", on_suspend },
        { "SUSPEND_DISK", on_suspend_disk },
        { "WAKEUP", on_wakeup },
};

void events_handle(Domain *domain, const char *event, json_t *arguments)
{
        Machine *machine = machine_of(domain);

        static const char *const progress[] = { "JOB_STATUS_CHANGE", "MIGRATION", "DUMP_COMPLETED", NULL };

        if (g_strv_contains(progress, event)) { /* also of what is part of a start */
                const char *id = json_string_value(json_object_get(arguments, "id"));
                const char *status = json_string_value(json_object_get(arguments, "status"));

                machine->n_job_changes++;
                condition_wake_all(&machine->changed);
                if (id && status && machine->phase == MACHINE_RUNNING && qemu_driver_of(domain)->job_changed)
                        qemu_driver_of(domain)->job_changed(domain, id, status);
                return;
        }
        if (machine->phase == MACHINE_STARTING) {
                if (machine->is_ready && strcmp(event, "RESUME") == 0)
                        events_started(domain);
                return; /* nobody knows of this run yet, and before it was told to run it cannot begin */
        }
        if (machine->phase != MACHINE_RUNNING || !domain->live || notice_handle(domain, event, arguments))
                return;
        for (size_t i = 0; i < G_N_ELEMENTS(handlers); i++)
                if (strcmp(handlers[i].event, event) == 0) {
                        handlers[i].handle(domain, arguments);
                        return;
                }
        log_debug(domain->object.path, "QEMU says %s", event);
}

/* What QEMU calls its state, and the event that was missed if ours is another. */
static const struct {
        const char *status, *event;
        DomainState state;
} statuses[] = {
        { "running", "RESUME", DOMAIN_STATE_RUNNING },
        { "paused", "STOP", DOMAIN_STATE_PAUSED },
        { "io-error", "STOP", DOMAIN_STATE_PAUSED },
        { "watchdog", "STOP", DOMAIN_STATE_PAUSED },
        { "shutdown", "SHUTDOWN", DOMAIN_STATE_SHUTDOWN },
        { "guest-panicked", "GUEST_PANICKED", DOMAIN_STATE_CRASHED },
        { "suspended", "SUSPEND", DOMAIN_STATE_PMSUSPENDED },
};

void events_synchronise(Domain *domain, const char *status)
{
        Machine *machine = machine_of(domain);
        _cleanup_(json_decrefp) json_t *arguments = NULL;

        if (machine->is_rebooting && domain->state == DOMAIN_STATE_SHUTDOWN &&
            strcmp(status, "shutdown") == 0)
                reset_begin(domain); /* the event came before the daemon went, the reset did not */
        if (strcmp(status, "io-error") == 0)
                machine->pause_reason = PAUSED_REASON_IOERROR;
        else if (strcmp(status, "watchdog") == 0)
                machine->pause_reason = PAUSED_REASON_WATCHDOG;
        for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++) {
                if (strcmp(statuses[i].status, status) != 0 || statuses[i].state == domain->state)
                        continue;
                arguments = json_pack("{s:s, s:b}", "action", "pause", "guest", 1);
                events_handle(domain, statuses[i].event, arguments);
                break;
        }
        machine->pause_reason = 0;
}
