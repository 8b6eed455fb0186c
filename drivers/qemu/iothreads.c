/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/iothreads.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/status.h"
#include "model/iothreads.h"

typedef struct Change {
        const char *operation, *command;
        int (*check)(const DomainDefinition *definition, uint32_t id, Error *error);
        void (*apply)(DomainDefinition *definition, uint32_t id);
} Change;

static int change_live(Call *call, Domain *domain, const Change *change, uint32_t id, Error *error) AWAITS
{
        _cleanup_(freep) char *name = g_strdup_printf("iothread%u", id);
        json_t *arguments = json_pack("{s:s}", "id", name);
        int r = machine_check_monitor(domain, error);

        if (r >= 0 && change->apply == iothread_add)
                json_object_set_new(arguments, "qom-type", json_string("iothread"));
        if (r < 0) {
                json_decref(arguments);
                return r;
        }
        r = qmp_call(machine_of(domain)->qmp, change->command, arguments,
                     MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)), NULL, error);
        if (r < 0 || !domain->live)
                return r;
        change->apply(domain->live, id);
        return status_save(domain, error);
}

static int change(Call *call, Domain *domain, const Change *change, uint32_t id, uint32_t flags,
                  Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        int r = impact_choose(domain, change->operation, 0, &flags, error);

        if (r >= 0 && flags & AFFECT_LIVE)
                r = change->check(domain->live, id, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = change->check(domain->definition, id, error);
        if (r >= 0 && flags & AFFECT_CONFIG) {
                changed = domain_definition_copy(domain->definition);
                change->apply(changed, id);
                r = impact_begin(domain, changed, error);
        }
        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE)
                r = change_live(call, domain, change, id, error);
        return changed ? impact_end(domain, &changed, r) : r;
}

int qemu_domain_add_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error)
{
        static const Change add = { "AddIOThread", "object-add", iothread_check_new, iothread_add };

        return change(call, domain, &add, id, flags, error);
}

int qemu_domain_del_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error)
{
        static const Change del = { "DelIOThread", "object-del", iothread_check_unused, iothread_remove };

        return change(call, domain, &del, id, flags, error);
}
