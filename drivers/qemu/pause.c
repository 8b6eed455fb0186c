/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state changes when QEMU says so (STOP and RESUME, which come before the answer); what is on disk is
 * true when the caller gets its answer. */

#include "drivers/qemu/pause.h"
#include "drivers/qemu/block-end.h"
#include "drivers/qemu/events.h"
#include "drivers/qemu/pivot.h"
#include "drivers/qemu/status.h"

static int run_command(Call *call, Domain *domain, const char *command, Error *error) AWAITS
{
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC));

        return qmp_call(machine_of(domain)->qmp, command, NULL, deadline_usec, NULL, error);
}

/* After the command: true also for a QEMU that sent no event. */
static int settle(Domain *domain, const char *status, Error *error) AWAITS
{
        int r = domain_check_active(domain, error);

        if (r < 0)
                return r;
        events_synchronise(domain, status);
        return status_save(domain, error);
}

int qemu_domain_suspend(Call *call, Domain *domain, Error *error)
{
        int r = machine_check_monitor(domain, error);

        if (r < 0 || domain->state == DOMAIN_STATE_PAUSED)
                return r;
        if (domain->state == DOMAIN_STATE_PMSUSPENDED)
                return error_set(error, ERROR_OPERATION_INVALID, "The guest of the %s sleeps",
                                 object_describe(&domain->object));
        r = pivot_check(domain, error);
        if (r < 0)
                return r;
        _cleanup_(machine_actp) Machine *acting = machine_act(domain, call->job);

        acting->pause_reason = PAUSED_REASON_USER;
        r = run_command(call, domain, "stop", error);
        if (r >= 0)
                r = settle(domain, "paused", error);
        acting->pause_reason = 0;
        return r;
}

int qemu_domain_resume(Call *call, Domain *domain, Error *error)
{
        int r = machine_check_monitor(domain, error);

        if (r < 0 || domain->state == DOMAIN_STATE_RUNNING)
                return r;
        if (domain->state != DOMAIN_STATE_PAUSED)
                return error_set(error, ERROR_OPERATION_INVALID, "The %s is not paused but %s",
                                 object_describe(&domain->object), domain_state_to_string(domain->state));
        _cleanup_(machine_actp) Machine *acting _unused_ = machine_act(domain, call->job);

        r = block_end_follow(domain, error); /* what it writes from now on is in one image only */
        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r >= 0)
                r = run_command(call, domain, "cont", error);
        return r < 0 ? r : settle(domain, "running", error);
}

int qemu_domain_inject_nmi(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "InjectNMI", flags, 0);

        if (r >= 0)
                r = machine_check_monitor(domain, error);
        return r < 0 ? r : run_command(call, domain, "inject-nmi", error);
}
