/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A guest that is asked to do something does it at once: there is none. So that clients can rely on it, the
 * event of a shutdown is there before the answer. */

#include "drivers/test/lifecycle.h"
#include "drivers/test/machine.h"

/* virDomainShutdownFlagValues, and virDomainRebootFlagValues with the same numbers: ACPI, agent, init,
 * signal, paravirtual. There is no guest to tell them apart. */
enum { ASK_ALL = (1 << 5) - 1 };

/* virDomainDestroyFlagsValues. */
enum { DESTROY_GRACEFUL = 1 << 0 };

int test_domain_create(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = machine_check_start(call, "Create", flags, error);

        if (r >= 0)
                r = domain_check_inactive(domain, error);
        if (r < 0)
                return r;
        machine_start(domain, domain->definition, &machine_boot, flags & START_PAUSED, call->job);
        return 0;
}

int test_domain_create_with_files(Call *call, Domain *domain, const int *files, size_t n_files,
                                  uint32_t flags, Error *error)
{
        (void)files;
        if (n_files > 0)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The Test driver cannot give open files to the guest of the %s",
                                 object_describe(&domain->object));
        return test_domain_create(call, domain, flags, error);
}

int test_domain_suspend(Call *call, Domain *domain, Error *error)
{
        int r = domain_check_active(domain, error);

        if (r < 0 || domain->state == DOMAIN_STATE_PAUSED)
                return r;
        domain_set_state(domain, DOMAIN_STATE_PAUSED, PAUSED_REASON_USER);
        domain_lifecycle(domain, DOMAIN_EVENT_SUSPENDED, SUSPENDED_PAUSED, call->job);
        return 0;
}

int test_domain_resume(Call *call, Domain *domain, Error *error)
{
        int r = domain_check_active(domain, error);

        if (r < 0 || domain->state == DOMAIN_STATE_RUNNING)
                return r;
        domain_set_state(domain, DOMAIN_STATE_RUNNING, RUNNING_REASON_UNPAUSED);
        domain_lifecycle(domain, DOMAIN_EVENT_RESUMED, RESUMED_UNPAUSED, call->job);
        return 0;
}

/* What the definition says that a guest's own end means. */
static void act(Domain *domain, LifecycleAction action, const Job *cause)
{
        switch (action) {
        case LIFECYCLE_RESTART:
        case LIFECYCLE_RENAME_RESTART:
        case LIFECYCLE_COREDUMP_RESTART:
                machine_signal(domain, "Reboot", NULL);
                return;
        default:
                machine_end(domain, SHUTOFF_REASON_SHUTDOWN, STOPPED_SHUTDOWN, cause);
        }
}

static int ask_guest(Call *call, Domain *domain, uint32_t flags, const char *operation,
                     LifecycleAction action, Error *error)
{
        int r = error_check_flags(error, operation, flags, ASK_ALL);

        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0)
                act(domain, action, call->job);
        return r;
}

int test_domain_shutdown(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        return ask_guest(call, domain, flags, "Shutdown", LIFECYCLE_DESTROY, error);
}

/* The definition may say that a guest's reboot is its end. */
int test_domain_reboot(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        return ask_guest(call, domain, flags, "Reboot", domain_current_definition(domain)->on_reboot, error);
}

int test_domain_reset(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "Reset", flags, 0);

        (void)call;
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0)
                machine_signal(domain, "Reboot", NULL);
        return r;
}

int test_domain_destroy(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "Destroy", flags, DESTROY_GRACEFUL);

        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0)
                machine_end(domain, SHUTOFF_REASON_DESTROYED, STOPPED_DESTROYED, call->job);
        return r;
}
