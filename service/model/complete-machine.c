/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The machine as a whole: memory, processors, clock, what follows its end, what it boots from. */

#include "model/board.h"
#include "model/complete.h"
#include "model/cpuset.h"
#include "model/device-list.h"

static void complete_lifecycle(DomainDefinition *definition)
{
        if (definition->on_poweroff == LIFECYCLE_ABSENT)
                definition->on_poweroff = LIFECYCLE_DESTROY;
        if (definition->on_reboot == LIFECYCLE_ABSENT)
                definition->on_reboot = LIFECYCLE_RESTART;
        if (definition->on_crash == LIFECYCLE_ABSENT)
                definition->on_crash = LIFECYCLE_DESTROY;
        if (definition->clock.offset == CLOCK_OFFSET_ABSENT)
                definition->clock.offset = CLOCK_UTC;
}

/* With NUMA cells the total is what they and the plugged memory have, whatever <memory> says. */
static int complete_memory(DomainDefinition *definition, Error *error)
{
        uint64_t plugged_kib = 0, cells_kib = 0;

        LIST_FOREACH (memory, definition->devices.memories)
                plugged_kib += memory->size_kib;
        if (definition->cpu)
                LIST_FOREACH (cell, definition->cpu->numa_cells)
                        cells_kib += cell->memory_kib;
        if (cells_kib > 0)
                definition->memory_kib = cells_kib + plugged_kib;

        if (definition->memory_kib == 0)
                return error_set(error, ERROR_INVALID_XML, "The machine has no memory");
        if (definition->memory_kib <= plugged_kib && definition->devices.memories.count > 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "All of the machine's memory is plugged: nothing is left for the start");
        if (definition->current_memory_kib == 0 || definition->current_memory_kib > definition->memory_kib)
                definition->current_memory_kib = definition->memory_kib;
        return 0;
}

static bool has_pins(const CpuTune *tune)
{
        return tune && (tune->vcpupins.count > 0 || tune->emulatorpin || tune->iothreadpins.count > 0);
}

/* Who places the memory places the processors, unless they are pinned. */
static void complete_placement(DomainDefinition *definition)
{
        NumatuneMemory *memory = definition->numatune ? definition->numatune->memory : NULL;

        if (memory && memory->placement == PLACEMENT_ABSENT && !memory->nodeset &&
            definition->vcpu_placement == PLACEMENT_AUTO)
                memory->placement = PLACEMENT_AUTO;
        if (memory && memory->placement == PLACEMENT_AUTO && !definition->cpuset &&
            !has_pins(definition->cpu_tune))
                definition->vcpu_placement = PLACEMENT_AUTO;
        if (definition->vcpu_placement == PLACEMENT_ABSENT)
                definition->vcpu_placement = PLACEMENT_STATIC;
}

static bool iothread_exists(const DomainDefinition *definition, uint32_t id)
{
        LIST_FOREACH (iothread, definition->iothread_list)
                if (iothread->id == id)
                        return true;
        return false;
}

/* Counted threads get the lowest numbers that are free. */
static void complete_iothreads(DomainDefinition *definition)
{
        if (definition->iothreads < definition->iothread_list.count)
                definition->iothreads = definition->iothread_list.count;
        for (uint32_t id = 1; definition->iothread_list.count < definition->iothreads; id++) {
                if (iothread_exists(definition, id))
                        continue;
                DomainIothread *iothread = g_new0(DomainIothread, 1);
                iothread->id = id;
                list_append(&definition->iothread_list, iothread);
        }
}

static const NumaDistance *distance_find(const NumaCell *cell, uint32_t id)
{
        LIST_FOREACH (distance, cell->distances)
                if (distance->id == id)
                        return distance;
        return NULL;
}

/* Where one distance is given all are: as far back as there, 10 to itself, 20 to others. */
static void complete_distances(DomainCpu *cpu)
{
        bool any = false;

        LIST_FOREACH (cell, cpu->numa_cells)
                any |= cell->distances.count > 0;
        if (!any)
                return;
        LIST_FOREACH (cell, cpu->numa_cells) {
                for (uint32_t i = 0; i < cpu->numa_cells.count; i++) {
                        const NumaCell *other = cpu->numa_cells.items[i];
                        if (distance_find(cell, other->id))
                                continue;
                        const NumaDistance *back = distance_find(other, cell->id);
                        NumaDistance *distance = g_new0(NumaDistance, 1);
                        distance->id = other->id;
                        distance->value = back ? back->value : other == cell ? 10 : 20;
                        list_insert(&cell->distances, MIN(i, cell->distances.count), distance);
                }
        }
}

static bool vcpu_has_cell(const DomainCpu *cpu, unsigned vcpu)
{
        LIST_FOREACH (cell, cpu->numa_cells)
                if (cell->cpus && cpuset_has(cell->cpus, vcpu))
                        return true;
        return false;
}

/* Cells are numbered as they stand; processors that no cell names are in the first. */
static void complete_cells(const DomainDefinition *definition, DomainCpu *cpu)
{
        if (cpu->numa_cells.count == 0)
                return;
        for (uint32_t i = 0; i < cpu->numa_cells.count; i++) {
                NumaCell *cell = cpu->numa_cells.items[i];
                if (!cell->has_id)
                        cell->id = i;
                cell->has_id = true;
        }

        NumaCell *first = cpu->numa_cells.items[0];
        GString *cpus = g_string_new(first->cpus);
        for (unsigned vcpu = 0; vcpu < MIN(definition->vcpus, CPUSET_MAX); vcpu++)
                if (!vcpu_has_cell(cpu, vcpu))
                        g_string_append_printf(cpus, "%s%u", cpus->len > 0 ? "," : "", vcpu);
        g_free(first->cpus);
        first->cpus = cpuset_canonical(cpus->str);
        g_string_free(cpus, TRUE);
}

