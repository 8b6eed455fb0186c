/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How the machine boots: <os>, and <sysinfo> that SMBIOS and fw_cfg show to the guest. */

#include "model/domain/disk.h"

#define OS_TYPES(E)                                                                                         \
        E(OS_TYPE_ABSENT, NULL)                                                                             \
        E(OS_TYPE_HVM, "hvm")                                                                               \
        E(OS_TYPE_XEN, "xen")                                                                               \
        E(OS_TYPE_LINUX, "linux") E(OS_TYPE_EXE, "exe") E(OS_TYPE_UML, "uml") E(OS_TYPE_XENPVH, "xenpvh")
DECLARE_ENUM(OsType, os_type, OS_TYPES)

#define OS_FIRMWARES(E) E(OS_FIRMWARE_ABSENT, NULL) E(OS_FIRMWARE_BIOS, "bios") E(OS_FIRMWARE_EFI, "efi")
DECLARE_ENUM(OsFirmware, os_firmware, OS_FIRMWARES)

#define LOADER_TYPES(E)                                                                                     \
        E(LOADER_TYPE_ABSENT, NULL) E(LOADER_ROM, "rom") E(LOADER_PFLASH, "pflash") E(LOADER_NONE, "none")
DECLARE_ENUM(LoaderType, loader_type, LOADER_TYPES)

#define BOOT_DEVICES(E)                                                                                     \
        E(BOOT_DEVICE_ABSENT, NULL)                                                                         \
        E(BOOT_DEVICE_FD, "fd")                                                                             \
        E(BOOT_DEVICE_CDROM, "cdrom") E(BOOT_DEVICE_HD, "hd") E(BOOT_DEVICE_NETWORK, "network")
DECLARE_ENUM(BootDevice, boot_device, BOOT_DEVICES)

#define SMBIOS_MODES(E)                                                                                     \
        E(SMBIOS_MODE_ABSENT, NULL)                                                                         \
        E(SMBIOS_EMULATE, "emulate")                                                                        \
        E(SMBIOS_HOST, "host") E(SMBIOS_SYSINFO, "sysinfo") E(SMBIOS_NONE, "none")
DECLARE_ENUM(SmbiosMode, smbios_mode, SMBIOS_MODES)

typedef struct OsBoot {
        BootDevice device;
} OsBoot;

typedef struct FirmwareFeature {
        YesNo enabled;
        char *name; /* "secure-boot", "enrolled-keys" */
} FirmwareFeature;

typedef struct OsNvram {
        char *template_path, *template_format, *format;
        DiskType type;
        char *path;         /* as text, without type */
        DiskSource *source; /* with type */
} OsNvram;

typedef struct OsAcpiTable {
        char *type, *path;
} OsAcpiTable;

typedef struct InitEnvironment {
        char *name, *value;
} InitEnvironment;

typedef struct DomainOs {
        OsType type;
        OsFirmware firmware;
        LoaderType loader_type;
        YesNo loader_readonly, loader_secure, loader_stateless;
        YesNo bootmenu, bios_useserial;
        SmbiosMode smbios;
        bool has_bootmenu_timeout, has_reboot_timeout;
        uint32_t bootmenu_timeout_msec;
        int32_t reboot_timeout_msec;
        char *arch, *machine;
        LIST(FirmwareFeature) firmware_features;
        char *loader, *loader_format;
        OsNvram *nvram;
        char *kernel, *initrd, *cmdline, *dtb, *shim;
        char *root; /* xen pv */
        LIST(OsAcpiTable) acpi_tables;
        LIST(OsBoot) boots;
        /* containers */
        char *init, *initdir, *inituser, *initgroup;
        char **initargs;
        LIST(InitEnvironment) initenvs;
} DomainOs;
extern const StructType domain_os_type;

typedef struct SysinfoEntry {
        char *name, *file, *value;
} SysinfoEntry;

typedef struct SysinfoBaseboard {
        LIST(SysinfoEntry) entries;
} SysinfoBaseboard;

#define SYSINFO_TYPES(E) E(SYSINFO_TYPE_ABSENT, NULL) E(SYSINFO_SMBIOS, "smbios") E(SYSINFO_FWCFG, "fwcfg")
DECLARE_ENUM(SysinfoType, sysinfo_type, SYSINFO_TYPES)

typedef struct DomainSysinfo {
        SysinfoType type;
        LIST(SysinfoEntry) bios, system, chassis;
        LIST(SysinfoBaseboard) baseboards;
        char **oem_strings;
        LIST(SysinfoEntry) fwcfg;
} DomainSysinfo;
extern const StructType domain_sysinfo_type;
