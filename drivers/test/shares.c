/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rows of definitions, of the running machine's as well: there is nothing that would have to follow. */

#include "drivers/test/shares.h"
#include "drivers/test/change.h"
#include "model/grants.h"

#define PARAM_STRING (1 << 2) /* VIR_TYPED_PARAM_STRING_OKAY */

static int get(const Domain *domain, const char *operation, uint32_t flags, const GrantKind *kind,
               GVariant **ret_values, Error *error)
{
        const DomainDefinition *definition;
        int r = change_look(domain, operation, flags & ~(uint32_t)PARAM_STRING, &definition, error);

        if (r >= 0)
                *ret_values = g_variant_ref_sink(grants_tell(kind, definition));
        return r;
}

static int set(Domain *domain, const char *operation, uint32_t flags, GVariant *values,
               const GrantKind *kind, Error *error)
{
        _cleanup_(change_clear) Change change = {};
        int r = change_begin(&change, domain, operation, &flags, PARAM_STRING, error);

        if (r >= 0 && change.live)
                r = grants_take(kind, change.live, values, error);
        if (r >= 0 && change.kept)
                r = grants_take(kind, change.kept, values, error);
        if (r >= 0)
                change_apply(&change, domain, NULL, false);
        return r;
}

int test_domain_get_scheduler_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                         Error *error)
{
        (void)call;
        return get(domain, "GetSchedulerParameters", flags, &grants_scheduler, ret_values, error);
}

int test_domain_set_scheduler_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                         Error *error)
{
        (void)call;
        return set(domain, "SetSchedulerParameters", flags, values, &grants_scheduler, error);
}

int test_domain_get_memory_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                      Error *error)
{
        (void)call;
        return get(domain, "GetMemoryParameters", flags, &grants_memory, ret_values, error);
}

int test_domain_set_memory_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                      Error *error)
{
        (void)call;
        return set(domain, "SetMemoryParameters", flags, values, &grants_memory, error);
}

int test_domain_get_numa_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                    Error *error)
{
        (void)call;
        return get(domain, "GetNumaParameters", flags, &grants_numa, ret_values, error);
}

int test_domain_set_numa_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                    Error *error)
{
        (void)call;
        return set(domain, "SetNumaParameters", flags, values, &grants_numa, error);
}

int test_domain_get_block_io_parameters(Call *call, Domain *domain, uint32_t flags, GVariant **ret_values,
                                        Error *error)
{
        (void)call;
        return get(domain, "GetBlockIOParameters", flags, &grants_block_io, ret_values, error);
}

int test_domain_set_block_io_parameters(Call *call, Domain *domain, GVariant *values, uint32_t flags,
                                        Error *error)
{
        (void)call;
        return set(domain, "SetBlockIOParameters", flags, values, &grants_block_io, error);
}
