/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Statistics of one machine as records with libvirt's names, from what QEMU answered and the kernel says. */

#include "drivers/qemu/machine.h"

/* virDomainStatsTypes that this driver has. */
enum {
        STATS_STATE = 1 << 0,
        STATS_CPU_TOTAL = 1 << 1,
        STATS_BALLOON = 1 << 2,
        STATS_VCPU = 1 << 3,
        STATS_INTERFACE = 1 << 4,
        STATS_BLOCK = 1 << 5,
        STATS_PERF = 1 << 6, /* of events that are counted (perf.h) */
        STATS_IOTHREAD = 1 << 7,
        STATS_MEMORY = 1 << 8, /* of monitors of its bandwidth: there are none */
        STATS_DIRTYRATE = 1 << 9,
        STATS_KNOWN = (1 << 10) - 1,
};

typedef enum StatsQuery {
        STATS_QUERY_BLOCKS,
        STATS_QUERY_BLOCKSTATS,
        STATS_QUERY_NODES,
        STATS_QUERY_CPUS,
        STATS_QUERY_BALLOON,
        STATS_QUERY_GUEST_MEMORY,
        STATS_QUERY_IOTHREADS,
        STATS_QUERY_DIRTYRATE,
        _STATS_QUERY_MAX,
} StatsQuery;

/* What the groups are made of; an answer that did not come is NULL. */
typedef struct StatsSources {
        json_t *answers[_STATS_QUERY_MAX];
        GHashTable *counters; /* of the host's network devices, by name; NULL: not read */
        bool with_backing;
} StatsSources;

/* All counters of the host's network devices, to be unreferenced. */
GHashTable *stats_read_counters(void);

void stats_add_groups(Records *records, const Domain *domain, uint32_t stats, const StatsSources *sources);
