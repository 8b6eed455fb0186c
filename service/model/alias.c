/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names of running devices, as libvirt gives them: clients find a device by them in statistics and events. */

#include "model/domain.h"
#include <string.h>

static void assign(DeviceInfo *info, const char *format, ...) _printf_(2, 3);

static void assign(DeviceInfo *info, const char *format, ...)
{
        va_list arguments;

        if (info->alias)
                return;
        va_start(arguments, format);
        info->alias = g_strdup_vprintf(format, arguments);
        va_end(arguments);
}

static void disk_name(DomainDisk *disk, unsigned *n_virtio)
{
        const DeviceAddress *address = &disk->info.address;

        switch (disk->bus) {
        case DISK_BUS_IDE:
        case DISK_BUS_FDC:
                assign(&disk->info, "%s%u-%u-%u", disk_bus_to_string(disk->bus), address->controller, address->bus,
                       address->unit);
                break;
        case DISK_BUS_SATA:
        case DISK_BUS_SCSI:
                if (disk->bus == DISK_BUS_SCSI)
                        assign(&disk->info, "scsi%u-%u-%u-%u", address->controller, address->bus, address->target,
                               address->unit);
                else
                        assign(&disk->info, "sata%u-%u-%u", address->controller, address->bus, address->unit);
                break;
        default:
                assign(&disk->info, "%s-disk%u", disk_bus_to_string(disk->bus), (*n_virtio)++);
                break;
        }
}

static void controller_name(DomainController *controller)
{
        switch (controller->type) {
        case CONTROLLER_TYPE_PCI:
                if (controller->model == CONTROLLER_MODEL_PCIE_ROOT)
                        assign(&controller->info, "pcie.%u", controller->index);
                else
                        assign(&controller->info, "pci.%u", controller->index);
                break;
        case CONTROLLER_TYPE_IDE:
        case CONTROLLER_TYPE_SATA:
                if (controller->index == 0)
                        assign(&controller->info, "ide"); /* the one that the machine has built in */
                else
                        assign(&controller->info, "%s%u", controller_type_to_string(controller->type),
                               controller->index);
                break;
        case CONTROLLER_TYPE_USB:
                if (controller->index == 0)
                        assign(&controller->info, "usb");
                else
                        assign(&controller->info, "usb%u", controller->index);
                break;
        default:
                assign(&controller->info, "%s%u", controller_type_to_string(controller->type), controller->index);
                break;
        }
}

#define NUMBER(devices, prefix)                                                                                      \
        do {                                                                                                         \
                unsigned _number = 0;                                                                                \
                                                                                                                     \
                LIST_FOREACH(device, devices)                                                                        \
                        assign(&device->info, prefix "%u", _number++);                                               \
        } while (0)

void domain_definition_assign_aliases(DomainDefinition *definition)
{
        DomainDevices *devices = &definition->devices;
        unsigned n_virtio = 0;

        LIST_FOREACH(disk, devices->disks)
                disk_name(disk, &n_virtio);
        LIST_FOREACH(controller, devices->controllers)
                controller_name(controller);
        NUMBER(devices->filesystems, "fs");
        NUMBER(devices->interfaces, "net");
        NUMBER(devices->smartcards, "smartcard");
        NUMBER(devices->serials, "serial");
        NUMBER(devices->parallels, "parallel");
        LIST_FOREACH(console, devices->consoles) {
                if (console->target == CONSOLE_TARGET_SERIAL && devices->serials.count > 0)
                        assign(&console->info, "%s", devices->serials.items[0]->info.alias);
                else
                        assign(&console->info, "console%u", console->port);
        }
        NUMBER(devices->channels, "channel");
        NUMBER(devices->inputs, "input");
        NUMBER(devices->tpms, "tpm");
        NUMBER(devices->sounds, "sound");
        NUMBER(devices->videos, "video");
        NUMBER(devices->hostdevs, "hostdev");
        NUMBER(devices->redirdevs, "redir");
        NUMBER(devices->hubs, "hub");
        NUMBER(devices->watchdogs, "watchdog");
        NUMBER(devices->rngs, "rng");
        NUMBER(devices->panics, "panic");
        NUMBER(devices->shmems, "shmem");
        NUMBER(devices->memories, "dimm");
        NUMBER(devices->iommus, "iommu");
        NUMBER(devices->cryptos, "crypto");
        if (devices->memballoon)
                assign(&devices->memballoon->info, "balloon0");
        if (devices->vsock)
                assign(&devices->vsock->info, "vsock0");
}
