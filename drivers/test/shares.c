/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rows of definitions, of the running machine's as well: there is nothing that would have to follow. */

#include "drivers/test/shares.h"
#include "drivers/test/change.h"
#include "drivers/test/machine.h"
#include "model/disk-tune.h"
#include "model/grants.h"
#include "model/interface-tune.h"
#include "model/perf-events.h"
#include "model/tunable.h"

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
        if (r < 0)
                return r;
        change_apply(&change, domain, NULL, false);
        if (flags & AFFECT_LIVE && kind == &grants_scheduler)
                machine_signal(domain, "Tunable", tunable_of_scheduler(domain->live, values));
        return 0;
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

int test_domain_get_perf_events(Call *call, Domain *domain, uint32_t flags, GVariant **ret_events,
                                Error *error)
{
        (void)call;
        return get(domain, "GetPerfEvents", flags, &grants_perf, ret_events, error);
}

int test_domain_set_perf_events(Call *call, Domain *domain, GVariant *values, uint32_t flags, Error *error)
{
        (void)call;
        return set(domain, "SetPerfEvents", flags, values, &grants_perf, error);
}

/* Of one device, which both definitions have. */
typedef int (*TakeOfDevice)(DomainDefinition *definition, const char *device, GVariant *values,
                            Error *error);

static int set_of_device(Domain *domain, const char *operation, const char *device, GVariant *values,
                         uint32_t *flags, TakeOfDevice take, Error *error)
{
        _cleanup_(change_clear) Change change = {};
        int r = change_begin(&change, domain, operation, flags, PARAM_STRING, error);

        if (r >= 0 && change.live)
                r = take(change.live, device, values, error);
        if (r >= 0 && change.kept)
                r = take(change.kept, device, values, error);
        if (r >= 0)
                change_apply(&change, domain, NULL, false);
        return r;
}

static int no_device(const DomainDefinition *definition, const char *kind, const char *name, Error *error)
{
        return error_set(error, ERROR_NO_DEVICE, "Domain '%s' has no %s '%s'", definition->name, kind, name);
}

static int take_of_disk(DomainDefinition *definition, const char *name, GVariant *values, Error *error)
{
        DomainDisk *disk = disk_tune_find(definition, name);
        DiskTune *tune;
        int r = disk ? disk_tune_take(disk, values, &tune, error)
                     : no_device(definition, "disk", name, error);

        if (r < 0)
                return r;
        struct_free(&disk_tune_type, disk->tune);
        disk->tune = tune;
        return 0;
}

int test_domain_set_block_io_tune(Call *call, Domain *domain, const char *disk, GVariant *values,
                                  uint32_t flags, Error *error)
{
        int r = set_of_device(domain, "SetBlockIOTune", disk, values, &flags, take_of_disk, error);

        (void)call;
        if (r >= 0 && flags & AFFECT_LIVE)
                machine_signal(domain, "Tunable",
                               tunable_of_disk(disk_tune_find(domain->live, disk), values));
        return r;
}

int test_domain_get_block_io_tune(Call *call, Domain *domain, const char *name, uint32_t flags,
                                  GVariant **ret_limits, Error *error)
{
        const DomainDefinition *definition;
        const DomainDisk *disk = NULL;
        int r = change_look(domain, "GetBlockIOTune", flags & ~(uint32_t)PARAM_STRING, &definition, error);

        (void)call;
        if (r < 0)
                return r;
        if (name && *name) { /* else: the keys that there are */
                disk = disk_tune_find(definition, name);
                if (!disk)
                        return no_device(definition, "disk", name, error);
        }
        *ret_limits = g_variant_ref_sink(disk_tune_tell(disk ? disk->tune : NULL));
        return 0;
}

static int take_of_interface(DomainDefinition *definition, const char *name, GVariant *values, Error *error)
{
        DomainInterface *interface = interface_tune_find(definition, name);
        Bandwidth *bandwidth;
        int r = interface ? interface_tune_take(interface, values, &bandwidth, error)
                          : no_device(definition, "interface", name, error);

        if (r < 0)
                return r;
        struct_free(&bandwidth_type, interface->bandwidth);
        interface->bandwidth = bandwidth;
        return 0;
}

int test_domain_set_interface_parameters(Call *call, Domain *domain, const char *device, GVariant *values,
                                         uint32_t flags, Error *error)
{
        (void)call;
        return set_of_device(domain, "SetInterfaceParameters", device, values, &flags, take_of_interface,
                             error);
}

int test_domain_get_interface_parameters(Call *call, Domain *domain, const char *device, uint32_t flags,
                                         GVariant **ret_values, Error *error)
{
        const DomainDefinition *definition;
        const DomainInterface *interface;
        int r = change_look(domain, "GetInterfaceParameters", flags & ~(uint32_t)PARAM_STRING, &definition,
                            error);

        (void)call;
        if (r < 0)
                return r;
        interface = interface_tune_find(definition, device);
        if (!interface)
                return no_device(definition, "interface", device, error);
        *ret_values = g_variant_ref_sink(interface_tune_tell(interface->bandwidth));
        return 0;
}
