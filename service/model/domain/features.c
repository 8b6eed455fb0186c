/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <features>, <clock> and <launchSecurity>. */

#include "model/domain/features.h"
#include <string.h>

DEFINE_ENUM(hyperv_mode, HYPERV_MODES);
DEFINE_ENUM(xen_passthrough_mode, XEN_PASSTHROUGH_MODES);
DEFINE_ENUM(ioapic_driver, IOAPIC_DRIVERS);
DEFINE_ENUM(gic_version, GIC_VERSIONS);
DEFINE_ENUM(hpt_resizing, HPT_RESIZINGS);
DEFINE_ENUM(safe_cache, SAFE_CACHES);
DEFINE_ENUM(safe_indirect, SAFE_INDIRECTS);
DEFINE_ENUM(capabilities_policy, CAPABILITIES_POLICIES);
DEFINE_ENUM(clock_offset, CLOCK_OFFSETS);
DEFINE_ENUM(clock_basis, CLOCK_BASES);
DEFINE_ENUM(timer_name, TIMER_NAMES);
DEFINE_ENUM(timer_track, TIMER_TRACKS);
DEFINE_ENUM(timer_tickpolicy, TIMER_TICKPOLICIES);
DEFINE_ENUM(timer_mode, TIMER_MODES);
DEFINE_ENUM(launch_security_type, LAUNCH_SECURITIES);

#define THIS HypervFeatures
static const Field hyperv_features_fields[] = {
        ENUM("@mode", mode, hyperv_mode),
        ONOFF("relaxed/@state", relaxed),
        ONOFF("vapic/@state", vapic),
        ONOFF("spinlocks/@state", spinlocks),
        UNSIGNED("spinlocks/@retries", spinlocks_retries),
        ONOFF("vpindex/@state", vpindex),
        ONOFF("runtime/@state", runtime),
        ONOFF("synic/@state", synic),
        ONOFF("stimer/@state", stimer),
        ONOFF("stimer/direct/@state", stimer_direct),
        ONOFF("reset/@state", reset),
        ONOFF("vendor_id/@state", vendor_id),
        STRING("vendor_id/@value", vendor_id_value),
        ONOFF("frequencies/@state", frequencies),
        ONOFF("reenlightenment/@state", reenlightenment),
        ONOFF("tlbflush/@state", tlbflush),
        ONOFF("ipi/@state", ipi),
        ONOFF("evmcs/@state", evmcs),
        ONOFF("avic/@state", avic),
};
#undef THIS

static int hyperv_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        HypervFeatures *hyperv = object;

        (void)flags;
        if (hyperv->mode == HYPERV_MODE_ABSENT)
                hyperv->mode = HYPERV_CUSTOM;
        if (hyperv->spinlocks == ON && hyperv->spinlocks_retries < 0xfff)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <spinlocks>: retries='%u': at least 4095 are needed",
                                 node ? node->line : 0, hyperv->spinlocks_retries);
        if (hyperv->vendor_id_value &&
            (strlen(hyperv->vendor_id_value) > 12 || strchr(hyperv->vendor_id_value, ',')))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <vendor_id>: value='%s': at most 12 characters without comma are possible",
                        node ? node->line : 0, hyperv->vendor_id_value);
        return 0;
}

static DEFINE_STRUCT(hyperv_features, HypervFeatures, .check = hyperv_check);

#define THIS KvmFeatures
static const Field kvm_features_fields[] = {
        ONOFF("hidden/@state", hidden),
        ONOFF("hint-dedicated/@state", hint_dedicated),
        ONOFF("poll-control/@state", poll_control),
        ONOFF("pv-ipi/@state", pv_ipi),
        ONOFF("dirty-ring/@state", dirty_ring),
        UNSIGNED("dirty-ring/@size", dirty_ring_size),
};
#undef THIS

static int kvm_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const KvmFeatures *kvm = object;

        (void)flags;
        if (kvm->dirty_ring == ON && (kvm->dirty_ring_size < 1024 || kvm->dirty_ring_size > 65536 ||
                                      (kvm->dirty_ring_size & (kvm->dirty_ring_size - 1)) != 0))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <dirty-ring>: size='%u': a power of 2 from 1024 to 65536 is needed",
                        node ? node->line : 0, kvm->dirty_ring_size);
        return 0;
}

static DEFINE_STRUCT(kvm_features, KvmFeatures, .check = kvm_check);

#define THIS XenFeatures
static const Field xen_features_fields[] = {
        ONOFF("e820_host/@state", e820_host),
        ONOFF("passthrough/@state", passthrough),
        ENUM("passthrough/@mode", passthrough_mode, xen_passthrough_mode),
};
#undef THIS
static DEFINE_STRUCT(xen_features, XenFeatures);

static bool never_shown(const void *object, unsigned flags)
{
        (void)object, (void)flags;
        return false;
}

