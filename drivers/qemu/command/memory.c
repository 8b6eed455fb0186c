/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guest's memory: how much (-m), what it is made of (<memoryBacking>), and how it is spread over the
 * guest's NUMA cells (<cpu><numa>). On x86 there is always a backend, so that the memory's name does not
 * depend on what it is made of. Huge pages are taken by memfd, which needs no mounted hugetlbfs; nothing is
 * ever written to a file, so <discard> asks for what is so anyway. */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"
#include <inttypes.h>
#include <string.h>

/* Memory comes in steps of a MiB: more rather than less. */
static uint64_t to_mib(uint64_t kib)
{
        return kib / 1024 + (kib % 1024 > 0);
}

static uint64_t huge_page_kib(const MemoryBacking *backing)
{
        return backing->pages.count > 0 ? backing->pages.items[0]->size_kib : 0;
}

static bool is_shared(const MemoryBacking *backing, NumaAccess access)
{
        if (access != NUMA_ACCESS_DEFAULT)
                return access == NUMA_SHARED;
        return backing && backing->access == BACKING_SHARED;
}

/* Memory that -m alone cannot give. */
static bool needs_backend(const MemoryBacking *backing)
{
        return backing && (backing->hugepages || backing->source != BACKING_SOURCE_ABSENT ||
                           backing->access == BACKING_SHARED || backing->allocation == BACKING_IMMEDIATE);
}

static int check(const DomainDefinition *definition, Error *error)
{
        const MemoryBacking *backing = definition->memory_backing;

        if (definition->max_memory_slots > 0 && definition->max_memory_kib <= definition->memory_kib)
                return error_set(error, ERROR_INVALID_XML, "<maxMemory> must be more than <memory>");
        if (!backing)
                return 0;
        if (backing->source == BACKING_FILE)
                return device_unsupported(error, "The QEMU driver has no <memoryBacking> with source "
                                                 "'file'; 'memfd' can be shared too");
        if (backing->pages.count > 1 || (backing->pages.count == 1 && backing->pages.items[0]->nodeset))
                return device_unsupported(
                        error, "The QEMU driver takes one size of <hugepages>, for all NUMA nodes");
        return 0;
}

static void add_backend(CommandLine *line, const char *id, uint64_t size_mib, NumaAccess access)
{
        const MemoryBacking *backing = line->definition->memory_backing;
        bool is_memfd = backing && (backing->hugepages || backing->source == BACKING_MEMFD);
        json_t *object = json_object();

        json_set_string(object, "qom-type", is_memfd ? "memory-backend-memfd" : "memory-backend-ram");
        json_set_string(object, "id", id);
        json_set_number(object, "size", size_mib * 1024 * 1024);
        if (is_memfd || is_shared(backing, access))
                json_set_bool(object, "share", is_shared(backing, access));
        if (backing && backing->hugepages) {
                json_set_bool(object, "hugetlb", true);
                json_set_number(object, "hugetlbsize", huge_page_kib(backing) * 1024);
        }
        /* Pages that are missing are noticed at the start, not when the guest first touches them. */
        if (backing && (backing->hugepages || backing->allocation == BACKING_IMMEDIATE)) {
                json_set_bool(object, "prealloc", true);
                json_set_number(object, "prealloc-threads", backing->allocation_threads);
        }
        command_add_json(line, "-object", object);
}

static int add_cell(CommandLine *line, const NumaCell *cell, uint32_t id, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        _cleanup_(freep) char *backend = g_strdup_printf("ram-node%u", id);
        _cleanup_(strvp) char **ranges = NULL;

        if (cell->caches.count > 0)
                return device_unsupported(error, "The QEMU driver has no <cache> of NUMA cells");
        if (cell->memory_kib > 0) {
                add_backend(line, backend, to_mib(cell->memory_kib), cell->access);
                g_string_append_printf(text, ",memdev=%s", backend);
        }
        ranges = g_strsplit(cell->cpus ? cell->cpus : "", ",", -1);
        for (char **range = ranges; *range; range++) {
                if (strspn(*range, "0123456789-") != strlen(*range))
                        return error_set(error, ERROR_INVALID_XML, "NUMA cell %u has no such processors: %s",
                                         id, cell->cpus);
                if (**range)
                        g_string_append_printf(text, ",cpus=%s", *range);
        }
        command_add_option(line, "-numa", "node,nodeid=%u%s", id, text->str);
        return 0;
}

static uint32_t cell_id(const NumaCell *cell, uint32_t position)
{
        return cell->has_id ? cell->id : position;
}

static int add_cells(CommandLine *line, Error *error)
{
        const DomainCpu *cpu = line->definition->cpu;

        if (cpu->numa_latencies.count > 0 || cpu->numa_bandwidths.count > 0)
                return device_unsupported(error, "The QEMU driver has no <interconnects> of NUMA cells");
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
        return 0;
}

int command_memory(CommandLine *line, GString *machine_options, Error *error)
{
        const DomainDefinition *definition = line->definition;
        const MemoryBacking *backing = definition->memory_backing;
        uint64_t size_mib = to_mib(definition->memory_kib);
        int r;

        r = check(definition, error);
        if (r < 0)
                return r;
        if (definition->max_memory_slots > 0)
                command_add_option(line, "-m", "size=%" PRIu64 "k,slots=%u,maxmem=%" PRIu64 "k",
                                   size_mib * 1024, definition->max_memory_slots,
                                   to_mib(definition->max_memory_kib) * 1024);
        else
                command_add_option(line, "-m", "%" PRIu64, size_mib);
        command_add_option(line, "-overcommit", "mem-lock=%s", backing && backing->locked ? "on" : "off");
        if (definition->cpu && definition->cpu->numa_cells.count > 0)
                return add_cells(line, error);
        if (machine_is_x86(definition) || needs_backend(backing)) {
                add_backend(line, "pc.ram", size_mib, NUMA_ACCESS_DEFAULT);
                g_string_append(machine_options, ",memory-backend=pc.ram");
        }
        return 0;
}
