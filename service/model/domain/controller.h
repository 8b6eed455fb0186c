/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/device.h"

#define CONTROLLER_TYPES(E)                                                                                 \
        E(CONTROLLER_TYPE_ABSENT, NULL)                                                                     \
        E(CONTROLLER_TYPE_IDE, "ide")                                                                       \
        E(CONTROLLER_TYPE_FDC, "fdc")                                                                       \
        E(CONTROLLER_TYPE_SCSI, "scsi")                                                                     \
        E(CONTROLLER_TYPE_SATA, "sata")                                                                     \
        E(CONTROLLER_TYPE_VIRTIO_SERIAL, "virtio-serial")                                                   \
        E(CONTROLLER_TYPE_CCID, "ccid")                                                                     \
        E(CONTROLLER_TYPE_USB, "usb")                                                                       \
        E(CONTROLLER_TYPE_PCI, "pci")                                                                       \
        E(CONTROLLER_TYPE_XENBUS, "xenbus")                                                                 \
        E(CONTROLLER_TYPE_ISA, "isa")
DECLARE_ENUM(ControllerType, controller_type, CONTROLLER_TYPES)

/* One list for all types; controller.c says which model belongs to which type. */
#define CONTROLLER_MODELS(E)                                                                                \
        E(CONTROLLER_MODEL_ABSENT, NULL)                                                                    \
        E(CONTROLLER_MODEL_PCI_ROOT, "pci-root")                                                            \
        E(CONTROLLER_MODEL_PCIE_ROOT, "pcie-root")                                                          \
        E(CONTROLLER_MODEL_PCI_BRIDGE, "pci-bridge")                                                        \
        E(CONTROLLER_MODEL_DMI_TO_PCI_BRIDGE, "dmi-to-pci-bridge")                                          \
        E(CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE, "pcie-to-pci-bridge")                                        \
        E(CONTROLLER_MODEL_PCIE_ROOT_PORT, "pcie-root-port")                                                \
        E(CONTROLLER_MODEL_PCIE_SWITCH_UPSTREAM_PORT, "pcie-switch-upstream-port")                          \
        E(CONTROLLER_MODEL_PCIE_SWITCH_DOWNSTREAM_PORT, "pcie-switch-downstream-port")                      \
        E(CONTROLLER_MODEL_PCI_EXPANDER_BUS, "pci-expander-bus")                                            \
        E(CONTROLLER_MODEL_PCIE_EXPANDER_BUS, "pcie-expander-bus")                                          \
        E(CONTROLLER_MODEL_PIIX3, "piix3")                                                                  \
        E(CONTROLLER_MODEL_PIIX4, "piix4")                                                                  \
        E(CONTROLLER_MODEL_ICH6, "ich6")                                                                    \
        E(CONTROLLER_MODEL_PIIX3_UHCI, "piix3-uhci")                                                        \
        E(CONTROLLER_MODEL_PIIX4_UHCI, "piix4-uhci")                                                        \
        E(CONTROLLER_MODEL_EHCI, "ehci")                                                                    \
        E(CONTROLLER_MODEL_ICH9_EHCI1, "ich9-ehci1")                                                        \
        E(CONTROLLER_MODEL_ICH9_UHCI1, "ich9-uhci1")                                                        \
        E(CONTROLLER_MODEL_ICH9_UHCI2, "ich9-uhci2")                                                        \
        E(CONTROLLER_MODEL_ICH9_UHCI3, "ich9-uhci3")                                                        \
        E(CONTROLLER_MODEL_VT82C686B_UHCI, "vt82c686b-uhci")                                                \
        E(CONTROLLER_MODEL_PCI_OHCI, "pci-ohci")                                                            \
        E(CONTROLLER_MODEL_NEC_XHCI, "nec-xhci")                                                            \
        E(CONTROLLER_MODEL_QUSB1, "qusb1")                                                                  \
        E(CONTROLLER_MODEL_QUSB2, "qusb2")                                                                  \
        E(CONTROLLER_MODEL_QEMU_XHCI, "qemu-xhci")                                                          \
        E(CONTROLLER_MODEL_NONE, "none")                                                                    \
        E(CONTROLLER_MODEL_AUTO, "auto")                                                                    \
        E(CONTROLLER_MODEL_BUSLOGIC, "buslogic")                                                            \
        E(CONTROLLER_MODEL_LSILOGIC, "lsilogic")                                                            \
        E(CONTROLLER_MODEL_LSISAS1068, "lsisas1068")                                                        \
        E(CONTROLLER_MODEL_VMPVSCSI, "vmpvscsi")                                                            \
        E(CONTROLLER_MODEL_IBMVSCSI, "ibmvscsi")                                                            \
        E(CONTROLLER_MODEL_VIRTIO_SCSI, "virtio-scsi")                                                      \
        E(CONTROLLER_MODEL_LSISAS1078, "lsisas1078")                                                        \
        E(CONTROLLER_MODEL_VIRTIO, "virtio")                                                                \
        E(CONTROLLER_MODEL_VIRTIO_TRANSITIONAL, "virtio-transitional")                                      \
        E(CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL, "virtio-non-transitional")                              \
        E(CONTROLLER_MODEL_NCR53C90, "ncr53c90")                                                            \
        E(CONTROLLER_MODEL_DC390, "dc390")                                                                  \
        E(CONTROLLER_MODEL_AM53C974, "am53c974")
