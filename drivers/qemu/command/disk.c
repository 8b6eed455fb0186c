/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <disk>: the device that the guest sees. What is behind it is in blockdev.c. */

#include "drivers/qemu/command/blockdev.h"
#include "drivers/qemu/command/device.h"
#include <string.h>

static bool has_medium(const DomainDisk *disk)
{
        return !disk_source_is_empty(&disk->source);
}

/* "hd", "cd" or "block" behind the bus's name. */
static char *driver_name(const char *bus, const DomainDisk *disk)
{
        if (disk->device == DISK_DEVICE_LUN)
                return g_strconcat(bus, "-block", NULL);
        return g_strconcat(bus, disk->device == DISK_DEVICE_CDROM ? "-cd" : "-hd", NULL);
}

/* Controllers of old have neither channels nor units behind their targets. */
static bool has_units(const CommandLine *line, const DeviceAddress *address)
{
        const DomainController *controller =
                device_controller(line, CONTROLLER_TYPE_SCSI, address->controller);

        switch (controller->model) {
        case CONTROLLER_MODEL_ABSENT:
        case CONTROLLER_MODEL_AUTO:
        case CONTROLLER_MODEL_LSILOGIC:
        case CONTROLLER_MODEL_AM53C974:
        case CONTROLLER_MODEL_DC390:
                return false;
        default:
                return true;
        }
}

void device_set_scsi_address(const CommandLine *line, json_t *device, const char *controller,
                             const DeviceAddress *address)
{
        _cleanup_(freep) char *bus = g_strdup_printf("%s.0", controller);

        json_set_string(device, "bus", bus);
        if (!has_units(line, address)) {
                json_object_set_new(device, "scsi-id", json_integer(address->unit));
                return;
        }
        json_object_set_new(device, "channel", json_integer(address->bus));
        json_object_set_new(device, "scsi-id", json_integer(address->target));
        json_object_set_new(device, "lun", json_integer(address->unit));
}

/* A place on the bus of a controller. */
static int set_drive_address(const CommandLine *line, json_t *device, const DomainDisk *disk,
                             ControllerType type, Error *error)
{
        const DeviceAddress *address = &disk->info.address;
        _cleanup_(freep) char *controller = device_bus(line, type, address->controller), *bus = NULL;

        if (address->type != ADDRESS_DRIVE || !controller)
                return error_set(error, ERROR_INVALID_XML, "Disk %s has no controller", disk->target);
        if (type == CONTROLLER_TYPE_SCSI) {
                device_set_scsi_address(line, device, controller, address);
        } else if (type == CONTROLLER_TYPE_IDE) {
                bus = g_strdup_printf("%s.%u", controller, address->bus);
                json_set_string(device, "bus", bus);
                json_object_set_new(device, "unit", json_integer(address->unit));
        } else {
                bus = g_strdup_printf("%s.%u", controller, address->unit);
                json_set_string(device, "bus", bus);
        }
        return 0;
}

static int new_drive(const CommandLine *line, const DomainDisk *disk, const char *base, ControllerType type,
                     json_t **ret_device, Error *error)
{
        _cleanup_(freep) char *driver = driver_name(base, disk);
        _cleanup_(json_decrefp) json_t *device = device_new(driver, &disk->info);
        int r;

        if (disk->device == DISK_DEVICE_LUN && type != CONTROLLER_TYPE_SCSI)
                return device_unsupported(error, "A lun cannot be on the bus '%s'",
                                          disk_bus_to_string(disk->bus));
        r = set_drive_address(line, device, disk, type, error);
        if (r < 0)
                return r;
        json_set_number(device, "bootindex", device_boot_index(line, &disk->info));
        *ret_device = TAKE_PTR(device);
        return 0;
}

