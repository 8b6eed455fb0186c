/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two ways to end a machine: asking its guest (by the power button or by the agent), which may take any time
 * and happens after the answer, and ending its process, which happens before it. */

#include "drivers/qemu/stop.h"
#include "drivers/qemu/agent.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/reset.h"
#include "drivers/qemu/status.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

/* virDomainShutdownFlagValues, and virDomainRebootFlagValues with the same numbers. */
enum {
        BY_ACPI = 1 << 0,
        BY_AGENT = 1 << 1,
};

/* virDomainDestroyFlagsValues. */
enum { DESTROY_GRACEFUL = 1 << 0 };

/* What a QEMU gets for writing out what it holds before it is killed. */
#define TERM_USEC (3 * G_USEC_PER_SEC)
#define KILL_USEC (10 * G_USEC_PER_SEC)

/* A process that was stopped (SIGSTOP, a debugger) does not hear SIGTERM. */
static bool is_stopped(const Child *child)
{
        _cleanup_(freep) char *path = g_strdup_printf("/proc/%d/stat", (int)child_get_pid(child));
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        char text[512] = "";
        const char *end;

        if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
                return false;
        end = strrchr(text, ')'); /* of its name, which may be anything */
        return end && strlen(end) > 2 && (end[2] == 'T' || end[2] == 't');
}

/* 1 when this run is over, 0 at the deadline. */
static int wait_for_end(Machine *machine, uint64_t run, uint64_t deadline_usec) AWAITS
{
        while (machine->run == run && machine->phase != MACHINE_OFF) {
                int r = condition_wait(&machine->changed, deadline_usec);

                if (r == -ETIMEDOUT)
                        return machine->run != run || machine->phase == MACHINE_OFF;
                if (r < 0)
                        return r;
        }
        return 1;
}

static int end_process(Domain *domain, bool is_graceful, uint64_t deadline_usec, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        const uint64_t run = machine->run;
        int r = 0;

        if (!is_stopped(machine->child)) {
                (void)child_signal(machine->child, SIGTERM); /* fails only if it is gone */
                r = wait_for_end(machine, run, MIN(deadline_usec, deadline_after_usec(TERM_USEC)));
        }
        if (r == 0 && is_graceful) {
                machine->end = MACHINE_END_UNEXPECTED;
                return error_set(error, ERROR_BUSY, "The QEMU of the %s does not end in time",
                                 object_describe(&domain->object));
        }
        if (r == 0) {
                (void)child_signal(machine->child, SIGKILL); /* fails only if it is gone */
                r = wait_for_end(machine, run, MIN(deadline_usec, deadline_after_usec(KILL_USEC)));
        }
        if (r > 0)
                return 0;
        return error_set(error, r == 0 ? ERROR_TIMED_OUT : ERROR_CANCELLED,
                         "The process of the %s was told to end, but is there still",
                         object_describe(&domain->object));
}

int stop_process(Domain *domain, MachineEnd end, Call *call, Error *error)
{
        _cleanup_(machine_actp) Machine *acting = machine_act(domain, call->job);

        acting->end = end;
        if (acting->child && !acting->has_exited)
                return end_process(domain, false, call->deadline_usec, error);
        end_run(domain);
        return 0;
}

int qemu_domain_destroy(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "Destroy", flags, DESTROY_GRACEFUL);

        if (r < 0)
                return r;
        if (!domain_is_active(domain) && call->job && job_has_displaced(call->job)) {
                /* It was starting, and is not any more: this is what was wanted. */
                domain_set_state(domain, DOMAIN_STATE_SHUTOFF, SHUTOFF_REASON_DESTROYED);
                return 0;
        }
        r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        _cleanup_(domain_unrefp) Domain *held _unused_ = domain_ref(domain);
        if (!(flags & DESTROY_GRACEFUL))
                return stop_process(domain, MACHINE_END_DESTROYED, call, error);
        _cleanup_(machine_actp) Machine *acting = machine_act(domain, call->job);

        acting->end = MACHINE_END_DESTROYED;
        if (!acting->child || acting->has_exited) {
                end_run(domain);
                return 0;
        }
        return end_process(domain, true, call->deadline_usec, error);
}

/* Which way is taken: by what the caller wants, then by what the guest has. */
static int choose_way(const char *operation, const Domain *domain, uint32_t flags, bool *ret_by_agent,
                      Error *error)
{
        int r = error_check_flags(error, operation, flags, BY_ACPI | BY_AGENT);

        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r < 0)
                return r;
        *ret_by_agent = flags == BY_AGENT ||
                        ((flags == 0 || flags == (BY_ACPI | BY_AGENT)) && agent_is_there(domain));
        return 0;
}

/* Presses the power button, with what is to follow when the guest has shut down. */
static int press_button(Domain *domain, bool is_reboot, uint64_t deadline_usec, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        _cleanup_(qmp_command_freep) QmpCommand *action = NULL, *button = NULL;
        bool was_rebooting = machine->is_rebooting;
        int r;

        machine->is_rebooting = is_reboot;
        if (is_reboot != was_rebooting) {
                r = status_save(domain, error);
                if (r >= 0)
                        r = machine_check_monitor(domain, error);
                if (r < 0)
                        return r;
                action = reset_send_shutdown_action(machine, is_reboot);
        }
        button = qmp_send(machine->qmp, "system_powerdown", NULL, -EBADF);
        r = action ? qmp_wait(action, deadline_usec, NULL, error) : 0;
        if (r >= 0)
                r = qmp_wait(button, deadline_usec, NULL, error);
        return r;
}

static int ask_guest(const char *operation, Call *call, Domain *domain, uint32_t flags, Error *error) AWAITS
{
        bool is_reboot = strcmp(operation, "Reboot") == 0, by_agent = false;
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC));
        _cleanup_(error_clear) Error problem = {};
        _cleanup_(domain_unrefp) Domain *held _unused_ = domain_ref(domain);
        int r = choose_way(operation, domain, flags, &by_agent, error);

        if (r < 0)
                return r;
        _cleanup_(machine_actp) Machine *acting _unused_ = machine_act(domain, call->job);

        if (by_agent) {
                r = agent_shut_down(domain, is_reboot ? "reboot" : "powerdown", deadline_usec, &problem);
                if (r >= 0)
                        return 0;
                if (flags == BY_AGENT || r == -ECANCELED) {
                        error_move(error, &problem);
                        return r;
                }
                r = machine_check_monitor(domain, error); /* the button is left to try */
                if (r < 0)
                        return r;
        }
        return press_button(domain, is_reboot, deadline_usec, error);
}

int qemu_domain_shutdown(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        return ask_guest("Shutdown", call, domain, flags, error);
}

int qemu_domain_reboot(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        return ask_guest("Reboot", call, domain, flags, error);
}

int qemu_domain_reset(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "Reset", flags, 0);

        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r < 0)
                return r;
        _cleanup_(machine_actp) Machine *acting = machine_act(domain, call->job);

        return qmp_call(acting->qmp, "system_reset", NULL,
                        MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)), NULL, error);
}
