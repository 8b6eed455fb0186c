/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* No time passes in a guest that is none, and nothing goes through its devices: groups of counters have the
 * names of what would be counted, and no numbers. */

#include "drivers/test/stats.h"
#include "drivers/test/blocks.h"

/* virDomainStatsTypes that this driver has. */
enum {
        STATS_STATE = 1 << 0,
        STATS_BALLOON = 1 << 2,
        STATS_VCPU = 1 << 3,
        STATS_INTERFACE = 1 << 4,
        STATS_BLOCK = 1 << 5,
        STATS_KNOWN = STATS_STATE | STATS_BALLOON | STATS_VCPU | STATS_INTERFACE | STATS_BLOCK,
};

/* virConnectGetAllDomainStatsFlags that choose no machines; nothing is waited for, and no disk has anything
 * below it. */
enum {
        STATS_NOWAIT = 1 << 29,
        STATS_BACKING = 1 << 30,
};
#define STATS_ENFORCE (UINT32_C(1) << 31)

#define VCPU_RUNNING 1 /* virVcpuState */

static void add_vcpus(Records *records, const Domain *domain)
{
        const DomainDefinition *definition = domain_current_definition(domain);

        records_add_uint32(records, "vcpu.current", definition->current_vcpus);
        records_add_uint32(records, "vcpu.maximum", definition->vcpus);
        for (unsigned i = 0; domain_is_active(domain) && i < definition->current_vcpus; i++)
                records_add_int32(records, records_key(records, "vcpu.%u.state", i), VCPU_RUNNING);
}

static void add_interfaces(Records *records, const DomainDefinition *definition)
{
        unsigned n = 0;

        LIST_FOREACH (interface, definition->devices.interfaces) {
                if (interface->target)
                        records_add_string(records, records_key(records, "net.%u.name", n),
                                           interface->target);
                n++;
        }
        records_add_uint32(records, "net.count", n);
}

static void add_blocks(Records *records, const Domain *domain)
{
        unsigned n = 0;

        LIST_FOREACH (disk, domain_current_definition(domain)->devices.disks) {
                records_add_string(records, records_key(records, "block.%u.name", n), disk->target);
                records_add_uint64(records, records_key(records, "block.%u.capacity", n),
                                   blocks_size(domain, disk->target));
                if (disk->source.file)
                        records_add_string(records, records_key(records, "block.%u.path", n),
                                           disk->source.file);
                n++;
        }
        records_add_uint32(records, "block.count", n);
}

static void add_groups(Records *records, const Domain *domain, uint32_t stats)
{
        const DomainDefinition *definition = domain_current_definition(domain);

        if (stats & STATS_STATE) {
                records_add_int32(records, "state.state", (int32_t)domain->state);
                records_add_int32(records, "state.reason", domain->reason);
        }
        if (stats & STATS_BALLOON) {
                records_add_uint64(records, "balloon.current", definition->current_memory_kib);
                records_add_uint64(records, "balloon.maximum", definition->memory_kib);
        }
        if (stats & STATS_VCPU)
                add_vcpus(records, domain);
        if (stats & STATS_INTERFACE && domain_is_active(domain))
                add_interfaces(records, definition);
        if (stats & STATS_BLOCK)
                add_blocks(records, domain);
}

static int choose(uint32_t *stats, uint32_t flags, Error *error)
{
        uint32_t unknown = *stats & ~(uint32_t)STATS_KNOWN;

        if (unknown && flags & STATS_ENFORCE)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The Test driver has no statistics 0x%x (it has 0x%x)", unknown,
                                 STATS_KNOWN);
        *stats = *stats ? *stats & STATS_KNOWN : STATS_KNOWN;
        return 0;
}

int test_get_domain_stats(Call *call, const GPtrArray *domains, uint32_t stats, uint32_t flags,
                          Records **ret_records, Error *error)
{
        Records *records;
        int r = choose(&stats, flags, error);

        (void)call;
        if (r < 0)
                return r;
        records = records_new();
        for (unsigned i = 0; i < domains->len; i++) {
                const Domain *domain = domains->pdata[i];

                records_begin(records, domain->object.name);
                add_groups(records, domain, stats);
        }
        *ret_records = records;
        return 0;
}

int test_domain_get_stats(Call *call, Domain *domain, uint32_t stats, uint32_t flags, Records **ret_records,
                          Error *error)
{
        int r = error_check_flags(error, "GetStats", flags, STATS_NOWAIT | STATS_BACKING | STATS_ENFORCE);

        (void)call;
        if (r >= 0)
                r = choose(&stats, flags, error);
        if (r < 0)
                return r;
        *ret_records = records_new();
        add_groups(*ret_records, domain, stats);
        return 0;
}
