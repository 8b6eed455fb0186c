/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each change is made to copies, of the running machine's definition, of the kept one or of both, and the
 * copies take their place when all of it was accepted. */

#include "drivers/test/change.h"
#include "drivers/test/host.h"
#include "drivers/test/machine.h"

/* virDomainMemoryStatTags. */
enum {
        MEMORY_STAT_AVAILABLE = 5,
        MEMORY_STAT_ACTUAL_BALLOON = 6,
};

void change_clear(Change *change)
{
        domain_definition_free(change->live);
        domain_definition_free(change->kept);
}

/* Which of the two are meant: neither is the one that counts now. */
static int choose_impact(const Domain *domain, const char *operation, uint32_t *flags, uint32_t known,
                         Error *error)
{
        int r = error_check_flags(error, operation, *flags, AFFECT_LIVE | AFFECT_CONFIG | known);

        if (!(*flags & (AFFECT_LIVE | AFFECT_CONFIG)))
                *flags |= domain_is_active(domain) ? AFFECT_LIVE : AFFECT_CONFIG;
        if (r >= 0 && *flags & AFFECT_LIVE)
                r = domain_check_active(domain, error);
        if (r >= 0 && *flags & AFFECT_CONFIG)
                r = domain_check_persistent(domain, error);
        return r;
}

int change_begin(Change *change, const Domain *domain, const char *operation, uint32_t *flags,
                 uint32_t known, Error *error)
{
        int r = choose_impact(domain, operation, flags, known, error);

        if (r >= 0 && *flags & AFFECT_LIVE && *flags & AFFECT_MAXIMUM)
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "%s cannot change the most that the %s can have while it runs", operation,
                              object_describe(&domain->object));
        if (r < 0)
                return r;
        if (*flags & AFFECT_LIVE)
                change->live = domain_definition_copy(domain->live);
        if (*flags & AFFECT_CONFIG)
                change->kept = domain_definition_copy(domain->definition);
        return 0;
}

void change_apply(Change *change, Domain *domain, const char *property, bool is_applied)
{
        bool was_updated = domain->is_updated;

        if (change->live) {
                domain_definition_free(domain->live);
                domain->live = TAKE_PTR(change->live);
                if (property)
                        object_changed(&domain->object, property);
        }
        if (change->kept) {
                domain_set_definition(domain, TAKE_PTR(change->kept));
                if (is_applied)
                        domain->is_updated = was_updated;
        }
}

static int set_memory(DomainDefinition *definition, uint64_t memory_kib, bool is_maximum, Error *error)
{
        if (!definition)
                return 0;
        if (is_maximum) {
                definition->memory_kib = memory_kib;
                definition->current_memory_kib = MIN(definition->current_memory_kib, memory_kib);
                return domain_definition_complete(definition, error);
        }
        if (memory_kib > definition->memory_kib)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The machine has at most %" G_GUINT64_FORMAT
                                 " KiB of memory, not %" G_GUINT64_FORMAT,
                                 definition->memory_kib, memory_kib);
        definition->current_memory_kib = memory_kib;
        return 0;
}

int test_domain_set_memory(Call *call, Domain *domain, uint64_t memory, uint32_t flags, Error *error)
{
        _cleanup_(change_clear) Change change = {};
        bool is_maximum = flags & AFFECT_MAXIMUM, is_live;
        int r = change_begin(&change, domain, "SetMemory", &flags, AFFECT_MAXIMUM, error);

        (void)call;
        if (r >= 0 && memory == 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "A machine has at least 1 KiB of memory");
        if (r >= 0)
                r = set_memory(change.live, memory, is_maximum, error);
        if (r >= 0)
                r = set_memory(change.kept, memory, is_maximum, error);
        if (r < 0)
                return r;
        is_live = change.live;
        change_apply(&change, domain, "MemoryKiB", false);
        if (is_live)
                machine_signal(domain, "BalloonChange", g_variant_new("(t)", memory));
        return 0;
}

static int set_vcpus(DomainDefinition *definition, uint32_t vcpus, bool is_maximum, Error *error)
{
        if (!definition)
                return 0;
        if (is_maximum && definition->vcpu_list.count > 0)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The definition names its processors one by one: change it there");
        if (is_maximum) {
                definition->vcpus = vcpus;
                definition->current_vcpus = MIN(definition->current_vcpus, vcpus);
                return domain_definition_complete(definition, error);
        }
        if (vcpus > definition->vcpus)
                return error_set(error, ERROR_INVALID_ARGUMENT, "The machine has at most %u vCPUs, not %u",
                                 definition->vcpus, vcpus);
        definition->current_vcpus = vcpus;
        LIST_FOREACH (vcpu, definition->vcpu_list)
                vcpu->enabled = vcpu->id < vcpus ? YES : NO;
        return 0;
}

