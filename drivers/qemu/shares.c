/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which definition is meant and how it is stored; what is in it is the model's (model/grants.h). What the
 * kernel has to do for a machine that runs is limits.h; its definition follows when the kernel has done it.
 */

#include "drivers/qemu/shares.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/limits.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/status.h"
#include "model/grants.h"
#include "model/tunable.h"

#define PARAM_STRING (1 << 2) /* VIR_TYPED_PARAM_STRING_OKAY */

static int get(Domain *domain, const char *operation, uint32_t flags, const GrantKind *kind,
               GVariant **ret_values, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        int r = impact_choose(domain, operation, PARAM_STRING, &flags, error);

        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE) {
                definition = domain_definition_copy(domain->live);
                limits_read(domain, definition);
        }
        *ret_values = g_variant_ref_sink(
                grants_tell(kind, definition ? definition : impact_definition(domain, flags)));
        return 0;
}

/* A copy of the definition with the values in it, which could be kept as it is. */
static int change(const DomainDefinition *definition, GVariant *values, const GrantKind *kind,
                  DomainDefinition **ret_changed, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = domain_definition_copy(definition);
        int r = grants_take(kind, changed, values, error);

        if (r >= 0)
                r = impact_check(changed, error);
        if (r >= 0)
                *ret_changed = TAKE_PTR(changed);
        return r;
}

static int set_live(Call *call, Domain *domain, DomainDefinition *changed, Error *error) AWAITS
{
        DomainDefinition *live;
        int r = limits_change(domain, changed,
                              MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)), error);

        if (r < 0)
                return r;
        live = domain->live;
        struct_free(&cpu_tune_type, live->cpu_tune);
        live->cpu_tune = TAKE_PTR(changed->cpu_tune);
        struct_free(&memory_tune_type, live->memory_tune);
        live->memory_tune = TAKE_PTR(changed->memory_tune);
        struct_free(&blkio_tune_type, live->blkio_tune);
        live->blkio_tune = TAKE_PTR(changed->blkio_tune);
        return status_save(domain, error);
}

static int set(Call *call, Domain *domain, const char *operation, uint32_t flags, GVariant *values,
               const GrantKind *kind, Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *live = NULL, *kept = NULL;
        int r = impact_choose(domain, operation, PARAM_STRING, &flags, error);

        if (r >= 0 && flags & AFFECT_LIVE)
                r = change(domain->live, values, kind, &live, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = change(domain->definition, values, kind, &kept, error);
        if (r >= 0 && kept)
                r = impact_begin(domain, kept, error);
        if (r < 0)
                return r;
        if (live)
                r = set_live(call, domain, live, error);
        if (kept)
                r = impact_end(domain, &kept, r);
        if (r >= 0 && live && domain->live && kind == &grants_scheduler)
                notice_raise(domain, "Tunable", tunable_of_scheduler(domain->live, values));
        return r;
}

int qemu_domain_get_scheduler_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                         Error *error)
{
        (void)call;
        return get(domain, "GetSchedulerParameters", flags, &grants_scheduler, ret_values, error);
}

int qemu_domain_set_scheduler_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                         Error *error)
{
        return set(call, domain, "SetSchedulerParameters", flags, values, &grants_scheduler, error);
}

int qemu_domain_get_memory_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                      Error *error)
{
        (void)call;
        return get(domain, "GetMemoryParameters", flags, &grants_memory, ret_values, error);
}

int qemu_domain_set_memory_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                      Error *error)
{
        return set(call, domain, "SetMemoryParameters", flags, values, &grants_memory, error);
}

int qemu_domain_get_numa_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                    Error *error)
{
        (void)call;
        return get(domain, "GetNumaParameters", flags, &grants_numa, ret_values, error);
}

int qemu_domain_set_numa_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                    Error *error)
{
        int r = impact_choose(domain, "SetNumaParameters", PARAM_STRING, &flags, error);

        if (r >= 0 && flags & AFFECT_LIVE)
                r = error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "QEMU binds its memory to nodes at its start: 2 changes the definition of the %s",
                        object_describe(&domain->object));
        return r < 0 ? r : set(call, domain, "SetNumaParameters", flags, values, &grants_numa, error);
}

int qemu_domain_get_block_io_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                        Error *error)
{
        (void)call;
        return get(domain, "GetBlockIOParameters", flags, &grants_block_io, ret_values, error);
}

int qemu_domain_set_block_io_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                        Error *error)
{
        return set(call, domain, "SetBlockIOParameters", flags, values, &grants_block_io, error);
}
