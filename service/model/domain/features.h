/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* <features>, <clock>, <pm>, <perf>, <keywrap>, <launchSecurity>: what the machine as a whole can do. */

#include "model/table.h"

#define HYPERV_MODES(E)                                                                                     \
        E(HYPERV_MODE_ABSENT, NULL) E(HYPERV_CUSTOM, "custom") E(HYPERV_PASSTHROUGH, "passthrough")
DECLARE_ENUM(HypervMode, hyperv_mode, HYPERV_MODES)

typedef struct HypervFeatures {
        HypervMode mode;
        OnOff relaxed, vapic, spinlocks, vpindex, runtime, synic, stimer, stimer_direct, reset, vendor_id;
        OnOff frequencies, reenlightenment, tlbflush, ipi, evmcs, avic;
        uint32_t spinlocks_retries;
        char *vendor_id_value;
} HypervFeatures;

typedef struct KvmFeatures {
        OnOff hidden, hint_dedicated, poll_control, pv_ipi, dirty_ring;
        uint32_t dirty_ring_size;
} KvmFeatures;

#define XEN_PASSTHROUGH_MODES(E)                                                                            \
        E(XEN_PASSTHROUGH_DEFAULT, NULL) E(XEN_SYNC_PT, "sync_pt") E(XEN_SHARE_PT, "share_pt")
DECLARE_ENUM(XenPassthroughMode, xen_passthrough_mode, XEN_PASSTHROUGH_MODES)

typedef struct XenFeatures {
        OnOff e820_host, passthrough;
        XenPassthroughMode passthrough_mode;
} XenFeatures;

#define IOAPIC_DRIVERS(E) E(IOAPIC_ABSENT, NULL) E(IOAPIC_QEMU, "qemu") E(IOAPIC_KVM, "kvm")
DECLARE_ENUM(IoapicDriver, ioapic_driver, IOAPIC_DRIVERS)
#define GIC_VERSIONS(E)                                                                                     \
        E(GIC_ABSENT, NULL) E(GIC_V2, "2") E(GIC_V3, "3") E(GIC_HOST, "host") E(GIC_NONE, "none")
DECLARE_ENUM(GicVersion, gic_version, GIC_VERSIONS)
#define HPT_RESIZINGS(E)                                                                                    \
        E(HPT_RESIZING_ABSENT, NULL)                                                                        \
        E(HPT_ENABLED, "enabled") E(HPT_DISABLED, "disabled") E(HPT_REQUIRED, "required")
DECLARE_ENUM(HptResizing, hpt_resizing, HPT_RESIZINGS)
#define SAFE_CACHES(E)                                                                                      \
        E(SAFE_CACHE_ABSENT, NULL)                                                                          \
        E(SAFE_CACHE_BROKEN, "broken") E(SAFE_CACHE_WORKAROUND, "workaround") E(SAFE_CACHE_FIXED, "fixed")
DECLARE_ENUM(SafeCache, safe_cache, SAFE_CACHES)
#define SAFE_INDIRECTS(E)                                                                                   \
        E(SAFE_INDIRECT_ABSENT, NULL)                                                                       \
        E(SAFE_INDIRECT_BROKEN, "broken")                                                                   \
        E(SAFE_INDIRECT_WORKAROUND, "workaround") E(SAFE_INDIRECT_FIXED_IBS, "fixed-ibs")                   \
                E(SAFE_INDIRECT_FIXED_CCD, "fixed-ccd") E(SAFE_INDIRECT_FIXED_NA, "fixed-na")
DECLARE_ENUM(SafeIndirect, safe_indirect, SAFE_INDIRECTS)
#define CAPABILITIES_POLICIES(E)                                                                            \
        E(CAPABILITIES_POLICY_ABSENT, NULL)                                                                 \
        E(CAPABILITIES_DEFAULT, "default") E(CAPABILITIES_ALLOW, "allow") E(CAPABILITIES_DENY, "deny")
DECLARE_ENUM(CapabilitiesPolicy, capabilities_policy, CAPABILITIES_POLICIES)

typedef struct DomainFeatures {
        bool acpi, apic, pae, viridian, privnet, hap_present, has_gic, has_hpt_maxpagesize;
        OnOff apic_eoi;
        OnOff hap, pmu, vmport, smm, pvspinlock, vmcoreinfo, htm, nested_hv, ccf_assist, async_teardown;
        IoapicDriver ioapic;
        GicVersion gic;
        HptResizing hpt_resizing;
        SafeCache cfpc;
        SafeCache sbbc;
        SafeIndirect ibs;
        char *msrs_unknown; /* "ignore", "fault" */
        uint64_t smm_tseg_bytes, hpt_maxpagesize_kib, tcg_tb_cache_kib;
        bool has_smm_tseg;
        HypervFeatures *hyperv;
        KvmFeatures *kvm;
        XenFeatures *xen;
        char *capabilities; /* containers: kept as written */
        CapabilitiesPolicy capabilities_policy;
} DomainFeatures;
extern const StructType domain_features_type;