DECLARE_ENUM(ControllerModel, controller_model, CONTROLLER_MODELS)

#define PCI_CONTROLLER_NAMES(E)                                                                             \
        E(PCI_CONTROLLER_NAME_NONE, "none")                                                                 \
        E(PCI_CONTROLLER_NAME_PCI_BRIDGE, "pci-bridge")                                                     \
        E(PCI_CONTROLLER_NAME_I82801B11, "i82801b11-bridge")                                                \
        E(PCI_CONTROLLER_NAME_IOH3420, "ioh3420")                                                           \
        E(PCI_CONTROLLER_NAME_X3130_UPSTREAM, "x3130-upstream")                                             \
        E(PCI_CONTROLLER_NAME_XIO3130_DOWNSTREAM, "xio3130-downstream")                                     \
        E(PCI_CONTROLLER_NAME_PXB, "pxb")                                                                   \
        E(PCI_CONTROLLER_NAME_PXB_PCIE, "pxb-pcie")                                                         \
        E(PCI_CONTROLLER_NAME_PCIE_ROOT_PORT, "pcie-root-port")                                             \
        E(PCI_CONTROLLER_NAME_SPAPR, "spapr-pci-host-bridge")                                               \
        E(PCI_CONTROLLER_NAME_PCIE_PCI_BRIDGE, "pcie-pci-bridge")
DECLARE_ENUM(PciControllerName, pci_controller_name, PCI_CONTROLLER_NAMES)

typedef struct DomainController {
        ControllerType type;
        ControllerModel model;
        PciControllerName pci_name; /* model/@name */
        OnOff hotplug, ioeventfd;
        bool has_index, has_ports, has_vectors, has_chassis_nr, has_chassis, has_port, has_bus_nr,
                has_target_index;
        bool has_node, has_pcihole64, has_max_grant_frames, has_max_event_channels;
        VirtioOptions virtio;
        uint32_t index;
        /* Of one type each: there are many controllers in a machine. */
        union {
                uint32_t ports; /* usb (xhci), virtio-serial */
                uint32_t chassis;
                uint32_t max_grant_frames;
        };
        union {
                uint32_t vectors;
                uint32_t chassis_nr;
                uint32_t max_event_channels;
        };
        uint32_t port, bus_nr, target_index, node;
        uint32_t queues, cmd_per_lun, max_sectors, iothread;
        uint64_t pcihole64_kib;
        DeviceInfo info;
} DomainController;
extern const StructType domain_controller_type;
