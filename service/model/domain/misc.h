/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The small devices: inputs, balloon, random numbers, watchdogs, TPMs ... */

#include "model/domain/chardev.h"
#include "model/domain/disk.h"

#define INPUT_TYPES(E)                                                                                      \
        E(INPUT_TYPE_ABSENT, NULL)                                                                          \
        E(INPUT_TYPE_MOUSE, "mouse")                                                                        \
        E(INPUT_TYPE_TABLET, "tablet")                                                                      \
        E(INPUT_TYPE_KEYBOARD, "keyboard")                                                                  \
        E(INPUT_TYPE_PASSTHROUGH, "passthrough")                                                            \
        E(INPUT_TYPE_EVDEV, "evdev")
DECLARE_ENUM(InputType, input_type, INPUT_TYPES)

#define INPUT_BUSES(E)                                                                                      \
        E(INPUT_BUS_ABSENT, NULL)                                                                           \
        E(INPUT_BUS_PS2, "ps2")                                                                             \
        E(INPUT_BUS_USB, "usb")                                                                             \
        E(INPUT_BUS_XEN, "xen")                                                                             \
        E(INPUT_BUS_PARALLELS, "parallels")                                                                 \
        E(INPUT_BUS_VIRTIO, "virtio")                                                                       \
        E(INPUT_BUS_NONE, "none")
DECLARE_ENUM(InputBus, input_bus, INPUT_BUSES)

#define VIRTIO_MODELS(E)                                                                                    \
        E(VIRTIO_MODEL_ABSENT, NULL)                                                                        \
        E(VIRTIO_MODEL_VIRTIO, "virtio")                                                                    \
        E(VIRTIO_MODEL_TRANSITIONAL, "virtio-transitional")                                                 \
        E(VIRTIO_MODEL_NON_TRANSITIONAL, "virtio-non-transitional")
DECLARE_ENUM(VirtioModel, virtio_model, VIRTIO_MODELS)

#define INPUT_GRABS(E) E(INPUT_GRAB_DEFAULT, NULL) E(INPUT_GRAB_ALL, "all")
DECLARE_ENUM(InputGrab, input_grab, INPUT_GRABS)

#define INPUT_GRAB_TOGGLES(E)                                                                               \
        E(INPUT_GRAB_TOGGLE_DEFAULT, NULL)                                                                  \
        E(INPUT_GRAB_CTRL_CTRL, "ctrl-ctrl")                                                                \
        E(INPUT_GRAB_ALT_ALT, "alt-alt")                                                                    \
        E(INPUT_GRAB_SHIFT_SHIFT, "shift-shift")                                                            \
        E(INPUT_GRAB_META_META, "meta-meta")                                                                \
        E(INPUT_GRAB_SCROLLLOCK, "scrolllock") E(INPUT_GRAB_CTRL_SCROLLLOCK, "ctrl-scrolllock")
DECLARE_ENUM(InputGrabToggle, input_grab_toggle, INPUT_GRAB_TOGGLES)

typedef struct DomainInput {
        InputType type;
        InputBus bus;
        VirtioModel model;
        InputGrab grab;
        InputGrabToggle grab_toggle;
        OnOff repeat;
        VirtioOptions virtio;
        char *evdev, *dev; /* passthrough; evdev */
        DeviceInfo info;
} DomainInput;
extern const StructType domain_input_type;

#define MEMBALLOON_MODELS(E)                                                                                \
        E(MEMBALLOON_MODEL_ABSENT, NULL)                                                                    \
        E(MEMBALLOON_MODEL_VIRTIO, "virtio")                                                                \
        E(MEMBALLOON_MODEL_XEN, "xen")                                                                      \
        E(MEMBALLOON_MODEL_NONE, "none")                                                                    \
        E(MEMBALLOON_MODEL_VIRTIO_TRANSITIONAL, "virtio-transitional")                                      \
        E(MEMBALLOON_MODEL_VIRTIO_NON_TRANSITIONAL, "virtio-non-transitional")
DECLARE_ENUM(MemballoonModel, memballoon_model, MEMBALLOON_MODELS)