#define CLOCK_OFFSETS(E)                                                                                    \
        E(CLOCK_OFFSET_ABSENT, NULL)                                                                        \
        E(CLOCK_UTC, "utc")                                                                                 \
        E(CLOCK_LOCALTIME, "localtime")                                                                     \
        E(CLOCK_VARIABLE, "variable") E(CLOCK_TIMEZONE, "timezone") E(CLOCK_ABSOLUTE, "absolute")
DECLARE_ENUM(ClockOffset, clock_offset, CLOCK_OFFSETS)

#define CLOCK_BASES(E)                                                                                      \
        E(CLOCK_BASIS_ABSENT, NULL) E(CLOCK_BASIS_UTC, "utc") E(CLOCK_BASIS_LOCALTIME, "localtime")
DECLARE_ENUM(ClockBasis, clock_basis, CLOCK_BASES)

#define TIMER_NAMES(E)                                                                                      \
        E(TIMER_NAME_ABSENT, NULL)                                                                          \
        E(TIMER_PLATFORM, "platform")                                                                       \
        E(TIMER_PIT, "pit")                                                                                 \
        E(TIMER_RTC, "rtc") E(TIMER_HPET, "hpet") E(TIMER_TSC, "tsc") E(TIMER_KVMCLOCK, "kvmclock")         \
                E(TIMER_HYPERVCLOCK, "hypervclock") E(TIMER_ARMVTIMER, "armvtimer")
DECLARE_ENUM(TimerName, timer_name, TIMER_NAMES)

#define TIMER_TRACKS(E)                                                                                     \
        E(TIMER_TRACK_ABSENT, NULL)                                                                         \
        E(TIMER_TRACK_BOOT, "boot")                                                                         \
        E(TIMER_TRACK_GUEST, "guest") E(TIMER_TRACK_WALL, "wall") E(TIMER_TRACK_REALTIME, "realtime")
DECLARE_ENUM(TimerTrack, timer_track, TIMER_TRACKS)

#define TIMER_TICKPOLICIES(E)                                                                               \
        E(TIMER_TICKPOLICY_ABSENT, NULL)                                                                    \
        E(TIMER_DELAY, "delay")                                                                             \
        E(TIMER_CATCHUP, "catchup") E(TIMER_MERGE, "merge") E(TIMER_DISCARD, "discard")
DECLARE_ENUM(TimerTickpolicy, timer_tickpolicy, TIMER_TICKPOLICIES)

#define TIMER_MODES(E)                                                                                      \
        E(TIMER_MODE_ABSENT, NULL)                                                                          \
        E(TIMER_AUTO, "auto")                                                                               \
        E(TIMER_NATIVE, "native") E(TIMER_EMULATE, "emulate") E(TIMER_PARAVIRT, "paravirt")                 \
                E(TIMER_SMPSAFE, "smpsafe")
DECLARE_ENUM(TimerMode, timer_mode, TIMER_MODES)

typedef struct ClockTimer {
        TimerName name;
        TimerTrack track;
        TimerTickpolicy tickpolicy;
        TimerMode mode;
        YesNo present;
        uint64_t frequency_hz;
        uint32_t catchup_threshold, catchup_slew, catchup_limit;
} ClockTimer;

typedef struct DomainClock {
        ClockOffset offset;
        ClockBasis basis;
        uint64_t start_sec; /* absolute */
        char *adjustment;   /* as written: "reset" or seconds */
        char *timezone;
        LIST(ClockTimer) timers;
} DomainClock;
extern const StructType domain_clock_type;

typedef struct PerfEvent {
        char *name;
        YesNo enabled;
} PerfEvent;

typedef struct KeywrapCipher {
        char *name; /* "aes", "dea" */
        OnOff state;
} KeywrapCipher;

#define LAUNCH_SECURITIES(E)                                                                                \
        E(LAUNCH_SECURITY_ABSENT, NULL) E(LAUNCH_SEV, "sev") E(LAUNCH_S390_PV, "s390-pv")
DECLARE_ENUM(LaunchSecurityType, launch_security_type, LAUNCH_SECURITIES)

typedef struct LaunchSecurity {
        LaunchSecurityType type;
        YesNo kernel_hashes;
        bool has_cbitpos, has_reduced_phys_bits;
        uint32_t cbitpos, reduced_phys_bits, policy;
        char *dh_cert, *session;
} LaunchSecurity;
