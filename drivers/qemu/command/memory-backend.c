/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <memoryBacking>, <numatune> and a device's own <source> say together what memory is made of. Huge pages
 * and shared memory are taken by memfd, which needs no mounted hugetlbfs and leaves nothing behind; files
 * are for those who ask for them. */

#include "drivers/qemu/command/memory-backend.h"
#include "drivers/qemu/command/device.h"
#include "model/cpuset.h"
#include <string.h>

/* The id that machine types have used for their memory as long as there are any. */
#define MAIN_ID "pc.ram"

/* The size of pages in KiB; *ret_huge without a size: the host's usual huge pages. */
static uint64_t page_size(const CommandLine *line, const MemoryRequest *request, bool *ret_huge)
{
        const MemoryBacking *backing = line->definition->memory_backing;
        const Hugepage *usual = NULL;

        *ret_huge = true;
        if (request->device && request->device->source_page_kib > 0)
                return request->device->source_page_kib;
        *ret_huge = backing && backing->hugepages;
        if (!*ret_huge)
                return 0;
        LIST_FOREACH (page, backing->pages) {
                if (!page->nodeset)
                        usual = page;
                else if (request->has_cell ? cpuset_has(page->nodeset, request->cell)
                                           : cpuset_has(page->nodeset, 0))
                        return page->size_kib;
        }
        /* Cells that no size is for have ordinary pages. */
        *ret_huge = usual || backing->pages.count == 0;
        return usual ? usual->size_kib : 0;
}

static NumaAccess access_of(const CommandLine *line, const MemoryRequest *request)
{
        const MemoryBacking *backing = line->definition->memory_backing;

        if (request->device && request->device->access != MEMORY_ACCESS_DEFAULT)
                return request->device->access == MEMORY_SHARED ? NUMA_SHARED : NUMA_PRIVATE;
        if (request->access != NUMA_ACCESS_DEFAULT || !backing || backing->access == BACKING_ACCESS_ABSENT)
                return request->access;
        return backing->access == BACKING_SHARED ? NUMA_SHARED : NUMA_PRIVATE;
}

/* "0-1,3" as an array of numbers. */
static json_t *numbers(const char *set)
{
        json_t *array = json_array();

        for (unsigned i = 0; i <= CPUSET_MAX; i++) {
                if (cpuset_has(set, i))
                        json_array_append_new(array, json_integer(i));
        }
        return array;
}

/* Where on the host: what the device says, or the cell, or the machine. */
static void set_nodes(const CommandLine *line, const MemoryRequest *request, json_t *object)
{
        static const char *const policies[] = { [NUMATUNE_STRICT] = "bind",
                                                [NUMATUNE_PREFERRED] = "preferred",
                                                [NUMATUNE_INTERLEAVE] = "interleave" };
        const Numatune *tune = line->definition->numatune;
        const NumatuneMemory *memory = tune ? tune->memory : NULL;
        NumatuneMode mode = memory && memory->mode ? memory->mode : NUMATUNE_STRICT;
        const char *set = memory && memory->placement != PLACEMENT_AUTO ? memory->nodeset : NULL;

        if (tune && request->has_cell)
                LIST_FOREACH (node, tune->nodes) {
                        if (node->cell_id != request->cell)
                                continue;
                        mode = node->mode ? node->mode : NUMATUNE_STRICT;
                        set = node->nodeset;
                }
        if (request->device && request->device->source_nodemask)
                set = request->device->source_nodemask;
        if (!set || !*set || mode == NUMATUNE_RESTRICTIVE)
                return;
        json_object_set_new(object, "host-nodes", numbers(set));
        json_set_string(object, "policy", policies[mode]);
}

/* The file of a device, or the folder in which QEMU makes one that has no name. NULL: it is made of no file;
 * the caller frees.
 */
static char *file_path(const CommandLine *line, const MemoryRequest *request, bool is_huge)
{
        const MemoryBacking *backing = line->definition->memory_backing;

        if (request->device && request->device->source_path)
                return g_strdup(request->device->source_path);
        if (!is_huge && backing && backing->source == BACKING_FILE)
                return g_strdup(line->host.memory_folder);
        return NULL;
}

