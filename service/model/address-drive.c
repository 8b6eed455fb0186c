/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a disk is plugged into its controller follows from its target name: "sdc" is the third disk,
 * whatever others there are. SCSI devices of the host have no name and take the first place that is free. */

#include <errno.h>
#include <string.h>

#include "model/board.h"
#include "model/complete.h"

/* Disks on one SCSI bus: seven, as on the narrow ones, so that all models of controllers take them. */
#define SCSI_UNITS 7u

/* Digits of a partition may follow. */
int disk_target_index(const char *target)
{
        static const char *const prefixes[] = { "fd", "hd", "vd", "sd", "xvd", "ubd" };
        const char *letters = NULL;
        int index = -1;

        for (unsigned i = 0; i < G_N_ELEMENTS(prefixes) && !letters; i++)
                if (g_str_has_prefix(target, prefixes[i]))
                        letters = target + strlen(prefixes[i]);
        if (!letters || !g_ascii_islower(*letters))
                return -EINVAL;
        for (; g_ascii_islower(*letters); letters++) {
                if (index > 26 * 26 * 26 * 26)
                        return -EINVAL;
                index = (index + 1) * 26 + (*letters - 'a');
        }
        while (g_ascii_isdigit(*letters))
                letters++;
        return *letters == '\0' ? index : -EINVAL;
}

static bool drive_is_used(const DomainDefinition *definition, DiskBus bus, const DeviceAddress *wanted)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                const DeviceAddress *address = &disk->info.address;
                if (disk->bus == bus && address->type == ADDRESS_DRIVE &&
                    address->controller == wanted->controller && address->bus == wanted->bus &&
                    address->target == wanted->target && address->unit == wanted->unit)
                        return true;
        }
        if (bus != DISK_BUS_SCSI)
                return false;
        LIST_FOREACH (hostdev, definition->devices.hostdevs) {
                const DeviceAddress *address = &hostdev->info.address;
                if (hostdev->type == HOSTDEV_SCSI && address->type == ADDRESS_DRIVE &&
                    address->controller == wanted->controller && address->bus == wanted->bus &&
                    address->target == wanted->target && address->unit == wanted->unit)
                        return true;
        }
        return false;
}

static int assign_disk(const DomainDefinition *definition, DomainDisk *disk, Error *error)
{
        DeviceAddress address = { .type = ADDRESS_DRIVE };
        int index = disk_target_index(disk->target);

        if (index < 0)
                return error_set(error, ERROR_INVALID_XML, "'%s' is no name for a disk", disk->target);
        switch (disk->bus) {
        case DISK_BUS_SCSI:
                address.controller = (uint32_t)index / SCSI_UNITS;
                address.unit = (uint32_t)index % SCSI_UNITS;
                break;
        case DISK_BUS_IDE:
                address.controller = (uint32_t)index / 4;
                address.bus = (uint32_t)index % 4 / 2;
                address.unit = (uint32_t)index % 2;
                break;
        case DISK_BUS_SATA:
                address.controller = (uint32_t)index / 6;
                address.unit = (uint32_t)index % 6;
                break;
        case DISK_BUS_FDC:
                address.controller = (uint32_t)index / 2;
                address.unit = (uint32_t)index % 2;
                break;
        default:
                return 0;
        }
        if (drive_is_used(definition, disk->bus, &address)) {
                _cleanup_(freep) char *text = device_address_to_string(&address);
                return error_set(error, ERROR_INVALID_XML,
                                 "The place of disk '%s' (%s) is taken by another device", disk->target,
                                 text);
        }
        disk->info.address = address;
        return 0;
}

static bool find_scsi_unit(const DomainDefinition *definition, uint32_t controller,
                           DeviceAddress *ret_address)
{
        for (uint32_t unit = 0; unit < SCSI_UNITS; unit++) {
                const DeviceAddress address = { .type = ADDRESS_DRIVE,
                                                .controller = controller,
                                                .unit = unit };
                if (drive_is_used(definition, DISK_BUS_SCSI, &address))
                        continue;
                *ret_address = address;
                return true;
        }
        return false;
}

static void assign_hostdev(const DomainDefinition *definition, DomainHostdev *hostdev)
{
        uint32_t next = 0;

        LIST_FOREACH (controller, definition->devices.controllers) {
                if (controller->type != CONTROLLER_TYPE_SCSI)
                        continue;
                if (find_scsi_unit(definition, controller->index, &hostdev->info.address))
                        return;
                next = MAX(next, controller->index + 1);
        }
        while (!find_scsi_unit(definition, next, &hostdev->info.address))
                next++;
}

int address_assign_drives(DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                if (disk->info.address.type != ADDRESS_NONE)
                        continue;
                int r = assign_disk(definition, disk, error);
                if (r < 0)
                        return r;
        }
        if (!board_is_qemu(definition))
                return 0;
        LIST_FOREACH (hostdev, definition->devices.hostdevs)
                if (hostdev->type == HOSTDEV_SCSI && hostdev->info.address.type == ADDRESS_NONE)
                        assign_hostdev(definition, hostdev);
        return 0;
}
