/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a definition is filled in with when it is made persistent or started: identity, and the devices that a machine has
 * without being asked. Every step leaves alone what is there, so that completing twice is completing once. */

#include "model/domain.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static DomainRandom random_source;

void domain_definition_set_random(DomainRandom random)
{
        random_source = random;
}

static void random_bytes(uint8_t *bytes, size_t size)
{
        if (random_source)
                random_source(bytes, size);
        else if (getrandom(bytes, size, 0) != (ssize_t)size)
                abort(); /* the kernel gives up to 256 bytes whole */
}

static void uuid_make(char uuid[static 37])
{
        uint8_t bytes[16];

        random_bytes(bytes, sizeof bytes);
        bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4 */
        bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
        g_snprintf(uuid, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1],
                   bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9], bytes[10], bytes[11],
                   bytes[12], bytes[13], bytes[14], bytes[15]);
}

static void mac_make(char mac[static 18])
{
        uint8_t bytes[3];

        random_bytes(bytes, sizeof bytes);
        g_snprintf(mac, 18, "52:54:00:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2]);
}

static DiskBus bus_of_target(const char *target)
{
        static const struct {
                const char *prefix;
                DiskBus bus;
        } prefixes[] = {
                { "hd", DISK_BUS_IDE }, { "sd", DISK_BUS_SCSI }, { "vd", DISK_BUS_VIRTIO },
                { "fd", DISK_BUS_FDC }, { "xvd", DISK_BUS_XEN }, { "ubd", DISK_BUS_UML },
        };

        for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
                if (g_str_has_prefix(target, prefixes[i].prefix))
                        return prefixes[i].bus;
        return DISK_BUS_ABSENT;
}

/* "vda" is 0, "vdz" 25, "vdaa" 26; -1 for a name of another form. */
static int index_of_target(const char *target)
{
        const char *letters = target + (g_str_has_prefix(target, "xvd") || g_str_has_prefix(target, "ubd") ? 3 : 2);
        int index = 0;

        if (strlen(target) < 3)
                return -1;
        for (; g_ascii_islower(*letters); letters++) {
                if (index > 1000)
                        return -1;
                index = index * 26 + (*letters - 'a') + 1;
        }
        return *letters == '\0' ? index - 1 : -1;
}

static bool is_q35(const DomainDefinition *definition)
{
        return definition->os.machine &&
               (strcmp(definition->os.machine, "q35") == 0 || g_str_has_prefix(definition->os.machine, "pc-q35"));
}

static int disk_complete(DomainDisk *disk, Error *error)
{
        DeviceAddress *address = &disk->info.address;
        unsigned units = disk->bus == DISK_BUS_SCSI ? 7 : disk->bus == DISK_BUS_SATA ? 6 : 2, index;

        if (disk->bus == DISK_BUS_ABSENT)
                disk->bus = bus_of_target(disk->target);
        if (disk->bus == DISK_BUS_ABSENT || index_of_target(disk->target) < 0)
                return error_set(error, ERROR_INVALID_XML, "Disk target '%s' is no name of a disk, as vda or sdb",
                                 disk->target);
        if (disk->format == DISK_FORMAT_ABSENT)
                disk->format = DISK_FORMAT_RAW; /* never guessed from what a guest wrote */
        if (!disk->driver_name)
                disk->driver_name = g_strdup("qemu");
        if (address->type != ADDRESS_NONE || !(disk->bus == DISK_BUS_IDE || disk->bus == DISK_BUS_SATA ||
                                               disk->bus == DISK_BUS_SCSI || disk->bus == DISK_BUS_FDC))
                return 0;
        index = (unsigned)index_of_target(disk->target);
        units = disk->bus == DISK_BUS_SCSI ? 7 : disk->bus == DISK_BUS_SATA ? 6 : disk->bus == DISK_BUS_IDE ? 4 : 2;
        address->type = ADDRESS_DRIVE;
        address->controller = index / units;
        address->bus = disk->bus == DISK_BUS_IDE ? index % 4 / 2 : 0;
        address->unit = disk->bus == DISK_BUS_IDE ? index % 2 : index % units;
        return 0;
}

static DomainController *controller_find(const DomainDefinition *definition, ControllerType type, uint32_t index)
{
        LIST_FOREACH(controller, definition->devices.controllers)
                if (controller->type == type && controller->has_index && controller->index == index)
                        return controller;
        return NULL;
}

static void controller_need(DomainDefinition *definition, ControllerType type, ControllerModel model, uint32_t index)
{
        DomainController *controller;

        if (controller_find(definition, type, index))
                return;
        controller = struct_new(&domain_controller_type);
        controller->type = type;
        controller->model = model;
        controller->has_index = true;
        controller->index = index;
        list_append(&definition->devices.controllers, controller);
}

static void controllers_number(DomainDefinition *definition)
{
        LIST_FOREACH(controller, definition->devices.controllers) {
                uint32_t index = 0;

                if (controller->has_index)
                        continue;
                while (controller_find(definition, controller->type, index))
                        index++;
                controller->has_index = true;
                controller->index = index;
        }
}

static void controllers_complete(DomainDefinition *definition)
{
        DomainDevices *devices = &definition->devices;

        controllers_number(definition);
        if (!controller_find(definition, CONTROLLER_TYPE_USB, 0))
                controller_need(definition, CONTROLLER_TYPE_USB,
                                is_q35(definition) ? CONTROLLER_MODEL_QEMU_XHCI : CONTROLLER_MODEL_PIIX3_UHCI, 0);
        controller_need(definition, CONTROLLER_TYPE_PCI,
                        is_q35(definition) ? CONTROLLER_MODEL_PCIE_ROOT : CONTROLLER_MODEL_PCI_ROOT, 0);
        LIST_FOREACH(disk, devices->disks) {
                ControllerType type = disk->bus == DISK_BUS_IDE    ? CONTROLLER_TYPE_IDE
                                      : disk->bus == DISK_BUS_SATA ? CONTROLLER_TYPE_SATA
                                      : disk->bus == DISK_BUS_SCSI ? CONTROLLER_TYPE_SCSI
                                      : disk->bus == DISK_BUS_FDC  ? CONTROLLER_TYPE_FDC
                                                                   : CONTROLLER_TYPE_ABSENT;

                if (type != CONTROLLER_TYPE_ABSENT)
                        controller_need(definition, type,
                                        type == CONTROLLER_TYPE_SCSI ? CONTROLLER_MODEL_VIRTIO_SCSI
                                                                     : CONTROLLER_MODEL_ABSENT,
                                        disk->info.address.controller);
        }
        LIST_FOREACH(channel, devices->channels)
                if (channel->target == CHANNEL_TARGET_VIRTIO)
                        controller_need(definition, CONTROLLER_TYPE_VIRTIO_SERIAL, CONTROLLER_MODEL_ABSENT,
                                        channel->info.address.controller);
        LIST_FOREACH(console, devices->consoles)
                if (console->target == CONSOLE_TARGET_VIRTIO)
                        controller_need(definition, CONTROLLER_TYPE_VIRTIO_SERIAL, CONTROLLER_MODEL_ABSENT,
                                        console->info.address.controller);
        if (devices->smartcards.count > 0)
                controller_need(definition, CONTROLLER_TYPE_CCID, CONTROLLER_MODEL_ABSENT, 0);
}

static void input_need(DomainDefinition *definition, InputType type)
{
        DomainInput *input;

        LIST_FOREACH(other, definition->devices.inputs)
                if (other->type == type && other->bus == INPUT_BUS_PS2)
                        return;
        input = struct_new(&domain_input_type);
        input->type = type;
        input->bus = INPUT_BUS_PS2;
        list_append(&definition->devices.inputs, input);
}

/* The first console is the first serial port seen from another side. */
static void consoles_complete(DomainDevices *devices)
{
        uint32_t port = 0;

        if (devices->consoles.count == 0 && devices->serials.count > 0) {
                DomainConsole *console = struct_new(&domain_console_type);

                console->target = CONSOLE_TARGET_SERIAL;
                console->source.type = devices->serials.items[0]->source.type;
                list_append(&devices->consoles, console);
        }
        LIST_FOREACH(serial, devices->serials) {
                if (!serial->has_port)
                        serial->port = port;
                serial->has_port = true;
                port = serial->port + 1;
                if (serial->target == SERIAL_TARGET_ABSENT)
                        serial->target = SERIAL_TARGET_ISA;
        }
        port = 0;
        LIST_FOREACH(console, devices->consoles) {
                if (console->target == CONSOLE_TARGET_ABSENT)
                        console->target = port == 0 ? CONSOLE_TARGET_SERIAL : CONSOLE_TARGET_VIRTIO;
                if (!console->has_port)
                        console->port = port;
                console->has_port = true;
                port = console->port + 1;
        }
        /* A console of its own without a serial port is the serial port's. */
        if (devices->consoles.count > 0 && devices->serials.count == 0 &&
            devices->consoles.items[0]->target == CONSOLE_TARGET_SERIAL) {
                DomainSerial *serial = struct_new(&domain_serial_type);
                ChardevSource *source = struct_copy(&chardev_source_type, &devices->consoles.items[0]->source);

                serial->source = *source;
                g_free(source);
                serial->target = SERIAL_TARGET_ISA;
                serial->has_port = true;
                list_append(&devices->serials, serial);
        }
}

static int devices_complete(DomainDefinition *definition, Error *error)
{
        DomainDevices *devices = &definition->devices;

        LIST_FOREACH(disk, devices->disks) {
                int r = disk_complete(disk, error);

                if (r < 0)
                        return r;
        }
        LIST_FOREACH(interface, devices->interfaces) {
                if (!*interface->mac)
                        mac_make(interface->mac);
                if (!interface->model && interface->type != INTERFACE_TYPE_HOSTDEV)
                        interface->model = g_strdup("rtl8139");
        }
        LIST_FOREACH(input, devices->inputs)
                if (input->bus == INPUT_BUS_ABSENT)
                        input->bus = input->type == INPUT_TYPE_TABLET ? INPUT_BUS_USB : INPUT_BUS_PS2;
        consoles_complete(devices);
        controllers_complete(definition);
        input_need(definition, INPUT_TYPE_MOUSE);
        input_need(definition, INPUT_TYPE_KEYBOARD);
        LIST_FOREACH(graphics, devices->graphics)
                if (!graphics->has_port && !graphics->socket && graphics->autoport == YES_NO_ABSENT &&
                    (graphics->type == GRAPHICS_TYPE_VNC || graphics->type == GRAPHICS_TYPE_SPICE))
                        graphics->autoport = YES;
        if (devices->graphics.count > 0 && devices->videos.count == 0) {
                DomainVideo *video = struct_new(&domain_video_type);

                video->model = VIDEO_MODEL_VGA;
                video->heads = 1;
                video->primary = YES;
                list_append(&devices->videos, video);
        }
        if (!devices->memballoon) {
                devices->memballoon = struct_new(&domain_memballoon_type);
                devices->memballoon->model = MEMBALLOON_MODEL_VIRTIO;
        }
        return 0;
}

static bool has_boot_order(const DomainDevices *devices)
{
        LIST_FOREACH(disk, devices->disks)
                if (disk->info.boot_order > 0)
                        return true;
        LIST_FOREACH(interface, devices->interfaces)
                if (interface->info.boot_order > 0)
                        return true;
        return false;
}

/* What two devices cannot have in common. */
static int devices_check(const DomainDefinition *definition, Error *error)
{
        const DomainDevices *devices = &definition->devices;

        for (uint32_t i = 0; i < devices->disks.count; i++)
                for (uint32_t j = 0; j < i; j++) {
                        const DomainDisk *one = devices->disks.items[i], *other = devices->disks.items[j];

                        if (strcmp(one->target, other->target) == 0)
                                return error_set(error, ERROR_INVALID_XML, "Two disks have the target '%s'",
                                                 one->target);
                        if (one->info.boot_order > 0 && one->info.boot_order == other->info.boot_order)
                                return error_set(error, ERROR_INVALID_XML, "Disks '%s' and '%s' have boot order %u both",
                                                 one->target, other->target, one->info.boot_order);
                }
        for (uint32_t i = 0; i < devices->controllers.count; i++)
                for (uint32_t j = 0; j < i; j++) {
                        const DomainController *one = devices->controllers.items[i];
                        const DomainController *other = devices->controllers.items[j];

                        if (one->type == other->type && one->index == other->index && !one->info.has_master &&
                            !other->info.has_master)
                                return error_set(error, ERROR_INVALID_XML, "Two %s controllers have index %u",
                                                 controller_type_to_string(one->type), one->index);
                }
        return 0;
}

int domain_definition_complete(DomainDefinition *definition, Error *error)
{
        int r;

        if (definition->memory_kib == 0)
                return error_set(error, ERROR_INVALID_XML, "Domain '%s': <memory> is missing or 0", definition->name);
        if (definition->os.type == OS_TYPE_ABSENT)
                return error_set(error, ERROR_INVALID_XML, "Domain '%s': <os><type> is missing", definition->name);
        if (!*definition->uuid)
                uuid_make(definition->uuid);
        if (definition->current_memory_kib == 0 || definition->current_memory_kib > definition->memory_kib)
                definition->current_memory_kib = definition->memory_kib;
        if (definition->vcpu_placement == PLACEMENT_ABSENT)
                definition->vcpu_placement = PLACEMENT_STATIC;
        if (!definition->os.arch)
                definition->os.arch = g_strdup("x86_64");
        if (definition->clock.offset == CLOCK_OFFSET_ABSENT)
                definition->clock.offset = CLOCK_UTC;
        r = devices_complete(definition, error);
        if (r < 0)
                return r;
        if (definition->os.boots.count == 0 && !has_boot_order(&definition->devices) && !definition->os.kernel) {
                OsBoot *boot = g_new0(OsBoot, 1);

                boot->device = BOOT_DEVICE_HD;
                list_append(&definition->os.boots, boot);
        }
        return devices_check(definition, error);
}
