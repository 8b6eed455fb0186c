/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* QEMU's events become the machine's state and libvirt's numbers. QEMU runs a guest and may be the guest's:
 * nothing in an event is believed without looking, and what is not known is ignored. */

#include "drivers/qemu/events.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/machine.h"
#include "drivers/qemu/status.h"
#include <signal.h>
#include <string.h>

/* Details of virDomainEventType that are used here. */
enum {
        SUSPENDED_PAUSED = 0,
        SUSPENDED_IOERROR = 2,
        SUSPENDED_WATCHDOG = 3,
        RESUMED_UNPAUSED = 0,
        SHUTDOWN_GUEST = 1,
        SHUTDOWN_HOST = 2,
        PMSUSPENDED_MEMORY = 0,
        PMSUSPENDED_DISK = 1,
        STARTED_WAKEUP = 4,
        CRASHED_PANICKED = 0,
};

static const char *text_of(const json_t *data, const char *key)
{
        const char *text = json_string_value(json_object_get(data, key));

        return text ? text : "";
}

static void signal_raise(Machine *machine, const char *member, GVariant *arguments)
{
        _cleanup_(g_variant_unrefp) GVariant *sunk = arguments ? g_variant_ref_sink(arguments) : NULL;
        const DomainSignalEvent event = { .domain = machine->domain, .member = member, .arguments = sunk };

        event_raise(machine->domain->object.driver->events, EVENT_DOMAIN_SIGNAL, &event);
}

/* A guest that was asked to reboot has shut down and waits: it begins anew in the same process. */
static void reboot_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        _cleanup_(error_clear) Error error = {};
        static const char *const commands[] = { "system_reset", "cont" };
        Machine *machine = machine_of(domain);
        int r = 0;

        if (!machine || !machine->qmp)
                return;
        r = qmp_call(machine->qmp, "set-action", json_pack("{s:s}", "shutdown", "poweroff"),
                     deadline_after_usec(QMP_TIMEOUT_USEC), NULL, &error);
        for (size_t i = 0;
             r >= 0 && i < G_N_ELEMENTS(commands) && machine_of(domain) == machine && machine->qmp; i++)
                r = qmp_call(machine->qmp, commands[i], NULL, deadline_after_usec(QMP_TIMEOUT_USEC), NULL,
                             &error);
        if (r < 0)
                log_warning(domain->object.path, "the machine could not be started anew: %s", error.message);
}

static void begin_anew(Machine *machine)
{
        if (fiber_start("reboot", reboot_fiber, domain_ref(machine->domain)) < 0) {
                domain_unref(machine->domain);
                log_warning(machine->domain->object.path,
                            "the machine cannot be started anew: too much is going on");
        }
}

static void shutdown_heard(Machine *machine, const json_t *data)
{
        Domain *domain = machine->domain;
        bool by_guest = json_is_true(json_object_get(data, "guest"));

        if (machine->is_rebooting) {
                machine->is_rebooting = false;
                begin_anew(machine);
                return;
        }
        machine->has_shut_down = true;
        if (machine->is_destroyed || machine->has_panicked)
                return;
        if (by_guest && domain->live && domain->live->on_poweroff == LIFECYCLE_RESTART)
                machine->is_restarting = true;
        domain_set_state(domain, DOMAIN_STATE_SHUTDOWN, 0);
        domain_lifecycle(domain, DOMAIN_EVENT_SHUTDOWN, by_guest ? SHUTDOWN_GUEST : SHUTDOWN_HOST,
                         machine->cause);
}

static void stop_heard(Machine *machine, const json_t *data)
{
        Domain *domain = machine->domain;
        int reason = machine->paused_reason ? machine->paused_reason : PAUSED_REASON_USER;

        (void)data;
        machine->paused_reason = 0;
        if (machine->is_starting || machine->is_rebooting || domain->state != DOMAIN_STATE_RUNNING)
                return;
        domain_set_state(domain, DOMAIN_STATE_PAUSED, reason);
        domain_lifecycle(domain, DOMAIN_EVENT_SUSPENDED,
                         reason == PAUSED_REASON_IOERROR    ? SUSPENDED_IOERROR
                         : reason == PAUSED_REASON_WATCHDOG ? SUSPENDED_WATCHDOG
                                                            : SUSPENDED_PAUSED,
                         machine->cause);
        status_store_soon(domain);
}

