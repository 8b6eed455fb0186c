/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Serial and parallel ports, consoles and channels: the end that the guest sees. */

#include "drivers/qemu/command/device.h"
#include <string.h>

static const char *serial_driver(const DomainSerial *serial)
{
        switch (serial->model) {
        case SERIAL_MODEL_PCI:
                return "pci-serial";
        case SERIAL_MODEL_USB:
                return "usb-serial";
        case SERIAL_MODEL_ISA_DEBUGCON:
                return "isa-debugcon";
        case SERIAL_MODEL_ISA:
                return "isa-serial";
        case SERIAL_MODEL_ABSENT:
                break;
        default:
                return NULL;
        }
        switch (serial->target) {
        case SERIAL_TARGET_PCI:
                return "pci-serial";
        case SERIAL_TARGET_USB:
                return "usb-serial";
        case SERIAL_TARGET_ISA_DEBUG:
                return "isa-debugcon";
        case SERIAL_TARGET_ISA:
        case SERIAL_TARGET_ABSENT:
                return "isa-serial";
        default:
                return NULL;
        }
}

int command_serial(CommandLine *line, const DomainSerial *serial, Error *error)
{
        const char *driver = serial_driver(serial);
        _cleanup_(json_decrefp) json_t *device = NULL;
        _cleanup_(freep) char *id = NULL;
        int r;

        if (!driver)
                return device_unsupported(error, "QEMU has no serial ports of type '%s' on this machine",
                                          serial_target_to_string(serial->target));
        r = command_chardev(line, &serial->source, serial->info.alias, &id, error);
        if (r < 0)
                return r;
        device = device_new(driver, &serial->info);
        json_set_string(device, "chardev", id);
        if (strcmp(driver, "isa-serial") == 0)
                json_object_set_new(device, "index", json_integer(serial->port));
        r = device_set_info(line, device, &serial->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

int command_parallel(CommandLine *line, const DomainParallel *parallel, Error *error)
{
        unsigned turn = 0;
        _cleanup_(json_decrefp) json_t *device = NULL;
        _cleanup_(freep) char *id = NULL;
        int r;

        r = command_chardev(line, &parallel->source, parallel->info.alias, &id, error);
        if (r < 0)
                return r;
        device = device_new("isa-parallel", &parallel->info);
        json_set_string(device, "chardev", id);
        LIST_FOREACH (other, line->definition->devices.parallels) {
                if (other == parallel)
                        break;
                turn++;
        }
        /* QEMU counts by itself; only one out of turn has to say so. */
        if (parallel->port != turn)
                json_object_set_new(device, "index", json_integer(parallel->port));
        return device_add(line, TAKE_PTR(device), error);
}

int command_console(CommandLine *line, const DomainConsole *console, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        _cleanup_(freep) char *id = NULL;
        int r;

        if (console->target == CONSOLE_TARGET_SERIAL || console->target == CONSOLE_TARGET_ABSENT)
                return 0; /* another name of the first serial port */
        if (console->target != CONSOLE_TARGET_VIRTIO)
                return device_unsupported(error, "QEMU has no consoles of type '%s' on this machine",
                                          console_target_to_string(console->target));
        r = command_chardev(line, &console->source, console->info.alias, &id, error);
        if (r < 0)
                return r;
        device = device_new("virtconsole", &console->info);
        json_set_string(device, "chardev", id);
        r = device_set_info(line, device, &console->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

/* A TCP port inside of the guest's user network; it is an option of that network. */
static int add_guestfwd(CommandLine *line, const DomainChannel *channel, const char *id)
{
        command_add_option(line, "-netdev", "user,guestfwd=tcp:%s:%s-chardev:%s,id=user%s", channel->address,
                           channel->port, id, channel->info.alias);
        return 0;
}

int command_channel(CommandLine *line, const DomainChannel *channel, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        _cleanup_(freep) char *id = NULL;
        int r;

        if (channel->target != CHANNEL_TARGET_VIRTIO && channel->target != CHANNEL_TARGET_GUESTFWD)
                return device_unsupported(error, "QEMU has no channels of type '%s'",
                                          channel_target_to_string(channel->target));
        if (channel->target == CHANNEL_TARGET_GUESTFWD && (!channel->address || !channel->port))
                return error_set(error, ERROR_INVALID_XML, "A guestfwd channel needs an address and a port");
        r = command_chardev(line, &channel->source, channel->info.alias, &id, error);
        if (r < 0)
                return r;
        if (channel->target == CHANNEL_TARGET_GUESTFWD)
                return add_guestfwd(line, channel, id);
        device = device_new("virtserialport", &channel->info);
        json_set_string(device, "chardev", id);
        json_set_string(device, "name",
                        channel->name                                   ? channel->name
                        : channel->source.type == CHARDEV_TYPE_SPICEVMC ? "com.redhat.spice.0"
                                                                        : NULL);
        r = device_set_info(line, device, &channel->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}
