/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* -cpu: the processor that the guest sees. <cpu> chooses it; <features> and <clock> add properties to it. A
 * mode that copies the host's processor is left to QEMU, which knows best what it can give to a guest here.
 */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"
#include <inttypes.h>
#include <string.h>

static const char *default_model(const DomainDefinition *definition)
{
        return g_strcmp0(definition->os.arch, "i686") == 0 ? "qemu32" : "qemu64";
}

static void append_migratable(GString *text, const DomainCpu *cpu)
{
        if (cpu->migratable != ON_OFF_ABSENT)
                g_string_append_printf(text, ",migratable=%s", on_off_to_string(cpu->migratable));
}

/* The model's name, and what follows from the mode. */
static int append_model(const CommandLine *line, GString *text, Error *error)
{
        const DomainCpu *cpu = line->definition->cpu;
        bool uses_kvm = machine_uses_kvm(line->definition);
        _cleanup_(freep) char *model = NULL;

        /* At least that: the host's own, or it does not start. */
        if (cpu->match == CPU_MATCH_MINIMUM) {
                g_string_append(text, uses_kvm ? "host,migratable=on" : "max,migratable=on");
                return 0;
        }
        switch (cpu->mode) {
        case CPU_MODE_HOST_PASSTHROUGH:
                if (!uses_kvm)
                        return device_unsupported(error, "CPU mode 'host-passthrough' needs KVM");
                g_string_append(text, "host");
                append_migratable(text, cpu);
                return 0;
        case CPU_MODE_MAXIMUM:
                g_string_append(text, "max");
                append_migratable(text, cpu);
                return 0;
        case CPU_MODE_HOST_MODEL:
                g_string_append(text, uses_kvm ? "host" : "max");
                if (machine_is_x86(line->definition))
                        g_string_append(text, ",migratable=on");
                return 0;
        default:
                model = command_escape(cpu->model ? cpu->model : default_model(line->definition));
                g_string_append(text, model);
                return 0;
        }
}

/* Models were described with it before it was known that no guest can have it; QEMU has forgotten it. */
#define NO_GUEST_HAS "pconfig"

static int append_features(const CommandLine *line, GString *text, Error *error)
{
        LIST_FOREACH (feature, line->definition->cpu->features) {
                bool is_off = feature->policy == CPU_POLICY_DISABLE || feature->policy == CPU_POLICY_FORBID;

                if (!feature->name || !*feature->name || strpbrk(feature->name, ",="))
                        return error_set(error, ERROR_INVALID_XML, "'%s' is no name of a CPU feature",
                                         feature->name ? feature->name : "");
                if (is_off && strcmp(feature->name, NO_GUEST_HAS) == 0)
                        continue;
                g_string_append_printf(text, ",%s=%s", feature->name, is_off ? "off" : "on");
        }
        return 0;
}

static int append_cache(const DomainCpu *cpu, GString *text, Error *error)
{
        const CpuCache *cache = cpu->cache;
        bool is_host = cpu->mode == CPU_MODE_HOST_PASSTHROUGH || cpu->mode == CPU_MODE_MAXIMUM;

        if (!cache)
                return 0;
        switch (cache->mode) {
        case CPU_CACHE_EMULATE:
                if (cache->has_level && cache->level != 3)
                        return device_unsupported(error, "QEMU emulates a CPU cache of level 3 only");
                g_string_append(text, ",l3-cache=on");
                break;
        case CPU_CACHE_PASSTHROUGH:
                if (!is_host || cache->has_level)
                        return device_unsupported(error, "<cache mode='passthrough'> needs CPU mode "
                                                         "'host-passthrough' or 'maximum' and no level");
                g_string_append(text, ",host-cache-info=on,l3-cache=off");
                break;
        case CPU_CACHE_DISABLE:
                if (cache->has_level)
                        return device_unsupported(error,
                                                  "QEMU cannot disable a single level of the CPU cache");
                g_string_append(text, is_host ? ",host-cache-info=off,l3-cache=off" : ",l3-cache=off");
                break;
        default:
                break;
        }
        return 0;
}

static void append_physical_bits(const DomainCpu *cpu, GString *text)
{
        const CpuMaxphysaddr *bits = cpu->maxphysaddr;

        if (!bits)
                return;
        if (bits->mode == CPU_MAXPHYSADDR_PASSTHROUGH) {
                g_string_append(text, ",host-phys-bits=on");
                if (bits->limit > 0)
                        g_string_append_printf(text, ",host-phys-bits-limit=%u", bits->limit);
        } else if (bits->bits > 0)
                g_string_append_printf(text, ",host-phys-bits=off,phys-bits=%u", bits->bits);
}

static void append_flag(GString *text, const char *name, OnOff value)
{
        if (value != ON_OFF_ABSENT)
                g_string_append_printf(text, ",%s=%s", name, on_off_to_string(value));
}

typedef struct HypervFlag {
        const char *name;
        size_t offset;
} HypervFlag;

static const HypervFlag hyperv_flags[] = {
        { "hv-relaxed", offsetof(HypervFeatures, relaxed) },
        { "hv-vapic", offsetof(HypervFeatures, vapic) },
        { "hv-vpindex", offsetof(HypervFeatures, vpindex) },
        { "hv-runtime", offsetof(HypervFeatures, runtime) },
        { "hv-synic", offsetof(HypervFeatures, synic) },
        { "hv-stimer", offsetof(HypervFeatures, stimer) },
        { "hv-stimer-direct", offsetof(HypervFeatures, stimer_direct) },
        { "hv-reset", offsetof(HypervFeatures, reset) },
        { "hv-frequencies", offsetof(HypervFeatures, frequencies) },
        { "hv-reenlightenment", offsetof(HypervFeatures, reenlightenment) },
        { "hv-tlbflush", offsetof(HypervFeatures, tlbflush) },
        { "hv-ipi", offsetof(HypervFeatures, ipi) },
        { "hv-evmcs", offsetof(HypervFeatures, evmcs) },
        { "hv-avic", offsetof(HypervFeatures, avic) },
};

