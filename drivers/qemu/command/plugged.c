/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Arguments for single devices, which a machine that runs is told by its monitor. Devices that a running
 * machine cannot get have none. */

#include "drivers/qemu/command/blockdev.h"
#include "drivers/qemu/command/command.h"
#include "drivers/qemu/command/device.h"

static int add_on_board(CommandLine *line, const Device *device, Error *error)
{
        switch (device->kind) {
        case DEVICE_SERIAL:
                return command_serial(line, device->object, error);
        case DEVICE_CONSOLE:
                return command_console(line, device->object, error);
        case DEVICE_SMARTCARD:
                return command_smartcard(line, device->object, error);
        case DEVICE_WATCHDOG:
                return command_watchdog(line, device->object, error);
        case DEVICE_MEMBALLOON:
                return command_memballoon(line, device->object, error);
        case DEVICE_CRYPTO:
                return command_crypto(line, device->object, error);
        case DEVICE_HUB:
                return command_hub(line, device->object, error);
        default:
                return device_unsupported(error, "A <%s> cannot be plugged into a machine that runs",
                                          device_kind_to_string(device->kind));
        }
}

int command_device(CommandLine *line, DeviceKind kind, uint32_t position, Error *error)
{
        const Device device = device_at(line->definition, kind, position);

        switch (kind) {
        case DEVICE_DISK:
                return command_disk(line, device.object, error);
        case DEVICE_INTERFACE:
                return command_interface(line, device.object, error);
        case DEVICE_CONTROLLER:
                return command_controller(line, device.object, error);
        case DEVICE_CHANNEL:
                return command_channel(line, device.object, error);
        case DEVICE_HOSTDEV:
                return command_hostdev(line, device.object, error);
        case DEVICE_RNG:
                return command_rng(line, device.object, error);
        case DEVICE_MEMORY:
                return command_memory_device(line, device.object, error);
        case DEVICE_REDIRDEV:
                return command_redirdev(line, device.object, error);
        case DEVICE_SHMEM:
                return command_shmem(line, device.object, error);
        case DEVICE_INPUT:
                return command_input(line, device.object, error);
        case DEVICE_VSOCK:
                return command_vsock(line, device.object, error);
        default:
                return add_on_board(line, &device, error);
        }
}

int command_medium(CommandLine *line, uint32_t position, char **ret_node, Error *error)
{
        return blockdev_disk(line, line->definition->devices.disks.items[position], ret_node, error);
}
