/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The driver's part of a Domain: made with it, freed with it. */

#include "drivers/qemu/machine.h"
#include "drivers/network/ports.h"
#include "drivers/nwfilter/ports.h"

MemoryFile *memory_file_free(MemoryFile *file)
{
        if (!file)
                return NULL;
        g_free(file->path);
        g_free(file->part);
        g_free(file);
        return NULL;
}

static void machine_free(void *data)
{
        Machine *machine = data;

        machine_forget_run(machine);
        memory_file_free(machine->memory_file);
        snapshot_unref(machine->pending_snapshot);
        g_clear_pointer(&machine->memory_job_ended, g_variant_unref);
        g_clear_pointer(&machine->file_groups, g_hash_table_unref);
        snapshot_unref(machine->pending_revert);
        condition_clear(&machine->changed);
        g_free(machine->kept_alias);
        g_free(machine);
}

Domain *machine_new(Driver *driver, DomainDefinition *definition, uid_t owner)
{
        Domain *domain = domain_new(driver, definition, owner);
        Machine *machine = g_new0(Machine, 1);

        machine->domain = domain;
        machine->messages_fd = -EBADF;
        domain->private_data = machine;
        domain->private_free = machine_free;
        return domain;
}

const MachineOrigin *machine_origin(const Machine *machine)
{
        static const MachineOrigin boot = { .running_reason = RUNNING_REASON_BOOTED,
                                            .paused_reason = PAUSED_REASON_USER };

        return machine->origin ? machine->origin : &boot; /* the details of its events are 0 */
}

void machine_forget_run(Machine *machine)
{
        machine->qmp = qmp_free(machine->qmp);
        machine->child = child_free(machine->child);
        g_clear_pointer(&machine->helpers, g_ptr_array_unref);
        machine->pending = domain_definition_free(machine->pending);
        machine->was = domain_definition_free(machine->was);
        closep(&machine->messages_fd);
        machine->messages_fd = -EBADF;
        g_clear_pointer(&machine->agent_interfaces, json_decref);
        g_clear_pointer(&machine->perf, g_ptr_array_unref);
        networks_remove_ports(machine->domain->object.driver, machine->domain->object.path, NULL);
        filter_ports_close(machine->domain->object.driver, &machine->domain->object, NULL);
        machine->phase = MACHINE_OFF;
        machine->has_exited = machine->is_ready = machine->is_hung_up = machine->is_flooding = false;
        machine->is_held = false;
        g_clear_pointer(&machine->held_by, g_free);
        machine->is_rebooting = machine->agent_is_there = machine->starts_paused = false;
        machine->end = MACHINE_END_UNEXPECTED;
        machine->pause_reason = 0;
        machine->memory_job = (MemoryJob){};
        condition_wake_all(&machine->changed);
}

int machine_check_monitor(const Domain *domain, Error *error)
{
        const Machine *machine = machine_of(domain);
        int r = domain_check_active(domain, error);

        if (r < 0)
                return r;
        if (!machine->qmp || !machine->is_ready || machine->is_hung_up)
                return error_set(error, ERROR_OPERATION_FAILED, "The monitor of the %s is not connected",
                                 object_describe(&domain->object));
        return 0;
}

int machine_command(const Domain *domain, const char *name, json_t *arguments, json_t **ret_answer,
                    Error *error)
{
        int r = machine_check_monitor(domain, error);

        if (r < 0) {
                json_decref(arguments);
                return r;
        }
        return qmp_call(machine_of(domain)->qmp, name, arguments, deadline_after_usec(QMP_TIMEOUT_USEC),
                        ret_answer, error);
}

int machine_wait_for_job(const Domain *domain, unsigned n_changes, uint64_t deadline_usec)
{
        Machine *machine = machine_of(domain);
        int r = 0;

        while (r >= 0 && n_changes == machine->n_job_changes && machine_has_monitor(machine))
                r = condition_wait(&machine->changed, deadline_usec);
        return MIN(r, 0);
}
