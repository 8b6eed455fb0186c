/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <os> and <sysinfo>. */

#include "model/domain/os.h"
#include <string.h>

DEFINE_ENUM(os_type, OS_TYPES);
DEFINE_ENUM(os_firmware, OS_FIRMWARES);
DEFINE_ENUM(loader_type, LOADER_TYPES);
DEFINE_ENUM(boot_device, BOOT_DEVICES);
DEFINE_ENUM(smbios_mode, SMBIOS_MODES);
DEFINE_ENUM(sysinfo_type, SYSINFO_TYPES);

#define THIS OsBoot
static const Field os_boot_fields[] = { ENUM("@dev", device, boot_device, .flags = FIELD_REQUIRED) };
#undef THIS
static DEFINE_STRUCT(os_boot, OsBoot);

#define THIS FirmwareFeature
static const Field firmware_feature_fields[] = {
        YESNO("@enabled", enabled, .flags = FIELD_REQUIRED),
        STRING("@name", name, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(firmware_feature, FirmwareFeature);

static bool nvram_has_path(const void *object, unsigned flags)
{
        (void)flags;
        return ((const OsNvram *)object)->type == DISK_TYPE_ABSENT;
}

static int nvram_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        OsNvram *nvram = object;

        (void)flags;
        if (nvram->type != DISK_TYPE_ABSENT) { /* blanks around <source> */
                g_clear_pointer(&nvram->path, g_free);
                return nvram->source ? disk_source_complete(nvram->source, nvram->type,
                                                            node ? node->line : 0, error)
                                     : 0;
        }
        if (nvram->source && !node)
                return error_set(error, ERROR_INVALID_ARGUMENT, "the source of an nvram needs a type");
        /* Without a type it is a path, and what stands beside that is not looked at. */
        nvram->source = struct_free(&disk_source_type, nvram->source);
        return 0;
}

#define THIS OsNvram
static const Field os_nvram_fields[] = {
        STRING("@template", template_path),
        STRING("@templateFormat", template_format),
        ENUM("@type", type, disk_type),
        STRING("@format", format),
        STRING(".", path, .shown = nvram_has_path),
        STRUCT("source", source, disk_source),
};
#undef THIS
static DEFINE_STRUCT(os_nvram, OsNvram, .check = nvram_check);

#define THIS OsAcpiTable
static const Field os_acpi_table_fields[] = { STRING("@type", type), STRING(".", path) };
#undef THIS
static DEFINE_STRUCT(os_acpi_table, OsAcpiTable);

#define THIS InitEnvironment
static const Field init_environment_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        STRING(".", value, .flags = FIELD_EMPTY_WORD),
};
#undef THIS
static DEFINE_STRUCT(init_environment, InitEnvironment);

#define THIS DomainOs
static const Field domain_os_fields[] = {
        ENUM("@firmware", firmware, os_firmware),
        STRING("type/@arch", arch),
        STRING("type/@machine", machine),
        ENUM("type/.", type, os_type),
        STRING("init", init),
        STRINGS("initarg", initargs),
        ITEMS("initenv", initenvs, init_environment),
        STRING("initdir", initdir),
        STRING("inituser", inituser),
        STRING("initgroup", initgroup),
        ITEMS("firmware/feature", firmware_features, firmware_feature),
        YESNO("loader/@readonly", loader_readonly),
        YESNO("loader/@secure", loader_secure),
        ENUM("loader/@type", loader_type, loader_type),
        YESNO("loader/@stateless", loader_stateless),
        STRING("loader/@format", loader_format),
        STRING("loader/.", loader),
        STRUCT("nvram", nvram, os_nvram),
        STRING("kernel", kernel),
        STRING("initrd", initrd),
        STRING("cmdline", cmdline),
        STRING("dtb", dtb),
        STRING("shim", shim),
        STRING("root", root),
        ITEMS("acpi/table", acpi_tables, os_acpi_table),
        ITEMS("boot", boots, os_boot),
        YESNO("bootmenu/@enable", bootmenu),
        UNSIGNED("bootmenu/@timeout", bootmenu_timeout_msec,
                 .has_offset = offsetof(THIS, has_bootmenu_timeout)),
        YESNO("bios/@useserial", bios_useserial),
        SIGNED("bios/@rebootTimeout", reboot_timeout_msec, .has_offset = offsetof(THIS, has_reboot_timeout)),
        ENUM("smbios/@mode", smbios, smbios_mode),
};
#undef THIS

/* Those that libvirt knows, by its names. */
static const char *const architectures[] = {
        "aarch64",  "alpha",   "armv6l",      "armv7b", "armv7l",     "cris",         "i686",  "ia64",
        "itanium",  "lm32",    "loongarch64", "m68k",   "microblaze", "microblazeel", "mips",  "mips64",
        "mips64el", "mipsel",  "openrisc",    "parisc", "parisc64",   "ppc",          "ppc64", "ppc64le",
        "ppcemb",   "riscv32", "riscv64",     "s390",   "s390x",      "sh4",          "sh4eb", "sparc",
        "sparc64",  "tilegx",  "unicore32",   "x86_64", "xtensa",     "xtensaeb",     NULL,
};

static int os_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DomainOs *os = object;

        (void)flags;
        if (os->arch && !g_strv_contains(architectures, os->arch))
                return error_set(error, ERROR_INVALID_XML, "line %u: <type>: arch='%s' is no architecture",
                                 node ? node->line : 0, os->arch);
        if (os->has_bootmenu_timeout && os->bootmenu_timeout_msec > 65535)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <bootmenu>: timeout='%u': at most 65535 milliseconds are possible",
                        node ? node->line : 0, os->bootmenu_timeout_msec);
        if (os->has_reboot_timeout && (os->reboot_timeout_msec < -1 || os->reboot_timeout_msec > 65535))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <bios>: rebootTimeout='%d': -1 to 65535 milliseconds are possible",
                        node ? node->line : 0, os->reboot_timeout_msec);
        return 0;
}

DEFINE_STRUCT(domain_os, DomainOs, .check = os_check);

#define THIS SysinfoEntry
static const Field sysinfo_entry_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED),
        STRING("@file", file),
        STRING(".", value),
};
#undef THIS
static DEFINE_STRUCT(sysinfo_entry, SysinfoEntry);

#define THIS SysinfoBaseboard
static const Field sysinfo_baseboard_fields[] = { ITEMS("entry", entries, sysinfo_entry) };
#undef THIS
static DEFINE_STRUCT(sysinfo_baseboard, SysinfoBaseboard);

#define THIS DomainSysinfo
static const Field domain_sysinfo_fields[] = {
        ENUM("@type", type, sysinfo_type, .flags = FIELD_REQUIRED),
        ITEMS("bios/entry", bios, sysinfo_entry),
        ITEMS("system/entry", system, sysinfo_entry),
        ITEMS("baseBoard", baseboards, sysinfo_baseboard),
        ITEMS("chassis/entry", chassis, sysinfo_entry),
        STRINGS("oemStrings/entry", oem_strings),
        ITEMS("entry", fwcfg, sysinfo_entry, WHEN(type, BIT(SYSINFO_FWCFG))),
};
#undef THIS
DEFINE_STRUCT(domain_sysinfo, DomainSysinfo);
