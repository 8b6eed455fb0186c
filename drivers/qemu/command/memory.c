/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guest's memory: how much (-m), how it is spread over the guest's NUMA cells (<cpu><numa>), and what is
 * plugged into it (<memory model=...>). What it is made of is in memory-backend.c. On x86 there is always a
 * backend, so that the memory's name does not depend on that. */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"
#include "drivers/qemu/command/memory-backend.h"
#include <inttypes.h>
#include <string.h>

/* Memory comes in steps of a MiB: more rather than less. */
static uint64_t to_mib(uint64_t kib)
{
        return kib / 1024 + (kib % 1024 > 0);
}

/* Memory that -m alone cannot give. */
static bool needs_backend(const DomainDefinition *definition)
{
        const MemoryBacking *backing = definition->memory_backing;

        return (backing &&
                (backing->hugepages || backing->source != BACKING_SOURCE_ABSENT ||
                 backing->access == BACKING_SHARED || backing->allocation == BACKING_IMMEDIATE)) ||
               definition->numatune;
}

static uint64_t plugged_kib(const DomainDefinition *definition)
{
        uint64_t sum = 0;

        LIST_FOREACH (memory, definition->devices.memories)
                sum += memory->size_kib;
        return sum;
}

/* QEMU plugs memory in pieces of 2 MiB. */
static uint64_t device_size(const DomainMemory *memory)
{
        return (memory->size_kib + 2047) / 2048 * 2048 * 1024;
}

static int check(const DomainDefinition *definition, Error *error)
{
        if (definition->max_memory_slots > 0 && definition->max_memory_kib <= definition->memory_kib)
                return error_set(error, ERROR_INVALID_XML, "<maxMemory> must be more than <memory>");
        return 0;
}

static uint32_t cell_id(const NumaCell *cell, uint32_t position)
{
        return cell->has_id ? cell->id : position;
}

static const NumaCell *find_cell(const DomainCpu *cpu, uint32_t id)
{
        for (uint32_t i = 0; i < cpu->numa_cells.count; i++) {
                if (cell_id(cpu->numa_cells.items[i], i) == id)
                        return cpu->numa_cells.items[i];
        }
        return NULL;
}

static bool has_hmat(const DomainCpu *cpu)
{
        LIST_FOREACH (cell, cpu->numa_cells) {
                if (cell->caches.count > 0)
                        return true;
        }
        return cpu->numa_latencies.count > 0 || cpu->numa_bandwidths.count > 0;
}

/* The cell whose processors reach this one best: itself if it has any. */
static int64_t initiator_of(const DomainCpu *cpu, const NumaCell *cell, uint32_t id)
{
        if (cell->cpus && *cell->cpus)
                return id;
        LIST_FOREACH (latency, cpu->numa_latencies) {
                const NumaCell *from = find_cell(cpu, latency->initiator);

                if (latency->target == id && from && from->cpus && *from->cpus)
                        return latency->initiator;
        }
        LIST_FOREACH (bandwidth, cpu->numa_bandwidths) {
                const NumaCell *from = find_cell(cpu, bandwidth->initiator);

                if (bandwidth->target == id && from && from->cpus && *from->cpus)
                        return bandwidth->initiator;
        }
        return -1;
}

static int add_cell(CommandLine *line, const NumaCell *cell, uint32_t id, Error *error)
{
        const DomainCpu *cpu = line->definition->cpu;
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        _cleanup_(freep) char *backend = g_strdup_printf("ram-node%u", id);
        _cleanup_(strvp) char **ranges = g_strsplit(cell->cpus ? cell->cpus : "", ",", -1);
        int64_t initiator = has_hmat(cpu) ? initiator_of(cpu, cell, id) : -1;

        for (char **range = ranges; *range; range++) {
                if (strspn(*range, "0123456789-") != strlen(*range))
                        return error_set(error, ERROR_INVALID_XML, "NUMA cell %u has no such processors: %s",
                                         id, cell->cpus);
                if (**range)
                        g_string_append_printf(text, ",cpus=%s", *range);
        }
        if (initiator >= 0)
                g_string_append_printf(text, ",initiator=%" PRId64, initiator);
        if (cell->memory_kib > 0) {
                const MemoryRequest request = {
                        .id = backend,
                        .size = to_mib(cell->memory_kib) * 1024 * 1024,
                        .has_cell = true,
                        .cell = id,
                        .access = cell->access,
                        .discard = cell->discard,
                };
                int r = memory_backend(line, &request, error);

                if (r < 0)
                        return r;
                g_string_append_printf(text, ",memdev=%s", backend);
        }
        command_add_option(line, "-numa", "node,nodeid=%u%s", id, text->str);
        return 0;
}

