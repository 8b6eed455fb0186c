/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How machines come to be and go: defined, created for one run, undefined. A definition is on the disk
 * before anybody is told of it. */

#include "drivers/qemu/definitions.h"
#include "drivers/qemu/operations.h"
#include "drivers/qemu/prepare.h"
#include "drivers/qemu/status.h"
#include <string.h>

/* Details of virDomainEventType. */
enum {
        DEFINED_ADDED = 0,
        DEFINED_UPDATED = 1,
        UNDEFINED_REMOVED = 0,
};

/* virDomainUndefineFlagsValues. What they are about does not exist in this driver yet: there is nothing to
 * remove. */
enum {
        UNDEFINE_KNOWN = 0x7f,
};

/* libvirt's texts begin so, and clients look for them. */
static int name_taken(const DomainDefinition *definition, const Domain *other, Error *error)
{
        return error_set(error, ERROR_EXISTS, "operation failed: domain '%s' already exists with uuid %s",
                         definition->name, other->object.uuid);
}

static int name_check(Driver *driver, const DomainDefinition *definition, const Domain *existing,
                      uid_t owner, Error *error)
{
        Domain *other =
                (Domain *)object_table_by_name(driver->objects, OBJECT_DOMAIN, definition->name, owner);

        if (existing && strcmp(existing->object.name, definition->name) != 0)
                return error_set(error, ERROR_EXISTS,
                                 "operation failed: domain '%s' is already defined with uuid %s, and is "
                                 "renamed by Rename",
                                 existing->object.name, existing->object.uuid);
        if (other && other != existing && other->object.owner == owner)
                return name_taken(definition, other, error);
        return 0;
}

static int redefine(Call *call, Domain *domain, DomainDefinition **definition, Error *error) AWAITS
{
        int r;

        r = definition_store(domain, *definition, domain->is_autostart, error);
        if (r < 0)
                return r;
        domain_set_definition(domain, TAKE_PTR(*definition));
        domain_set_persistent(domain, true);
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, DEFINED_UPDATED, call->job);
        return domain_is_active(domain) ? status_store(domain, error) : 0;
}

/* The machine is in the table, and its name taken, before the disk is waited for; it is told of when it is
 * stored. */
static int define_new(Call *call, DomainDefinition **definition, Domain **ret_domain, Error *error) AWAITS
{
        _cleanup_(domain_unrefp) Domain *domain =
                domain_new(call->driver, TAKE_PTR(*definition), call->owner);
        int r;

        domain->is_persistent = true;
        if (object_table_by_path(call->driver->objects, domain->object.path))
                return error_set(error, ERROR_EXISTS,
                                 "operation failed: a domain with uuid %s already exists",
                                 domain->object.uuid);
        r = definition_store(domain, NULL, false, error);
        if (r >= 0)
                r = name_check(call->driver, domain->definition, NULL, call->owner, error);
        if (r >= 0 && object_table_add(call->driver->objects, &domain->object) < 0)
                r = error_set(error, ERROR_EXISTS, "operation failed: a domain with uuid %s already exists",
                              domain->object.uuid);
        if (r < 0)
                return r;
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, DEFINED_ADDED, call->job);
        *ret_domain = TAKE_PTR(domain);
        return 0;
}

int qemu_define_domain(Call *call, Domain *existing, DomainDefinition *definition, Domain **ret_domain,
                       Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned = definition;
        uid_t owner = existing ? existing->object.owner : call->owner;
        int r;

        r = prepare_definition(call->driver, owned, owner, error);
        if (r >= 0)
                r = name_check(call->driver, owned, existing, owner, error);
        if (r < 0)
                return r;
        if (!existing)
                return define_new(call, &owned, ret_domain, error);
        r = redefine(call, existing, &owned, error);
        if (r >= 0)
                *ret_domain = domain_ref(existing);
        return r;
}

/* A machine for one run takes its turn like any other, so that nobody else works on it while it starts. */
static int create_transient(Call *call, DomainDefinition **definition, uint32_t flags, const int *fds,
                            size_t n_fds, Domain **ret_domain, Error *error) AWAITS
{
        _cleanup_(domain_unrefp) Domain *domain =
                domain_new(call->driver, TAKE_PTR(*definition), call->owner);
        _cleanup_(job_releasep) Job *job = NULL;
        int r;

        if (object_table_add(call->driver->objects, &domain->object) < 0)
                return error_set(error, ERROR_EXISTS,
                                 "operation failed: a domain with uuid %s already exists",
                                 domain->object.uuid);
        r = job_take(domain->object.jobs, JOB_START, "Create", call->uid, call->deadline_usec, &job, error);
        if (r >= 0) {
                Call own = *call;

                own.job = job;
                r = qemu_domain_create_with_files(&own, domain, fds, n_fds, flags, error);
        }
        if (r < 0) {
                object_table_remove(call->driver->objects, &domain->object); /* if its end has not done so */
                return r;
        }
        *ret_domain = TAKE_PTR(domain);
        return 0;
}

int qemu_create_domain(Call *call, Domain *existing, DomainDefinition *definition, uint32_t flags,
                       const int *fds, size_t n_fds, Domain **ret_domain, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned = definition;
        uid_t owner = existing ? existing->object.owner : call->owner;
        int r;

        r = existing ? domain_check_inactive(existing, error) : 0;
        if (r >= 0)
                r = prepare_definition(call->driver, owned, owner, error);
        if (r >= 0)
                r = name_check(call->driver, owned, existing, owner, error);
        if (r >= 0 && existing)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "%s has a definition: it is started by Create, or undefined first",
                              object_describe(&existing->object));
        return r < 0 ? r : create_transient(call, &owned, flags, fds, n_fds, ret_domain, error);
}

int qemu_domain_undefine(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r;

        r = error_check_flags(error, "Undefine", flags, UNDEFINE_KNOWN);
        if (r >= 0 && !domain->is_persistent)
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "The %s has no definition that could be removed",
                              object_describe(&domain->object));
        if (r >= 0)
                r = definition_remove(domain, error);
        if (r < 0)
                return r;
        domain_set_autostart(domain, false);
        domain_set_persistent(domain, false);
        domain_lifecycle(domain, DOMAIN_EVENT_UNDEFINED, UNDEFINED_REMOVED, call->job);
        if (domain_is_active(domain))
                status_store_soon(domain);
        else
                object_table_remove(call->driver->objects, &domain->object);
        return 0;
}
