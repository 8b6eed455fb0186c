/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What slot each device wants. Conventional PCI machines have one kind of slot; on PCIe, old cards need a
 * bridge of their own and virtio devices are modern unless "transitional" is asked for. */

#include "model/pci-device.h"
#include "model/board.h"

typedef struct SlotKinds {
        uint32_t pci, pcie;
} SlotKinds;

static uint32_t flags_of_virtio(SlotKinds kinds, VirtioModel model)
{
        return model == VIRTIO_MODEL_TRANSITIONAL ? kinds.pci : kinds.pcie;
}

static uint32_t flags_of_controller(SlotKinds kinds, const DomainController *controller)
{
        switch (controller->type) {
        case CONTROLLER_TYPE_PCI:
                return pci_flags_of_bridge(controller->model);
        case CONTROLLER_TYPE_USB:
                if (controller->model == CONTROLLER_MODEL_NONE)
                        return 0;
                return controller->model == CONTROLLER_MODEL_NEC_XHCI ||
                                       controller->model == CONTROLLER_MODEL_QEMU_XHCI
                               ? kinds.pcie
                               : kinds.pci;
        case CONTROLLER_TYPE_IDE:
        case CONTROLLER_TYPE_SATA:
                return kinds.pci;
        case CONTROLLER_TYPE_SCSI:
                if (controller->model == CONTROLLER_MODEL_IBMVSCSI ||
                    controller->model == CONTROLLER_MODEL_NCR53C90)
                        return 0;
                return controller->model == CONTROLLER_MODEL_VIRTIO_SCSI ||
                                       controller->model == CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL
                               ? kinds.pcie
                               : kinds.pci;
        case CONTROLLER_TYPE_VIRTIO_SERIAL:
                return controller->model == CONTROLLER_MODEL_VIRTIO_TRANSITIONAL ? kinds.pci : kinds.pcie;
        default:
                return 0;
        }
}

static uint32_t flags_of_interface(SlotKinds kinds, const DomainInterface *interface)
{
        const char *model = interface->model ?: "";

        if (interface->type == INTERFACE_TYPE_HOSTDEV)
                return kinds.pcie;
        if (g_str_equal(model, "usb-net"))
                return 0;
        if (g_str_equal(model, "virtio") || g_str_equal(model, "virtio-non-transitional") ||
            g_str_equal(model, "e1000e") || g_str_equal(model, "vmxnet3"))
                return kinds.pcie;
        return kinds.pci;
}

static uint32_t flags_of_hostdev(SlotKinds kinds, const DomainHostdev *hostdev)
{
        switch (hostdev->type) {
        case HOSTDEV_PCI:
                return kinds.pcie;
        case HOSTDEV_SCSI_HOST:
                return hostdev->model == HOSTDEV_VIRTIO_TRANSITIONAL ? kinds.pci : kinds.pcie;
        case HOSTDEV_MDEV:
                return hostdev->model == HOSTDEV_VFIO_PCI ? kinds.pcie : 0;
        default:
                return 0;
        }
}

static uint32_t flags_of_video(SlotKinds kinds, const DomainVideo *video)
{
        switch (video->model) {
        case VIDEO_MODEL_NONE:
        case VIDEO_MODEL_RAMFB:
                return 0;
        case VIDEO_MODEL_VIRTIO:
        case VIDEO_MODEL_BOCHS:
                return kinds.pcie;
        default:
                return kinds.pci;
        }
}

static uint32_t flags_of_sound(SlotKinds kinds, const DomainSound *sound)
{
        switch (sound->model) {
        case SOUND_MODEL_SB16:
        case SOUND_MODEL_PCSPK:
        case SOUND_MODEL_USB:
                return 0;
        case SOUND_MODEL_VIRTIO:
                return kinds.pcie;
        default:
                return kinds.pci;
        }
}

static uint32_t flags_of_balloon(SlotKinds kinds, const DomainMemballoon *balloon)
{
        switch (balloon->model) {
        case MEMBALLOON_MODEL_VIRTIO:
        case MEMBALLOON_MODEL_VIRTIO_NON_TRANSITIONAL:
                return kinds.pcie;
        case MEMBALLOON_MODEL_VIRTIO_TRANSITIONAL:
                return kinds.pci;
        default:
                return 0;
        }
}

