/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The machine as a whole: memory, processors, clock, what follows its end, what it boots from. */

#include "model/complete.h"
#include "model/device-list.h"
#include "model/machine.h"

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

        LIST_FOREACH(memory, definition->devices.memories)
        plugged_kib += memory->size_kib;
        if (definition->cpu)
                LIST_FOREACH(cell, definition->cpu->numa_cells)
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

        if (memory && memory->placement == PLACEMENT_ABSENT)
                memory->placement = definition->vcpu_placement == PLACEMENT_AUTO && !memory->nodeset
                                            ? PLACEMENT_AUTO
                                            : PLACEMENT_STATIC;
        if (memory && memory->placement == PLACEMENT_AUTO && !definition->cpuset &&
            !has_pins(definition->cpu_tune))
                definition->vcpu_placement = PLACEMENT_AUTO;
        if (definition->vcpu_placement == PLACEMENT_ABSENT)
                definition->vcpu_placement = PLACEMENT_STATIC;
}

static bool iothread_exists(const DomainDefinition *definition, uint32_t id)
{
        LIST_FOREACH(iothread, definition->iothread_list)
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
        LIST_FOREACH(distance, cell->distances)
        if (distance->id == id)
                return distance;
        return NULL;
}

/* Where one distance is given all are: as far back as there, 10 to itself, 20 to others. */
static void complete_distances(DomainCpu *cpu)
{
        bool any = false;

        LIST_FOREACH(cell, cpu->numa_cells)
        any |= cell->distances.count > 0;
        if (!any)
                return;
        LIST_FOREACH(cell, cpu->numa_cells)
        {
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
        complete_distances(cpu);
        if (cpu->mode == CPU_MODE_ABSENT)
                cpu->mode = CPU_MODE_CUSTOM;
        if (cpu->mode == CPU_MODE_CUSTOM && !cpu->model) {
                cpu->model = g_strdup(g_strcmp0(definition->os.arch, "i686") == 0 ? "qemu32" : "qemu64");
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

int complete_machine(DomainDefinition *definition, Error *error)
{
        complete_lifecycle(definition);
        if (definition->vcpus == 0)
                definition->vcpus = 1;
        if (definition->current_vcpus == 0)
                definition->current_vcpus = definition->vcpus;
        complete_placement(definition);
        complete_iothreads(definition);
        complete_boot(definition);
        if (machine_is_qemu(definition) && machine_is_x86(definition))
                complete_cpu(definition);
        return complete_memory(definition, error);
}
