/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which devices are shown, how they are called, and what of them each kind of device tells. */

#include "drivers/host/describe.h"
#include "core/uuid.h"
#include "drivers/host/sysfs.h"
#include <stdio.h>
#include <string.h>

#define DMI "/sys/devices/virtual/dmi/id"

const char *const describe_subsystems[] = { "pci",  "usb", "net", "scsi", "block",  "scsi_generic", "drm",
                                            "mdev", "ccw", "css", "ap",   "matrix", "vdpa",         NULL };

static bool is_type(sd_device *device, const char *type)
{
        const char *found;

        return sd_device_get_devtype(device, &found) >= 0 && strcmp(found, type) == 0;
}

static int scsi_kind(sd_device *device)
{
        return is_type(device, "scsi_host")     ? NODE_SCSI_HOST
               : is_type(device, "scsi_target") ? NODE_SCSI_TARGET
               : is_type(device, "scsi_device") ? NODE_SCSI
                                                : -1;
}

static int usb_kind(sd_device *device)
{
        return is_type(device, "usb_device")      ? NODE_USB_DEVICE
               : is_type(device, "usb_interface") ? NODE_USB
                                                  : -1;
}

static int ap_kind(const char *name)
{
        return g_str_has_prefix(name, "card") ? NODE_AP_CARD : strchr(name, '.') ? NODE_AP_QUEUE : -1;
}

/* NodeCapabilityType, or -1: not shown. */
static int kind_of(sd_device *device)
{
        static const struct {
                const char *subsystem;
                int kind;
        } simple[] = { { "pci", NODE_PCI },   { "net", NODE_NET }, { "scsi_generic", NODE_SCSI_GENERIC },
                       { "mdev", NODE_MDEV }, { "ccw", NODE_CCW }, { "css", NODE_CSS },
                       { "vdpa", NODE_VDPA } };
        const char *subsystem, *name;

        if (sd_device_get_subsystem(device, &subsystem) < 0 || sd_device_get_sysname(device, &name) < 0)
                return -1;
        for (size_t i = 0; i < G_N_ELEMENTS(simple); i++)
                if (strcmp(subsystem, simple[i].subsystem) == 0)
                        return simple[i].kind;
        if (strcmp(subsystem, "usb") == 0)
                return usb_kind(device);
        if (strcmp(subsystem, "scsi") == 0)
                return scsi_kind(device);
        if (strcmp(subsystem, "block") == 0)
                return is_type(device, "disk") && describe_is_storage(device) ? NODE_STORAGE : -1;
        if (strcmp(subsystem, "drm") == 0)
                return is_type(device, "drm_minor") ? NODE_DRM : -1;
        if (strcmp(subsystem, "ap") == 0)
                return ap_kind(name);
        if (strcmp(subsystem, "matrix") == 0)
                return strcmp(name, "matrix") == 0 ? NODE_AP_MATRIX : -1;
        return -1;
}

/* What is behind the kernel's own name, where that may change or is not enough. */
static char *suffix_of(sd_device *device, int kind)
{
        sd_device *parent;
        const char *name;

        if (kind == NODE_NET)
                return sysfs_read(describe_path(device), "address");
        if (kind == NODE_STORAGE)
                return describe_serial(device);
        if (kind == NODE_MDEV && sd_device_get_parent(device, &parent) >= 0 &&
            sd_device_get_sysname(parent, &name) >= 0)
                return g_strdup(name);
        return NULL;
}

static char *name_of(sd_device *device, int kind)
{
        const char *subsystem = "", *name = "";
        _cleanup_(freep) char *suffix = suffix_of(device, kind);
        char *whole;

        (void)sd_device_get_subsystem(device, &subsystem); /* a device of a known kind has both */
        (void)sd_device_get_sysname(device, &name);
        if (kind == NODE_AP_MATRIX)
                subsystem = "ap";
        whole = suffix && *suffix ? g_strdup_printf("%s_%s_%s", subsystem, name, suffix)
                                  : g_strdup_printf("%s_%s", subsystem, name);
        for (char *c = whole; *c; c++)
                if (!g_ascii_isalnum(*c))
                        *c = '_';
        return whole;
}

