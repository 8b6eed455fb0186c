/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processors and memory: what tuning says against what the machine has. */

#include "model/board.h"
#include "model/complete.h"
#include "model/cpuset.h"

static bool cell_exists(const DomainDefinition *definition, uint32_t id)
{
        if (!definition->cpu)
                return false;
        LIST_FOREACH (cell, definition->cpu->numa_cells)
                if (cell->id == id)
                        return true;
        return false;
}

static int check_cpu(const DomainDefinition *definition, Error *error)
{
        const DomainCpu *cpu = definition->cpu;

        if (!cpu)
                return 0;
        bool is_host = cpu->mode == CPU_MODE_HOST_PASSTHROUGH || cpu->mode == CPU_MODE_MAXIMUM;
        if (cpu->cache && cpu->cache->mode == CPU_CACHE_PASSTHROUGH && !is_host)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The CPU cache mode 'passthrough' needs the CPU mode 'host-passthrough' or "
                                 "'maximum'");
        if (cpu->cache && cpu->cache->mode == CPU_CACHE_PASSTHROUGH && cpu->cache->has_level)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The CPU cache mode 'passthrough' is for all levels");
        if (cpu->maxphysaddr && cpu->maxphysaddr->mode == CPU_MAXPHYSADDR_PASSTHROUGH &&
            cpu->maxphysaddr->bits > 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "CPU maxphysaddr of mode 'passthrough' has no number of bits");
        return 0;
}

/* A size without nodes is for all that no other names; a machine without cells has the node 0 only. */
static int check_hugepages(const DomainDefinition *definition, Error *error)
{
        const MemoryBacking *backing = definition->memory_backing;
        bool has_cells = definition->cpu && definition->cpu->numa_cells.count > 0;
        const Hugepage *master = NULL;

        if (!backing)
                return 0;
        LIST_FOREACH (page, backing->pages) {
                for (unsigned node = 0; page->nodeset && node < CPUSET_MAX; node++)
                        if (cpuset_has(page->nodeset, node) &&
                            !(has_cells ? cell_exists(definition, node) : node == 0))
                                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                                 "Huge pages: the machine has no NUMA cell %u", node);
                if (page->nodeset && has_cells)
                        continue;
                if (master)
                        return error_set(
                                error, ERROR_CONFIG_UNSUPPORTED,
                                "Huge pages of two sizes are asked for all memory: %" G_GUINT64_FORMAT
                                " and %" G_GUINT64_FORMAT " KiB",
                                master->size_kib, page->size_kib);
                master = page;
        }
        return 0;
}

static int check_numatune(const DomainDefinition *definition, Error *error)
{
        const Numatune *numatune = definition->numatune;

        if (!numatune)
                return 0;
        if (numatune->memory && numatune->memory->nodeset && numatune->memory->nodeset[0] == '\0')
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "The nodeset of numatune/memory is empty");
        LIST_FOREACH (node, numatune->nodes) {
                if (!cell_exists(definition, node->cell_id))
                        return error_set(error, ERROR_INVALID_XML,
                                         "numatune/memnode: the machine has no NUMA cell %u", node->cell_id);
                if (!node->nodeset || node->nodeset[0] == '\0')
                        return error_set(error, ERROR_INVALID_XML,
                                         "numatune/memnode %u: the nodeset is empty", node->cell_id);
        }
        return 0;
}

/* The processor that boots the others is always there. */
static int check_vcpus(const DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (vcpu, definition->vcpu_list) {
                if (vcpu->id == 0 && vcpu->enabled == NO)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "vcpu 0 cannot be off: enabled='yes' is expected");
        }
        return 0;
}

static int check_schedulers(const DomainDefinition *definition, Error *error)
{
        const CpuTune *tune = definition->cpu_tune;

        if (!tune)
                return 0;
        for (uint32_t i = 0; i < tune->vcpuscheds.count; i++)
                for (uint32_t j = 0; j < i; j++)
                        for (unsigned vcpu = 0; vcpu < MIN(definition->vcpus, CPUSET_MAX); vcpu++)
                                if (cpuset_has(tune->vcpuscheds.items[i]->vcpus, vcpu) &&
                                    cpuset_has(tune->vcpuscheds.items[j]->vcpus, vcpu))
                                        return error_set(error, ERROR_INVALID_XML,
                                                         "Two elements vcpusched name the vcpu %u", vcpu);
        return 0;
}

static int check_seclabels(const DomainDefinition *definition, Error *error)
{
        for (uint32_t i = 0; i < definition->seclabels.count; i++) {
                const DomainSeclabel *label = definition->seclabels.items[i];

                if (!label->model && definition->seclabels.count > 1)
                        return error_set(error, ERROR_INVALID_XML, "Of several seclabels each has a model");
                for (uint32_t j = 0; j < i; j++)
                        if (g_strcmp0(label->model, definition->seclabels.items[j]->model) == 0)
                                return error_set(error, ERROR_INVALID_XML,
                                                 "There are two seclabels of model '%s'", label->model);
                if (!label->model && !label->type)
                        return error_set(error, ERROR_INVALID_XML, "A seclabel without a type has a model");
                /* A label means something to one security module only. */
                if (!label->model && label->baselabel)
                        return error_set(error, ERROR_INVALID_XML,
                                         "A seclabel with a baselabel has a model");
        }
        return 0;
}

static int check_features(const DomainDefinition *definition, Error *error)
{
        const DomainFeatures *features = &definition->features;
        bool has_hpt = features->hpt_resizing != HPT_RESIZING_ABSENT || features->has_hpt_maxpagesize;

        if (features->has_smm_tseg && features->smm_tseg_bytes % (1024 * 1024) != 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The size of the SMM TSEG must be divisible by 1 MiB");
        if (has_hpt && board_is_x86(definition))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The feature 'hpt' is not one of this architecture's machines");
        return 0;
}

int domain_definition_validate_resources(const DomainDefinition *definition, Error *error)
{
        static int (*const checks[])(const DomainDefinition *, Error *) = {
                check_cpu,        check_vcpus,     check_hugepages, check_numatune,
                check_schedulers, check_seclabels, check_features,  domain_definition_validate_resctrl,
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
                int r = checks[i](definition, error);
                if (r < 0)
                        return r;
        }
        return 0;
}
