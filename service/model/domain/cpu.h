/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/table.h"

#define CPU_MODES(E)                                                                                        \
        E(CPU_MODE_ABSENT, NULL)                                                                            \
        E(CPU_MODE_CUSTOM, "custom")                                                                        \
        E(CPU_MODE_HOST_MODEL, "host-model")                                                                \
        E(CPU_MODE_HOST_PASSTHROUGH, "host-passthrough")                                                    \
        E(CPU_MODE_MAXIMUM, "maximum")
DECLARE_ENUM(CpuMode, cpu_mode, CPU_MODES)

#define CPU_MATCHES(E)                                                                                      \
        E(CPU_MATCH_ABSENT, NULL)                                                                           \
        E(CPU_MATCH_EXACT, "exact") E(CPU_MATCH_MINIMUM, "minimum") E(CPU_MATCH_STRICT, "strict")
DECLARE_ENUM(CpuMatch, cpu_match, CPU_MATCHES)

#define CPU_CHECKS(E)                                                                                       \
        E(CPU_CHECK_ABSENT, NULL)                                                                           \
        E(CPU_CHECK_NONE, "none") E(CPU_CHECK_PARTIAL, "partial") E(CPU_CHECK_FULL, "full")
DECLARE_ENUM(CpuCheck, cpu_check, CPU_CHECKS)

#define CPU_FALLBACKS(E)                                                                                    \
        E(CPU_FALLBACK_ABSENT, NULL) E(CPU_FALLBACK_ALLOW, "allow") E(CPU_FALLBACK_FORBID, "forbid")
DECLARE_ENUM(CpuFallback, cpu_fallback, CPU_FALLBACKS)

#define CPU_POLICIES(E)                                                                                     \
        E(CPU_POLICY_ABSENT, NULL)                                                                          \
        E(CPU_POLICY_FORCE, "force")                                                                        \
        E(CPU_POLICY_REQUIRE, "require")                                                                    \
        E(CPU_POLICY_OPTIONAL, "optional") E(CPU_POLICY_DISABLE, "disable") E(CPU_POLICY_FORBID, "forbid")
DECLARE_ENUM(CpuPolicy, cpu_policy, CPU_POLICIES)

#define CPU_CACHES(E)                                                                                       \
        E(CPU_CACHE_ABSENT, NULL)                                                                           \
        E(CPU_CACHE_EMULATE, "emulate")                                                                     \
        E(CPU_CACHE_PASSTHROUGH, "passthrough") E(CPU_CACHE_DISABLE, "disable")
DECLARE_ENUM(CpuCacheMode, cpu_cache_mode, CPU_CACHES)

#define CPU_MAXPHYSADDRS(E)                                                                                 \
        E(CPU_MAXPHYSADDR_ABSENT, NULL)                                                                     \
        E(CPU_MAXPHYSADDR_EMULATE, "emulate") E(CPU_MAXPHYSADDR_PASSTHROUGH, "passthrough")
DECLARE_ENUM(CpuMaxphysaddrMode, cpu_maxphysaddr_mode, CPU_MAXPHYSADDRS)

typedef struct CpuFeature {
        CpuPolicy policy;
        char *name;
} CpuFeature;

typedef struct CpuTopology {
        uint32_t sockets, dies, clusters, cores, threads;
} CpuTopology;

typedef struct CpuCache {
        CpuCacheMode mode;
        bool has_level;
        uint32_t level;
} CpuCache;

typedef struct CpuMaxphysaddr {
        CpuMaxphysaddrMode mode;
        uint32_t bits, limit;
} CpuMaxphysaddr;

typedef struct NumaDistance {
        uint32_t id, value;
} NumaDistance;

#define NUMA_CACHE_ASSOCIATIVITIES(E)                                                                       \
        E(NUMA_CACHE_ASSOCIATIVITY_ABSENT, NULL)                                                            \
        E(NUMA_CACHE_ASSOCIATIVITY_NONE, "none") E(NUMA_CACHE_DIRECT, "direct") E(NUMA_CACHE_FULL, "full")
DECLARE_ENUM(NumaCacheAssociativity, numa_cache_associativity, NUMA_CACHE_ASSOCIATIVITIES)

#define NUMA_CACHE_POLICIES(E)                                                                              \
        E(NUMA_CACHE_POLICY_ABSENT, NULL)                                                                   \
        E(NUMA_CACHE_POLICY_NONE, "none")                                                                   \
        E(NUMA_CACHE_WRITEBACK, "writeback") E(NUMA_CACHE_WRITETHROUGH, "writethrough")
DECLARE_ENUM(NumaCachePolicy, numa_cache_policy, NUMA_CACHE_POLICIES)

typedef struct NumaCache {
        NumaCacheAssociativity associativity;
        NumaCachePolicy policy;
        uint32_t level;
        uint64_t size_kib, line_bytes;
} NumaCache;

#define NUMA_ACCESSES(E) E(NUMA_ACCESS_DEFAULT, NULL) E(NUMA_SHARED, "shared") E(NUMA_PRIVATE, "private")
DECLARE_ENUM(NumaAccess, numa_access, NUMA_ACCESSES)

typedef struct NumaCell {
        YesNo discard;
        NumaAccess access;
        bool has_id;
        uint32_t id;
        uint64_t memory_kib;
        char *cpus; /* model/cpuset.h */
        LIST(NumaDistance) distances;
        LIST(NumaCache) caches;
} NumaCell;

#define NUMA_INTERCONNECTS(E)                                                                               \
        E(NUMA_INTERCONNECT_ABSENT, NULL)                                                                   \
        E(NUMA_ACCESS, "access") E(NUMA_READ, "read") E(NUMA_WRITE, "write")
DECLARE_ENUM(NumaInterconnectType, numa_interconnect_type, NUMA_INTERCONNECTS)

typedef struct NumaLatency {
        NumaInterconnectType type;
        bool has_cache;
        uint32_t initiator, target, cache;
        uint64_t value;
} NumaLatency;

typedef struct NumaBandwidth {
        NumaInterconnectType type;
        bool has_cache;
        uint32_t initiator, target, cache;
        uint64_t value_kib;
} NumaBandwidth;

typedef struct DomainCpu {
        CpuMode mode;
        CpuMatch match;
        CpuCheck check;
        OnOff migratable;
        CpuFallback fallback;
        char *arch; /* of host CPUs (CompareCPU, BaselineCPU) */
        char *model, *vendor, *vendor_id;
        CpuTopology *topology;
        CpuCache *cache;
        CpuMaxphysaddr *maxphysaddr;
        LIST(CpuFeature) features;
        LIST(NumaCell) numa_cells;
        LIST(NumaLatency) numa_latencies;
        LIST(NumaBandwidth) numa_bandwidths;
} DomainCpu;
extern const StructType domain_cpu_type;