static void resume_heard(Machine *machine, const json_t *data)
{
        Domain *domain = machine->domain;

        (void)data;
        if (machine->is_starting ||
            (domain->state != DOMAIN_STATE_PAUSED && domain->state != DOMAIN_STATE_CRASHED))
                return;
        domain_set_state(domain, DOMAIN_STATE_RUNNING, RUNNING_REASON_UNPAUSED);
        domain_lifecycle(domain, DOMAIN_EVENT_RESUMED, RESUMED_UNPAUSED, machine->cause);
        status_store_soon(domain);
}

static void reset_heard(Machine *machine, const json_t *data)
{
        (void)data;
        signal_raise(machine, "Reboot", NULL);
}

static void panic_heard(Machine *machine, const json_t *data)
{
        Domain *domain = machine->domain;
        bool is_paused = strcmp(text_of(data, "action"), "pause") == 0;

        machine->has_panicked = true;
        domain_set_state(domain, DOMAIN_STATE_CRASHED, CRASHED_REASON_PANICKED);
        domain_lifecycle(domain, DOMAIN_EVENT_CRASHED, CRASHED_PANICKED, machine->cause);
        if (!is_paused || !domain->live)
                return;
        if (domain->live->on_crash == LIFECYCLE_RESTART ||
            domain->live->on_crash == LIFECYCLE_RENAME_RESTART) {
                machine->has_panicked = false;
                begin_anew(machine);
        } else if (domain->live->on_crash == LIFECYCLE_DESTROY) {
                (void)child_signal(machine->child,
                                   SIGKILL); /* its end is told by the pidfd, whoever sends the signal */
        } else {
                status_store_soon(domain);
        }
}

static void clock_heard(Machine *machine, const json_t *data)
{
        signal_raise(machine, "RTCChange",
                     g_variant_new("(x)", (gint64)json_integer_value(json_object_get(data, "offset"))));
}

/* virDomainEventWatchdogAction. */
static int watchdog_action(const char *action)
{
        static const char *const actions[] = { "none",     "pause", "reset",     "poweroff",
                                               "shutdown", "debug", "inject-nmi" };

        for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
                if (strcmp(actions[i], action) == 0)
                        return (int)i;
        return 0;
}

static void watchdog_heard(Machine *machine, const json_t *data)
{
        const char *action = text_of(data, "action");

        if (strcmp(action, "pause") == 0)
                machine->paused_reason = PAUSED_REASON_WATCHDOG;
        signal_raise(machine, "Watchdog", g_variant_new("(i)", watchdog_action(action)));
}

static void balloon_heard(Machine *machine, const json_t *data)
{
        Domain *domain = machine->domain;
        json_int_t bytes = json_integer_value(json_object_get(data, "actual"));

        if (bytes <= 0 || !domain->live)
                return;
        domain->live->current_memory_kib = (uint64_t)bytes / 1024;
        object_changed(&domain->object, "MemoryKiB");
        signal_raise(machine, "BalloonChange", g_variant_new("(t)", (guint64)bytes / 1024));
}

/* The disk that a block device of QEMU stands for; NULL if it is none. */
static const DomainDisk *disk_of(const Machine *machine, const char *alias)
{
        if (!machine->domain->live)
                return NULL;
        LIST_FOREACH (disk, machine->domain->live->devices.disks)
                if (disk->info.alias && (strcmp(disk->info.alias, alias) == 0 ||
                                         (strstr(alias, disk->info.alias) && alias[0] == '/')))
                        return disk;
        return NULL;
}

static const char *path_of(const DomainDisk *disk)
{
        const char *path = !disk ? NULL : disk->source.file ? disk->source.file : disk->source.dev;

        return path ? path : "";
}

static void io_error_heard(Machine *machine, const json_t *data)
{
        const char *device = text_of(data, "device"), *action = text_of(data, "action");
        const DomainDisk *disk = disk_of(machine, *device ? device : text_of(data, "qom-path"));
        bool no_space = json_is_true(json_object_get(data, "nospace"));
        int number = strcmp(action, "stop") == 0 ? 1 : strcmp(action, "report") == 0 ? 2 : 0;

        if (number == 1)
                machine->paused_reason = PAUSED_REASON_IOERROR;
        signal_raise(machine, "IOError",
                     g_variant_new("(ssis)", path_of(disk), disk ? disk->info.alias : "", number,
                                   no_space ? "enospc" : ""));
}

