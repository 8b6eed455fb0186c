/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One after the other: a host that boots has enough to do. */

#include "drivers/qemu/autostart.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/save.h"
#include "drivers/qemu/start.h"

#define START_USEC (120 * G_USEC_PER_SEC)

static int start(Domain *domain, const char *operation, Error *error) AWAITS
{
        uint64_t deadline_usec = deadline_after_usec(START_USEC);
        _cleanup_(job_releasep) Job *job = NULL;
        int r;

        r = job_take(domain->object.jobs, JOB_START, operation, (uid_t)-1, deadline_usec, &job, error);
        if (r < 0 || domain->object.is_gone || domain_is_active(domain))
                return r;
        r = save_start(domain, 0, NULL, deadline_usec, error);
        job_set_error(job, error);
        return r;
}

void autostart_machines(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);

        for (unsigned i = 0; i < domains->len && !fiber_is_cancelled(fiber_current()); i++) {
                Domain *domain = domains->pdata[i];
                _cleanup_(error_clear) Error error = {};

                if (!domain->is_autostart || domain_is_active(domain) || start_was_done(domain))
                        continue;
                if (start(domain, "Autostart", &error) < 0)
                        log_warning(domain->object.path, "machine %s was not started: %s",
                                    domain->object.name, error.message);
        }
}

static void forget_transient(Domain *domain)
{
        if (!domain->object.is_gone && !domain->is_persistent && !domain_is_active(domain))
                end_forget(domain);
}

static void again_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        _cleanup_(error_clear) Error error = {};
        int r = start(domain, "Restart", &error);

        if (r >= 0)
                return;
        log_warning(domain->object.path, "machine %s does not begin anew: %s", domain->object.name,
                    error.message);
        forget_transient(domain);
}

void autostart_again(Domain *domain)
{
        if (fiber_start("qemu-restart", again_fiber, domain_ref(domain)) >= 0)
                return;
        log_warning(domain->object.path, "machine %s does not begin anew: too much is going on",
                    domain->object.name);
        forget_transient(domain);
        domain_unref(domain);
}
