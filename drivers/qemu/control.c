/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is done to a machine that runs: pausing, resuming, resetting, asking it to shut down, ending it. What
 * follows is told by QEMU's events (events.c) and by the end of its process (machine.c). */

#include "drivers/qemu/operations.h"
#include "drivers/qemu/status.h"
#include <string.h>

/* virDomainShutdownFlagValues, and with the same numbers virDomainRebootFlagValues. */
enum {
        BY_ACPI = 1 << 0,
        BY_AGENT = 1 << 1,
};

/* virDomainDestroyFlagsValues. */
enum { DESTROY_GRACEFUL = 1 << 0 };

/* One command, with its consequences ascribed to the call. */
static int command(Call *call, Machine *machine, const char *name, json_t *arguments, Error *error) AWAITS
{
        Domain *domain = machine->domain;
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC));
        int r;

        machine->cause = call->job;
        r = qmp_call(machine->qmp, name, arguments, deadline_usec, NULL, error);
        if (machine_of(domain) == machine)
                machine->cause = NULL;
        return r;
}

int qemu_domain_suspend(Call *call, Domain *domain, Error *error)
{
        Machine *machine;
        int r = machine_get_active(domain, &machine, error);

        if (r < 0 || domain->state == DOMAIN_STATE_PAUSED)
                return r;
        machine->paused_reason = PAUSED_REASON_USER;
        return command(call, machine, "stop", NULL, error);
}

int qemu_domain_resume(Call *call, Domain *domain, Error *error)
{
        Machine *machine;
        int r = machine_get_active(domain, &machine, error);

        if (r < 0 || domain->state == DOMAIN_STATE_RUNNING)
                return r;
        return command(call, machine, "cont", NULL, error);
}

int qemu_domain_reset(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        Machine *machine;
        int r = error_check_flags(error, "Reset", flags, 0);

        if (r >= 0)
                r = machine_get_active(domain, &machine, error);
        return r < 0 ? r : command(call, machine, "system_reset", NULL, error);
}

int qemu_domain_inject_nmi(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        Machine *machine;
        int r = error_check_flags(error, "InjectNMI", flags, 0);

        if (r >= 0)
                r = machine_get_active(domain, &machine, error);
        return r < 0 ? r : command(call, machine, "inject-nmi", NULL, error);
}

static int power_button(Call *call, Domain *domain, const char *operation, uint32_t flags, bool is_reboot,
                        Error *error) AWAITS
{
        Machine *machine;
        int r = error_check_flags(error, operation, flags, BY_ACPI | BY_AGENT);

        if (r >= 0)
                r = machine_get_active(domain, &machine, error);
        if (r < 0)
                return r;
        if (flags == BY_AGENT)
                return error_set(error, ERROR_AGENT_UNAVAILABLE,
                                 "The QEMU driver does not speak with guest agents yet: "
                                 "%s can be asked by ACPI (1)",
                                 object_describe(&domain->object));
        if (is_reboot) {
                r = command(call, machine, "set-action", json_pack("{s:s}", "shutdown", "pause"), error);
                if (r < 0 || machine_of(domain) != machine)
                        return r;
        }
        machine->is_rebooting = is_reboot;
        return command(call, machine, "system_powerdown", NULL, error);
}

int qemu_domain_shutdown(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        return power_button(call, domain, "Shutdown", flags, false, error);
}

int qemu_domain_reboot(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        return power_button(call, domain, "Reboot", flags, true, error);
}

int qemu_domain_destroy(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        Machine *machine = machine_of(domain);
        int r = error_check_flags(error, "Destroy", flags, DESTROY_GRACEFUL);

        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        machine->is_destroyed = true;
        machine->cause = call->job;
        /* QEMU writes on SIGTERM what it has in its caches; whoever said graceful would rather wait than
         * lose that. */
        if (flags & DESTROY_GRACEFUL)
                return machine_terminate(machine, call->deadline_usec, error);
        r = machine_terminate(machine, deadline_after_usec(TERMINATE_USEC), NULL);
        if (r >= 0 || machine_of(domain) != machine)
                return 0;
        return machine_kill(machine, call->deadline_usec, error);
}
