/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What all devices share. */

#include "model/device.h"
#include <string.h>

DEFINE_ENUM(address_type, ADDRESS_TYPES);

#define THIS DeviceAddress
static const Field device_address_fields[] = {
        ENUM("@type", type, address_type),
        HEX_ALWAYS("@domain", domain, 4, WHEN(type, BIT(ADDRESS_PCI))),
        HEX_ALWAYS("@bus", bus, 2, WHEN(type, BIT(ADDRESS_PCI))),
        HEX_ALWAYS("@slot", slot, 2, WHEN(type, BIT(ADDRESS_PCI))),
        HEX_ALWAYS("@function", function, 1, WHEN(type, BIT(ADDRESS_PCI))),
        ONOFF("@multifunction", multifunction, WHEN(type, BIT(ADDRESS_PCI))),
        UNSIGNED("@controller", controller, .flags = FIELD_ALWAYS,
                 WHEN(type, BIT(ADDRESS_DRIVE) | BIT(ADDRESS_VIRTIO_SERIAL) | BIT(ADDRESS_CCID))),
        UNSIGNED("@bus", bus, .flags = FIELD_ALWAYS,
                 WHEN(type, BIT(ADDRESS_DRIVE) | BIT(ADDRESS_VIRTIO_SERIAL) | BIT(ADDRESS_USB))),
        UNSIGNED("@target", target, .flags = FIELD_ALWAYS, WHEN(type, BIT(ADDRESS_DRIVE))),
        UNSIGNED("@unit", unit, .flags = FIELD_ALWAYS, WHEN(type, BIT(ADDRESS_DRIVE))),
        UNSIGNED("@port", port_number, .flags = FIELD_ALWAYS, WHEN(type, BIT(ADDRESS_VIRTIO_SERIAL))),
        UNSIGNED("@slot", slot, .flags = FIELD_ALWAYS, WHEN(type, BIT(ADDRESS_CCID))),
        STRING("@port", port, WHEN(type, BIT(ADDRESS_USB))),
        HEX("@reg", reg, 8, .has_offset = offsetof(THIS, has_reg), WHEN(type, BIT(ADDRESS_SPAPR_VIO))),
        HEX("@cssid", cssid, 2, .has_offset = offsetof(THIS, has_ccw), WHEN(type, BIT(ADDRESS_CCW))),
        HEX("@ssid", ssid, 1, .has_offset = offsetof(THIS, has_ccw), WHEN(type, BIT(ADDRESS_CCW))),
        HEX("@devno", devno, 4, .has_offset = offsetof(THIS, has_ccw), WHEN(type, BIT(ADDRESS_CCW))),
        HEX("@iobase", iobase, 1, .has_offset = offsetof(THIS, has_iobase), WHEN(type, BIT(ADDRESS_ISA))),
        HEX("@irq", irq, 1, .has_offset = offsetof(THIS, has_irq), WHEN(type, BIT(ADDRESS_ISA))),
        OPTIONAL_UNSIGNED("@slot", slot, WHEN(type, BIT(ADDRESS_DIMM))),
        HEX("@base", base, 1, .has_offset = offsetof(THIS, has_base), WHEN(type, BIT(ADDRESS_DIMM))),
        HEX("zpci/@uid", zpci_uid, 4, .has_offset = offsetof(THIS, has_zpci_uid),
            WHEN(type, BIT(ADDRESS_PCI))),
        HEX("zpci/@fid", zpci_fid, 8, .has_offset = offsetof(THIS, has_zpci_fid),
            WHEN(type, BIT(ADDRESS_PCI))),
};
#undef THIS

static int address_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DeviceAddress *address = object;

        (void)flags;
        if (address->type == ADDRESS_PCI &&
            (address->slot > 31 || address->function > 7 || address->bus > 255))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: PCI address %04x:%02x:%02x.%x: bus up to 0xff, slot up to 0x1f and "
                        "function up to 7 are possible",
                        node ? node->line : 0, address->domain, address->bus, address->slot,
                        address->function);
        if (node && strcmp(node->name, "address") == 0 && address->type == ADDRESS_NONE &&
            !xml_attribute(node, "type"))
                return error_set(error, ERROR_INVALID_XML, "line %u: <address>: @type is missing",
                                 node->line);
        return 0;
}

