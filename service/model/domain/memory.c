/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory that is plugged in (<memory>) or shared with others (<shmem>). The sizes of <memory> are part of
 * the machine's total. */

#include "model/domain/misc.h"
#include <inttypes.h>

DEFINE_ENUM(memory_model, MEMORY_MODELS);
DEFINE_ENUM(memory_access, MEMORY_ACCESSES);
DEFINE_ENUM(shmem_model, SHMEM_MODELS);
DEFINE_ENUM(shmem_role, SHMEM_ROLES);

#define FILE_BACKED (BIT(MEMORY_MODEL_NVDIMM) | BIT(MEMORY_MODEL_VIRTIO_PMEM))
#define NODE_BACKED (BIT(MEMORY_MODEL_DIMM) | BIT(MEMORY_MODEL_VIRTIO_MEM))

#define THIS DomainMemory
static const Field domain_memory_fields[] = {
        ENUM("@model", model, memory_model, .flags = FIELD_REQUIRED),
        ENUM("@access", access, memory_access),
        YESNO("@discard", discard),
        UUID("uuid", uuid, WHEN(model, FILE_BACKED)),
        CPUSET("source/nodemask", source_nodemask, WHEN(model, NODE_BACKED | BIT(MEMORY_MODEL_SGX_EPC))),
        SIZE_KIB("source/pagesize", source_page_kib, WHEN(model, NODE_BACKED)),
        STRING("source/path", source_path, WHEN(model, FILE_BACKED)),
        SIZE_KIB("source/alignsize", align_kib, WHEN(model, BIT(MEMORY_MODEL_NVDIMM))),
        FLAG("source/pmem", pmem, WHEN(model, BIT(MEMORY_MODEL_NVDIMM))),
        SIZE_KIB("target/size", size_kib, .flags = FIELD_REQUIRED | FIELD_ROUND_UP),
        OPTIONAL_UNSIGNED("target/node", node),
        SIZE_KIB("target/label/size", label_kib, .flags = FIELD_ROUND_UP,
                 WHEN(model, BIT(MEMORY_MODEL_NVDIMM))),
        FLAG("target/readonly", readonly, WHEN(model, BIT(MEMORY_MODEL_NVDIMM))),
        SIZE_KIB("target/block", block_kib, WHEN(model, BIT(MEMORY_MODEL_VIRTIO_MEM))),
        SIZE_KIB("target/requested", requested_kib, .flags = FIELD_ALWAYS,
                 WHEN(model, BIT(MEMORY_MODEL_VIRTIO_MEM))),
        SIZE_KIB("target/current", current_kib, .flags = FIELD_LIVE,
                 WHEN(model, BIT(MEMORY_MODEL_VIRTIO_MEM))),
        INLINE("", info, device_info),
};
#undef THIS

static int check_nvdimm(const DomainMemory *memory, Error *error)
{
        if (!memory->source_path)
                return error_set(error, ERROR_INVALID_XML, "Memory of model 'nvdimm' needs source/path");
        if (memory->discard == YES)
                return error_set(error, ERROR_INVALID_XML, "Memory of model 'nvdimm' cannot be discarded");
        if (memory->label_kib > 0 && memory->label_kib < 128)
                return error_set(error, ERROR_INVALID_XML, "The label of an nvdimm takes 128 KiB at least");
        if (memory->label_kib >= memory->size_kib)
                return error_set(error, ERROR_INVALID_XML,
                                 "The label of an nvdimm must be smaller than the nvdimm");
        return 0;
}

static int check_virtio_mem(const DomainMemory *memory, Error *error)
{
        uint64_t block_kib = memory->block_kib;

        if (memory->requested_kib > memory->size_kib)
                return error_set(error, ERROR_INVALID_XML,
                                 "Of virtio-mem of %" PRIu64 " KiB, %" PRIu64 " KiB cannot be requested",
                                 memory->size_kib, memory->requested_kib);
        if (block_kib > 0 && (block_kib & (block_kib - 1)) != 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "The block size of virtio-mem must be a power of two");
        if (block_kib > 0 && (memory->requested_kib % block_kib != 0 || memory->size_kib % block_kib != 0))
                return error_set(error, ERROR_INVALID_XML,
                                 "Sizes of virtio-mem must be multiples of its block size");
        return 0;
}

static int check_memory(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        const DomainMemory *memory = object;

        if (memory->size_kib == 0)
                return error_set(error, ERROR_INVALID_XML, "A memory device needs a size above 0");
        switch (memory->model) {
        case MEMORY_MODEL_NVDIMM:
                return check_nvdimm(memory, error);
        case MEMORY_MODEL_VIRTIO_PMEM:
                if (!memory->source_path)
                        return error_set(error, ERROR_INVALID_XML,
                                         "Memory of model 'virtio-pmem' needs source/path");
                if (memory->access != MEMORY_SHARED || memory->has_node)
                        return error_set(error, ERROR_INVALID_XML,
                                         "Memory of model 'virtio-pmem' has access 'shared' and no node");
                return 0;
        case MEMORY_MODEL_VIRTIO_MEM:
                return check_virtio_mem(memory, error);
        default:
                return 0;
        }
}
DEFINE_STRUCT(domain_memory, DomainMemory, .check = check_memory);

#define THIS DomainShmem
static const Field domain_shmem_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        ENUM("@role", role, shmem_role),
        ENUM("model/@type", model, shmem_model),
        SIZE_MIB("size", size_mib, .flags = FIELD_ROUND_UP),
        FLAG("server", has_server),
        STRING("server/@path", server_path),
        FLAG("msi", has_msi),
        UNSIGNED("msi/@vectors", msi_vectors),
        ONOFF("msi/@ioeventfd", msi_ioeventfd),
        INLINE("", info, device_info),
};
#undef THIS

static int check_shmem(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        const DomainShmem *shmem = object;

        /* The name becomes a file's in /dev/shm. */
        if (strchr(shmem->name, '/') || g_str_equal(shmem->name, ".") || g_str_equal(shmem->name, ".."))
                return error_set(error, ERROR_INVALID_XML, "A shared memory cannot be called '%s'",
                                 shmem->name);
        if (shmem->has_msi && !shmem->has_server)
                return error_set(error, ERROR_INVALID_XML, "Shared memory '%s': msi needs a server",
                                 shmem->name);
        if (shmem->size_mib > 0 && (shmem->size_mib & (shmem->size_mib - 1)) != 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "Shared memory '%s': its size must be a power of two", shmem->name);
        return 0;
}
DEFINE_STRUCT(domain_shmem, DomainShmem, .check = check_shmem);
