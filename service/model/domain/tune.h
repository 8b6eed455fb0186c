/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the host grants: memory backing, limits, pinning, NUMA placement, cgroups. */

#include "model/table.h"

#define BACKING_SOURCES(E)                                                                                  \
        E(BACKING_SOURCE_ABSENT, NULL)                                                                      \
        E(BACKING_FILE, "file") E(BACKING_ANONYMOUS, "anonymous") E(BACKING_MEMFD, "memfd")
DECLARE_ENUM(BackingSource, backing_source, BACKING_SOURCES)
#define BACKING_ACCESSES(E)                                                                                 \
        E(BACKING_ACCESS_ABSENT, NULL) E(BACKING_SHARED, "shared") E(BACKING_PRIVATE, "private")
DECLARE_ENUM(BackingAccess, backing_access, BACKING_ACCESSES)
#define BACKING_ALLOCATIONS(E)                                                                              \
        E(BACKING_ALLOCATION_ABSENT, NULL)                                                                  \
        E(BACKING_IMMEDIATE, "immediate") E(BACKING_ONDEMAND, "ondeman"                                     \
                                                              "d")
DECLARE_ENUM(BackingAllocation, backing_allocation, BACKING_ALLOCATIONS)

typedef struct Hugepage {
        uint64_t size_kib;
        char *nodeset;
} Hugepage;

typedef struct MemoryBacking {
        bool hugepages, nosharepages, locked, discard;
        BackingSource source;
        BackingAccess access;
        BackingAllocation allocation;
        uint32_t allocation_threads;
        LIST(Hugepage) pages;
} MemoryBacking;

typedef struct BlkioDevice {
        char *path;
        uint32_t weight;
        uint32_t read_iops_sec, write_iops_sec;
        uint64_t read_bytes_sec, write_bytes_sec;
} BlkioDevice;

typedef struct BlkioTune {
        uint32_t weight;
        LIST(BlkioDevice) devices;
} BlkioTune;

typedef struct MemoryTune {
        uint64_t hard_limit_kib, soft_limit_kib, min_guarantee_kib, swap_hard_limit_kib;
        bool has_hard_limit, has_soft_limit, has_min_guarantee, has_swap_hard_limit;
} MemoryTune;

typedef struct VcpuPin {
        uint32_t vcpu;
        char *cpuset;
} VcpuPin;

typedef struct IothreadPin {
        uint32_t iothread;
        char *cpuset;
} IothreadPin;

#define SCHEDULERS(E)                                                                                       \
        E(SCHEDULER_ABSENT, NULL)                                                                           \
        E(SCHEDULER_OTHER, "other")                                                                         \
        E(SCHEDULER_BATCH, "batch") E(SCHEDULER_IDLE, "idle") E(SCHEDULER_FIFO, "fifo")                     \
                E(SCHEDULER_RR, "rr")
DECLARE_ENUM(SchedulerType, scheduler_type, SCHEDULERS)

typedef struct VcpuScheduler {
        char *vcpus;
        SchedulerType scheduler;
        bool has_priority;
        int32_t priority;
} VcpuScheduler;

typedef struct IothreadScheduler {
        char *iothreads;
        SchedulerType scheduler;
        bool has_priority;
        int32_t priority;
} IothreadScheduler;

typedef struct CacheAllocation {
        uint32_t id, level;
        char *type; /* "both", "code", "data" */
        uint64_t size_kib;
} CacheAllocation;

typedef struct CacheMonitor {
        uint32_t level;
        char *vcpus;
} CacheMonitor;

typedef struct CacheTune {
        char *vcpus, *id;
        LIST(CacheAllocation) caches;
        LIST(CacheMonitor) monitors;
} CacheTune;

typedef struct MemoryBandwidthNode {
        uint32_t id, bandwidth;
} MemoryBandwidthNode;

typedef struct MemoryBandwidthMonitor {
        char *vcpus;
} MemoryBandwidthMonitor;

typedef struct MemoryBandwidthTune {
        char *vcpus, *id;
        LIST(MemoryBandwidthNode) nodes;
        LIST(MemoryBandwidthMonitor) monitors;
} MemoryBandwidthTune;

typedef struct CpuTune {
        uint64_t shares, period_usec, global_period_usec, emulator_period_usec, iothread_period_usec;
        int64_t quota_usec, global_quota_usec, emulator_quota_usec, iothread_quota_usec;
        LIST(VcpuPin) vcpupins;
        char *emulatorpin;
        LIST(IothreadPin) iothreadpins;
        LIST(VcpuScheduler) vcpuscheds;
        LIST(IothreadScheduler) iothreadscheds;
        SchedulerType emulatorsched;
        bool has_emulatorsched_priority;
        int32_t emulatorsched_priority;
        LIST(CacheTune) cachetunes;
        LIST(MemoryBandwidthTune) memorytunes;
} CpuTune;

#define NUMATUNE_MODES(E)                                                                                   \
        E(NUMATUNE_MODE_ABSENT, NULL)                                                                       \
        E(NUMATUNE_STRICT, "strict")                                                                        \
        E(NUMATUNE_PREFERRED, "preferred") E(NUMATUNE_INTERLEAVE, "interleave")                             \
                E(NUMATUNE_RESTRICTIVE, "restrictive")
DECLARE_ENUM(NumatuneMode, numatune_mode, NUMATUNE_MODES)

#define PLACEMENTS(E) E(PLACEMENT_ABSENT, NULL) E(PLACEMENT_STATIC, "static") E(PLACEMENT_AUTO, "auto")
DECLARE_ENUM(Placement, placement, PLACEMENTS)

typedef struct NumatuneMemory {
        NumatuneMode mode;
        Placement placement;
        char *nodeset;
} NumatuneMemory;

typedef struct NumatuneNode {
        uint32_t cell_id;
        NumatuneMode mode;
        char *nodeset;
} NumatuneNode;

typedef struct Numatune {
        NumatuneMemory *memory;
        LIST(NumatuneNode) nodes;
} Numatune;

extern const StructType memory_backing_type, blkio_tune_type, memory_tune_type, cpu_tune_type, numatune_type;
