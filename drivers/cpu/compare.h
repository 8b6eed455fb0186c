/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a processor has what a definition asks for. */

#include "drivers/cpu/definition.h"

typedef struct CpuWish {
        DomainCpu *cpu;
        bool has_to_be; /* FAIL_INCOMPATIBLE: that it does not have it is an error */
} CpuWish;

/* <cpu>, or a document that has one, and the flags of CompareCPU; `operation` is for errors. */
int cpu_wish_parse(const char *operation, const char *xml, uint32_t flags, CpuWish *ret_wish, Error *error);
void cpu_wish_clear(CpuWish *wish);

/* The answer is one of virCPUCompareResult: 0 incompatible, 1 identical, 2 it has more. */
int cpu_wish_compare(const CpuWish *wish, const CpuProcessor *processor, int32_t *ret_result, Error *error);
