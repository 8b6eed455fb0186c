/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* QEMU ends when its guest switches itself off. For a reboot by the power button it is told to wait instead
 * (set-action), and then gets a reset. */

#include "drivers/qemu/reset.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/status.h"

QmpCommand *reset_send_shutdown_action(Machine *machine, bool pauses)
{
        bool always_pauses =
                machine->domain->live && machine->domain->live->on_poweroff == LIFECYCLE_PRESERVE;

        return qmp_send(machine->qmp, "set-action",
                        json_pack("{s:s}", "shutdown", pauses || always_pauses ? "pause" : "poweroff"),
                        -EBADF);
}

int reset_and_run(Domain *domain, uint64_t deadline_usec, Error *error)
{
        Machine *machine = machine_of(domain);
        _cleanup_(qmp_command_freep) QmpCommand *reset = NULL, *action = NULL, *go = NULL;
        int r = machine_check_monitor(domain, error);

        if (r < 0)
                return r;
        machine->is_rebooting = false;
        machine->end = MACHINE_END_UNEXPECTED;
        reset = qmp_send(machine->qmp, "system_reset", NULL, -EBADF);
        action = reset_send_shutdown_action(machine, false);
        go = qmp_send(machine->qmp, "cont", NULL, -EBADF);
        r = qmp_wait(reset, deadline_usec, NULL, error);
        if (r >= 0)
                r = qmp_wait(action, deadline_usec, NULL, error);
        if (r >= 0)
                r = qmp_wait(go, deadline_usec, NULL, error);
        status_save_soon(domain);
        return r;
}

static void reset_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        const uint64_t run = machine_of(domain)->run;
        const uint64_t deadline_usec = deadline_after_usec(QMP_TIMEOUT_USEC);
        _cleanup_(error_clear) Error error = {};
        _cleanup_(job_releasep) Job *job = NULL;
        int r;

        r = job_take(domain->object.jobs, JOB_MODIFY, "Reset", (uid_t)-1, deadline_usec, &job, &error);
        if (r >= 0 && (machine_of(domain)->run != run || domain->object.is_gone))
                return;
        if (r >= 0)
                r = reset_and_run(domain, deadline_usec, &error);
        if (r >= 0)
                return;
        log_warning(domain->object.path, "cannot begin machine %s anew: %s", domain->object.name,
                    error.message);
        if (job)
                job_set_error(job, &error);
}

void reset_begin(Domain *domain)
{
        if (fiber_start("qemu-reset", reset_fiber, domain_ref(domain)) >= 0)
                return;
        log_warning(domain->object.path, "cannot begin machine %s anew: too much is going on",
                    domain->object.name);
        domain_unref(domain);
}
