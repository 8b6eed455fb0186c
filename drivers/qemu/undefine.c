/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A definition is forgotten, and with it what the driver keeps for the machine; never its disks. What is
 * refused stops it before anything goes. Saved memory and the records of snapshots go before the definition:
 * the other way round, a daemon that is killed in between would leave them to the next machine of that UUID.
 * What cannot be removed when the definition is gone is told to the administrator. */

#include "drivers/qemu/undefine.h"
#include "core/log.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/file-groups.h"
#include "drivers/qemu/folder.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/save.h"
#include "drivers/qemu/snapshots.h"
#include "drivers/qemu/start.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/variables.h"
#include "objects/undefine.h"

/* Variables of the firmware are lost or left behind by nobody's mistake: the caller says which. */
static int check_variables(const Domain *domain, uint32_t flags, Error *error) AWAITS
{
        bool is_found;
        int r;

        if (flags & (UNDEFINE_NVRAM | UNDEFINE_KEEP_NVRAM))
                return 0;
        r = variables_find(domain, &is_found, error);
        if (r < 0 || !is_found)
                return r;
        return error_set(
                error, ERROR_OPERATION_INVALID,
                "The %s has firmware variables: flag NVRAM (4) removes them, KEEP_NVRAM (8) keeps them",
                object_describe(&domain->object));
}

/* The definition is gone already: what cannot be removed is told to the administrator. */
static void remove_variables(const Domain *domain) AWAITS
{
        _cleanup_(error_clear) Error error = {};

        if (variables_remove(domain, &error) < 0)
                log_warning(domain->object.path, "%s", error.message);
}

static void remove_tpm(const Domain *domain, uint32_t flags)
{
        _cleanup_(error_clear) Error error = {};

        if (undefine_removes_tpm(domain->definition, flags) && keep_remove(domain, KEEP_TPM, &error) < 0)
                log_warning(domain->object.path, "%s", error.message);
}

/* The end of the run goes by its definition, also for a daemon that finds the run without any other. */
static int mark_tpm(Domain *domain, uint32_t flags, Error *error) AWAITS
{
        if (!domain_is_active(domain) || !(flags & (UNDEFINE_TPM | UNDEFINE_KEEP_TPM)))
                return 0;
        LIST_FOREACH (tpm, domain->live->devices.tpms)
                tpm->persistent_state = flags & UNDEFINE_KEEP_TPM ? YES : NO;
        return status_save(domain, error);
}

int qemu_domain_undefine(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        bool has_variables = false;
        int r = undefine_check(domain, flags, error);

        if (r >= 0)
                r = folder_check_unknown(qemu_driver_of(domain), domain->object.uuid, error);
        if (r >= 0)
                has_variables = variables_are_possible(domain);
        if (r >= 0 && has_variables)
                r = check_variables(domain, flags, error);
        if (r >= 0)
                r = save_remove(domain, error);
        if (r >= 0)
                r = snapshots_forget(domain, error);
        if (r >= 0)
                r = mark_tpm(domain, flags, error);
        if (r >= 0)
                r = definitions_remove(domain, error);
        if (r < 0)
                return r;
        if (has_variables && flags & UNDEFINE_NVRAM)
                remove_variables(domain);
        if (!domain_is_active(domain) || domain->live->devices.tpms.count == 0)
                remove_tpm(domain, flags);
        start_forget(domain);
        domain_set_persistent(domain, false);
        domain_set_autostart(domain, false);
        domain_lifecycle(domain, DOMAIN_EVENT_UNDEFINED, UNDEFINED_REMOVED, call->job);
        if (!domain_is_active(domain)) {
                file_groups_forget(domain);
                object_table_remove(call->driver->objects, &domain->object);
                return 0;
        }
        domain->definition = domain_definition_free(domain->definition);
        return status_save(domain, error);
}

int qemu_find_kept(Call *call, Domain *domain, DomainKept *ret_kept, Error *error)
{
        _cleanup_(freep) char *variables = NULL;
        int r = folder_check_unknown(qemu_driver_of(domain), domain->object.uuid, error);

        (void)call;
        if (r >= 0 && variables_are_possible(domain))
                r = variables_find_path(domain, &variables, error);
        if (r < 0)
                return r;
        ret_kept->variables = TAKE_PTR(variables);
        if (keep_is_used(domain, KEEP_TPM))
                ret_kept->tpm = keep_path(domain->object.driver, domain->object.uuid, KEEP_TPM);
        return 0;
}