static void tray_heard(Machine *machine, const json_t *data)
{
        const DomainDisk *disk = disk_of(machine, text_of(data, "id"));
        bool is_open = json_is_true(json_object_get(data, "tray-open"));

        if (disk)
                signal_raise(machine, "TrayChange",
                             g_variant_new("(si)", disk->info.alias, is_open ? 0 : 1));
}

static void sleep_heard(Machine *machine, const char *member, int detail)
{
        Domain *domain = machine->domain;

        if (detail == PMSUSPENDED_MEMORY)
                domain_set_state(domain, DOMAIN_STATE_PMSUSPENDED, 0);
        domain_lifecycle(domain, DOMAIN_EVENT_PMSUSPENDED, detail, machine->cause);
        signal_raise(machine, member, g_variant_new("(i)", 0));
}

static void suspend_heard(Machine *machine, const json_t *data)
{
        (void)data;
        sleep_heard(machine, "PMSuspend", PMSUSPENDED_MEMORY);
}

static void suspend_disk_heard(Machine *machine, const json_t *data)
{
        (void)data;
        sleep_heard(machine, "PMSuspendDisk", PMSUSPENDED_DISK);
}

static void wakeup_heard(Machine *machine, const json_t *data)
{
        (void)data;
        domain_set_state(machine->domain, DOMAIN_STATE_RUNNING, RUNNING_REASON_WAKEUP);
        domain_lifecycle(machine->domain, DOMAIN_EVENT_STARTED, STARTED_WAKEUP, machine->cause);
        signal_raise(machine, "PMWakeup", g_variant_new("(i)", 0));
}

/* The agent's port was opened or closed by the guest. */
static void port_heard(Machine *machine, const json_t *data)
{
        const char *alias = text_of(data, "id");
        bool is_open = json_is_true(json_object_get(data, "open"));

        if (!machine->domain->live)
                return;
        LIST_FOREACH (channel, machine->domain->live->devices.channels) {
                if (g_strcmp0(channel->info.alias, alias) != 0)
                        continue;
                channel->state = is_open ? CHANNEL_CONNECTED : CHANNEL_DISCONNECTED;
                if (g_strcmp0(channel->name, "org.qemu.guest_agent.0") == 0)
                        signal_raise(machine, "AgentEvent", g_variant_new("(ii)", is_open ? 1 : 2, 2));
        }
}

static const struct {
        const char *name;
        void (*heard)(Machine *machine, const json_t *data);
} events[] = {
        { "BALLOON_CHANGE", balloon_heard },
        { "BLOCK_IO_ERROR", io_error_heard },
        { "DEVICE_TRAY_MOVED", tray_heard },
        { "GUEST_PANICKED", panic_heard },
        { "RESET", reset_heard },
        { "RESUME", resume_heard },
        { "RTC_CHANGE", clock_heard },
        { "SHUTDOWN", shutdown_heard },
        { "STOP", stop_heard },
        { "SUSPEND", suspend_heard },
        { "SUSPEND_DISK", suspend_disk_heard },
        { "VSERPORT_CHANGE", port_heard },
        { "WAKEUP", wakeup_heard },
        { "WATCHDOG", watchdog_heard },
};

static void event_heard(const char *name, json_t *arguments, void *data)
{
        for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
                if (strcmp(events[i].name, name) == 0)
                        events[i].heard(data, arguments);
}

/* Without its monitor a QEMU can be neither watched nor ended well. One that closes it is on its way out,
 * and whatever it had to write is written by then. */
static void monitor_closed(const char *reason, void *data)
{
        Machine *machine = data;

        if (reason)
                log_warning(machine->domain->object.path,
                            "QEMU broke the rules of its monitor (%s) and is ended", reason);
        if (reason || !machine->has_shut_down)
                (void)child_signal(machine->child, SIGKILL); /* it may be gone already */
}

static void monitor_flooded(void *data)
{
        const Machine *machine = data;

        log_warning(machine->domain->object.path, "QEMU sends more events than are read");
        signal_raise(data, "ControlError", NULL);
}

const QmpHandlers event_handlers = {
        .event = event_heard,
        .closed = monitor_closed,
        .flooded = monitor_flooded,
};
