/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a CPU that a definition asks for could be had from a processor, the host's or a hypervisor's. */

#include "drivers/cpu/compare.h"
#include <string.h>

/* virConnectCompareCPUFlags. */
enum {
        COMPARE_FAIL_INCOMPATIBLE = 1 << 0,
        COMPARE_VALIDATE_XML = 1 << 1,
};

/* virCPUCompareResult. */
enum {
        COMPARE_INCOMPATIBLE = 0,
        COMPARE_IDENTICAL = 1,
        COMPARE_SUPERSET = 2,
};

/* Features that have to be there, whether or not the model has them, and those that must not. */
static void read_wishes(const DomainCpu *cpu, CpuSet *needed, CpuSet *forbidden)
{
        if (cpu->model)
                *needed = *cpu_model_features((unsigned)cpu_model_find(cpu->model));
        LIST_FOREACH (feature, cpu->features) {
                unsigned number = (unsigned)cpu_feature_find(feature->name);

                if (feature->policy == CPU_POLICY_REQUIRE || feature->policy == CPU_POLICY_ABSENT)
                        cpu_set_add(needed, number);
                else /* forced, optional, disabled: the guest can be given it, or spared it, anyhow */
                        cpu_set_remove(needed, number);
                if (feature->policy == CPU_POLICY_FORBID)
                        cpu_set_add(forbidden, number);
        }
        for (unsigned i = 0; i < cpu_n_features; i++)
                if (cpu_features[i].is_systems)
                        cpu_set_remove(needed, i);
}

static int refuse(Error *reason, const char *why, const CpuSet *features)
{
        _cleanup_(freep) char *names = cpu_set_to_string(features);

        (void)error_set(reason, ERROR_OPERATION_FAILED, "%s: %s", why, names);
        return COMPARE_INCOMPATIBLE;
}

/* One of COMPARE_..., with the reason if they are incompatible. */
static int compare(const CpuProcessor *processor, const DomainCpu *cpu, Error *reason)
{
        CpuSet needed = {}, forbidden = {}, missing, rest = processor->features;

        if (cpu->vendor && (!processor->vendor || strcmp(cpu->vendor, processor->vendor->name) != 0)) {
                (void)error_set(reason, ERROR_OPERATION_FAILED,
                                "The CPU is to be of the vendor %s, and there is one of %s", cpu->vendor,
                                processor->vendor ? processor->vendor->name : "an unknown vendor");
                return COMPARE_INCOMPATIBLE;
        }
        read_wishes(cpu, &needed, &forbidden);
        cpu_set_intersect(&forbidden, &processor->features);
        if (!cpu_set_is_empty(&forbidden))
                return refuse(reason, "There are features that must not be there", &forbidden);
        missing = needed;
        cpu_set_subtract(&missing, &processor->features);
        if (!cpu_set_is_empty(&missing))
                return refuse(reason, "There are features missing", &missing);
        cpu_set_subtract(&rest, &needed);
        for (unsigned i = 0; i < cpu_n_features; i++)
                if (cpu_features[i].is_systems)
                        cpu_set_remove(&rest, i);
        if (cpu_set_is_empty(&rest))
                return COMPARE_IDENTICAL;
        return cpu->match == CPU_MATCH_STRICT
                       ? refuse(reason, "A strict match has no more features than are asked for", &rest)
                       : COMPARE_SUPERSET;
}

int cpu_wish_parse(const char *operation, const char *xml, uint32_t flags, CpuWish *ret_wish, Error *error)
{
        _cleanup_(cpu_definition_freep) DomainCpu *cpu = NULL;
        int r = error_check_flags(error, operation, flags, COMPARE_FAIL_INCOMPATIBLE | COMPARE_VALIDATE_XML);

        if (r >= 0 && flags & COMPARE_VALIDATE_XML)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "%s does not do the flag VALIDATE_XML (2): there is no schema", operation);
        if (r >= 0)
                r = cpu_definition_parse(xml, "The CPU", &cpu, error);
        if (r >= 0 && !cpu->model && cpu->features.count == 0)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The CPU has neither <model> nor <feature>: there is nothing to compare");
        if (r < 0)
                return r;
        *ret_wish = (CpuWish){ TAKE_PTR(cpu), flags & COMPARE_FAIL_INCOMPATIBLE };
        return 0;
}

void cpu_wish_clear(CpuWish *wish)
{
        wish->cpu = cpu_definition_free(wish->cpu);
}

int cpu_wish_compare(const CpuWish *wish, const CpuProcessor *processor, int32_t *ret_result, Error *error)
{
        _cleanup_(error_clear) Error reason = {};
        int result = compare(processor, wish->cpu, &reason);

        if (result == COMPARE_INCOMPATIBLE && wish->has_to_be)
                return error_set(error, reason.code, "%s", reason.message);
        *ret_result = result;
        return 0;
}