typedef struct DomainMemballoon {
        MemballoonModel model;
        OnOff autodeflate, free_page_reporting;
        uint32_t stats_period_sec;
        VirtioOptions virtio;
        DeviceInfo info;
} DomainMemballoon;
extern const StructType domain_memballoon_type;

#define RNG_BACKENDS(E)                                                                                     \
        E(RNG_BACKEND_ABSENT, NULL) E(RNG_RANDOM, "random") E(RNG_EGD, "egd") E(RNG_BUILTIN, "builtin")
DECLARE_ENUM(RngBackend, rng_backend, RNG_BACKENDS)

typedef struct DomainRng {
        VirtioModel model;
        RngBackend backend;
        uint32_t rate_bytes, rate_period_msec;
        char *device;         /* random: "/dev/urandom" */
        ChardevSource source; /* egd */
        VirtioOptions virtio;
        DeviceInfo info;
} DomainRng;
extern const StructType domain_rng_type;

#define WATCHDOG_MODELS(E)                                                                                  \
        E(WATCHDOG_MODEL_ABSENT, NULL)                                                                      \
        E(WATCHDOG_I6300ESB, "i6300esb")                                                                    \
        E(WATCHDOG_IB700, "ib700") E(WATCHDOG_DIAG288, "diag288") E(WATCHDOG_ITCO, "itco")
DECLARE_ENUM(WatchdogModel, watchdog_model, WATCHDOG_MODELS)

#define WATCHDOG_ACTIONS(E)                                                                                 \
        E(WATCHDOG_ACTION_ABSENT, NULL)                                                                     \
        E(WATCHDOG_RESET, "reset")                                                                          \
        E(WATCHDOG_SHUTDOWN, "shutdown")                                                                    \
        E(WATCHDOG_POWEROFF, "poweroff")                                                                    \
        E(WATCHDOG_PAUSE, "pause")                                                                          \
        E(WATCHDOG_DUMP, "dump") E(WATCHDOG_NONE, "none") E(WATCHDOG_INJECT_NMI, "inject-nmi")
DECLARE_ENUM(WatchdogAction, watchdog_action, WATCHDOG_ACTIONS)

typedef struct DomainWatchdog {
        WatchdogModel model;
        WatchdogAction action;
        DeviceInfo info;
} DomainWatchdog;
extern const StructType domain_watchdog_type;

#define TPM_MODELS(E)                                                                                       \
        E(TPM_MODEL_DEFAULT, NULL)                                                                          \
        E(TPM_TIS, "tpm-tis")                                                                               \
        E(TPM_CRB, "tpm-crb") E(TPM_SPAPR, "tpm-spapr") E(TPM_SPAPR_PROXY, "spapr-tpm-proxy")
DECLARE_ENUM(TpmModel, tpm_model, TPM_MODELS)

#define TPM_BACKENDS(E)                                                                                     \
        E(TPM_BACKEND_ABSENT, NULL)                                                                         \
        E(TPM_PASSTHROUGH, "passthrough") E(TPM_EMULATOR, "emulator") E(TPM_EXTERNAL, "external")
DECLARE_ENUM(TpmBackend, tpm_backend, TPM_BACKENDS)

#define TPM_VERSIONS(E) E(TPM_VERSION_DEFAULT, NULL) E(TPM_VERSION_1_2, "1.2") E(TPM_VERSION_2_0, "2.0")
DECLARE_ENUM(TpmVersion, tpm_version, TPM_VERSIONS)

typedef struct TpmPcrBanks {
        bool sha1, sha256, sha384, sha512;
} TpmPcrBanks;

typedef struct DomainTpm {
        TpmModel model;
        TpmBackend backend;
        TpmVersion version;
        YesNo persistent_state;
        TpmPcrBanks *active_pcr_banks;
        char *device; /* passthrough: "/dev/tpm0" */
        char encryption_secret[37];
        char *source_type, *source_mode, *source_path; /* external */
        DeviceInfo info;
} DomainTpm;
extern const StructType domain_tpm_type;

typedef struct DomainHub {
        char *type; /* "usb" */
        DeviceInfo info;
} DomainHub;
extern const StructType domain_hub_type;

