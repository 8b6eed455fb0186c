/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be counted of a machine, and whether its definition wants that: of type a{sv} with libvirt's
 * keys, each a boolean. */

#include "model/grants.h"

#define PERF_KINDS(E)                                                                                       \
        E(PERF_CACHE_MISSES, "cache_misses")                                                                \
        E(PERF_CACHE_REFERENCES, "cache_references")                                                        \
        E(PERF_INSTRUCTIONS, "instructions")                                                                \
        E(PERF_CPU_CYCLES, "cpu_cycles")                                                                    \
        E(PERF_BRANCH_INSTRUCTIONS, "branch_instructions")                                                  \
        E(PERF_BRANCH_MISSES, "branch_misses")                                                              \
        E(PERF_BUS_CYCLES, "bus_cycles")                                                                    \
        E(PERF_STALLED_CYCLES_FRONTEND, "stalled_cycles_frontend")                                          \
        E(PERF_STALLED_CYCLES_BACKEND, "stalled_cycles_backend")                                            \
        E(PERF_REF_CPU_CYCLES, "ref_cpu_cycles")                                                            \
        E(PERF_CPU_CLOCK, "cpu_clock")                                                                      \
        E(PERF_TASK_CLOCK, "task_clock")                                                                    \
        E(PERF_PAGE_FAULTS, "page_faults")                                                                  \
        E(PERF_CONTEXT_SWITCHES, "context_switches")                                                        \
        E(PERF_CPU_MIGRATIONS, "cpu_migrations")                                                            \
        E(PERF_PAGE_FAULTS_MIN, "page_faults_min")                                                          \
        E(PERF_PAGE_FAULTS_MAJ, "page_faults_maj")                                                          \
        E(PERF_ALIGNMENT_FAULTS, "alignment_faults")                                                        \
        E(PERF_EMULATION_FAULTS, "emulation_faults")
DECLARE_ENUM(PerfKind, perf_kind, PERF_KINDS)
enum { PERF_KIND_COUNT = PERF_EMULATION_FAULTS + 1 };

/* ERROR_INVALID_ARGUMENT if there is no such event. */
int perf_kind_find(const char *name, Error *error);
bool perf_is_wanted(const DomainDefinition *definition, PerfKind kind);
extern const GrantKind grants_perf;
