/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the host grants. The guest sees nothing of most of it. */

#include "model/domain/tune.h"

DEFINE_ENUM(backing_source, BACKING_SOURCES);
DEFINE_ENUM(backing_access, BACKING_ACCESSES);
DEFINE_ENUM(backing_allocation, BACKING_ALLOCATIONS);
DEFINE_ENUM(scheduler_type, SCHEDULERS);
DEFINE_ENUM(numatune_mode, NUMATUNE_MODES);
DEFINE_ENUM(placement, PLACEMENTS);

#define THIS Hugepage
static const Field hugepage_fields[] = {
        SIZE_KIB("@size", size_kib, .flags = FIELD_REQUIRED),
        CPUSET("@nodeset", nodeset),
};
#undef THIS
static DEFINE_STRUCT(hugepage, Hugepage);

#define THIS MemoryBacking
static const Field memory_backing_fields[] = {
        FLAG("hugepages", hugepages),
        ITEMS("hugepages/page", pages, hugepage),
        FLAG("nosharepages", nosharepages),
        FLAG("locked", locked),
        ENUM("source/@type", source, backing_source),
        ENUM("access/@mode", access, backing_access),
        ENUM("allocation/@mode", allocation, backing_allocation),
        UNSIGNED("allocation/@threads", allocation_threads),
        FLAG("discard", discard),
};
#undef THIS
DEFINE_STRUCT(memory_backing, MemoryBacking);

