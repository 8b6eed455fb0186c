/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/iothreads.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/status.h"

#define ID_MAX 4096

static bool has_number(const DomainDefinition *definition, uint32_t id)
{
        LIST_FOREACH (iothread, definition->iothread_list) {
                if (iothread->id == id)
                        return true;
        }
        return false;
}

uint32_t iothread_count(const DomainDefinition *definition)
{
        return MAX(definition->iothreads, definition->iothread_list.count);
}

bool iothread_is_there(const DomainDefinition *definition, uint32_t id)
{
        uint32_t unnumbered = iothread_count(definition) - definition->iothread_list.count;

        if (has_number(definition, id))
                return true;
        for (uint32_t i = 1; i <= id && unnumbered > 0; i++) {
                if (has_number(definition, i))
                        continue;
                if (i == id)
                        return true;
                unnumbered--;
        }
        return false;
}

/* Gives each its number, so that adding and removing one leaves the others what they are. */
static void number_all(DomainDefinition *definition)
{
        while (definition->iothread_list.count < definition->iothreads) {
                DomainIothread *iothread = g_new0(DomainIothread, 1);

                for (iothread->id = 1; has_number(definition, iothread->id); iothread->id++)
                        ;
                list_append(&definition->iothread_list, iothread);
        }
}

static void add_to(DomainDefinition *definition, uint32_t id)
{
        DomainIothread *iothread = g_new0(DomainIothread, 1);

        number_all(definition);
        iothread->id = id;
        list_append(&definition->iothread_list, iothread);
        definition->iothreads = definition->iothread_list.count;
        definition->iothreads_given = true;
}

static void remove_from(DomainDefinition *definition, uint32_t id)
{
        number_all(definition);
        for (uint32_t i = 0; i < definition->iothread_list.count; i++)
                if (definition->iothread_list.items[i]->id == id) {
                        g_free(list_remove(&definition->iothread_list, i));
                        break;
                }
        for (uint32_t i = 0; definition->cpu_tune && i < definition->cpu_tune->iothreadpins.count; i++) {
                IothreadPin *pin = definition->cpu_tune->iothreadpins.items[i];

                if (pin->iothread != id)
                        continue;
                (void)list_remove(&definition->cpu_tune->iothreadpins, i); /* it is `pin` */
                g_free(pin->cpuset);
                g_free(pin);
                break;
        }
        definition->iothreads = definition->iothread_list.count;
}

static int check_new(const Domain *domain, const DomainDefinition *definition, uint32_t id, Error *error)
{
        return iothread_is_there(definition, id)
                       ? error_set(error, ERROR_EXISTS, "The %s has an I/O thread %u already",
                                   object_describe(&domain->object), id)
                       : 0;
}

static int check_unused(const Domain *domain, const DomainDefinition *definition, uint32_t id, Error *error)
{
        if (!iothread_is_there(definition, id))
                return error_set(error, ERROR_INVALID_ARGUMENT, "The %s has no I/O thread %u",
                                 object_describe(&domain->object), id);
        LIST_FOREACH (disk, definition->devices.disks) {
                if (disk->iothread == id)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "Disk '%s' of the %s uses I/O thread %u", disk->target,
                                         object_describe(&domain->object), id);
        }
        LIST_FOREACH (controller, definition->devices.controllers) {
                if (controller->iothread == id)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "Controller %u of the %s uses I/O thread %u", controller->index,
                                         object_describe(&domain->object), id);
        }
        return 0;
}

typedef struct Change {
        const char *operation, *command;
        int (*check)(const Domain *domain, const DomainDefinition *definition, uint32_t id, Error *error);
        void (*apply)(DomainDefinition *definition, uint32_t id);
} Change;

static int change_live(Call *call, Domain *domain, const Change *change, uint32_t id, Error *error) AWAITS
{
        _cleanup_(freep) char *name = g_strdup_printf("iothread%u", id);
        json_t *arguments = json_pack("{s:s}", "id", name);
        int r = machine_check_monitor(domain, error);

        if (r >= 0 && change->apply == add_to)
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

        if (r >= 0 && (id == 0 || id > ID_MAX))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "I/O threads have numbers from 1 to %d, not %u",
                              ID_MAX, id);
        if (r >= 0 && flags & AFFECT_LIVE)
                r = change->check(domain, domain->live, id, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = change->check(domain, domain->definition, id, error);
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
        static const Change add = { "AddIOThread", "object-add", check_new, add_to };

        return change(call, domain, &add, id, flags, error);
}

int qemu_domain_del_iothread(Call *call, Domain *domain, uint32_t id, uint32_t flags, Error *error)
{
        static const Change del = { "DelIOThread", "object-del", check_unused, remove_from };

        return change(call, domain, &del, id, flags, error);
}