#define PANIC_MODELS(E)                                                                                     \
        E(PANIC_MODEL_DEFAULT, NULL)                                                                        \
        E(PANIC_ISA, "isa")                                                                                 \
        E(PANIC_PSERIES, "pseries")                                                                         \
        E(PANIC_HYPERV, "hyperv") E(PANIC_S390, "s390") E(PANIC_PVPANIC, "pvpanic")
DECLARE_ENUM(PanicModel, panic_model, PANIC_MODELS)

typedef struct DomainPanic {
        PanicModel model;
        DeviceInfo info;
} DomainPanic;
extern const StructType domain_panic_type;

#define SHMEM_MODELS(E)                                                                                     \
        E(SHMEM_MODEL_ABSENT, NULL)                                                                         \
        E(SHMEM_IVSHMEM, "ivshmem")                                                                         \
        E(SHMEM_IVSHMEM_PLAIN, "ivshmem-plain") E(SHMEM_IVSHMEM_DOORBELL, "ivshmem-doorbell")
DECLARE_ENUM(ShmemModel, shmem_model, SHMEM_MODELS)

#define SHMEM_ROLES(E) E(SHMEM_ROLE_DEFAULT, NULL) E(SHMEM_MASTER, "master") E(SHMEM_PEER, "peer")
DECLARE_ENUM(ShmemRole, shmem_role, SHMEM_ROLES)

typedef struct DomainShmem {
        char *name;
        ShmemModel model;
        ShmemRole role;
        bool has_server, has_msi;
        OnOff msi_ioeventfd;
        uint32_t msi_vectors;
        uint64_t size_mib;
        char *server_path;
        DeviceInfo info;
} DomainShmem;
extern const StructType domain_shmem_type;

#define MEMORY_MODELS(E)                                                                                    \
        E(MEMORY_MODEL_ABSENT, NULL)                                                                        \
        E(MEMORY_MODEL_DIMM, "dimm")                                                                        \
        E(MEMORY_MODEL_NVDIMM, "nvdimm")                                                                    \
        E(MEMORY_MODEL_VIRTIO_PMEM, "virtio-pmem")                                                          \
        E(MEMORY_MODEL_VIRTIO_MEM, "virtio-mem") E(MEMORY_MODEL_SGX_EPC, "sgx-epc")
DECLARE_ENUM(MemoryModel, memory_model, MEMORY_MODELS)

#define MEMORY_ACCESSES(E)                                                                                  \
        E(MEMORY_ACCESS_DEFAULT, NULL) E(MEMORY_SHARED, "shared") E(MEMORY_PRIVATE, "private")
DECLARE_ENUM(MemoryAccess, memory_access, MEMORY_ACCESSES)

typedef struct DomainMemory {
        MemoryModel model;
        MemoryAccess access;
        YesNo discard;
        char uuid[37];
        char *source_nodemask, *source_path;
        bool pmem, readonly, has_node;
        uint32_t node;
        uint64_t source_page_kib, align_kib;
        uint64_t size_kib, label_kib, block_kib, requested_kib, current_kib;
        DeviceInfo info;
} DomainMemory;
extern const StructType domain_memory_type;

#define IOMMU_MODELS(E)                                                                                     \
        E(IOMMU_MODEL_ABSENT, NULL)                                                                         \
        E(IOMMU_INTEL, "intel") E(IOMMU_SMMUV3, "smmuv3") E(IOMMU_VIRTIO, "virtio")
DECLARE_ENUM(IommuModel, iommu_model, IOMMU_MODELS)

typedef struct DomainIommu {
        IommuModel model;
        OnOff intremap, caching_mode, eim, iotlb;
        uint32_t aw_bits;
        DeviceInfo info;
} DomainIommu;
extern const StructType domain_iommu_type;

typedef struct DomainVsock {
        VirtioModel model;
        YesNo cid_auto;
        uint32_t cid;
        VirtioOptions virtio;
        DeviceInfo info;
} DomainVsock;
extern const StructType domain_vsock_type;

typedef struct DomainNvram {
        DeviceInfo info;
} DomainNvram;
extern const StructType domain_nvram_type;