static char *parent_of(sd_device *device)
{
        for (sd_device *parent = device; sd_device_get_parent(parent, &parent) >= 0;) {
                int kind = kind_of(parent);

                if (kind >= 0)
                        return name_of(parent, kind);
        }
        return g_strdup("computer");
}

static uint32_t number_of(sd_device *device, const char *file, int base)
{
        uint64_t value = 0;

        (void)sysfs_read_number(describe_path(device), file, base, &value); /* 0 without */
        return (uint32_t)value;
}

static char *text_or_database(sd_device *device, const char *file, const char *database)
{
        char *text = sysfs_read(describe_path(device), file);

        return text ? text : describe_from_database(device, database);
}

static void describe_usb_device(sd_device *device, NodeCapability *capability)
{
        capability->bus = number_of(device, "busnum", 10);
        capability->device = number_of(device, "devnum", 10);
        capability->has_product_id = capability->has_vendor_id = true;
        capability->product_id = number_of(device, "idProduct", 16);
        capability->vendor_id = number_of(device, "idVendor", 16);
        capability->product = text_or_database(device, "product", "ID_MODEL_FROM_DATABASE");
        capability->vendor_name = text_or_database(device, "manufacturer", "ID_VENDOR_FROM_DATABASE");
}

static void describe_usb(sd_device *device, NodeCapability *capability)
{
        capability->number = number_of(device, "bInterfaceNumber", 16);
        capability->usb_class = number_of(device, "bInterfaceClass", 16);
        capability->subclass = number_of(device, "bInterfaceSubClass", 16);
        capability->protocol = number_of(device, "bInterfaceProtocol", 16);
        capability->description = sysfs_read(describe_path(device), "interface");
}

static void describe_net(sd_device *device, NodeCapability *capability)
{
        const char *path = describe_path(device), *name = "";
        _cleanup_(freep) char *speed = sysfs_read(path, "speed");
        _cleanup_(freep) char *wireless = g_build_filename(path, "phy80211", NULL);

        (void)sd_device_get_sysname(device, &name);
        capability->interface = g_strdup(name);
        capability->address = sysfs_read(path, "address");
        capability->link_state = sysfs_read(path, "operstate");
        if (speed && g_ascii_isdigit(*speed) && g_strcmp0(capability->link_state, "up") == 0)
                capability->link_speed = g_strdup(speed);
        if (access(wireless, F_OK) >= 0)
                (void)describe_add_feature(capability, FEATURE_80211);
        else if (number_of(device, "type", 10) == 1) /* ARPHRD_ETHER */
                (void)describe_add_feature(capability, FEATURE_80203);
}

static void describe_drm(sd_device *device, NodeCapability *capability)
{
        const char *name = "";

        (void)sd_device_get_sysname(device, &name);
        capability->drm = g_str_has_prefix(name, "card")       ? DRM_PRIMARY
                          : g_str_has_prefix(name, "renderD")  ? DRM_RENDER
                          : g_str_has_prefix(name, "controlD") ? DRM_CONTROL
                                                               : DRM_NONE;
}

static void describe_mdev(sd_device *device, NodeCapability *capability)
{
        const char *name = "";

        (void)sd_device_get_sysname(device, &name);
        capability->mdev_type = sysfs_read_link_name(describe_path(device), "mdev_type");
        (void)uuid_parse(name, capability->uuid); /* the kernel takes nothing else */
        capability->iommu_group = describe_iommu_group(device);
}

/* "0.0.ffff" */
static void describe_channel(sd_device *device, NodeCapability *capability)
{
        const char *name = "";

        (void)sd_device_get_sysname(device, &name);
        (void)sscanf(name, "%x.%x.%x", &capability->cssid, &capability->ssid, &capability->devno);
        if (capability->type == NODE_CSS)
                describe_mdev_types(device, capability);
}

static void describe_adapter(sd_device *device, NodeCapability *capability)
{
        const char *name = "";

        (void)sd_device_get_sysname(device, &name);
        (void)sscanf(name, capability->type == NODE_AP_CARD ? "card%x" : "%x.%x", &capability->adapter,
                     &capability->ap_domain);
}

