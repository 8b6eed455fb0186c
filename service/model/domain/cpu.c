/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <cpu>. */

#include "model/domain/cpu.h"

DEFINE_ENUM(cpu_mode, CPU_MODES);
DEFINE_ENUM(cpu_match, CPU_MATCHES);
DEFINE_ENUM(cpu_check, CPU_CHECKS);
DEFINE_ENUM(cpu_fallback, CPU_FALLBACKS);
DEFINE_ENUM(cpu_policy, CPU_POLICIES);
DEFINE_ENUM(cpu_cache_mode, CPU_CACHES);
DEFINE_ENUM(cpu_maxphysaddr_mode, CPU_MAXPHYSADDRS);
DEFINE_ENUM(numa_cache_associativity, NUMA_CACHE_ASSOCIATIVITIES);
DEFINE_ENUM(numa_cache_policy, NUMA_CACHE_POLICIES);
DEFINE_ENUM(numa_access, NUMA_ACCESSES);
DEFINE_ENUM(numa_interconnect_type, NUMA_INTERCONNECTS);

#define THIS CpuFeature
static const Field cpu_feature_fields[] = {
        ENUM("@policy", policy, cpu_policy),
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
};
#undef THIS
static DEFINE_STRUCT(cpu_feature, CpuFeature);

#define THIS CpuTopology
static const Field cpu_topology_fields[] = {
        UNSIGNED("@sockets", sockets, .flags = FIELD_REQUIRED),
        UNSIGNED("@dies", dies, .initial = 1, .flags = FIELD_ALWAYS),
        UNSIGNED("@clusters", clusters),
        UNSIGNED("@cores", cores, .flags = FIELD_REQUIRED),
        UNSIGNED("@threads", threads, .flags = FIELD_REQUIRED),
};
#undef THIS

static int topology_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const CpuTopology *topology = object;

        (void)flags;
        if (topology->sockets && topology->dies && topology->cores && topology->threads)
                return 0;
        return error_set(error, ERROR_INVALID_XML,
                         "line %u: <topology>: sockets, dies, cores and threads are at least 1 each",
                         node ? node->line : 0);
}

static DEFINE_STRUCT(cpu_topology, CpuTopology, .check = topology_check);

#define THIS CpuCache
static const Field cpu_cache_fields[] = {
        OPTIONAL_UNSIGNED("@level", level),
        ENUM("@mode", mode, cpu_cache_mode, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(cpu_cache, CpuCache);

#define THIS CpuMaxphysaddr
static const Field cpu_maxphysaddr_fields[] = {
        ENUM("@mode", mode, cpu_maxphysaddr_mode, .flags = FIELD_REQUIRED),
        UNSIGNED("@bits", bits),
        UNSIGNED("@limit", limit),
};
#undef THIS
static DEFINE_STRUCT(cpu_maxphysaddr, CpuMaxphysaddr);

/* ACPI's SLIT: 10 is local, 255 out of reach. */
static int numa_distance_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const NumaDistance *distance = object;

        (void)flags;
        if (distance->value < 10 || distance->value > 255)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <sibling>: the distance %u is not in 10 ... 255",
                                 node ? node->line : 0, distance->value);
        return 0;
}

#define THIS NumaDistance
static const Field numa_distance_fields[] = {
        UNSIGNED("@id", id, .flags = FIELD_REQUIRED),
        UNSIGNED("@value", value, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(numa_distance, NumaDistance, .check = numa_distance_check);

#define THIS NumaCache
static const Field numa_cache_fields[] = {
        UNSIGNED("@level", level, .flags = FIELD_REQUIRED),
        ENUM("@associativity", associativity, numa_cache_associativity, .flags = FIELD_REQUIRED),
        ENUM("@policy", policy, numa_cache_policy, .flags = FIELD_REQUIRED),
        SIZE_KIB("size/@value", size_kib),
        SIZE_BYTES("line/@value", line_bytes),
};
#undef THIS
static DEFINE_STRUCT(numa_cache, NumaCache);

#define THIS NumaCell
static const Field numa_cell_fields[] = {
        UNSIGNED("@id", id, .has_offset = offsetof(THIS, has_id)),
        CPUSET("@cpus", cpus),
        SIZE_KIB("@memory", memory_kib, .flags = FIELD_REQUIRED | FIELD_ROUND_UP | FIELD_ALWAYS),
        ENUM("@memAccess", access, numa_access),
        YESNO("@discard", discard),
        ITEMS("distances/sibling", distances, numa_distance),
        ITEMS("cache", caches, numa_cache),
};
#undef THIS
static DEFINE_STRUCT(numa_cell, NumaCell);

#define THIS NumaLatency
static const Field numa_latency_fields[] = {
        UNSIGNED("@initiator", initiator, .flags = FIELD_REQUIRED),
        UNSIGNED("@target", target, .flags = FIELD_REQUIRED),
        UNSIGNED("@cache", cache, .has_offset = offsetof(THIS, has_cache)),
        ENUM("@type", type, numa_interconnect_type, .flags = FIELD_REQUIRED),
        UNSIGNED("@value", value, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(numa_latency, NumaLatency);

#define THIS NumaBandwidth
static const Field numa_bandwidth_fields[] = {
        UNSIGNED("@initiator", initiator, .flags = FIELD_REQUIRED),
        UNSIGNED("@target", target, .flags = FIELD_REQUIRED),
        UNSIGNED("@cache", cache, .has_offset = offsetof(THIS, has_cache)),
        ENUM("@type", type, numa_interconnect_type, .flags = FIELD_REQUIRED),
        SIZE_KIB("@value", value_kib, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(numa_bandwidth, NumaBandwidth);

#define THIS DomainCpu
static const Field domain_cpu_fields[] = {
        ENUM("@mode", mode, cpu_mode),
        ENUM("@match", match, cpu_match),
        ENUM("@check", check, cpu_check),
        ONOFF("@migratable", migratable),
        STRING("arch", arch),
        ENUM("model/@fallback", fallback, cpu_fallback),
        STRING("model/@vendor_id", vendor_id),
        STRING("model/.", model),
        STRING("vendor", vendor),
        STRUCT("topology", topology, cpu_topology),
        STRUCT("cache", cache, cpu_cache),
        STRUCT("maxphysaddr", maxphysaddr, cpu_maxphysaddr),
        ITEMS("feature", features, cpu_feature),
        ITEMS("numa/cell", numa_cells, numa_cell),
        ITEMS("numa/interconnects/latency", numa_latencies, numa_latency),
        ITEMS("numa/interconnects/bandwidth", numa_bandwidths, numa_bandwidth),
};
#undef THIS
DEFINE_STRUCT(domain_cpu, DomainCpu);