typedef struct DomainLease {
        char *lockspace, *key, *target_path;
        uint64_t target_offset;
} DomainLease;
extern const StructType domain_lease_type;

#define CRYPTO_BACKENDS(E) E(CRYPTO_BACKEND_ABSENT, NULL) E(CRYPTO_BUILTIN, "builtin") E(CRYPTO_LKCF, "lkcf")
DECLARE_ENUM(CryptoBackend, crypto_backend, CRYPTO_BACKENDS)

typedef struct DomainCrypto {
        VirtioModel model;
        char *type; /* "qemu" */
        CryptoBackend backend;
        uint32_t queues;
        VirtioOptions virtio;
        DeviceInfo info;
} DomainCrypto;
extern const StructType domain_crypto_type;

#define FILESYSTEM_TYPES(E)                                                                                 \
        E(FILESYSTEM_TYPE_ABSENT, NULL)                                                                     \
        E(FILESYSTEM_MOUNT, "mount")                                                                        \
        E(FILESYSTEM_BLOCK, "block")                                                                        \
        E(FILESYSTEM_FILE, "file")                                                                          \
        E(FILESYSTEM_TEMPLATE, "template")                                                                  \
        E(FILESYSTEM_RAM, "ram") E(FILESYSTEM_BIND, "bind") E(FILESYSTEM_VOLUME, "volume")
DECLARE_ENUM(FilesystemType, filesystem_type, FILESYSTEM_TYPES)

#define FILESYSTEM_ACCESSES(E)                                                                              \
        E(FILESYSTEM_ACCESS_DEFAULT, NULL)                                                                  \
        E(FILESYSTEM_PASSTHROUGH, "passthrough")                                                            \
        E(FILESYSTEM_MAPPED, "mapped") E(FILESYSTEM_SQUASH, "squash")
DECLARE_ENUM(FilesystemAccess, filesystem_access, FILESYSTEM_ACCESSES)

#define FILESYSTEM_DRIVERS(E)                                                                               \
        E(FILESYSTEM_DRIVER_DEFAULT, "default")                                                             \
        E(FILESYSTEM_DRIVER_PATH, "path")                                                                   \
        E(FILESYSTEM_DRIVER_HANDLE, "handle")                                                               \
        E(FILESYSTEM_DRIVER_LOOP, "loop")                                                                   \
        E(FILESYSTEM_DRIVER_NBD, "nbd")                                                                     \
        E(FILESYSTEM_DRIVER_PLOOP, "ploop") E(FILESYSTEM_DRIVER_VIRTIOFS, "virtiofs")
DECLARE_ENUM(FilesystemDriver, filesystem_driver, FILESYSTEM_DRIVERS)

#define FILESYSTEM_MULTIDEVS(E)                                                                             \
        E(FILESYSTEM_MULTIDEVS_DEFAULT, "default")                                                          \
        E(FILESYSTEM_MULTIDEVS_REMAP, "remap")                                                              \
        E(FILESYSTEM_MULTIDEVS_FORBID, "forbid") E(FILESYSTEM_MULTIDEVS_WARN, "warn")
DECLARE_ENUM(FilesystemMultidevs, filesystem_multidevs, FILESYSTEM_MULTIDEVS)

#define FILESYSTEM_CACHES(E)                                                                                \
        E(FILESYSTEM_CACHE_DEFAULT, NULL)                                                                   \
        E(FILESYSTEM_CACHE_NONE, "none") E(FILESYSTEM_CACHE_ALWAYS, "always")
DECLARE_ENUM(FilesystemCache, filesystem_cache, FILESYSTEM_CACHES)

#define FILESYSTEM_SANDBOXES(E)                                                                             \
        E(FILESYSTEM_SANDBOX_DEFAULT, NULL)                                                                 \
        E(FILESYSTEM_SANDBOX_NAMESPACE, "namespace") E(FILESYSTEM_SANDBOX_CHROOT, "chroot")
DECLARE_ENUM(FilesystemSandbox, filesystem_sandbox, FILESYSTEM_SANDBOXES)

#define FILESYSTEM_WRPOLICIES(E) E(FILESYSTEM_WRPOLICY_DEFAULT, NULL) E(FILESYSTEM_IMMEDIATE, "immediate")
DECLARE_ENUM(FilesystemWrpolicy, filesystem_wrpolicy, FILESYSTEM_WRPOLICIES)

