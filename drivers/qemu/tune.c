/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory by the balloon. Each change of the definition is stored before it
 * counts; of the running machine, QEMU says yes first. */

#include "drivers/qemu/tune.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/status.h"
#include <inttypes.h>

/* virDomainMemoryModFlags, beside those of impact.h. */
enum { MAXIMUM = 1 << 2 };

static uint64_t command_deadline(const Call *call)
{
        return MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC));
}

static int has_balloon(const Domain *domain, Error *error)
{
        const DomainMemballoon *balloon = domain->live ? domain->live->devices.memballoon : NULL;

        if (balloon && balloon->model != MEMBALLOON_MODEL_NONE && balloon->info.alias)
                return 0;
        return error_set(error, ERROR_OPERATION_INVALID, "The %s has no memory balloon",
                         object_describe(&domain->object));
}

static int memory_set_live(Call *call, Domain *domain, uint64_t memory_kib, Error *error) AWAITS
{
        int r = machine_check_monitor(domain, error);

        if (r >= 0)
                r = has_balloon(domain, error);
        if (r >= 0 && memory_kib > domain->live->memory_kib)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "%" PRIu64 " KiB are more than the %" PRIu64 " KiB of the %s", memory_kib,
                              domain->live->memory_kib, object_describe(&domain->object));
        if (r < 0)
                return r;
        return qmp_call(machine_of(domain)->qmp, "balloon",
                        json_pack("{s:I}", "value", (json_int_t)memory_kib * 1024), command_deadline(call),
                        NULL, error);
}

static int memory_change(const Domain *domain, DomainDefinition *changed, uint64_t memory_kib,
                         bool is_maximum, Error *error)
{
        if (!is_maximum && memory_kib > changed->memory_kib)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "%" PRIu64 " KiB are more than the %" PRIu64 " KiB of the %s", memory_kib,
                                 changed->memory_kib, object_describe(&domain->object));
        if (is_maximum)
                changed->memory_kib = memory_kib;
        if (!is_maximum || changed->current_memory_kib > memory_kib)
                changed->current_memory_kib = memory_kib;
        return 0;
}

int qemu_domain_set_memory(Call *call, Domain *domain, uint64_t memory_kib, uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        int r = impact_choose(domain, "SetMemory", MAXIMUM, &flags, error);

        if (r >= 0 && (memory_kib == 0 || memory_kib > INT64_MAX / 1024))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "A machine cannot have %" PRIu64 " KiB of memory", memory_kib);
        if (r >= 0 && flags & MAXIMUM && flags & AFFECT_LIVE)
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "The most memory of a running machine cannot be changed: the %s "
                              "runs, and 2 changes its definition",
                              object_describe(&domain->object));
        if (r >= 0 && flags & AFFECT_CONFIG) {
                changed = domain_definition_copy(domain->definition);
                r = memory_change(domain, changed, memory_kib, flags & MAXIMUM, error);
                if (r >= 0)
                        r = impact_begin(domain, changed, error);
        }
        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE)
                r = memory_set_live(call, domain, memory_kib, error);
        return changed ? impact_end(domain, &changed, r) : r;
}

static char *balloon_path(const Domain *domain)
{
        return g_strconcat("/machine/peripheral/", domain->live->devices.memballoon->info.alias, NULL);
}

/* virDomainMemoryStatTags of what QEMU calls so. */
static const struct {
        const char *name;
        int tag;
        unsigned divisor; /* bytes become KiB */
} memory_stats[] = {
        { "stat-swap-in", 0, 1024 },          { "stat-swap-out", 1, 1024 },
        { "stat-major-faults", 2, 1 },        { "stat-minor-faults", 3, 1 },
        { "stat-free-memory", 4, 1024 },      { "stat-total-memory", 5, 1024 },
        { "stat-available-memory", 8, 1024 }, { "stat-disk-caches", 10, 1024 },
        { "stat-htlb-pgalloc", 11, 1 },       { "stat-htlb-pgfail", 12, 1 },
};

#define TAG_ACTUAL_BALLOON 6
#define TAG_LAST_UPDATE    9

int qemu_domain_memory_stats(Call *call, Domain *domain, uint32_t flags, GVariant **ret_stats, Error *error)
{
        _cleanup_(json_decrefp) json_t *answer = NULL;
        _cleanup_(freep) char *path = NULL;
        const json_t *values;
        GVariantBuilder stats;
        json_int_t updated;
        int r = error_check_flags(error, "MemoryStats", flags, 0);

        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&stats, G_VARIANT_TYPE("a{it}"));
        g_variant_builder_add(&stats, "{it}", TAG_ACTUAL_BALLOON, (guint64)domain->live->current_memory_kib);
        if (has_balloon(domain, NULL) >= 0) {
                path = balloon_path(domain);
                r = qmp_call(machine_of(domain)->qmp, "qom-get",
                             json_pack("{s:s, s:s}", "path", path, "property", "guest-stats"),
                             command_deadline(call), &answer,
                             NULL); /* what a balloon does not tell is left out */
        }
        values = json_object_get(answer, "stats");
        for (size_t i = 0; i < G_N_ELEMENTS(memory_stats); i++) {
                json_int_t value = json_integer_value(json_object_get(values, memory_stats[i].name));

                if (json_object_get(values, memory_stats[i].name) && value >= 0 &&
                    value < INT64_MAX) /* -1: the guest has not told */
                        g_variant_builder_add(&stats, "{it}", memory_stats[i].tag,
                                              (guint64)value / memory_stats[i].divisor);
        }
        updated = json_integer_value(json_object_get(answer, "last-update"));
        if (updated > 0)
                g_variant_builder_add(&stats, "{it}", TAG_LAST_UPDATE, (guint64)updated);
        *ret_stats = g_variant_ref_sink(g_variant_builder_end(&stats));
        return 0;
}

static int set_period_live(Call *call, Domain *domain, int32_t period_sec, Error *error) AWAITS
{
        _cleanup_(freep) char *path = NULL;
        int r = machine_check_monitor(domain, error);

        if (r < 0)
                return r;
        path = balloon_path(domain);
        r = qmp_call(machine_of(domain)->qmp, "qom-set",
                     json_pack("{s:s, s:s, s:i}", "path", path, "property", "guest-stats-polling-interval",
                               "value", (int)period_sec),
                     command_deadline(call), NULL, error);
        if (r >= 0 && domain->live && domain->live->devices.memballoon) {
                domain->live->devices.memballoon->stats_period_sec = (uint32_t)period_sec;
                status_save_soon(domain);
        }
        return r;
}

int qemu_domain_set_memory_stats_period(Call *call, Domain *domain, int32_t period_sec, uint32_t flags,
                                        Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        int r = impact_choose(domain, "SetMemoryStatsPeriod", 0, &flags, error);

        if (r >= 0 && period_sec < 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "%d is no number of seconds", period_sec);
        if (r >= 0 && flags & AFFECT_LIVE)
                r = has_balloon(domain, error);
        if (r >= 0 && flags & AFFECT_CONFIG) {
                changed = domain_definition_copy(domain->definition);
                if (!changed->devices.memballoon)
                        return error_set(error, ERROR_OPERATION_INVALID, "The %s has no memory balloon",
                                         object_describe(&domain->object));
                changed->devices.memballoon->stats_period_sec = (uint32_t)period_sec;
                r = impact_begin(domain, changed, error);
        }
        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE)
                r = set_period_live(call, domain, period_sec, error);
        return changed ? impact_end(domain, &changed, r) : r;
}