int test_domain_set_vcpus(Call *call, Domain *domain, uint32_t vcpus, uint32_t flags, Error *error)
{
        _cleanup_(change_clear) Change change = {};
        bool is_maximum = flags & AFFECT_MAXIMUM;
        int r = change_begin(&change, domain, "SetVcpus", &flags, AFFECT_MAXIMUM, error);

        (void)call;
        if (r >= 0 && (vcpus == 0 || vcpus > HOST_VCPUS_MAX))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "A machine has 1 to %d vCPUs, not %u",
                              HOST_VCPUS_MAX, vcpus);
        if (r >= 0)
                r = set_vcpus(change.live, vcpus, is_maximum, error);
        if (r >= 0)
                r = set_vcpus(change.kept, vcpus, is_maximum, error);
        if (r >= 0)
                change_apply(&change, domain, "VCPUs", false);
        return r;
}

/* One of the two; `flags` may have `known` ones besides. */
static int look(const Domain *domain, const char *operation, uint32_t flags, uint32_t known,
                const DomainDefinition **ret_definition, Error *error)
{
        int r = choose_impact(domain, operation, &flags, known, error);

        if (r >= 0 && flags & AFFECT_LIVE && flags & AFFECT_CONFIG)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "%s is about one definition, not two",
                              operation);
        if (r >= 0)
                *ret_definition = flags & AFFECT_LIVE ? domain->live : domain->definition;
        return r;
}

int change_look(const Domain *domain, const char *operation, uint32_t flags,
                const DomainDefinition **ret_definition, Error *error)
{
        return look(domain, operation, flags, 0, ret_definition, error);
}

int test_domain_get_vcpus(Call *call, Domain *domain, uint32_t flags, uint32_t *ret_vcpus, Error *error)
{
        const DomainDefinition *definition;
        int r = look(domain, "GetVcpus", flags, AFFECT_MAXIMUM, &definition, error);

        (void)call;
        if (r >= 0)
                *ret_vcpus = flags & AFFECT_MAXIMUM ? definition->vcpus : definition->current_vcpus;
        return r;
}

static int set_period(DomainDefinition *definition, uint32_t period_sec, Error *error)
{
        if (!definition)
                return 0;
        if (!definition->devices.memballoon)
                return error_set(error, ERROR_OPERATION_INVALID, "Domain '%s' has no memory balloon",
                                 definition->name);
        definition->devices.memballoon->stats_period_sec = period_sec;
        return 0;
}

int test_domain_set_memory_stats_period(Call *call, Domain *domain, int32_t period_sec, uint32_t flags,
                                        Error *error)
{
        _cleanup_(change_clear) Change change = {};
        int r = change_begin(&change, domain, "SetMemoryStatsPeriod", &flags, 0, error);

        (void)call;
        if (r >= 0 && period_sec < 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "%d is no number of seconds", period_sec);
        if (r >= 0)
                r = set_period(change.live, (uint32_t)period_sec, error);
        if (r >= 0)
                r = set_period(change.kept, (uint32_t)period_sec, error);
        if (r >= 0)
                change_apply(&change, domain, NULL, false);
        return r;
}

static int set_metadata(DomainDefinition *definition, int32_t type, const char *metadata, const char *key,
                        const char *uri, Error *error)
{
        return definition ? domain_definition_set_metadata(definition, type, metadata, key, uri, error) : 0;
}

int test_domain_set_metadata(Call *call, Domain *domain, int32_t type, const char *metadata, const char *key,
                             const char *uri, uint32_t flags, Error *error)
{
        _cleanup_(change_clear) Change change = {};
        const char *property = type == DOMAIN_METADATA_TITLE         ? "Title"
                               : type == DOMAIN_METADATA_DESCRIPTION ? "Description"
                                                                     : NULL;
        int r = change_begin(&change, domain, "SetMetadata", &flags, 0, error);

        (void)call;
        if (r >= 0)
                r = set_metadata(change.live, type, metadata, key, uri, error);
        if (r >= 0)
                r = set_metadata(change.kept, type, metadata, key, uri, error);
        if (r < 0)
                return r;
        change_apply(&change, domain, property, true);
        machine_signal(domain, "MetadataChange", g_variant_new("(is)", type, uri ? uri : ""));
        return 0;
}

int test_domain_set_autostart(Call *call, Domain *domain, bool value, Error *error)
{
        int r = domain_check_persistent(domain, error);

        (void)call;
        if (r >= 0)
                domain_set_autostart(domain, value);
        return r;
}

int test_domain_memory_stats(Call *call, Domain *domain, uint32_t flags, GVariant **ret_stats, Error *error)
{
        int r = error_check_flags(error, "MemoryStats", flags, 0);
        GVariantBuilder stats;

        (void)call;
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&stats, G_VARIANT_TYPE("a{it}"));
        g_variant_builder_add(&stats, "{it}", MEMORY_STAT_AVAILABLE, domain->live->current_memory_kib);
        g_variant_builder_add(&stats, "{it}", MEMORY_STAT_ACTUAL_BALLOON, domain->live->current_memory_kib);
        *ret_stats = g_variant_ref_sink(g_variant_builder_end(&stats));
        return 0;
}
