/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* That the guest is held is in the status before it is: the next daemon looks how far QEMU got, and lets it
 * go on. Clients see nothing of it. */

#include "drivers/qemu/pivot.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/events.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/status.h"
#include <errno.h>

/* 0: QEMU went over; otherwise *ret_is_open says that it may still. */
static int complete(Domain *domain, const char *id, bool *ret_is_open, Error *error) AWAITS
{
        int r = machine_command(domain, "job-complete", json_pack("{s:s}", "id", id), NULL, error);

        if (r >= 0 || r == -ECANCELED || r == -ETIMEDOUT) {
                error_clear(error); /* it was sent */
                r = long_job_wait_or_leave(domain, id, LONG_JOB_ENDED, error);
        }
        *ret_is_open =
                r == -ECANCELED || r == -ETIMEDOUT || (r < 0 && !machine_has_monitor(machine_of(domain)));
        return r;
}

static void let_go(Machine *machine, bool has_followed)
{
        machine->is_held = false;
        if (has_followed)
                g_clear_pointer(&machine->held_by, g_free);
}

int pivot_check(const Domain *domain, Error *error)
{
        const Machine *machine = machine_of(domain);

        if (machine->is_held)
                return error_set(error, ERROR_BUSY,
                                 "The guest of the %s stands still until QEMU says whether a disk has gone "
                                 "over to another image",
                                 object_describe(&domain->object));
        return machine->held_by ? error_set(error, ERROR_OPERATION_INVALID,
                                            "The definition of the %s could not follow a disk that has gone "
                                            "over to another image: Resume tries it again",
                                            object_describe(&domain->object))
                                : 0;
}

int pivot(Domain *domain, const char *id, PivotFollow follow, const void *data, Error *error)
{
        const bool was_running = domain->state == DOMAIN_STATE_RUNNING;
        Machine *machine = machine_of(domain);
        bool is_open = false;
        int r, followed = 0, resumed = 0;

        machine->is_held = true;
        machine->held_by = g_strdup(id);
        r = status_save(domain, error);
        if (r >= 0 && was_running)
                r = machine_command(domain, "stop", NULL, NULL, error);
        if (r >= 0)
                r = complete(domain, id, &is_open, error);
        if (is_open && domain->live)
                return r;     /* the guest stands still, so that either image is right */
        fiber_clear_cancel(); /* it is too late */
        if (r >= 0)
                followed = follow(domain, data, error);
        if (was_running && followed >= 0 && domain->live)
                resumed = machine_command(domain, "cont", NULL, NULL, r < 0 ? NULL : error);
        let_go(machine, followed >= 0);
        if (!domain->live)
                return r < 0 ? r : followed;
        if (was_running && (followed < 0 || resumed < 0))
                events_synchronise(domain, "paused");
        status_save_soon(domain);
        return r < 0 ? r : followed < 0 ? followed : resumed;
}

void pivot_release(Domain *domain, bool has_followed)
{
        Machine *machine = machine_of(domain);
        const bool was_held = machine->is_held;
        _cleanup_(error_clear) Error error = {};
        int r = 0;

        if ((!was_held && !machine->held_by) || !machine_has_monitor(machine))
                return; /* the run ends, or the next daemon does it */
        if (was_held)
                fiber_clear_cancel(); /* it is too late */
        if (was_held && has_followed && domain->state == DOMAIN_STATE_RUNNING)
                r = machine_command(domain, "cont", NULL, NULL, &error);
        let_go(machine, has_followed);
        if (r < 0 || !has_followed)
                log_error(domain->object.path, "the guest of machine %s does not go on: %s",
                          domain->object.name,
                          r < 0 ? error.message : "the definition does not say which images it has");
        if (!domain->live)
                return;
        if (was_held && domain->state == DOMAIN_STATE_RUNNING && (r < 0 || !has_followed))
                events_synchronise(domain, "paused");
        status_save_soon(domain);
}