static const char *hierarchy(bool has_cache, uint32_t cache)
{
        static const char *const levels[] = { "memory", "first-level", "second-level", "third-level" };

        return levels[has_cache ? MIN(cache, G_N_ELEMENTS(levels) - 1) : 0];
}

/* How fast cells reach each other, and what caches stand between. */
static void add_hmat(CommandLine *line)
{
        const DomainCpu *cpu = line->definition->cpu;

        LIST_FOREACH (latency, cpu->numa_latencies)
                command_add_option(
                        line, "-numa",
                        "hmat-lb,initiator=%u,target=%u,hierarchy=%s,data-type=%s-latency,latency=%" PRIu64,
                        latency->initiator, latency->target, hierarchy(latency->has_cache, latency->cache),
                        numa_interconnect_type_to_string(latency->type), latency->value);
        LIST_FOREACH (bandwidth, cpu->numa_bandwidths)
                command_add_option(line, "-numa",
                                   "hmat-lb,initiator=%u,target=%u,hierarchy=%s,data-type=%s-bandwidth,"
                                   "bandwidth=%" PRIu64 "K",
                                   bandwidth->initiator, bandwidth->target,
                                   hierarchy(bandwidth->has_cache, bandwidth->cache),
                                   numa_interconnect_type_to_string(bandwidth->type), bandwidth->value_kib);
        for (uint32_t i = 0; i < cpu->numa_cells.count; i++) {
                const NumaCell *cell = cpu->numa_cells.items[i];

                LIST_FOREACH (cache, cell->caches) {
                        const char *associativity = cache->associativity == NUMA_CACHE_DIRECT ? "direct"
                                                    : cache->associativity == NUMA_CACHE_FULL ? "complex"
                                                                                              : "none";
                        const char *policy = cache->policy == NUMA_CACHE_WRITEBACK      ? "write-back"
                                             : cache->policy == NUMA_CACHE_WRITETHROUGH ? "write-through"
                                                                                        : "none";

                        command_add_option(line, "-numa",
                                           "hmat-cache,node-id=%u,size=%" PRIu64
                                           "K,level=%u,associativity=%s,policy=%s,line=%" PRIu64,
                                           cell_id(cell, i), cache->size_kib, cache->level, associativity,
                                           policy, cache->line_bytes);
                }
        }
}

static int add_cells(CommandLine *line, GString *machine_options, Error *error)
{
        const DomainCpu *cpu = line->definition->cpu;

        for (uint32_t i = 0; i < cpu->numa_cells.count; i++) {
                int r = add_cell(line, cpu->numa_cells.items[i], cell_id(cpu->numa_cells.items[i], i),
                                 error);

                if (r < 0)
                        return r;
        }
        for (uint32_t i = 0; i < cpu->numa_cells.count; i++) {
                const NumaCell *cell = cpu->numa_cells.items[i];

                LIST_FOREACH (distance, cell->distances)
                        command_add_option(line, "-numa", "dist,src=%u,dst=%u,val=%u", cell_id(cell, i),
                                           distance->id, distance->value);
        }
        if (has_hmat(cpu)) {
                g_string_append(machine_options, ",hmat=on");
                add_hmat(line);
        }
        return 0;
}

/* Memory that the board has to know of. */
static int add_board_memory(CommandLine *line, GString *machine_options, Error *error)
{
        bool has_nvdimm = false;
        unsigned n_epc = 0;

        LIST_FOREACH (memory, line->definition->devices.memories) {
                _cleanup_(freep) char *id = g_strdup_printf("mem%s", memory->info.alias);
                const MemoryRequest request = { .id = id, .size = device_size(memory), .device = memory };
                int r;

                has_nvdimm |= memory->model == MEMORY_MODEL_NVDIMM;
                if (memory->model != MEMORY_MODEL_SGX_EPC)
                        continue;
                r = memory_backend(line, &request, error);
                if (r < 0)
                        return r;
                g_string_append_printf(machine_options, ",sgx-epc.%u.memdev=%s", n_epc, id);
                if (memory->has_node)
                        g_string_append_printf(machine_options, ",sgx-epc.%u.node=%u", n_epc, memory->node);
                n_epc++;
        }
        if (has_nvdimm)
                g_string_append(machine_options, ",nvdimm=on");
        return 0;
}

