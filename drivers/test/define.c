/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions live in memory only, so that a change is one step that cannot be interrupted: two callers that
 * want the same name or UUID come one after the other, and the second is refused. */

#include "drivers/test/define.h"
#include "drivers/test/machine.h"
#include "drivers/test/snapshots.h"
#include "objects/undefine.h"
#include <string.h>

/* What the host of libvirt's test driver is. */
#define DEFAULT_ARCH "i686"

/* A name is its owner's; a UUID is everybody's. */
static int check_name(const Driver *driver, const char *name, uid_t owner, Error *error)
{
        const Object *other = object_table_owned(driver->objects, OBJECT_DOMAIN, name, owner);

        if (!other)
                return 0;
        return error_set(error, ERROR_EXISTS, "There is a domain named '%s' already", name);
}

/* A definition that is to be one of an existing machine has its name: Rename is the way to another. */
static int check_identity(const Domain *existing, const DomainDefinition *definition, Error *error)
{
        if (strcmp(existing->object.name, definition->name) == 0)
                return 0;
        return error_set(error, ERROR_EXISTS, "The domain with UUID %s is named '%s' already, not '%s'",
                         existing->object.uuid, existing->object.name, definition->name);
}

int define_prepare(DomainDefinition *definition, Error *error)
{
        if (definition->type != DOMAIN_TYPE_TEST)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The Test driver runs domains of type test, not %s",
                                 domain_type_to_string(definition->type));
        if (!definition->os.arch)
                definition->os.arch = g_strdup(DEFAULT_ARCH);
        return domain_definition_complete(definition, error);
}

int test_prepare_domain(const Driver *driver, DomainDefinition *definition, uid_t owner, Error *error)
{
        (void)driver, (void)owner; /* the same for all */
        return define_prepare(definition, error);
}

/* A new machine in the table, announced to nobody as defined or started. Takes the definition over. */
static int add(Call *call, DomainDefinition *definition, bool is_persistent, Domain **ret_domain,
               Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned = definition;
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        int r = define_prepare(definition, error);

        if (r >= 0)
                r = check_name(call->driver, definition->name, call->owner, error);
        if (r < 0)
                return r;
        domain = domain_new(call->driver, TAKE_PTR(owned), call->owner);
        domain->is_persistent = is_persistent;
        domain->changed_by = call->uid;
        if (object_table_add(call->driver->objects, &domain->object) < 0)
                return error_set(error, ERROR_EXISTS, "There is a domain with UUID %s already",
                                 domain->object.uuid);
        *ret_domain = TAKE_PTR(domain);
        return 0;
}

static int redefine(Call *call, Domain *domain, DomainDefinition *definition, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned = definition;
        bool was_persistent = domain->is_persistent;
        int r = check_identity(domain, definition, error);

        if (r >= 0)
                r = define_prepare(definition, error);
        if (r < 0)
                return r;
        domain_set_persistent(domain, true);
        domain_set_definition(domain, TAKE_PTR(owned));
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, was_persistent ? DEFINED_UPDATED : DEFINED_ADDED,
                         call->job);
        return 0;
}

int test_define_domain(Call *call, Domain *existing, DomainDefinition *definition, Domain **ret_domain,
                       Error *error)
{
        int r;

        if (existing) {
                r = redefine(call, existing, definition, error);
                if (r >= 0)
                        *ret_domain = domain_ref(existing);
                return r;
        }
        r = add(call, definition, true, ret_domain, error);
        if (r >= 0)
                domain_lifecycle(*ret_domain, DOMAIN_EVENT_DEFINED, DEFINED_ADDED, call->job);
        return r;
}

/* A machine that is there runs, this time, by another definition than its own. */
static int create_existing(Domain *domain, DomainDefinition *definition, const MachineOrigin *origin,
                           bool is_paused, const Job *cause, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned _unused_ = definition;
        int r = domain_check_inactive(domain, error);

        if (r >= 0)
                r = check_identity(domain, definition, error);
        if (r >= 0)
                r = define_prepare(definition, error);
        if (r >= 0)
                machine_start(domain, definition, origin, is_paused, cause);
        return r;
}

/* The start is a job of the new machine, by which it can be told who wanted it; nobody can be before it. */
static int create_new(Call *call, DomainDefinition *definition, const char *operation,
                      const MachineOrigin *origin, bool is_paused, Domain **ret_domain, Error *error) AWAITS
{
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        _cleanup_(job_releasep) Job *job = NULL;
        int r = add(call, definition, false, &domain, error);

        if (r < 0)
                return r;
        r = job_take(domain->object.jobs, JOB_START, operation, call->uid, call->deadline_usec, &job, error);
        if (r < 0) {
                object_table_remove(call->driver->objects, &domain->object);
                return r;
        }
        machine_start(domain, domain->definition, origin, is_paused, job);
        *ret_domain = TAKE_PTR(domain);
        return 0;
}

