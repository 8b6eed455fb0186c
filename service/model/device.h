/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all devices of a machine share: where they sit, what they are called, options of virtio. */

#include "model/table.h"

#define ADDRESS_TYPES(E)                                                                                    \
        E(ADDRESS_NONE, NULL)                                                                               \
        E(ADDRESS_PCI, "pci")                                                                               \
        E(ADDRESS_DRIVE, "drive")                                                                           \
        E(ADDRESS_VIRTIO_SERIAL, "virtio-serial")                                                           \
        E(ADDRESS_CCID, "ccid")                                                                             \
        E(ADDRESS_USB, "usb")                                                                               \
        E(ADDRESS_SPAPR_VIO, "spapr-vio")                                                                   \
        E(ADDRESS_VIRTIO_MMIO, "virtio-mmio")                                                               \
        E(ADDRESS_CCW, "ccw")                                                                               \
        E(ADDRESS_ISA, "isa")                                                                               \
        E(ADDRESS_DIMM, "dimm")                                                                             \
        E(ADDRESS_UNASSIGNED, "unassigned")
DECLARE_ENUM(AddressType, address_type, ADDRESS_TYPES)

/* Which members count depends on the type, as the table says. Those that share
 * a place never count together: there are some twenty addresses in a machine. All zero with ADDRESS_PCI: yet
 * to be assigned. */
typedef struct DeviceAddress {
        AddressType type;
        OnOff multifunction;
        bool has_iobase, has_irq, has_reg, has_base, has_zpci_uid, has_zpci_fid, has_slot, has_bus;
        bool has_controller, has_ccw;
        uint16_t domain;
        union {
                uint16_t zpci_uid; /* pci */
                uint16_t ssid;     /* ccw */
        };
        union {
                uint32_t controller; /* drive, virtio-serial, ccid */
                uint32_t zpci_fid;   /* pci */
        };
        uint32_t bus;
        union {
                uint32_t slot;        /* pci, ccid, dimm */
                uint32_t target;      /* drive */
                uint32_t port_number; /* virtio-serial */
                uint32_t cssid;       /* ccw */
                uint32_t irq;         /* isa */
        };
        union {
                uint32_t function; /* pci */
                uint32_t unit;     /* drive */
                uint32_t devno;    /* ccw */
        };
        union {
                uint64_t reg;    /* spapr-vio */
                uint64_t iobase; /* isa */
                uint64_t base;   /* dimm */
        };
        char *port; /* usb: "1.2" */
} DeviceAddress;
extern const StructType device_address_type;
/* A device of the host, by its PCI address, written without a type. */
extern const StructType host_pci_address_type;

typedef struct DeviceRom {
        YesNo enabled;
        OnOff bar;
        char *file;
} DeviceRom;

typedef struct DeviceInfo {
        char *alias;         /* NULL, or "ua-..." of the user, or given at the start */
        uint32_t boot_order; /* 0: none */
        uint32_t acpi_index;
        char *loadparm;
        DeviceRom *rom;
        bool has_master;
        uint32_t master_startport;
        DeviceAddress address;
} DeviceInfo;
extern const StructType device_info_type;

typedef struct VirtioOptions {
        OnOff iommu, ats, packed, page_per_vq;
} VirtioOptions;
extern const StructType virtio_options_type;

typedef struct SecurityLabel { /* of one device */
        char *model;
        YesNo relabel, labelskip;
        char *label;
} SecurityLabel;
extern const StructType security_label_type;

/* "pci", "usb", "drive" ... as error texts want it: "0000:00:02.0", "drive 0:0:1:0". */
char *device_address_to_string(const DeviceAddress *address);
bool device_address_is_assigned(const DeviceAddress *address);