int command_memory(CommandLine *line, GString *machine_options, Error *error)
{
        const DomainDefinition *definition = line->definition;
        const MemoryBacking *backing = definition->memory_backing;
        uint64_t size_mib = to_mib(definition->memory_kib - plugged_kib(definition));
        const MemoryRequest request = { .id = "pc.ram", .size = size_mib * 1024 * 1024 };
        int r;

        r = check(definition, error);
        if (r < 0)
                return r;
        if (definition->max_memory_kib > definition->memory_kib)
                command_add_option(line, "-m", "size=%" PRIu64 "k,slots=%u,maxmem=%" PRIu64 "k",
                                   size_mib * 1024, definition->max_memory_slots,
                                   to_mib(definition->max_memory_kib) * 1024);
        else
                command_add_option(line, "-m", "%" PRIu64, size_mib);
        command_add_option(line, "-overcommit", "mem-lock=%s", backing && backing->locked ? "on" : "off");
        r = add_board_memory(line, machine_options, error);
        if (r < 0)
                return r;
        if (definition->cpu && definition->cpu->numa_cells.count > 0)
                return add_cells(line, machine_options, error);
        if (!machine_is_x86(definition) && !needs_backend(definition))
                return 0;
        r = memory_backend(line, &request, error);
        if (r < 0)
                return r;
        g_string_append(machine_options, ",memory-backend=pc.ram");
        return 0;
}

static json_t *new_dimm(const DomainMemory *memory, const char *backend)
{
        json_t *device =
                device_new(memory->model == MEMORY_MODEL_NVDIMM ? "nvdimm" : "pc-dimm", &memory->info);

        json_set_string(device, "memdev", backend);
        json_set_number(device, "label-size", memory->label_kib * 1024);
        if (*memory->uuid)
                json_set_string(device, "uuid", memory->uuid);
        if (memory->readonly)
                json_set_bool(device, "unarmed", true);
        if (memory->info.address.type == ADDRESS_DIMM) {
                json_object_set_new(device, "slot", json_integer(memory->info.address.slot));
                if (memory->info.address.has_base)
                        json_set_number(device, "addr", memory->info.address.base);
        }
        return device;
}

static json_t *new_virtio(const DomainMemory *memory, const char *backend)
{
        bool is_pmem = memory->model == MEMORY_MODEL_VIRTIO_PMEM;
        _cleanup_(freep) char *driver = device_virtio_driver(is_pmem ? "virtio-pmem" : "virtio-mem",
                                                             &memory->info, VIRTIO_MODEL_VIRTIO);
        json_t *device = device_new(driver, &memory->info);

        json_set_string(device, "memdev", backend);
        if (!is_pmem) {
                json_set_number(device, "block-size", memory->block_kib * 1024);
                json_object_set_new(device, "requested-size",
                                    json_integer((json_int_t)(memory->requested_kib * 1024)));
        }
        return device;
}

int command_memory_device(CommandLine *line, const DomainMemory *memory, Error *error)
{
        _cleanup_(freep) char *id = g_strdup_printf("mem%s", memory->info.alias);
        const MemoryRequest request = {
                .id = id,
                .size = device_size(memory),
                .has_cell = memory->has_node,
                .cell = memory->node,
                .discard = memory->discard,
                .device = memory,
        };
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (memory->model == MEMORY_MODEL_SGX_EPC)
                return 0; /* the board has it already */
        r = memory_backend(line, &request, error);
        if (r < 0)
                return r;
        device = memory->model == MEMORY_MODEL_VIRTIO_MEM || memory->model == MEMORY_MODEL_VIRTIO_PMEM
                         ? new_virtio(memory, id)
                         : new_dimm(memory, id);
        if (memory->has_node && memory->model != MEMORY_MODEL_VIRTIO_PMEM)
                json_object_set_new(device, "node", json_integer(memory->node));
        r = device_set_info(line, device, &memory->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}
