/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the names of x86 processors and their features mean. Only facts; what is done with them is
 * features.h. The order of the features is the order in which they are written. */

#include "core/cleanup.h"

typedef enum CpuRegister { EAX, EBX, ECX, EDX } CpuRegister;

/* In place of a leaf and a subleaf: a register that describes the model, which only the kernel can read. */
#define CPU_MSR(index) (index), CPU_IS_MSR
#define CPU_IS_MSR     UINT32_MAX

typedef struct CpuFeatureFact {
        const char *name;
        uint32_t leaf, subleaf;
        uint8_t place; /* CpuRegister */
        uint8_t bit;
        bool stays;              /* a guest that has it cannot move to another host */
        bool is_systems;         /* the running system switches it on and off: nothing of the processor's */
        const char *other_names; /* QEMU's and the kernel's, between spaces; may be NULL */
} CpuFeatureFact;

typedef struct CpuModelFact {
        const char *name, *vendor; /* the vendor may be NULL */
        const char *base;          /* an earlier model, which this one is like; may be NULL */
        const char *changes;       /* "aes -mpx": what it has besides, and what it lacks */
        const char *removed;       /* what it had once: said to be off, lest an old machine type adds it */
        const char *signatures;    /* "6:85:5-7": family, model, steppings if not all */
        bool not_for_hosts, not_for_guests; /* known, but never the answer to what a processor is */
} CpuModelFact;

typedef struct CpuVendorFact {
        const char *name, *id; /* "Intel", "GenuineIntel" */
} CpuVendorFact;

extern const CpuFeatureFact cpu_features[];
extern const unsigned cpu_n_features;
extern const CpuModelFact cpu_models[];
extern const unsigned cpu_n_models;
extern const CpuVendorFact cpu_vendors[];
extern const unsigned cpu_n_vendors;
