/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sets of processor features, by the numbers of table.h, and processors: a set with a maker and the numbers
 * that tell one product from another. */

#include "drivers/cpu/table.h"

#define CPU_FEATURES_MAX 256

typedef struct CpuSet {
        uint64_t words[CPU_FEATURES_MAX / 64];
} CpuSet;

static inline bool cpu_set_has(const CpuSet *set, unsigned feature)
{
        return set->words[feature / 64] >> feature % 64 & 1;
}
static inline void cpu_set_add(CpuSet *set, unsigned feature)
{
        set->words[feature / 64] |= UINT64_C(1) << feature % 64;
}
static inline void cpu_set_remove(CpuSet *set, unsigned feature)
{
        set->words[feature / 64] &= ~(UINT64_C(1) << feature % 64);
}
void cpu_set_intersect(CpuSet *set, const CpuSet *other);
void cpu_set_subtract(CpuSet *set, const CpuSet *other);
bool cpu_set_is_empty(const CpuSet *set);
/* The names between spaces, in the table's order; the caller frees. */
char *cpu_set_to_string(const CpuSet *set);

typedef struct CpuProcessor {
        CpuSet features;
        const CpuVendorFact *vendor; /* NULL: unknown, or nobody's in particular */
        bool has_signature;
        unsigned family, model, stepping;
} CpuProcessor;

/* Under any of its names; -1 if there is none. */
int cpu_feature_find(const char *name);
int cpu_model_find(const char *name);
const CpuVendorFact *cpu_vendor_find(const char *name);
const CpuVendorFact *cpu_vendor_find_id(const char *id);
/* What a model has. Valid for ever. */
const CpuSet *cpu_model_features(unsigned model);
/* Whether a model's signatures name the processor. */
bool cpu_model_is(unsigned model, const CpuProcessor *processor);

/* The processor that this code runs on, as CPUID tells it: what only the kernel could read is missing. False
 * where it is no x86. */
bool cpu_processor_read(CpuProcessor *ret_processor);