static uint32_t flags_of_memory(SlotKinds kinds, const DomainMemory *memory)
{
        return memory->model == MEMORY_MODEL_VIRTIO_PMEM || memory->model == MEMORY_MODEL_VIRTIO_MEM
                       ? kinds.pcie
                       : 0;
}

static uint32_t flags_by_kind(SlotKinds kinds, const Device *device)
{
        switch (device->kind) {
        case DEVICE_CONTROLLER:
                return flags_of_controller(kinds, device->object);
        case DEVICE_INTERFACE:
                return flags_of_interface(kinds, device->object);
        case DEVICE_DISK: {
                const DomainDisk *disk = device->object;
                if (disk->bus != DISK_BUS_VIRTIO)
                        return 0;
                return disk->model == DISK_MODEL_VIRTIO_TRANSITIONAL ? kinds.pci : kinds.pcie;
        }
        case DEVICE_FILESYSTEM:
                return flags_of_virtio(kinds, ((const DomainFilesystem *)device->object)->model);
        case DEVICE_SOUND:
                return flags_of_sound(kinds, device->object);
        case DEVICE_HOSTDEV:
                return flags_of_hostdev(kinds, device->object);
        case DEVICE_MEMBALLOON:
                return flags_of_balloon(kinds, device->object);
        case DEVICE_RNG:
                return flags_of_virtio(kinds, ((const DomainRng *)device->object)->model);
        case DEVICE_WATCHDOG:
                return ((const DomainWatchdog *)device->object)->model == WATCHDOG_I6300ESB ? kinds.pci : 0;
        case DEVICE_VIDEO:
                return flags_of_video(kinds, device->object);
        case DEVICE_SHMEM:
                return kinds.pci;
        case DEVICE_INPUT: {
                const DomainInput *input = device->object;
                return input->bus == INPUT_BUS_VIRTIO ? flags_of_virtio(kinds, input->model) : 0;
        }
        case DEVICE_SERIAL:
                return ((const DomainSerial *)device->object)->target == SERIAL_TARGET_PCI ? kinds.pci : 0;
        case DEVICE_PANIC:
                return ((const DomainPanic *)device->object)->model == PANIC_PVPANIC ? kinds.pci : 0;
        case DEVICE_MEMORY:
                return flags_of_memory(kinds, device->object);
        case DEVICE_VSOCK:
                return flags_of_virtio(kinds, ((const DomainVsock *)device->object)->model);
        case DEVICE_CRYPTO:
                return flags_of_virtio(kinds, ((const DomainCrypto *)device->object)->model);
        case DEVICE_IOMMU:
                /* Sits on the root itself, in front of all ports. */
                return ((const DomainIommu *)device->object)->model == IOMMU_VIRTIO
                               ? kinds.pcie & ~PCI_AUTOMATIC
                               : 0;
        default:
                return 0;
        }
}

uint32_t pci_device_flags(const DomainDefinition *definition, const Device *device)
{
        const DomainController *root = NULL;
        SlotKinds kinds = { .pci = PCI_AUTOMATIC | PCI_ENDPOINT, .pcie = PCI_AUTOMATIC | PCI_ENDPOINT };

        LIST_FOREACH (controller, definition->devices.controllers)
                if (controller->type == CONTROLLER_TYPE_PCI && controller->index == 0)
                        root = controller;
        if (root && root->model == CONTROLLER_MODEL_PCIE_ROOT)
                kinds.pcie = PCI_AUTOMATIC | PCIE_ENDPOINT;
        return flags_by_kind(kinds, device);
}

bool pci_address_is_given(const DeviceInfo *info)
{
        return info->address.type == ADDRESS_PCI && device_address_is_assigned(&info->address);
}

bool pci_device_is_wanted(const DomainDefinition *definition, const Device *device)
{
        if (device->info->address.type != ADDRESS_NONE && device->info->address.type != ADDRESS_PCI)
                return false;
        return !pci_address_is_given(device->info) && pci_device_flags(definition, device) != 0;
}