static void append_hyperv(const HypervFeatures *hyperv, GString *text)
{
        _cleanup_(freep) char *vendor = NULL;

        if (hyperv->mode == HYPERV_PASSTHROUGH)
                g_string_append(text, ",hv-passthrough=on");
        for (size_t i = 0; i < G_N_ELEMENTS(hyperv_flags); i++) {
                /* Off is QEMU's default, and old versions do not know every name. */
                if (*(const OnOff *)((const char *)hyperv + hyperv_flags[i].offset) == ON)
                        g_string_append_printf(text, ",%s=on", hyperv_flags[i].name);
        }
        if (hyperv->spinlocks == ON)
                g_string_append_printf(text, ",hv-spinlocks=0x%x", hyperv->spinlocks_retries);
        if (hyperv->vendor_id == ON && hyperv->vendor_id_value) {
                vendor = command_escape(hyperv->vendor_id_value);
                g_string_append_printf(text, ",hv-vendor-id=%s", vendor);
        }
}

static void append_kvm(const KvmFeatures *kvm, GString *text)
{
        if (kvm->hidden == ON)
                g_string_append(text, ",kvm=off");
        if (kvm->hint_dedicated == ON)
                g_string_append(text, ",kvm-hint-dedicated=on");
        if (kvm->poll_control == ON)
                g_string_append(text, ",kvm-poll-control=on");
        if (kvm->pv_ipi == ON)
                g_string_append(text, ",kvm-pv-ipi=on");
}

/* Properties that stand elsewhere in the definition. */
static void append_machine_features(const DomainDefinition *definition, GString *text)
{
        const DomainFeatures *features = &definition->features;

        append_flag(text, "pmu", features->pmu);
        append_flag(text, "kvm-pv-eoi", features->apic_eoi);
        append_flag(text, "kvm-pv-unhalt", features->pvspinlock);
        if (features->hyperv)
                append_hyperv(features->hyperv, text);
        else if (features->viridian) /* Xen's word for the same, which has no details */
                g_string_append(text, ",hv-relaxed=on,hv-vapic=on,hv-time=on");
        if (features->kvm)
                append_kvm(features->kvm, text);
        LIST_FOREACH (panic, definition->devices.panics) {
                if (panic->model == PANIC_HYPERV)
                        g_string_append(text, ",hv-crash=on");
        }
}

static void append_timers(const DomainDefinition *definition, GString *text)
{
        LIST_FOREACH (timer, definition->clock.timers) {
                bool is_on = timer->present != NO;

                if (timer->name == TIMER_KVMCLOCK && timer->present != YES_NO_ABSENT)
                        g_string_append_printf(text, ",kvmclock=%s", is_on ? "on" : "off");
                else if (timer->name == TIMER_HYPERVCLOCK && timer->present == YES)
                        g_string_append(text, ",hv-time=on");
                else if (timer->name == TIMER_TSC && timer->frequency_hz > 0)
                        g_string_append_printf(text, ",tsc-frequency=%" PRIu64, timer->frequency_hz);
                else if (timer->name == TIMER_ARMVTIMER && timer->tickpolicy == TIMER_DISCARD)
                        g_string_append(text, ",kvm-no-adjvtime=on");
        }
}

/* <vendor> is a condition: the guest runs only on a processor of that maker. */
static int check_vendor(const CommandLine *line, Error *error)
{
        const char *vendor = line->definition->cpu->vendor, *host = line->host.cpu_vendor;

        if (!vendor)
                return 0;
        if (!host || !strcasestr(host, vendor))
                return device_unsupported(error, "<cpu> asks for a processor of %s, this host has one of %s",
                                          vendor, host ? host : "an unknown maker");
        return 0;
}

static int append_cpu(const CommandLine *line, GString *text, Error *error)
{
        const DomainCpu *cpu = line->definition->cpu;
        int r;

        if (cpu->match == CPU_MATCH_STRICT)
                return device_unsupported(error, "The QEMU driver has no <cpu match='%s'>",
                                          cpu_match_to_string(cpu->match));
        r = check_vendor(line, error);
        if (r >= 0)
                r = append_model(line, text, error);
        if (r >= 0)
                r = append_features(line, text, error);
        if (r >= 0)
                r = append_cache(cpu, text, error);
        if (r < 0)
                return r;
        append_physical_bits(cpu, text);
        if (cpu->vendor_id) {
                _cleanup_(freep) char *vendor = command_escape(cpu->vendor_id);

                g_string_append_printf(text, ",vendor=%s", vendor);
        }
        /* Full: a guest that would miss a feature must not start. */
        if (cpu->check == CPU_CHECK_FULL || cpu->match == CPU_MATCH_MINIMUM)
                g_string_append(text, ",enforce=on");
        return 0;
}

int command_cpu(CommandLine *line, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL), *more = g_string_new(NULL);
        const DomainCpu *cpu = line->definition->cpu;
        int r;

        append_machine_features(line->definition, more);
        append_timers(line->definition, more);
        if (cpu && (cpu->mode != CPU_MODE_ABSENT || cpu->model || cpu->features.count > 0)) {
                r = append_cpu(line, text, error);
                if (r < 0)
                        return r;
        } else if (more->len > 0)
                g_string_append(text, default_model(line->definition));
        if (text->len > 0)
                command_add_option(line, "-cpu", "%s%s", text->str, more->str);
        return 0;
}
