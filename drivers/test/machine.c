/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A run is a copy of the definition and nothing else: it begins by taking it and ends by letting it go. What
 * is announced is what libvirt's own test driver announces. */

#include "drivers/test/machine.h"
#include "drivers/test/addresses.h"

static void machine_free(void *data)
{
        Machine *machine = data;

        g_free(machine->guest);
        if (machine->block_jobs)
                g_ptr_array_unref(machine->block_jobs); /* each job holds its machine: it is empty */
        g_clear_pointer(&machine->job_ended, g_variant_unref);
        if (machine->disk_sizes)
                g_hash_table_unref(machine->disk_sizes);
        g_free(machine);
}

Machine *machine_of(const Domain *domain)
{
        if (!domain->private_data) {
                ((Domain *)domain)->private_data = g_new0(Machine, 1);
                ((Domain *)domain)->private_free = machine_free;
        }
        return domain->private_data;
}

int machine_check_start(const Call *call, const char *operation, uint32_t flags, Error *error)
{
        if (call->keeps_networks)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "The Test driver's machines need no network that is up: it does not do %s with "
                        "start-networks=false",
                        operation);
        return error_check_flags(error, operation, flags,
                                 START_PAUSED | START_BYPASS_CACHE | START_FORCE_BOOT);
}

const MachineOrigin machine_boot = {
        .running_reason = RUNNING_REASON_BOOTED,
        .paused_reason = PAUSED_REASON_USER,
        .started_detail = STARTED_BOOTED,
        .suspended_detail = SUSPENDED_PAUSED,
};

void machine_start(Domain *domain, const DomainDefinition *definition, const MachineOrigin *origin,
                   bool is_paused, const Job *cause)
{
        DomainDefinition *live = domain_definition_copy(definition);

        domain_definition_assign_aliases(live);
        domain->has_managed_save = false; /* gone on from, or thrown away */
        domain_set_live(domain, live);
        addresses_follow(domain);
        domain_set_state(domain, is_paused ? DOMAIN_STATE_PAUSED : DOMAIN_STATE_RUNNING,
                         is_paused ? origin->paused_reason : origin->running_reason);
        domain_lifecycle(domain, DOMAIN_EVENT_STARTED, origin->started_detail, cause);
        if (is_paused)
                domain_lifecycle(domain, DOMAIN_EVENT_SUSPENDED, origin->suspended_detail, cause);
}

void machine_end(Domain *domain, int reason, int detail, const Job *cause)
{
        /* It is listed until it is removed, and has to have a definition until then. */
        if (!domain->definition)
                domain->definition = domain_definition_copy(domain->live);
        addresses_end(domain);
        machine_of(domain)->compression_cache = machine_of(domain)->migration_speeds_mib[1] = 0;
        domain_set_live(domain, NULL);
        domain_set_state(domain, DOMAIN_STATE_SHUTOFF, reason);
        domain_lifecycle(domain, DOMAIN_EVENT_STOPPED, detail, cause);
        if (!domain->is_persistent)
                object_table_remove(domain->object.driver->objects, &domain->object);
}

void machine_signal(Domain *domain, const char *member, GVariant *arguments)
{
        _cleanup_(g_variant_unrefp) GVariant *owned = arguments ? g_variant_ref_sink(arguments) : NULL;

        event_raise(domain->object.driver->events, EVENT_DOMAIN_SIGNAL,
                    &(DomainSignalEvent){ .domain = domain, .member = member, .arguments = owned });
}