static void describe_character(sd_device *device, NodeCapability *capability)
{
        const char *node;

        if (sd_device_get_devname(device, &node) >= 0)
                capability->character = g_strdup(node);
}

/* /dev/vhost-vdpa-N is of its child. */
static void describe_vdpa(sd_device *device, NodeCapability *capability)
{
        GDir *folder = g_dir_open(describe_path(device), 0, NULL);
        const char *name;

        while (folder && !capability->vdpa_character && (name = g_dir_read_name(folder)))
                if (g_str_has_prefix(name, "vhost-vdpa"))
                        capability->vdpa_character = g_strconcat("/dev/", name, NULL);
        if (folder)
                g_dir_close(folder);
}

static void describe_capability(sd_device *device, NodeCapability *capability)
{
        static void (*const functions[])(sd_device *, NodeCapability *) = {
                [NODE_PCI] = describe_pci,
                [NODE_USB_DEVICE] = describe_usb_device,
                [NODE_USB] = describe_usb,
                [NODE_NET] = describe_net,
                [NODE_SCSI_HOST] = describe_scsi_host,
                [NODE_SCSI_TARGET] = describe_scsi_target,
                [NODE_SCSI] = describe_scsi,
                [NODE_STORAGE] = describe_storage,
                [NODE_SCSI_GENERIC] = describe_character,
                [NODE_DRM] = describe_drm,
                [NODE_MDEV] = describe_mdev,
                [NODE_CCW] = describe_channel,
                [NODE_CSS] = describe_channel,
                [NODE_VDPA] = describe_vdpa,
                [NODE_AP_CARD] = describe_adapter,
                [NODE_AP_QUEUE] = describe_adapter,
                [NODE_AP_MATRIX] = describe_mdev_types,
        };

        functions[capability->type](device, capability);
}

static void add_node(NodeDeviceDefinition *definition, DevnodeType type, const char *path)
{
        Devnode *node = g_new0(Devnode, 1);

        node->type = type;
        node->path = g_strdup(path);
        list_append(&definition->devnodes, node);
}

NodeDeviceDefinition *describe_device(sd_device *device)
{
        int kind = kind_of(device);
        NodeDeviceDefinition *definition;
        NodeCapability *capability;
        const char *text;

        if (kind < 0)
                return NULL;
        definition = g_new0(NodeDeviceDefinition, 1);
        capability = g_new0(NodeCapability, 1);
        capability->type = (NodeCapabilityType)kind;
        list_append(&definition->capabilities, capability);
        definition->name = name_of(device, kind);
        definition->path = g_strdup(describe_path(device));
        definition->parent = parent_of(device);
        if (sd_device_get_driver(device, &text) >= 0)
                definition->driver = g_strdup(text);
        if (sd_device_get_devname(device, &text) >= 0)
                add_node(definition, DEVNODE_DEV, text);
        for (text = sd_device_get_devlink_first(device); text; text = sd_device_get_devlink_next(device))
                add_node(definition, DEVNODE_LINK, text);
        describe_capability(device, capability);
        return definition;
}

NodeDeviceDefinition *describe_computer(void)
{
        NodeDeviceDefinition *definition = g_new0(NodeDeviceDefinition, 1);
        NodeCapability *capability = g_new0(NodeCapability, 1);
        _cleanup_(freep) char *uuid = sysfs_read(DMI, "product_uuid");

        definition->name = g_strdup("computer");
        list_append(&definition->capabilities, capability);
        capability->type = NODE_SYSTEM;
        capability->product = sysfs_read(DMI, "product_name");
        capability->hardware.vendor = sysfs_read(DMI, "sys_vendor");
        capability->hardware.version = sysfs_read(DMI, "product_version");
        capability->hardware.serial = sysfs_read(DMI, "product_serial");
        if (uuid)
                (void)uuid_parse(uuid, capability->hardware.uuid); /* "" without */
        capability->firmware.vendor = sysfs_read(DMI, "bios_vendor");
        capability->firmware.version = sysfs_read(DMI, "bios_version");
        capability->firmware.release_date = sysfs_read(DMI, "bios_date");
        return definition;
}
