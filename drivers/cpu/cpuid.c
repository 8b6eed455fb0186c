/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The host's processor, by the CPUID instruction. */

#include "drivers/cpu/features.h"

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>
#include <string.h>

typedef struct Answer {
        uint32_t registers[4];
} Answer;

/* False for a leaf that the processor does not have: it would answer with another one. */
static bool ask(uint32_t leaf, uint32_t subleaf, Answer *ret_answer)
{
        Answer answer = {};

        if (!__get_cpuid_count(leaf, subleaf, &answer.registers[EAX], &answer.registers[EBX],
                               &answer.registers[ECX], &answer.registers[EDX]))
                return false;
        *ret_answer = answer;
        return true;
}

static void read_identity(CpuProcessor *processor)
{
        Answer answer;
        char id[13] = "";

        if (ask(0, 0, &answer)) {
                memcpy(id, &answer.registers[EBX], 4);
                memcpy(id + 4, &answer.registers[EDX], 4);
                memcpy(id + 8, &answer.registers[ECX], 4);
                processor->vendor = cpu_vendor_find_id(id);
        }
        if (!ask(1, 0, &answer))
                return;
        processor->has_signature = true;
        processor->stepping = answer.registers[EAX] & 15;
        processor->model = answer.registers[EAX] >> 4 & 15;
        processor->family = answer.registers[EAX] >> 8 & 15;
        if (processor->family == 6 || processor->family == 15)
                processor->model += (answer.registers[EAX] >> 16 & 15) << 4;
        if (processor->family == 15)
                processor->family += answer.registers[EAX] >> 20 & 255;
}

bool cpu_processor_read(CpuProcessor *ret_processor)
{
        CpuProcessor processor = {};
        Answer answer = {};
        uint32_t leaf = UINT32_MAX, subleaf = 0;

        read_identity(&processor);
        for (unsigned i = 0; i < cpu_n_features; i++) {
                const CpuFeatureFact *fact = &cpu_features[i];

                if (fact->subleaf == CPU_IS_MSR)
                        continue;
                if (fact->leaf != leaf || fact->subleaf != subleaf) {
                        leaf = fact->leaf;
                        subleaf = fact->subleaf;
                        if (!ask(leaf, subleaf, &answer))
                                answer = (Answer){};
                }
                if (answer.registers[fact->place] >> fact->bit & 1)
                        cpu_set_add(&processor.features, i);
        }
        *ret_processor = processor;
        return true;
}

#else

bool cpu_processor_read(CpuProcessor *ret_processor)
{
        (void)ret_processor;
        return false;
}

#endif