static bool address_shown(const void *object, unsigned flags)
{
        (void)flags;
        return ((const DeviceAddress *)object)->type != ADDRESS_NONE;
}

DEFINE_STRUCT(device_address, DeviceAddress, .check = address_check, .shown = address_shown);

static int host_pci_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DeviceAddress *address = object;

        address->type = ADDRESS_PCI;
        return address_check(address, node, flags, error);
}

#define THIS DeviceAddress
static const Field host_pci_address_fields[] = {
        HEX_ALWAYS("@domain", domain, 4),
        HEX_ALWAYS("@bus", bus, 2),
        HEX_ALWAYS("@slot", slot, 2),
        HEX_ALWAYS("@function", function, 1),
};
#undef THIS
DEFINE_STRUCT(host_pci_address, DeviceAddress, .check = host_pci_check, .shown = address_shown);

#define THIS DeviceRom
static const Field device_rom_fields[] = {
        YESNO("@enabled", enabled),
        ONOFF("@bar", bar),
        STRING("@file", file),
};
#undef THIS
static DEFINE_STRUCT(device_rom, DeviceRom);

/* Names given at the start are shown while it runs, a user's own always. */
static bool alias_shown(const void *object, unsigned flags)
{
        const char *alias = ((const DeviceInfo *)object)->alias;

        return flags & DEFINITION_STATUS || !(flags & DEFINITION_INACTIVE) ||
               (alias && g_str_has_prefix(alias, "ua-"));
}

static int info_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DeviceInfo *info = object;

        (void)node;
        (void)error;
        if (info->alias && flags & DEFINITION_INACTIVE && !(flags & DEFINITION_STATUS) &&
            !g_str_has_prefix(info->alias, "ua-"))
                g_clear_pointer(&info->alias, g_free);
        return 0;
}

#define THIS DeviceInfo
static const Field device_info_fields[] = {
        UNSIGNED("boot/@order", boot_order, .flags = FIELD_NO_ABI),
        STRING("boot/@loadparm", loadparm),
        STRING("alias/@name", alias, .shown = alias_shown, .flags = FIELD_NO_ABI),
        UNSIGNED("master/@startport", master_startport, .has_offset = offsetof(THIS, has_master)),
        STRUCT("rom", rom, device_rom),
        UNSIGNED("acpi/@index", acpi_index),
        INLINE("address", address, device_address),
};
#undef THIS
DEFINE_STRUCT(device_info, DeviceInfo, .check = info_check);

#define THIS VirtioOptions
static const Field virtio_options_fields[] = {
        ONOFF("@iommu", iommu),
        ONOFF("@ats", ats),
        ONOFF("@packed", packed),
        ONOFF("@page_per_vq", page_per_vq),
};
#undef THIS
DEFINE_STRUCT(virtio_options, VirtioOptions);

#define THIS SecurityLabel
static const Field security_label_fields[] = {
        STRING("@model", model, .flags = FIELD_NO_ABI),
        YESNO("@labelskip", labelskip, .flags = FIELD_NO_ABI),
        YESNO("@relabel", relabel, .flags = FIELD_NO_ABI),
        STRING("label", label, .flags = FIELD_NO_ABI),
};
#undef THIS
DEFINE_STRUCT(security_label, SecurityLabel);

bool device_address_is_assigned(const DeviceAddress *address)
{
        if (address->type == ADDRESS_PCI)
                return address->domain || address->bus || address->slot || address->function;
        return address->type != ADDRESS_NONE;
}

char *device_address_to_string(const DeviceAddress *address)
{
        switch (address->type) {
        case ADDRESS_PCI:
                return g_strdup_printf("%04x:%02x:%02x.%x", address->domain, address->bus, address->slot,
                                       address->function);
        case ADDRESS_DRIVE:
                return g_strdup_printf("drive %u:%u:%u:%u", address->controller, address->bus,
                                       address->target, address->unit);
        case ADDRESS_VIRTIO_SERIAL:
                return g_strdup_printf("virtio-serial %u:%u:%u", address->controller, address->bus,
                                       address->port_number);
        case ADDRESS_USB:
                return g_strdup_printf("usb %u:%s", address->bus, address->port ? address->port : "");
        default:
                return g_strdup(address_type_to_string(address->type));
        }
}