static int new_virtio(const CommandLine *line, const DomainDisk *disk, json_t **ret_device, Error *error)
{
        _cleanup_(freep) char *driver = NULL, *thread = NULL;
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (disk->device != DISK_DEVICE_DISK && disk->device != DISK_DEVICE_ABSENT &&
            disk->device != DISK_DEVICE_LUN)
                return device_unsupported(error, "A %s cannot be on the virtio bus",
                                          disk_device_to_string(disk->device));
        /* DiskModel and VirtioModel are the same list. */
        driver = device_virtio_driver("virtio-blk", &disk->info, (VirtioModel)disk->model);
        device = device_new(driver, &disk->info);
        r = device_set_info(line, device, &disk->info, error);
        if (r < 0)
                return r;
        device_set_virtio(device, &disk->virtio);
        if (disk->device == DISK_DEVICE_LUN)
                json_set_bool(device, "scsi", true);
        json_set_on_off(device, "ioeventfd", disk->ioeventfd);
        json_set_on_off(device, "event_idx", disk->event_idx);
        json_set_number(device, "num-queues", disk->queues);
        json_set_number(device, "queue-size", disk->queue_size);
        if (disk->iothread > 0) {
                thread = g_strdup_printf("iothread%u", disk->iothread);
                json_set_string(device, "iothread", thread);
        }
        *ret_device = TAKE_PTR(device);
        return 0;
}

static int new_usb(const CommandLine *line, const DomainDisk *disk, json_t **ret_device, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = device_new("usb-storage", &disk->info);
        int r;

        if (disk->device == DISK_DEVICE_LUN)
                return device_unsupported(error, "A lun cannot be on the USB bus");
        r = device_set_info(line, device, &disk->info, error);
        if (r < 0)
                return r;
        json_set_on_off(device, "removable", disk->removable);
        *ret_device = TAKE_PTR(device);
        return 0;
}

static int new_floppy(const CommandLine *line, const DomainDisk *disk, json_t **ret_device, Error *error)
{
        json_t *device = device_new("floppy", &disk->info);

        (void)line; /* the controller has its turn at booting */
        (void)error;
        json_object_set_new(device, "unit", json_integer(disk->info.address.unit));
        *ret_device = device;
        return 0;
}

static int new_device(const CommandLine *line, const DomainDisk *disk, json_t **ret_device, Error *error)
{
        switch (disk->bus) {
        case DISK_BUS_VIRTIO:
                return new_virtio(line, disk, ret_device, error);
        case DISK_BUS_IDE:
                return new_drive(line, disk, "ide", CONTROLLER_TYPE_IDE, ret_device, error);
        case DISK_BUS_SATA:
                return new_drive(line, disk, "ide", CONTROLLER_TYPE_SATA, ret_device, error);
        case DISK_BUS_SCSI:
                return new_drive(line, disk, "scsi", CONTROLLER_TYPE_SCSI, ret_device, error);
        case DISK_BUS_USB:
                return new_usb(line, disk, ret_device, error);
        case DISK_BUS_FDC:
                return new_floppy(line, disk, ret_device, error);
        default:
                return device_unsupported(error, "QEMU has no disks on bus '%s'",
                                          disk_bus_to_string(disk->bus));
        }
}

/* What to do when the host cannot write or read. */
static void set_error_policy(json_t *device, const DomainDisk *disk)
{
        const char *on_write = disk_error_policy_to_string(disk->error_policy), *on_read = on_write;

        if (disk->error_policy == DISK_ERROR_POLICY_DEFAULT)
                on_write = on_read = NULL;
        else if (disk->error_policy == DISK_ERROR_POLICY_ENOSPACE) {
                on_write = "enospc";
                on_read = NULL; /* reading needs no space: QEMU's default, to report */
        }
        if (disk->rerror_policy != DISK_ERROR_POLICY_DEFAULT)
                on_read = disk_error_policy_to_string(disk->rerror_policy);
        json_set_string(device, "werror", on_write);
        json_set_string(device, "rerror", on_read);
}

