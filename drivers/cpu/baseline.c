/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The richest CPU that several hosts can give to a guest: what is left of their features when each has
 * struck out what it lacks, described by a model that has about as much. */

#include "drivers/cpu/baseline.h"
#include "core/await.h"
#include "drivers/cpu/definition.h"
#include <stdlib.h>
#include <string.h>

/* virConnectBaselineCPUFlags. */
enum {
        BASELINE_EXPAND_FEATURES = 1 << 0,
        BASELINE_MIGRATABLE = 1 << 1,
};
#define BASELINE_ALL (BASELINE_EXPAND_FEATURES | BASELINE_MIGRATABLE)
/* As many hosts as a caller may have. */
#define CPUS_MAX 4096
#define TURN     16

typedef struct Baseline {
        CpuProcessor processor;
        char *model;      /* that all of them name; NULL: they differ */
        bool says_vendor; /* all of them do */
        unsigned n_cpus;
} Baseline;

static void baseline_clear(Baseline *baseline)
{
        g_free(baseline->model);
}

/* Whose processor it is: as it says, or as its model implies. The first one's model implies nothing, so that
 * a single model of another maker stays possible. */
static int meet_vendor(Baseline *baseline, const DomainCpu *cpu, const char *what, Error *error)
{
        const char *own = cpu_models[cpu_model_find(cpu->model)].vendor, *name = cpu->vendor;

        if (cpu->vendor && own && strcmp(cpu->vendor, own) != 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "%s: the model '%s' is of the vendor %s, not %s", what, cpu->model, own,
                                 cpu->vendor);
        if (!name) {
                baseline->says_vendor = false;
                if (baseline->n_cpus > 0)
                        name = own;
        }
        if (!name)
                return 0;
        if (baseline->processor.vendor && strcmp(baseline->processor.vendor->name, name) != 0)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The CPUs have different vendors: %s is of %s, those before of %s", what,
                                 name, baseline->processor.vendor->name);
        baseline->processor.vendor = cpu_vendor_find(name);
        return 0;
}

static int meet(Baseline *baseline, const char *xml, const char *what, Error *error)
{
        _cleanup_(cpu_definition_freep) DomainCpu *cpu = NULL;
        CpuSet features;
        int r;

        r = cpu_definition_parse(xml, what, &cpu, error);
        if (r >= 0 && !cpu->model)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "%s names no <model>", what);
        if (r >= 0)
                r = meet_vendor(baseline, cpu, what, error);
        if (r >= 0)
                r = cpu_definition_features(cpu, &features, error);
        if (r < 0)
                return r;
        if (baseline->n_cpus == 0) {
                baseline->processor.features = features;
                baseline->model = g_strdup(cpu->model);
        } else {
                cpu_set_intersect(&baseline->processor.features, &features);
                if (g_strcmp0(baseline->model, cpu->model) != 0)
                        g_clear_pointer(&baseline->model, g_free);
        }
        baseline->n_cpus++;
        return 0;
}

static int compare_names(const void *a, const void *b)
{
        const CpuFeature *const *one = a, *const *other = b;

        return strcmp((*one)->name, (*other)->name);
}

/* Every feature by its name, the model's own too. */
static void expand(DomainCpu *cpu)
{
        const CpuSet *own = cpu_model_features((unsigned)cpu_model_find(cpu->model));
        CpuSet said = {};

        LIST_FOREACH (feature, cpu->features)
                cpu_set_add(&said, (unsigned)cpu_feature_find(feature->name));
        for (unsigned i = 0; i < cpu_n_features; i++) {
                CpuFeature *feature;

                if (!cpu_set_has(own, i) || cpu_set_has(&said, i))
                        continue;
                feature = g_new0(CpuFeature, 1);
                feature->name = g_strdup(cpu_features[i].name);
                feature->policy = CPU_POLICY_REQUIRE;
                list_append(&cpu->features, feature);
        }
        if (cpu->features.count > 1)
                qsort(cpu->features.items, cpu->features.count, sizeof(CpuFeature *), compare_names);
}

static void drop_features_that_stay(DomainCpu *cpu)
{
        for (uint32_t i = cpu->features.count; i-- > 0;) {
                CpuFeature *feature = cpu->features.items[i];

                if (!cpu_features[cpu_feature_find(feature->name)].stays)
                        continue;
                list_remove(&cpu->features, i);
                g_free(feature->name);
                g_free(feature);
        }
}

static int finish(const Baseline *baseline, GHashTable *models, uint32_t flags, char **ret_cpu, Error *error)
{
        _cleanup_(cpu_definition_freep) DomainCpu *cpu = NULL;
        const CpuChoice choice = {
                .processor = &baseline->processor,
                .models = models,
                .preferred = baseline->model,
                .only_adds = true,
        };
        int r;

        if (cpu_set_is_empty(&baseline->processor.features))
                return error_set(error, ERROR_OPERATION_FAILED, "The CPUs have no feature in common");
        r = cpu_choose(&choice, &cpu, error);
        if (r < 0)
                return r;
        cpu->mode = CPU_MODE_CUSTOM;
        cpu->match = CPU_MATCH_EXACT;
        cpu->fallback =
                g_strcmp0(cpu->model, baseline->model) == 0 ? CPU_FALLBACK_FORBID : CPU_FALLBACK_ALLOW;
        if (!baseline->says_vendor)
                g_clear_pointer(&cpu->vendor, g_free);
        if (flags & BASELINE_MIGRATABLE)
                drop_features_that_stay(cpu);
        if (flags & BASELINE_EXPAND_FEATURES)
                expand(cpu);
        *ret_cpu = struct_to_xml(&domain_cpu_type, cpu, "cpu", 0);
        return 0;
}

static int meet_all(Baseline *baseline, const char *const *cpus, Error *error) AWAITS
{
        size_t count = g_strv_length((char **)cpus);

        if (count == 0 || count > CPUS_MAX)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "%zu CPUs are given: 1 to %d have a baseline", count, CPUS_MAX);
        for (size_t i = 0; i < count; i++) {
                _cleanup_(freep) char *what = g_strdup_printf("CPU %zu", i);
                int r = meet(baseline, cpus[i], what, error);

                if (r < 0)
                        return r;
                /* Of thousands, others have their turn in between. */
                if (i % TURN == TURN - 1 && await_turn() < 0)
                        return error_set(error, ERROR_CANCELLED, "The caller left");
        }
        return 0;
}

int cpu_baseline_check_flags(const char *operation, uint32_t flags, Error *error)
{
        return error_check_flags(error, operation, flags, BASELINE_ALL);
}

int cpu_baseline(const char *const *cpus, const CpuSet *possible, GHashTable *models, uint32_t flags,
                 char **ret_cpu, Error *error)
{
        _cleanup_(baseline_clear) Baseline baseline = { .says_vendor = true };
        int r = meet_all(&baseline, cpus, error);

        if (r < 0)
                return r;
        if (possible)
                cpu_set_intersect(&baseline.processor.features, possible);
        return finish(&baseline, models, flags, ret_cpu, error);
}

int cpus_baseline_cpu(Call *call, const char *const *cpus, uint32_t flags, char **ret_cpu, Error *error)
{
        int r = cpu_baseline_check_flags("BaselineCPU", flags, error);

        (void)call; /* whoever asks, wherever: the hosts are described, not looked at */
        return r < 0 ? r : cpu_baseline(cpus, NULL, NULL, flags, ret_cpu, error);
}