#define THIS DomainFeatures
static const Field domain_features_fields[] = {
        FLAG("acpi", acpi),
        FLAG("apic", apic),
        ONOFF("apic/@eoi", apic_eoi),
        FLAG("pae", pae),
        FLAG("hap", hap_present, .shown = never_shown, .flags = FIELD_NO_NATIVE),
        ONOFF("hap/@state", hap),
        FLAG("viridian", viridian),
        FLAG("privnet", privnet),
        STRUCT("hyperv", hyperv, hyperv_features),
        STRUCT("kvm", kvm, kvm_features),
        ONOFF("pvspinlock/@state", pvspinlock),
        ENUM("capabilities/@policy", capabilities_policy, capabilities_policy),
        RAW("capabilities", capabilities),
        ONOFF("pmu/@state", pmu),
        ONOFF("vmport/@state", vmport),
        FLAG("gic", has_gic),
        ENUM("gic/@version", gic, gic_version),
        ONOFF("smm/@state", smm),
        FIELD_(FIELD_SIZE, "smm/tseg", smm_tseg_bytes, .scale = 1,
               .has_offset = offsetof(THIS, has_smm_tseg)),
        ENUM("ioapic/@driver", ioapic, ioapic_driver),
        ENUM("hpt/@resizing", hpt_resizing, hpt_resizing),
        FIELD_(FIELD_SIZE, "hpt/maxpagesize", hpt_maxpagesize_kib, .scale = 1024,
               .has_offset = offsetof(THIS, has_hpt_maxpagesize)),
        ONOFF("vmcoreinfo/@state", vmcoreinfo),
        ONOFF("nested-hv/@state", nested_hv),
        STRING("msrs/@unknown", msrs_unknown),
        ONOFF("htm/@state", htm),
        ONOFF("ccf-assist/@state", ccf_assist),
        STRUCT("xen", xen, xen_features),
        ENUM("cfpc/@value", cfpc, safe_cache),
        ENUM("sbbc/@value", sbbc, safe_cache),
        ENUM("ibs/@value", ibs, safe_indirect),
        SIZE_KIB("tcg/tb-cache", tcg_tb_cache_kib),
        ONOFF("async-teardown/@enabled", async_teardown),
};
#undef THIS

/* <vmcoreinfo/> and its like without a state mean on. */
static void on_if_present(const XmlNode *node, const char *name, OnOff *state)
{
        if (*state == ON_OFF_ABSENT && node && xml_child(node, name))
                *state = ON;
}

/* This size alone counts in MiB where it has no unit. */
static void default_to_mib(const XmlNode *node, uint64_t *size)
{
        if (node && !xml_attribute(node, "unit") && *size <= UINT64_MAX / (1024 * 1024))
                *size *= 1024 * 1024;
}

static int features_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DomainFeatures *features = object;

        (void)flags;
        if (node && xml_child(node, "smm"))
                default_to_mib(xml_child(xml_child(node, "smm"), "tseg"), &features->smm_tseg_bytes);
        on_if_present(node, "hap", &features->hap);
        on_if_present(node, "pmu", &features->pmu);
        on_if_present(node, "vmport", &features->vmport);
        on_if_present(node, "smm", &features->smm);
        on_if_present(node, "pvspinlock", &features->pvspinlock);
        on_if_present(node, "vmcoreinfo", &features->vmcoreinfo);
        if (features->msrs_unknown && strcmp(features->msrs_unknown, "ignore") != 0 &&
            strcmp(features->msrs_unknown, "fault") != 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "<msrs>: unknown='%s': ignore or fault is expected",
                                 features->msrs_unknown);
        return 0;
}

DEFINE_STRUCT(domain_features, DomainFeatures, .check = features_check);

#define THIS ClockTimer
static const Field clock_timer_fields[] = {
        ENUM("@name", name, timer_name, .flags = FIELD_REQUIRED),
        YESNO("@present", present),
        ENUM("@tickpolicy", tickpolicy, timer_tickpolicy),
        ENUM("@track", track, timer_track),
        UNSIGNED("@frequency", frequency_hz),
        ENUM("@mode", mode, timer_mode),
        UNSIGNED("catchup/@threshold", catchup_threshold),
        UNSIGNED("catchup/@slew", catchup_slew),
        UNSIGNED("catchup/@limit", catchup_limit),
};
#undef THIS
static DEFINE_STRUCT(clock_timer, ClockTimer);

#define THIS DomainClock
static const Field domain_clock_fields[] = {
        ENUM("@offset", offset, clock_offset),
        STRING("@adjustment", adjustment),
        ENUM("@basis", basis, clock_basis),
        STRING("@timezone", timezone),
        UNSIGNED("@start", start_sec, WHEN(offset, BIT(CLOCK_ABSOLUTE)), .flags = FIELD_ALWAYS),
        ITEMS("timer", timers, clock_timer),
};
#undef THIS

static int clock_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DomainClock *clock = object;
        gint64 seconds;

        (void)flags;
        if (clock->offset == CLOCK_TIMEZONE && !clock->timezone)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <clock>: offset='timezone' needs @timezone",
                                 node ? node->line : 0);
        if (clock->adjustment && strcmp(clock->adjustment, "reset") != 0 &&
            !g_ascii_string_to_signed(clock->adjustment, 10, INT64_MIN, INT64_MAX, &seconds, NULL))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <clock>: adjustment='%s': seconds or reset is expected",
                                 node ? node->line : 0, clock->adjustment);
        return 0;
}

DEFINE_STRUCT(domain_clock, DomainClock, .check = clock_check);