static void set_geometry(json_t *device, const DomainDisk *disk)
{
        if (disk->cylinders > 0) {
                json_set_number(device, "cyls", disk->cylinders);
                json_set_number(device, "heads", disk->heads);
                json_set_number(device, "secs", disk->sectors);
                if (disk->translation != DISK_TRANSLATION_DEFAULT)
                        json_set_string(device, "bios-chs-trans",
                                        disk_translation_to_string(disk->translation));
        }
        json_set_number(device, "logical_block_size", disk->logical_block_size);
        json_set_number(device, "physical_block_size", disk->physical_block_size);
        json_set_number(device, "discard_granularity", disk->discard_granularity);
        if (disk->bus != DISK_BUS_VIRTIO)
                json_set_number(device, "rotation_rate", disk->rotation_rate);
}

static void set_identity(json_t *device, const DomainDisk *disk)
{
        json_set_string(device, "serial", disk->serial);
        if (disk->wwn)
                json_object_set_new(device, "wwn",
                                    json_integer((json_int_t)g_ascii_strtoull(disk->wwn, NULL, 16)));
        if (disk->bus == DISK_BUS_SCSI && disk->device == DISK_DEVICE_LUN)
                return; /* has an identity of its own */
        if (disk->bus == DISK_BUS_SCSI) {
                json_set_string(device, "vendor", disk->vendor);
                json_set_string(device, "product", disk->product);
                if (disk->serial)
                        json_set_string(device, "device_id", disk->serial);
                else {
                        _cleanup_(freep) char *id = g_strconcat("drive-", disk->info.alias, NULL);

                        json_set_string(device, "device_id", id);
                }
        } else
                json_set_string(device, "model", disk->product);
}

static void set_cache(json_t *device, const DomainDisk *disk)
{
        DiskCache cache = blockdev_cache(disk);

        if (cache == DISK_CACHE_DEFAULT || (disk->device == DISK_DEVICE_LUN && disk->bus == DISK_BUS_SCSI))
                return;
        json_set_string(device, "write-cache",
                        cache == DISK_CACHE_WRITETHROUGH || cache == DISK_CACHE_DIRECTSYNC ? "off" : "on");
}

/* Another process of the host is the disk, and reads the guest's memory itself. */
static int add_vhost_user(CommandLine *line, const DomainDisk *disk, Error *error)
{
        _cleanup_(freep) char *id = g_strdup_printf("chr-vu-%s", disk->info.alias), *path = NULL;
        _cleanup_(freep) char *driver =
                device_virtio_driver("vhost-user-blk", &disk->info, VIRTIO_MODEL_VIRTIO);
        _cleanup_(json_decrefp) json_t *device = device_new(driver, &disk->info);
        int r;

        if (!disk->source.vhost_path)
                return error_set(error, ERROR_INVALID_XML, "Disk %s needs the path of a socket",
                                 disk->target);
        path = command_escape(disk->source.vhost_path);
        if (disk->source.reconnect_enabled == YES)
                command_add_option(line, "-chardev", "socket,id=%s,path=%s,reconnect=%u", id, path,
                                   disk->source.reconnect_timeout);
        else
                command_add_option(line, "-chardev", "socket,id=%s,path=%s", id, path);
        json_set_string(device, "chardev", id);
        device_set_virtio(device, &disk->virtio);
        json_set_number(device, "num-queues", disk->queues);
        json_set_number(device, "queue-size", disk->queue_size);
        r = device_set_info(line, device, &disk->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

int command_disk(CommandLine *line, const DomainDisk *disk, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        _cleanup_(freep) char *node = NULL;
        int r;

        if (disk->type == DISK_TYPE_VHOSTUSER)
                return add_vhost_user(line, disk, error);
        if (has_medium(disk)) {
                r = blockdev_disk(line, disk, &node, error);
                if (r < 0)
                        return r;
        } else if (disk->device != DISK_DEVICE_CDROM && disk->device != DISK_DEVICE_FLOPPY)
                return error_set(error, ERROR_INVALID_XML, "Disk %s has no source", disk->target);

        r = new_device(line, disk, &device, error);
        if (r < 0)
                return r;
        json_set_string(device, "drive", node);
        if (disk->shareable)
                json_set_bool(device, "share-rw", true);
        set_cache(device, disk);
        set_error_policy(device, disk);
        set_geometry(device, disk);
        set_identity(device, disk);
        return device_add(line, TAKE_PTR(device), error);
}