static int check(const MemoryRequest *request, Error *error)
{
        const DomainMemory *device = request->device;

        if (device && !device->source_path &&
            (device->model == MEMORY_MODEL_NVDIMM || device->model == MEMORY_MODEL_VIRTIO_PMEM))
                return error_set(error, ERROR_INVALID_XML,
                                 "Memory %s needs the <path> of a file in its <source>", device->info.alias);
        return 0;
}

static void set_file(const MemoryRequest *request, const char *path, json_t *object)
{
        const DomainMemory *device = request->device;

        json_set_string(object, "mem-path", path);
        if (!device)
                return;
        json_set_number(object, "align", device->align_kib * 1024);
        if (device->pmem)
                json_set_bool(object, "pmem", true);
        if (device->readonly)
                json_set_bool(object, "readonly", true);
}

int memory_backend(CommandLine *line, const MemoryRequest *request, Error *error)
{
        const MemoryBacking *backing = line->definition->memory_backing;
        const DomainMemory *device = request->device;
        NumaAccess access = access_of(line, request);
        json_t *object;
        bool is_huge, is_memfd, is_epc = device && device->model == MEMORY_MODEL_SGX_EPC;
        uint64_t page_kib = page_size(line, request, &is_huge);
        _cleanup_(freep) char *path = file_path(line, request, is_huge);
        YesNo discard = request->discard != YES_NO_ABSENT ? request->discard
                        : backing && backing->discard     ? YES
                                                          : YES_NO_ABSENT;
        int r = check(request, error);

        if (r < 0)
                return r;
        object = json_object();
        /* What others map must have a descriptor. */
        is_memfd = !path && !is_epc &&
                   (is_huge || access == NUMA_SHARED || (backing && backing->source == BACKING_MEMFD));
        json_set_string(object, "qom-type",
                        is_epc     ? "memory-backend-epc"
                        : path     ? "memory-backend-file"
                        : is_memfd ? "memory-backend-memfd"
                                   : "memory-backend-ram");
        json_set_string(object, "id", request->id);
        json_set_number(object, "size", request->size);
        if (path)
                set_file(request, path, object);
        if (path && discard != YES_NO_ABSENT)
                json_set_bool(object, "discard-data", discard == YES);
        if (path || is_memfd)
                json_set_bool(object, "share", access == NUMA_SHARED);
        /* The name under which migration knows it does not depend on what it is made of. */
        if ((path || is_memfd) && strcmp(request->id, MAIN_ID) == 0)
                json_set_bool(object, "x-use-canonical-path-for-ramblock-id", false);
        if (is_memfd && is_huge) {
                json_set_bool(object, "hugetlb", true);
                json_set_number(object, "hugetlbsize", page_kib * 1024);
        }
        if (device && device->model == MEMORY_MODEL_VIRTIO_MEM)
                json_set_bool(object, "reserve", false); /* it is there when the guest asks for it */
        /* Pages that are missing are noticed at the start, not when the guest first touches them. */
        else if (is_huge || is_epc || (backing && backing->allocation == BACKING_IMMEDIATE) ||
                 (device && device->source_path && !device->pmem)) {
                json_set_bool(object, "prealloc", true);
                json_set_number(object, "prealloc-threads", backing ? backing->allocation_threads : 0);
        }
        set_nodes(line, request, object);
        command_add_json(line, "-object", object);
        return 0;
}

bool memory_is_shared(const DomainDefinition *definition)
{
        const MemoryBacking *backing = definition->memory_backing;
        bool is_shared = backing && backing->access == BACKING_SHARED;

        if (!definition->cpu || definition->cpu->numa_cells.count == 0)
                return is_shared;
        LIST_FOREACH (cell, definition->cpu->numa_cells) {
                if (cell->access == NUMA_PRIVATE || (cell->access == NUMA_ACCESS_DEFAULT && !is_shared))
                        return false;
        }
        return true;
}
