/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <device> of the host. */

#include "model/node-device.h"

DEFINE_ENUM(node_capability_type, NODE_CAPABILITIES);
DEFINE_ENUM(node_feature_type, NODE_FEATURES);
DEFINE_ENUM(devnode_type, DEVNODE_TYPES);
DEFINE_ENUM(drm_type, DRM_TYPES);

#define THIS Devnode
static const Field devnode_fields[] = {
        ENUM("@type", type, devnode_type, .flags = FIELD_ALWAYS),
        STRING(".", path, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(devnode, Devnode);

#define THIS MdevType
static const Field mdev_type_fields[] = {
        STRING("@id", id, .flags = FIELD_REQUIRED),
        STRING("name", name),
        STRING("deviceAPI", device_api),
        UNSIGNED("availableInstances", available, .flags = FIELD_ALWAYS),
};
#undef THIS
static DEFINE_STRUCT(mdev_type, MdevType);

#define THIS MdevAttribute
static const Field mdev_attribute_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED),
        STRING("@value", value, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(mdev_attribute, MdevAttribute);

#define THIS VpdField
static const Field vpd_field_fields[] = {
        STRING("@index", index, .flags = FIELD_REQUIRED),
        STRING(".", value),
};
#undef THIS
static DEFINE_STRUCT(vpd_field, VpdField);

#define THIS VpdFields
static const Field vpd_fields_fields[] = {
        STRING("@access", access, .flags = FIELD_REQUIRED),
        STRING("change_level", change_level),
        STRING("manufacture_id", manufacture_id),
        STRING("part_number", part_number),
        STRING("serial_number", serial_number),
        STRING("asset_tag", asset_tag),
        ITEMS("vendor_field", vendor_fields, vpd_field),
        ITEMS("system_field", system_fields, vpd_field),
};
#undef THIS
static DEFINE_STRUCT(vpd_fields, VpdFields);

#define THIS          NodeFeature
#define OF(type_name) WHEN(type, BIT(FEATURE_##type_name))
static const Field node_feature_fields[] = {
        ENUM("@type", type, node_feature_type, .flags = FIELD_REQUIRED | FIELD_ALWAYS),
        UNSIGNED("@maxCount", max_count, OF(VIRT_FUNCTIONS)),
        ITEMS("address", addresses, host_pci_address,
              WHEN(type, BIT(FEATURE_PHYS_FUNCTION) | BIT(FEATURE_VIRT_FUNCTIONS)),
              .flags = FIELD_KEEP_EMPTY),
        ITEMS("type", mdev_types, mdev_type, OF(MDEV_TYPES)),
        STRING("name", name, OF(VPD)),
        ITEMS("fields", fields, vpd_fields, OF(VPD)),
        STRING("rport", rport, OF(FC_REMOTE_PORT)),
        STRING("wwnn", wwnn, OF(FC_HOST)),
        STRING("wwpn", wwpn, WHEN(type, BIT(FEATURE_FC_HOST) | BIT(FEATURE_FC_REMOTE_PORT))),
        STRING("fabric_wwn", fabric_wwn, OF(FC_HOST)),
        UNSIGNED("max_vports", max_vports, .has_offset = offsetof(THIS, has_vports), OF(VPORT_OPS)),
        UNSIGNED("vports", vports, .has_offset = offsetof(THIS, has_vports), OF(VPORT_OPS)),
        UNSIGNED("media_available", media_available, .has_offset = offsetof(THIS, has_media), OF(REMOVABLE)),
        UNSIGNED("media_size", media_size, OF(REMOVABLE)),
        STRING("media_label", media_label, OF(REMOVABLE)),
        UNSIGNED("logical_block_size", logical_block_size, OF(REMOVABLE)),
        UNSIGNED("num_blocks", num_blocks, OF(REMOVABLE)),
};
#undef OF
#undef THIS
static DEFINE_STRUCT(node_feature, NodeFeature);

#define THIS IommuGroup
static const Field iommu_group_fields[] = {
        UNSIGNED("@number", number, .flags = FIELD_REQUIRED),
        ITEMS("address", addresses, host_pci_address, .flags = FIELD_KEEP_EMPTY),
};
#undef THIS
static DEFINE_STRUCT(iommu_group, IommuGroup);

#define THIS PciLink
static const Field pci_link_fields[] = {
        STRING("@validity", validity),
        OPTIONAL_UNSIGNED("@port", port),
        STRING("@speed", speed),
        OPTIONAL_UNSIGNED("@width", width),
};
#undef THIS
static DEFINE_STRUCT(pci_link, PciLink);

#define THIS PciExpress
static const Field pci_express_fields[] = { ITEMS("link", links, pci_link) };
#undef THIS
static DEFINE_STRUCT(pci_express, PciExpress);

#define THIS NodeNetFeature
static const Field node_net_feature_fields[] = { STRING("@name", name, .flags = FIELD_REQUIRED) };
#undef THIS
static DEFINE_STRUCT(node_net_feature, NodeNetFeature);

#define THIS NodeHardware
static const Field node_hardware_fields[] = {
        STRING("vendor", vendor),
        STRING("version", version),
        STRING("serial", serial),
        UUID("uuid", uuid),
};
#undef THIS
static DEFINE_STRUCT(node_hardware, NodeHardware);

#define THIS NodeFirmware
static const Field node_firmware_fields[] = {
        STRING("vendor", vendor),
        STRING("version", version),
        STRING("release_date", release_date),
};
#undef THIS
static DEFINE_STRUCT(node_firmware, NodeFirmware);

/* The order of the rows is, within each type, libvirt's. */
#define THIS          NodeCapability
#define OF(type_name) WHEN(type, BIT(NODE_##type_name))
#define OF_CHANNEL    WHEN(type, BIT(NODE_CCW) | BIT(NODE_CSS))
#define ALWAYS        .flags = FIELD_ALWAYS
static const Field node_capability_fields[] = {
        ENUM("@type", type, node_capability_type, .flags = FIELD_REQUIRED | FIELD_ALWAYS),
        HEX("class", pci_class, 6, .has_offset = offsetof(THIS, has_class), OF(PCI)),
        UNSIGNED("domain", domain, ALWAYS, OF(PCI)),
        UNSIGNED("bus", bus, ALWAYS, WHEN(type, BIT(NODE_PCI) | BIT(NODE_USB_DEVICE))),
        UNSIGNED("slot", slot, ALWAYS, OF(PCI)),
        UNSIGNED("function", function, ALWAYS, OF(PCI)),
        UNSIGNED("device", device, ALWAYS, OF(USB_DEVICE)),
        HEX("product/@id", product_id, 4, .has_offset = offsetof(THIS, has_product_id),
            WHEN(type, BIT(NODE_PCI) | BIT(NODE_USB_DEVICE))),
        STRING("product", product, WHEN(type, BIT(NODE_PCI) | BIT(NODE_USB_DEVICE) | BIT(NODE_SYSTEM))),
        HEX("vendor/@id", vendor_id, 4, .has_offset = offsetof(THIS, has_vendor_id),
            WHEN(type, BIT(NODE_PCI) | BIT(NODE_USB_DEVICE))),
        STRING("vendor", vendor_name, WHEN(type, BIT(NODE_PCI) | BIT(NODE_USB_DEVICE))),
        INLINE("hardware", hardware, node_hardware, OF(SYSTEM)),
        INLINE("firmware", firmware, node_firmware, OF(SYSTEM)),
        UNSIGNED("number", number, ALWAYS, OF(USB)),
        UNSIGNED("class", usb_class, ALWAYS, OF(USB)),
        UNSIGNED("subclass", subclass, ALWAYS, OF(USB)),
        UNSIGNED("protocol", protocol, ALWAYS, OF(USB)),
        STRING("description", description, OF(USB)),
        STRING("interface", interface, OF(NET)),
        STRING("address", address, OF(NET)),
        STRING("link/@speed", link_speed, OF(NET)),
        STRING("link/@state", link_state, OF(NET)),
        ITEMS("feature", net_features, node_net_feature, OF(NET)),
        UNSIGNED("host", host, ALWAYS, WHEN(type, BIT(NODE_SCSI_HOST) | BIT(NODE_SCSI))),
        UNSIGNED("unique_id", unique_id, .has_offset = offsetof(THIS, has_unique_id), OF(SCSI_HOST)),
        UNSIGNED("bus", scsi_bus, ALWAYS, OF(SCSI)),
        UNSIGNED("target", target, ALWAYS, OF(SCSI)),
        UNSIGNED("lun", lun, ALWAYS, OF(SCSI)),
        STRING("type", scsi_type, OF(SCSI)),
        STRING("target", target_name, OF(SCSI_TARGET)),
        STRING("block", block, OF(STORAGE)),
        STRING("bus", storage_bus, OF(STORAGE)),
        STRING("drive_type", drive_type, OF(STORAGE)),
        STRING("model", model, OF(STORAGE)),
        STRING("vendor", vendor, OF(STORAGE)),
        STRING("serial", serial, OF(STORAGE)),
        UNSIGNED("size", size, OF(STORAGE)),
        UNSIGNED("logical_block_size", logical_block_size, OF(STORAGE)),
        UNSIGNED("num_blocks", num_blocks, OF(STORAGE)),
        STRING("char", character, OF(SCSI_GENERIC)),
        STRING("chardev", vdpa_character, OF(VDPA)),
        ENUM("type", drm, drm_type, OF(DRM)),
        STRING("type/@id", mdev_type, OF(MDEV)),
        UUID("uuid", uuid, OF(MDEV)),
        ITEMS("attr", attributes, mdev_attribute, OF(MDEV)),
        HEX_ALWAYS("cssid", cssid, 1, OF_CHANNEL),
        HEX_ALWAYS("ssid", ssid, 1, OF_CHANNEL),
        HEX_ALWAYS("devno", devno, 4, OF_CHANNEL),
        HEX_ALWAYS("ap-adapter", adapter, 2, WHEN(type, BIT(NODE_AP_CARD) | BIT(NODE_AP_QUEUE))),
        HEX_ALWAYS("ap-domain", ap_domain, 4, OF(AP_QUEUE)),
        ITEMS("capability", features, node_feature, .flags = FIELD_KEEP_EMPTY),
        STRUCT("iommuGroup", iommu_group, iommu_group, WHEN(type, BIT(NODE_PCI) | BIT(NODE_MDEV))),
        UNSIGNED("numa/@node", numa_node, .has_offset = offsetof(THIS, has_numa), OF(PCI)),
        STRUCT("pci-express", express, pci_express, OF(PCI)),
};
#undef OF
#undef OF_CHANNEL
#undef ALWAYS
#undef THIS
static DEFINE_STRUCT(node_capability, NodeCapability);

static int device_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        (void)node, (void)flags;
        return ((const NodeDeviceDefinition *)object)->capabilities.count > 0
                       ? 0
                       : error_set(error, ERROR_INVALID_XML, "<device>: a <capability> is missing");
}

#define THIS NodeDeviceDefinition
static const Field node_device_definition_fields[] = {
        STRING("name", name),
        STRING("path", path),
        ITEMS("devnode", devnodes, devnode),
        STRING("parent/@wwnn", parent_wwnn),
        STRING("parent/@wwpn", parent_wwpn),
        STRING("parent/@fabric_wwn", parent_fabric_wwn),
        STRING("parent", parent),
        STRING("driver/name", driver),
        ITEMS("capability", capabilities, node_capability, .flags = FIELD_KEEP_EMPTY),
};
#undef THIS
DEFINE_STRUCT(node_device_definition, NodeDeviceDefinition, .check = device_check);

int node_device_parse(const char *xml, size_t size, NodeDeviceDefinition **ret, Error *error)
{
        void *definition;
        int r = struct_parse_document(&node_device_definition_type, "device", xml, size, 0, &definition,
                                      error);

        if (r >= 0)
                *ret = definition;
        return r;
}

char *node_device_format(const NodeDeviceDefinition *definition)
{
        return struct_to_xml(&node_device_definition_type, definition, "device", 0);
}

NodeDeviceDefinition *node_device_free(NodeDeviceDefinition *definition)
{
        return struct_free(&node_device_definition_type, definition);
}
