/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A process that has ended has two things to tell: that it did (its pidfd), and why (the last events on its
 * monitor). They come by different ways, so the first waits for the second, a few milliseconds at most. */

#include "drivers/qemu/end.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/file-groups.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/helpers.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/limits.h"
#include "drivers/qemu/passthrough.h"
#include "drivers/qemu/plug.h"
#include "drivers/qemu/status.h"
#include "objects/undefine.h"
#include <string.h>

/* How long a process may live on after it closed its monitor. */
#define LINGER_USEC  (5 * G_USEC_PER_SEC)
#define MESSAGES_MAX 8192

static const struct {
        int reason, detail;
} ends[_MACHINE_END_MAX] = {
        [MACHINE_END_UNEXPECTED] = { SHUTOFF_REASON_CRASHED, STOPPED_FAILED },
        [MACHINE_END_SHUTDOWN] = { SHUTOFF_REASON_SHUTDOWN, STOPPED_SHUTDOWN },
        [MACHINE_END_DESTROYED] = { SHUTOFF_REASON_DESTROYED, STOPPED_DESTROYED },
        [MACHINE_END_PANICKED] = { SHUTOFF_REASON_CRASHED, STOPPED_CRASHED },
        [MACHINE_END_SNAPSHOT] = { SHUTOFF_REASON_FROM_SNAPSHOT, STOPPED_FROM_SNAPSHOT },
        [MACHINE_END_DUMPED] = { SHUTOFF_REASON_CRASHED, STOPPED_CRASHED },
        [MACHINE_END_SAVED] = { SHUTOFF_REASON_SAVED, STOPPED_SAVED },
        [MACHINE_END_RESET] = { SHUTOFF_REASON_SHUTDOWN, STOPPED_SHUTDOWN },
};

char *end_messages(const Machine *machine)
{
        _cleanup_(freep) char *text = g_malloc(MESSAGES_MAX + 1);
        ssize_t size;

        if (machine->messages_fd < 0)
                return NULL;
        size = pread(machine->messages_fd, text, MESSAGES_MAX, 0);
        if (size <= 0)
                return NULL;
        text[size] = '\0'; /* what was never written are NULs */
        g_strstrip(text);
        return *text ? g_utf8_make_valid(text, -1) : NULL;
}

static bool wants_restart(const DomainDefinition *live, MachineEnd end)
{
        LifecycleAction action = LIFECYCLE_ABSENT;

        if (end == MACHINE_END_SHUTDOWN)
                action = live->on_poweroff;
        else if (end == MACHINE_END_PANICKED)
                action = live->on_crash;
        else if (end == MACHINE_END_RESET)
                action = live->on_reboot;
        return action == LIFECYCLE_RESTART || action == LIFECYCLE_RENAME_RESTART;
}

static void log_end(const Domain *domain, const Machine *machine)
{
        _cleanup_(freep) char *messages = NULL;

        if (machine->end != MACHINE_END_UNEXPECTED) {
                log_info(domain->object.path, "machine %s has ended", domain->object.name);
                return;
        }
        messages = end_messages(machine);
        log_warning(domain->object.path, "the QEMU of machine %s ended without a reason%s%s",
                    domain->object.name, messages ? "; it said: " : "", messages ? messages : "");
}

void end_forget(Domain *domain)
{
        _cleanup_(error_clear) Error error = {};

        /* What was kept of an earlier machine of this UUID is not that of one which has none. */
        if (domain->definition->devices.tpms.count > 0 && undefine_removes_tpm(domain->definition, 0)) {
                /* Its emulator would write once more. */
                g_array_unref(folder_kill_tagged(qemu_driver_of(domain), domain->object.uuid));
                if (keep_remove(domain, KEEP_TPM, &error) < 0)
                        log_warning(domain->object.path, "%s", error.message);
        }
        file_groups_forget(domain);
        object_table_remove(domain->object.driver->objects, &domain->object);
}

void end_run(Domain *domain)
{
        Machine *machine = machine_of(domain);
        _cleanup_(domain_unrefp) Domain *held _unused_ = domain_ref(domain);
        _cleanup_(error_clear) Error error = {};
        const MachineEnd end = machine->end;
        const Job *cause = machine->cause;
        bool is_restarted;

        if (machine->phase != MACHINE_RUNNING || !domain->live)
                return;
        log_end(domain, machine);
        is_restarted = wants_restart(domain->live, end);
        helpers_end(domain, domain->live);
        machine_forget_run(machine);
        limits_end(domain->object.uuid);
        plug_ended(domain->object.driver, domain->live);
        passthrough_ended(domain);
        if (folder_remove(qemu_driver_of(domain), domain->object.uuid, &error) < 0)
                log_warning(domain->object.path, "%s", error.message);
        if (!domain->definition)
                domain->definition =
                        domain_definition_copy(domain->live); /* somebody may hold the object still */
        domain_set_live(domain, NULL);
        domain_set_state(domain, DOMAIN_STATE_SHUTOFF, ends[end].reason);
        domain_lifecycle(domain, DOMAIN_EVENT_STOPPED, ends[end].detail, cause);
        if (is_restarted)
                qemu_driver_of(domain)->restart(domain);
        if (!is_restarted && !domain->is_persistent)
                end_forget(domain);
}

static void announce_control_error(Domain *domain)
{
        log_warning(domain->object.path, "the QEMU of machine %s has closed its monitor and lives on",
                    domain->object.name);
        event_raise(domain->object.driver->events, EVENT_DOMAIN_SIGNAL,
                    &(DomainSignalEvent){ .domain = domain, .member = "ControlError" });
}

typedef struct Linger {
        Domain *domain;
        uint64_t run;
} Linger;

bool end_linger(const Domain *domain)
{
        Machine *machine = machine_of(domain);
        const uint64_t run = machine->run, deadline_usec = deadline_after_usec(LINGER_USEC);

        while (machine->run == run && machine->phase == MACHINE_RUNNING)
                if (condition_wait(&machine->changed, deadline_usec) < 0)
                        break;
        return machine->run != run || machine->phase != MACHINE_RUNNING;
}

static void linger_fiber(void *data)
{
        const Linger linger = *(Linger *)data;
        _cleanup_(domain_unrefp) Domain *domain = linger.domain;

        if (machine_of(domain)->run == linger.run && !end_linger(domain))
                announce_control_error(domain);
}

static void process_exited(Child *child, int code, int status, void *data)
{
        Domain *domain = data;
        _cleanup_(domain_unrefp) Domain *held _unused_ = domain_ref(domain);
        Machine *machine = machine_of(domain);
        const uint64_t run = machine->run;

        (void)child;
        log_debug(domain->object.path, "process of %s ended (code %d, status %d)", domain->object.name, code,
                  status);
        machine->has_exited = true;
        if (machine->qmp)
                qmp_drain(machine->qmp); /* its last words say why; they may be the end of the run by
                                            themselves */
        condition_wake_all(&machine->changed);
        if (machine->run == run && machine->phase == MACHINE_RUNNING)
                end_run(domain);
}

void end_watch(Domain *domain)
{
        child_on_exit(machine_of(domain)->child, process_exited, domain);
}

void end_hung_up(Domain *domain)
{
        Machine *machine = machine_of(domain);
        Linger linger = { domain, machine->run };

        machine->is_hung_up = true;
        machine->is_ready = false;
        condition_wake_all(&machine->changed);
        if (machine->phase != MACHINE_RUNNING || machine->has_exited)
                return;
        domain_ref(domain);
        if (fiber_start("qemu-linger", linger_fiber, &linger) < 0) {
                domain_unref(domain);
                announce_control_error(domain);
        }
}