typedef struct DomainFilesystem {
        FilesystemType type;
        FilesystemAccess access;
        VirtioModel model;
        FilesystemMultidevs multidevs;
        FilesystemDriver driver;
        DiskFormat format;
        FilesystemWrpolicy wrpolicy;
        FilesystemCache cache;
        FilesystemSandbox sandbox;
        OnOff xattr, posix_lock, flock;
        bool readonly, has_fmode, has_dmode;
        uint32_t fmode, dmode, queue_size, thread_pool_size;
        VirtioOptions virtio;
        char *binary;
        char *source_dir, *source_dev, *source_file, *source_name, *source_socket, *source_pool,
                *source_volume;
        char *source_units; /* "KiB" once read */
        uint64_t source_usage_kib;
        char *target;
        uint64_t space_hard_limit_bytes, space_soft_limit_bytes;
        DeviceInfo info;
} DomainFilesystem;
extern const StructType domain_filesystem_type;

#define HOSTDEV_MODES(E)                                                                                    \
        E(HOSTDEV_MODE_ABSENT, NULL)                                                                        \
        E(HOSTDEV_SUBSYSTEM, "subsystem") E(HOSTDEV_CAPABILITIES, "capabilities")
DECLARE_ENUM(HostdevMode, hostdev_mode, HOSTDEV_MODES)

#define HOSTDEV_TYPES(E)                                                                                    \
        E(HOSTDEV_TYPE_ABSENT, NULL)                                                                        \
        E(HOSTDEV_USB, "usb")                                                                               \
        E(HOSTDEV_PCI, "pci")                                                                               \
        E(HOSTDEV_SCSI, "scsi")                                                                             \
        E(HOSTDEV_SCSI_HOST, "scsi_host")                                                                   \
        E(HOSTDEV_MDEV, "mdev") E(HOSTDEV_STORAGE, "storage") E(HOSTDEV_MISC, "misc") E(HOSTDEV_NET, "net")
DECLARE_ENUM(HostdevType, hostdev_type, HOSTDEV_TYPES)

#define HOSTDEV_MODELS(E)                                                                                   \
        E(HOSTDEV_MODEL_ABSENT, NULL)                                                                       \
        E(HOSTDEV_VFIO_PCI, "vfio-pci")                                                                     \
        E(HOSTDEV_VFIO_CCW, "vfio-ccw")                                                                     \
        E(HOSTDEV_VFIO_AP, "vfio-ap")                                                                       \
        E(HOSTDEV_VIRTIO, "virtio")                                                                         \
        E(HOSTDEV_VIRTIO_TRANSITIONAL, "virtio-transitional")                                               \
        E(HOSTDEV_VIRTIO_NON_TRANSITIONAL, "virtio-non-transitional")
DECLARE_ENUM(HostdevModel, hostdev_model, HOSTDEV_MODELS)

typedef struct DomainHostdev {
        HostdevMode mode;
        HostdevType type;
        HostdevModel model;
        YesNo managed, write_filtering;
        OnOff display, ramfb;
        char *sgio, *rawio;
        char *driver; /* "vfio" */
        StartupPolicy startup_policy;
        char *guest_reset; /* usb: "off", "uninitialized", "on" */
        YesNo missing;
        YesNo found_address; /* usb: of the run, found by vendor and product */
        bool has_vendor, has_product, has_usb_bus, has_usb_device;
        uint32_t vendor, product, usb_bus, usb_device;
        DeviceAddress source_address; /* pci */
        char mdev_uuid[37];
        char *protocol, *source_name, *wwpn; /* scsi over iscsi, vhost */
        char *adapter;
        uint32_t scsi_bus, scsi_target;
        uint64_t scsi_unit;
        LIST(DiskHost) hosts;
        DiskAuth *auth;
        char *initiator_iqn;
        char *block, *character, *net_interface; /* capabilities: storage, misc, net */
        bool readonly, shareable;
        DeviceInfo info;
} DomainHostdev;
extern const StructType domain_hostdev_type;
