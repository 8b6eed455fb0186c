/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The CPU mode host-model spelled out, and conditions (minimum, optional) answered: what the guest has, or
 * would have, here. */

#include "drivers/qemu/host-model.h"

DomainCpu *cpu_host_model(const QemuCapabilities *capabilities, bool with_kvm)
{
        const GPtrArray *models = with_kvm ? capabilities->kvm_cpus : capabilities->tcg_cpus;
        _cleanup_(g_hash_table_unrefp) GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
        CpuChoice choice = { .models = names };
        DomainCpu *cpu = NULL;

        for (unsigned i = 0; i < models->len; i++)
                g_hash_table_add(names, ((QemuCpuModel *)models->pdata[i])->name);
        if (capabilities_processor(capabilities, with_kvm, &choice.processor, NULL) < 0 ||
            cpu_choose(&choice, &cpu, NULL) < 0)
                return NULL;
        cpu->fallback = CPU_FALLBACK_FORBID;
        return cpu;
}

static CpuFeature *feature_find(const DomainCpu *cpu, const char *name)
{
        int number = cpu_feature_find(name);

        LIST_FOREACH (feature, cpu->features)
                if (number >= 0 && cpu_feature_find(feature->name) == number)
                        return feature;
        return NULL;
}

/* What the definition says about a feature counts more than what the host has. */
static void merge_features(DomainCpu *to, const DomainCpu *from)
{
        LIST_FOREACH (feature, from->features) {
                CpuFeature *known = feature_find(to, feature->name);

                if (!known) {
                        known = g_new0(CpuFeature, 1);
                        known->name = g_strdup(feature->name);
                        list_append(&to->features, known);
                }
                known->policy = feature->policy;
        }
}

/* Takes the model over. */
static void set_model(DomainCpu *cpu, DomainCpu *model)
{
        typeof(cpu->features) own;

        merge_features(model, cpu);
        g_free(cpu->model);
        cpu->model = TAKE_PTR(model->model);
        g_free(cpu->vendor);
        cpu->vendor = TAKE_PTR(model->vendor);
        cpu->mode = CPU_MODE_CUSTOM;
        cpu->match = CPU_MATCH_EXACT;
        if (cpu->fallback == CPU_FALLBACK_ABSENT)
                cpu->fallback = CPU_FALLBACK_ALLOW;
        own = cpu->features;
        cpu->features = model->features;
        model->features = own;
        cpu_definition_free(model);
}

/* At least that model: the host's features beyond it too. */
static void update_minimum(DomainCpu *cpu, const CpuProcessor *processor)
{
        const CpuChoice choice = { .processor = processor, .preferred = cpu->model };
        DomainCpu *model = NULL;

        if (cpu->model && cpu_model_find(cpu->model) >= 0 && cpu_choose(&choice, &model, NULL) >= 0)
                set_model(cpu, model);
}

static void update_optional(DomainCpu *cpu, const CpuProcessor *processor)
{
        LIST_FOREACH (feature, cpu->features) {
                int number = cpu_feature_find(feature->name);

                if (feature->policy != CPU_POLICY_OPTIONAL || number < 0)
                        continue;
                feature->policy = cpu_set_has(&processor->features, (unsigned)number) ? CPU_POLICY_REQUIRE
                                                                                      : CPU_POLICY_DISABLE;
        }
}

void qemu_update_cpu(const Driver *driver, DomainDefinition *definition, uid_t owner)
{
        bool with_kvm = definition->type == DOMAIN_TYPE_KVM;
        const QemuCapabilities *capabilities =
                definition->devices.emulator ? capabilities_get(qemu_driver(driver)->capabilities,
                                                                definition->devices.emulator, owner)
                                             : NULL;
        const CpuProcessor *processor = NULL;
        DomainCpu *cpu = definition->cpu, *model;

        if (!capabilities || !cpu || capabilities_processor(capabilities, with_kvm, &processor, NULL) < 0)
                return;
        model = cpu->mode == CPU_MODE_HOST_MODEL ? cpu_host_model(capabilities, with_kvm) : NULL;
        if (model)
                set_model(cpu, model);
        else if (cpu->match == CPU_MATCH_MINIMUM)
                update_minimum(cpu, processor);
        update_optional(cpu, processor);
}
