/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether the host, or a QEMU on it, has a CPU that somebody asks for, and what a QEMU has in common with
 * several hosts. What CPUs are is in drivers/cpu. */

#include "drivers/qemu/cpus.h"
#include "drivers/cpu/baseline.h"
#include "drivers/cpu/compare.h"
#include "drivers/qemu/hypervisor.h"
#include <sys/utsname.h>

int qemu_connect_compare_cpu(Call *call, const char *xml, uint32_t flags, int32_t *ret_result, Error *error)
{
        _cleanup_(cpu_wish_clear) CpuWish wish = {};
        CpuProcessor processor;
        struct utsname host = {};
        int r = cpu_wish_parse("CompareCPU", xml, flags, &wish, error);

        (void)call; /* the host is the same for everybody */
        if (r < 0)
                return r;
        if (!cpu_processor_read(&processor)) {
                (void)uname(&host); /* cannot fail */
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The QEMU driver compares processors of x86 hosts, and this one is %s",
                                 host.machine);
        }
        return cpu_wish_compare(&wish, &processor, ret_result, error);
}

int qemu_connect_compare_hypervisor_cpu(Call *call, const char *emulator, const char *arch,
                                        const char *machine, const char *virttype, const char *cpu_xml,
                                        uint32_t flags, int32_t *ret_result, Error *error)
{
        const HypervisorName name = { emulator, arch, machine, virttype };
        _cleanup_(hypervisor_clear) Hypervisor hypervisor = {};
        _cleanup_(cpu_wish_clear) CpuWish wish = {};
        const CpuProcessor *processor = NULL;
        int r = cpu_wish_parse("CompareHypervisorCPU", cpu_xml, flags, &wish, error);

        if (r >= 0)
                r = hypervisor_find(call, &name, &hypervisor, error);
        if (r >= 0)
                r = capabilities_processor(hypervisor.capabilities, hypervisor.with_kvm, &processor, error);
        return r < 0 ? r : cpu_wish_compare(&wish, processor, ret_result, error);
}

/* Of those that QEMU has, the ones that it can give to a guest here. */
static GHashTable *usable_models(const Hypervisor *hypervisor)
{
        const GPtrArray *models = hypervisor->with_kvm ? hypervisor->capabilities->kvm_cpus
                                                       : hypervisor->capabilities->tcg_cpus;
        GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);

        for (unsigned i = 0; i < models->len; i++) {
                QemuCpuModel *model = models->pdata[i];

                if (!model->missing || !*model->missing)
                        g_hash_table_add(names, model->name);
        }
        return names;
}

int qemu_connect_baseline_hypervisor_cpu(Call *call, const char *emulator, const char *arch,
                                         const char *machine, const char *virttype, const char *const *cpus,
                                         uint32_t flags, char **ret_cpu, Error *error)
{
        const HypervisorName name = { emulator, arch, machine, virttype };
        _cleanup_(hypervisor_clear) Hypervisor hypervisor = {};
        _cleanup_(g_hash_table_unrefp) GHashTable *models = NULL;
        const CpuProcessor *processor = NULL;
        int r = cpu_baseline_check_flags("BaselineHypervisorCPU", flags, error);

        if (r >= 0)
                r = hypervisor_find(call, &name, &hypervisor, error);
        if (r >= 0)
                r = capabilities_processor(hypervisor.capabilities, hypervisor.with_kvm, &processor, error);
        if (r < 0)
                return r;
        models = usable_models(&hypervisor);
        return cpu_baseline(cpus, &processor->features, models, flags, ret_cpu, error);
}
