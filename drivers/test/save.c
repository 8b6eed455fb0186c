/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Saving ends a machine and leaves a mark, which the next start takes away. A transient machine would be
 * gone with what was saved, and is refused. */

#include "drivers/test/save.h"
#include "drivers/test/control.h"
#include "drivers/test/machine.h"

/* virDomainSaveRestoreFlags: bypass the cache, go on running, go on paused. */
enum {
        SAVE_BYPASS_CACHE = 1 << 0,
        SAVE_RUNNING = 1 << 1,
        SAVE_PAUSED = 1 << 2,
};

int save_check_flags(const char *operation, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, operation, flags, SAVE_BYPASS_CACHE | SAVE_RUNNING | SAVE_PAUSED);

        if (r >= 0 && flags & SAVE_RUNNING && flags & SAVE_PAUSED)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "%s: RUNNING (2) excludes PAUSED (4)",
                              operation);
        return r;
}

bool save_goes_on(bool was_running, uint32_t flags)
{
        return flags & SAVE_RUNNING || (was_running && !(flags & SAVE_PAUSED));
}

int test_domain_managed_save(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = save_check_flags("ManagedSave", flags, error);

        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0)
                r = domain_check_persistent(domain, error);
        if (r < 0)
                return r;
        domain->has_managed_save = true;
        control_job_completed(domain, JOB_OPERATION_SAVE, call->job);
        machine_end(domain, SHUTOFF_REASON_SAVED, STOPPED_SAVED, call->job);
        return 0;
}

int test_domain_managed_save_remove(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "ManagedSaveRemove", flags, 0);

        (void)call;
        if (r >= 0)
                domain->has_managed_save = false;
        return r;
}

int test_domain_has_managed_save_image(Call *call, Domain *domain, uint32_t flags,
                                       bool *ret_managed_save_image, Error *error)
{
        int r = error_check_flags(error, "HasManagedSaveImage", flags, 0);

        (void)call;
        if (r >= 0)
                *ret_managed_save_image = domain->has_managed_save;
        return r;
}