/* The word that the emulator's file ends in tells what is built in, more than the architecture. */
static const char *default_cpu_model(const DomainDefinition *definition)
{
        const char *emulator = definition->devices.emulator;

        if (emulator && g_str_has_suffix(emulator, "x86_64"))
                return "qemu64";
        return g_strcmp0(definition->os.arch, "i686") == 0 ? "qemu32" : "qemu64";
}

static CpuCheck default_check(const DomainDefinition *definition)
{
        switch (definition->cpu->mode) {
        case CPU_MODE_HOST_MODEL:
                return CPU_CHECK_PARTIAL;
        case CPU_MODE_CUSTOM:
                /* Emulation does not care for the host's processor. */
                return definition->type == DOMAIN_TYPE_QEMU ? CPU_CHECK_NONE : CPU_CHECK_PARTIAL;
        default:
                return CPU_CHECK_NONE;
        }
}

/* QEMU's own default is written down, so that the guest keeps it when QEMU changes its mind. */
static void complete_cpu(DomainDefinition *definition)
{
        if (!definition->cpu)
                definition->cpu = struct_new(&domain_cpu_type);

        DomainCpu *cpu = definition->cpu;
        complete_cells(definition, cpu);
        complete_distances(cpu);
        if (cpu->mode == CPU_MODE_ABSENT)
                cpu->mode = CPU_MODE_CUSTOM;
        if (cpu->mode == CPU_MODE_CUSTOM && !cpu->model) {
                cpu->model = g_strdup(default_cpu_model(definition));
                cpu->match = CPU_MATCH_EXACT;
                cpu->fallback = CPU_FALLBACK_FORBID;
                if (cpu->check == CPU_CHECK_ABSENT)
                        cpu->check = CPU_CHECK_NONE;
        }
        if (cpu->check == CPU_CHECK_ABSENT)
                cpu->check = default_check(definition);

        if (cpu->mode == CPU_MODE_CUSTOM) {
                if (cpu->match == CPU_MATCH_ABSENT)
                        cpu->match = CPU_MATCH_EXACT;
                if (cpu->fallback == CPU_FALLBACK_ABSENT)
                        cpu->fallback = CPU_FALLBACK_ALLOW;
                return;
        }
        if (cpu->fallback == CPU_FALLBACK_ALLOW)
                cpu->fallback = CPU_FALLBACK_ABSENT;
        if (cpu->migratable == ON_OFF_ABSENT && cpu->mode != CPU_MODE_HOST_MODEL)
                cpu->migratable = ON;
}

/* Keys that are enrolled are of use only to firmware that checks them. */
static void complete_firmware(DomainOs *os)
{
        bool has_keys = false;

        if (os->loader && os->loader_type == LOADER_TYPE_ABSENT && os->loader_stateless == YES)
                os->loader_type = LOADER_ROM;
        LIST_FOREACH (feature, os->firmware_features) {
                if (g_str_equal(feature->name, "secure-boot"))
                        return;
                has_keys |= g_str_equal(feature->name, "enrolled-keys") && feature->enabled == YES;
        }
        if (!has_keys)
                return;
        FirmwareFeature *feature = g_new0(FirmwareFeature, 1);
        feature->name = g_strdup("secure-boot");
        feature->enabled = YES;
        list_append(&os->firmware_features, feature);
}

/* What a label means that does not say it. */
static void complete_seclabels(DomainDefinition *definition)
{
        LIST_FOREACH (label, definition->seclabels) {
                bool is_none = g_strcmp0(label->model, "none") == 0 || g_strcmp0(label->type, "none") == 0;

                if (is_none) {
                        g_free(label->type);
                        label->type = g_strdup("none");
                        label->relabel = YES_NO_ABSENT;
                        if (!label->model)
                                label->model = g_strdup("none");
                        continue;
                }
                if (!label->type && label->model)
                        label->type = g_strdup("dynamic");
                if (label->relabel == YES_NO_ABSENT && label->type)
                        label->relabel = g_str_equal(label->type, "dynamic") ? YES : NO;
        }
}

static int has_boot_order(const Device *device, void *userdata _unused_)
{
        return device->info->boot_order > 0;
}

static void complete_boot(DomainDefinition *definition)
{
        if (definition->os.type != OS_TYPE_HVM || definition->os.boots.count > 0 ||
            device_foreach(definition, has_boot_order, NULL) > 0)
                return;

        OsBoot *boot = g_new0(OsBoot, 1);
        boot->device = BOOT_DEVICE_HD;
        list_append(&definition->os.boots, boot);
}

/* The element that has the architecture has the type, too: with one and without the other it could not be
 * read again. */
static void complete_type(DomainOs *os)
{
        if (os->type == OS_TYPE_ABSENT && (os->arch || os->machine))
                os->type = OS_TYPE_HVM;
}

int complete_machine(DomainDefinition *definition, Error *error)
{
        complete_type(&definition->os);
        complete_lifecycle(definition);
        if (definition->vcpus == 0)
                definition->vcpus = 1;
        if (definition->current_vcpus == 0)
                definition->current_vcpus = definition->vcpus;
        complete_placement(definition);
        complete_iothreads(definition);
        complete_boot(definition);
        complete_firmware(&definition->os);
        complete_seclabels(definition);
        if (board_is_qemu(definition) && board_is_x86(definition))
                complete_cpu(definition);
        return complete_memory(definition, error);
}