int test_create_domain(Call *call, Domain *existing, DomainDefinition *definition, uint32_t flags,
                       const int *fds, size_t n_fds, Domain **ret_domain, Error *error)
{
        bool is_paused = flags & START_PAUSED;
        int r = machine_check_start(call, "CreateXML", flags, error);

        (void)fds;
        if (r >= 0 && n_fds > 0)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The Test driver cannot give open files to a guest");
        if (r < 0) {
                domain_definition_free(definition);
                return r;
        }
        if (!existing)
                return create_new(call, definition, "CreateXML", &machine_boot, is_paused, ret_domain,
                                  error);
        r = create_existing(existing, definition, &machine_boot, is_paused, call->job, error);
        if (r >= 0)
                *ret_domain = domain_ref(existing);
        return r;
}

int define_restore(Call *call, const DomainDefinition *saved, const MachineOrigin *origin, bool is_paused,
                   Error *error)
{
        DomainDefinition *definition = domain_definition_copy(saved);
        Object *object = object_table_by_uuid(call->driver->objects, OBJECT_DOMAIN, saved->uuid);
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        _cleanup_(job_releasep) Job *job = NULL;
        int r;

        if (object && object->owner != call->owner) {
                domain_definition_free(definition);
                return error_set(error, ERROR_EXISTS, "There is a domain with UUID %s already", saved->uuid);
        }
        if (object)
                domain = domain_ref((Domain *)object);
        r = driver_authorise(call, object, OBJECT_DOMAIN, definition->name, definition->uuid, error);
        if (r >= 0 && object != object_table_by_uuid(call->driver->objects, OBJECT_DOMAIN, definition->uuid))
                r = error_set(error, ERROR_BUSY, "The domain with UUID %s has come or gone meanwhile",
                              definition->uuid);
        if (r < 0) {
                domain_definition_free(definition);
                return r;
        }
        if (!object)
                return create_new(call, definition, "DomainRestore", origin, is_paused, &domain, error);
        g_free(definition->name); /* it may have been renamed since it was saved */
        definition->name = g_strdup(object->name);
        r = job_take(object->jobs, JOB_START, "DomainRestore", call->uid, call->deadline_usec, &job, error);
        if (r >= 0 && object->is_gone)
                r = error_set(error, ERROR_NO_DOMAIN, "The machine was undefined meanwhile");
        if (r >= 0)
                r = object_check_name(object, definition->name, error);
        if (r < 0) {
                domain_definition_free(definition);
                return r;
        }
        return create_existing(domain, definition, origin, is_paused, job, error);
}

/* Of what the flags remove or keep, a machine of this driver has only the mark of saved memory. */
int test_domain_undefine(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = undefine_check(domain, flags, error);

        if (r < 0)
                return r;
        domain->has_managed_save = false;
        test_snapshots_forget(domain);
        domain_set_persistent(domain, false);
        domain_set_autostart(domain, false);
        domain_lifecycle(domain, DOMAIN_EVENT_UNDEFINED, UNDEFINED_REMOVED, call->job);
        if (domain_is_active(domain))
                domain->definition = domain_definition_free(domain->definition);
        else
                object_table_remove(call->driver->objects, &domain->object);
        return 0;
}

int test_domain_rename(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        int r = error_check_flags(error, "Rename", flags, 0);

        if (r >= 0)
                r = domain_name_check(name, error);
        if (r >= 0)
                r = domain_check_persistent(domain, error);
        if (r >= 0)
                r = domain_check_inactive(domain, error);
        if (r >= 0)
                r = check_name(call->driver, name, domain->object.owner, error);
        if (r < 0)
                return r;
        changed = domain_definition_copy(domain->definition);
        g_free(changed->name);
        changed->name = g_strdup(name);
        domain_lifecycle(domain, DOMAIN_EVENT_UNDEFINED, UNDEFINED_RENAMED, call->job);
        r = object_table_rename(call->driver->objects, &domain->object, name);
        if (r < 0)
                return error_set(error, ERROR_EXISTS, "There is a domain named '%s' already", name);
        domain_set_definition(domain, TAKE_PTR(changed));
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, DEFINED_RENAMED, call->job);
        return 0;
}
