/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between <cpu> elements and sets of features. */

#include "core/error.h"
#include "drivers/cpu/features.h"
#include "model/domain/cpu.h"

/* <cpu>, or a document that has one: <capabilities> of a host, <domainCapabilities> of a hypervisor (of
 * which it is the mode host-model). What names no x86 model or no feature is refused. `what` names the
 * document in errors. */
int cpu_definition_parse(const char *xml, const char *what, DomainCpu **ret_cpu, Error *error);
DomainCpu *cpu_definition_free(DomainCpu *cpu);
DEFINE_CLEANUP(DomainCpu, cpu_definition_free)

/* The features that a definition means, whatever it says about those that it only would like to have. */
int cpu_definition_features(const DomainCpu *cpu, CpuSet *ret_features, Error *error);

/* What to look for in cpu_choose(). */
typedef struct CpuChoice {
        const CpuProcessor *processor;
        GHashTable *models;    /* set of names that may be the answer; NULL: all */
        const char *preferred; /* taken if it is possible at all; may be NULL */
        bool only_adds; /* a model of which something would have to be taken away is the last resort */
        bool is_host;   /* describes a host: no feature can be said to be missing */
} CpuChoice;

/* The model that describes the processor in the fewest words, with the words. */
int cpu_choose(const CpuChoice *choice, DomainCpu **ret_cpu, Error *error);
