/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A device of the host: what libvirt's <device> says, as a structure. What a capability of one type has and
 * another has not is left out by its type (the table says which), so that one structure serves all. */

#include "model/device.h"

#define NODE_CAPABILITIES(E)                                                                                \
        E(NODE_SYSTEM, "system")                                                                            \
        E(NODE_PCI, "pci")                                                                                  \
        E(NODE_USB_DEVICE, "usb_device")                                                                    \
        E(NODE_USB, "usb")                                                                                  \
        E(NODE_NET, "net")                                                                                  \
        E(NODE_SCSI_HOST, "scsi_host")                                                                      \
        E(NODE_SCSI_TARGET, "scsi_target")                                                                  \
        E(NODE_SCSI, "scsi")                                                                                \
        E(NODE_STORAGE, "storage")                                                                          \
        E(NODE_SCSI_GENERIC, "scsi_generic")                                                                \
        E(NODE_DRM, "drm")                                                                                  \
        E(NODE_MDEV, "mdev")                                                                                \
        E(NODE_CCW, "ccw")                                                                                  \
        E(NODE_CSS, "css")                                                                                  \
        E(NODE_VDPA, "vdpa")                                                                                \
        E(NODE_AP_CARD, "ap_card")                                                                          \
        E(NODE_AP_QUEUE, "ap_queue")                                                                        \
        E(NODE_AP_MATRIX, "ap_matrix")
DECLARE_ENUM(NodeCapabilityType, node_capability_type, NODE_CAPABILITIES)

/* What a capability has in itself. */
#define NODE_FEATURES(E)                                                                                    \
        E(FEATURE_PHYS_FUNCTION, "phys_function")                                                           \
        E(FEATURE_VIRT_FUNCTIONS, "virt_functions")                                                         \
        E(FEATURE_PCI_BRIDGE, "pci-bridge")                                                                 \
        E(FEATURE_CARDBUS_BRIDGE, "cardbus-bridge")                                                         \
        E(FEATURE_MDEV_TYPES, "mdev_types")                                                                 \
        E(FEATURE_VPD, "vpd")                                                                               \
        E(FEATURE_80203, "80203")                                                                           \
        E(FEATURE_80211, "80211")                                                                           \
        E(FEATURE_FC_HOST, "fc_host")                                                                       \
        E(FEATURE_VPORT_OPS, "vport_ops")                                                                   \
        E(FEATURE_FC_REMOTE_PORT, "fc_remote_port")                                                         \
        E(FEATURE_REMOVABLE, "removable")                                                                   \
        E(FEATURE_HOTPLUGGABLE, "hotpluggable")
DECLARE_ENUM(NodeFeatureType, node_feature_type, NODE_FEATURES)

#define DEVNODE_TYPES(E) E(DEVNODE_DEV, "dev") E(DEVNODE_LINK, "link")
DECLARE_ENUM(DevnodeType, devnode_type, DEVNODE_TYPES)

#define DRM_TYPES(E)                                                                                        \
        E(DRM_NONE, NULL) E(DRM_PRIMARY, "primary") E(DRM_CONTROL, "control") E(DRM_RENDER, "render")
DECLARE_ENUM(DrmType, drm_type, DRM_TYPES)

typedef struct Devnode {
        DevnodeType type;
        char *path;
} Devnode;

typedef struct MdevType {
        char *id, *name, *device_api;
        uint32_t available;
} MdevType;

typedef struct MdevAttribute {
        char *name, *value;
} MdevAttribute;

typedef struct VpdField {
        char *index, *value;
} VpdField;

typedef struct VpdFields {
        char *access, *change_level, *manufacture_id, *part_number, *serial_number, *asset_tag;
        LIST(VpdField) vendor_fields;
        LIST(VpdField) system_fields;
} VpdFields;

typedef struct NodeFeature {
        NodeFeatureType type;
        uint32_t max_count;            /* virt_functions */
        LIST(DeviceAddress) addresses; /* phys_function, virt_functions */
        LIST(MdevType) mdev_types;
        char *name;                     /* vpd */
        LIST(VpdFields) fields;         /* vpd */
        char *wwnn, *wwpn, *fabric_wwn; /* fc_host, fc_remote_port */
        char *rport;                    /* fc_remote_port */
        bool has_vports;
        uint32_t max_vports, vports; /* vport_ops */
        bool has_media;
        uint32_t media_available; /* removable */
        uint64_t media_size, logical_block_size, num_blocks;
        char *media_label;
} NodeFeature;

typedef struct IommuGroup {
        uint32_t number;
        LIST(DeviceAddress) addresses;
} IommuGroup;

typedef struct PciLink {
        char *validity; /* "cap", "sta" */
        bool has_port, has_width;
        uint32_t port, width;
        char *speed; /* GT/s: "2.5" */
} PciLink;

typedef struct PciExpress {
        LIST(PciLink) links;
} PciExpress;

typedef struct NodeNetFeature {
        char *name;
} NodeNetFeature;

typedef struct NodeHardware {
        char *vendor, *version, *serial;
        char uuid[37];
} NodeHardware;

typedef struct NodeFirmware {
        char *vendor, *version, *release_date;
} NodeFirmware;

typedef struct NodeCapability {
        NodeCapabilityType type;
        /* system */
        char *product;
        NodeHardware hardware;
        NodeFirmware firmware;
        /* pci, usb_device */
        bool has_class, has_product_id, has_vendor_id;
        uint32_t pci_class, domain, bus, slot, function, device, product_id, vendor_id;
        char *vendor_name;
        IommuGroup *iommu_group;
        bool has_numa;
        uint32_t numa_node;
        PciExpress *express;
        /* usb */
        uint32_t number, usb_class, subclass, protocol;
        char *description;
        /* net */
        char *interface, *address, *link_speed, *link_state;
        LIST(NodeNetFeature) net_features;
        /* scsi_host, scsi_target, scsi */
        uint32_t host, scsi_bus, target, lun;
        bool has_unique_id;
        uint32_t unique_id;
        char *target_name, *scsi_type;
        /* storage */
        char *block, *storage_bus, *drive_type, *model, *vendor, *serial;
        uint64_t size, logical_block_size, num_blocks;
        /* scsi_generic, vdpa */
        char *character, *vdpa_character;
        DrmType drm;
        /* mdev */
        char *mdev_type;
        char uuid[37];
        LIST(MdevAttribute) attributes;
        /* ccw, css, ap */
        uint32_t cssid, ssid, devno, adapter, ap_domain;
        LIST(NodeFeature) features;
} NodeCapability;

typedef struct NodeDeviceDefinition {
        char *name, *path; /* in /sys */
        LIST(Devnode) devnodes;
        char *parent, *parent_wwnn, *parent_wwpn, *parent_fabric_wwn;
        char *driver;
        LIST(NodeCapability) capabilities;
} NodeDeviceDefinition;
extern const StructType node_device_definition_type;

int node_device_parse(const char *xml, size_t size, NodeDeviceDefinition **ret, Error *error);
char *node_device_format(const NodeDeviceDefinition *definition);
NodeDeviceDefinition *node_device_free(NodeDeviceDefinition *definition);
DEFINE_CLEANUP(NodeDeviceDefinition, node_device_free)