#define THIS BlkioDevice
static const Field blkio_device_fields[] = {
        STRING("path", path, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        UNSIGNED("weight", weight),
        UNSIGNED("read_iops_sec", read_iops_sec),
        UNSIGNED("write_iops_sec", write_iops_sec),
        UNSIGNED("read_bytes_sec", read_bytes_sec),
        UNSIGNED("write_bytes_sec", write_bytes_sec),
};
#undef THIS
static DEFINE_STRUCT(blkio_device, BlkioDevice);

#define THIS BlkioTune
static const Field blkio_tune_fields[] = {
        UNSIGNED("weight", weight),
        ITEMS("device", devices, blkio_device),
};
#undef THIS
DEFINE_STRUCT(blkio_tune, BlkioTune);

#define LIMIT(path, member, has)                                                                            \
        FIELD_(FIELD_SIZE, path, member, .scale = 1024, .has_offset = offsetof(THIS, has),                  \
               .flags = FIELD_ROUND_UP)
#define THIS MemoryTune
static const Field memory_tune_fields[] = {
        LIMIT("hard_limit", hard_limit_kib, has_hard_limit),
        LIMIT("soft_limit", soft_limit_kib, has_soft_limit),
        LIMIT("min_guarantee", min_guarantee_kib, has_min_guarantee),
        LIMIT("swap_hard_limit", swap_hard_limit_kib, has_swap_hard_limit),
};
#undef THIS
DEFINE_STRUCT(memory_tune, MemoryTune);

#define THIS VcpuPin
static const Field vcpu_pin_fields[] = {
        UNSIGNED("@vcpu", vcpu, .flags = FIELD_REQUIRED),
        CPUSET("@cpuset", cpuset, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
};
#undef THIS
static DEFINE_STRUCT(vcpu_pin, VcpuPin);

#define THIS IothreadPin
static const Field iothread_pin_fields[] = {
        UNSIGNED("@iothread", iothread, .flags = FIELD_REQUIRED),
        CPUSET("@cpuset", cpuset, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
};
#undef THIS
static DEFINE_STRUCT(iothread_pin, IothreadPin);

#define THIS VcpuScheduler
static const Field vcpu_scheduler_fields[] = {
        CPUSET("@vcpus", vcpus, .flags = FIELD_REQUIRED),
        ENUM("@scheduler", scheduler, scheduler_type, .flags = FIELD_REQUIRED),
        OPTIONAL_SIGNED("@priority", priority),
};
#undef THIS
static DEFINE_STRUCT(vcpu_scheduler, VcpuScheduler);

#define THIS IothreadScheduler
static const Field iothread_scheduler_fields[] = {
        CPUSET("@iothreads", iothreads, .flags = FIELD_REQUIRED),
        ENUM("@scheduler", scheduler, scheduler_type, .flags = FIELD_REQUIRED),
        OPTIONAL_SIGNED("@priority", priority),
};
#undef THIS
static DEFINE_STRUCT(iothread_scheduler, IothreadScheduler);

#define THIS CacheAllocation
static const Field cache_allocation_fields[] = {
        UNSIGNED("@id", id, .flags = FIELD_REQUIRED),
        UNSIGNED("@level", level, .flags = FIELD_REQUIRED),
        STRING("@type", type, .flags = FIELD_REQUIRED),
        SIZE_KIB("@size", size_kib, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(cache_allocation, CacheAllocation);

#define THIS CacheMonitor
static const Field cache_monitor_fields[] = {
        UNSIGNED("@level", level, .flags = FIELD_REQUIRED),
        CPUSET("@vcpus", vcpus, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(cache_monitor, CacheMonitor);

#define THIS CacheTune
static const Field cache_tune_fields[] = {
        CPUSET("@vcpus", vcpus, .flags = FIELD_REQUIRED),
        STRING("@id", id, .flags = FIELD_LIVE),
        ITEMS("cache", caches, cache_allocation),
        ITEMS("monitor", monitors, cache_monitor),
};
#undef THIS
static DEFINE_STRUCT(cache_tune, CacheTune);

#define THIS MemoryBandwidthNode
static const Field memory_bandwidth_node_fields[] = {
        UNSIGNED("@id", id, .flags = FIELD_REQUIRED),
        UNSIGNED("@bandwidth", bandwidth, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(memory_bandwidth_node, MemoryBandwidthNode);

#define THIS MemoryBandwidthMonitor
static const Field memory_bandwidth_monitor_fields[] = { CPUSET("@vcpus", vcpus, .flags = FIELD_REQUIRED) };
#undef THIS
static DEFINE_STRUCT(memory_bandwidth_monitor, MemoryBandwidthMonitor);

#define THIS MemoryBandwidthTune
static const Field memory_bandwidth_tune_fields[] = {
        CPUSET("@vcpus", vcpus, .flags = FIELD_REQUIRED),
        STRING("@id", id, .flags = FIELD_LIVE),
        ITEMS("node", nodes, memory_bandwidth_node),
        ITEMS("monitor", monitors, memory_bandwidth_monitor),
};
#undef THIS
static DEFINE_STRUCT(memory_bandwidth_tune, MemoryBandwidthTune);

#define THIS CpuTune
static const Field cpu_tune_fields[] = {
        UNSIGNED("shares", shares),
        UNSIGNED("period", period_usec),
        SIGNED("quota", quota_usec),
        UNSIGNED("global_period", global_period_usec),
        SIGNED("global_quota", global_quota_usec),
        UNSIGNED("emulator_period", emulator_period_usec),
        SIGNED("emulator_quota", emulator_quota_usec),
        UNSIGNED("iothread_period", iothread_period_usec),
        SIGNED("iothread_quota", iothread_quota_usec),
        ITEMS("vcpupin", vcpupins, vcpu_pin),
        CPUSET("emulatorpin/@cpuset", emulatorpin),
        ITEMS("iothreadpin", iothreadpins, iothread_pin),
        ENUM("emulatorsched/@scheduler", emulatorsched, scheduler_type),
        SIGNED("emulatorsched/@priority", emulatorsched_priority,
               .has_offset = offsetof(THIS, has_emulatorsched_priority)),
        ITEMS("vcpusched", vcpuscheds, vcpu_scheduler),
        ITEMS("iothreadsched", iothreadscheds, iothread_scheduler),
        ITEMS("cachetune", cachetunes, cache_tune),
        ITEMS("memorytune", memorytunes, memory_bandwidth_tune),
};
#undef THIS
DEFINE_STRUCT(cpu_tune, CpuTune);

#define THIS NumatuneMemory
static const Field numatune_memory_fields[] = {
        ENUM("@mode", mode, numatune_mode),
        CPUSET("@nodeset", nodeset, .flags = FIELD_EMPTY_WORD),
        ENUM("@placement", placement, placement),
};
#undef THIS
static DEFINE_STRUCT(numatune_memory, NumatuneMemory);

#define THIS NumatuneNode
static const Field numatune_node_fields[] = {
        UNSIGNED("@cellid", cell_id, .flags = FIELD_REQUIRED),
        ENUM("@mode", mode, numatune_mode),
        CPUSET("@nodeset", nodeset, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(numatune_node, NumatuneNode);

#define THIS Numatune
static const Field numatune_fields[] = {
        STRUCT("memory", memory, numatune_memory),
        ITEMS("memnode", nodes, numatune_node),
};
#undef THIS
DEFINE_STRUCT(numatune, Numatune);
