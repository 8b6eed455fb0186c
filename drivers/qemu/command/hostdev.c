/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <hostdev>: a device of the host in the guest's hands. These are the arguments; that the machine may touch
 * the device is for the start to arrange. */

#include "drivers/qemu/command/blockdev.h"
#include "drivers/qemu/command/device.h"
#include <string.h>

static json_t *new_pci(const DomainHostdev *hostdev)
{
        _cleanup_(freep) char *address = device_address_to_string(&hostdev->source_address);
        json_t *device = device_new("vfio-pci", &hostdev->info);

        json_set_string(device, "host", address);
        return device;
}

static json_t *new_mediated(const DomainHostdev *hostdev)
{
        _cleanup_(freep) char *path = g_strdup_printf("/sys/bus/mdev/devices/%s", hostdev->mdev_uuid);
        json_t *device = device_new(hostdev->model == HOSTDEV_VFIO_PCI
                                            ? hostdev->ramfb == ON ? "vfio-pci-nohotplug" : "vfio-pci"
                                            : hostdev_model_to_string(hostdev->model),
                                    &hostdev->info);

        json_set_string(device, "sysfsdev", path);
        json_set_on_off_word(device, "display", hostdev->display);
        json_set_on_off(device, "ramfb", hostdev->ramfb);
        return device;
}

/* By its place, which only one device has, or by what it is. */
static json_t *new_usb(CommandLine *line, const DomainHostdev *hostdev)
{
        json_t *device = device_new("usb-host", &hostdev->info);

        if (hostdev->has_usb_bus && hostdev->has_usb_device) {
                _cleanup_(freep) char *path =
                        g_strdup_printf("/dev/bus/usb/%03u/%03u", hostdev->usb_bus, hostdev->usb_device);
                _cleanup_(freep) char *file = command_device_file(line, path);

                json_set_string(device, "hostdevice", file);
        } else {
                if (hostdev->has_vendor)
                        json_object_set_new(device, "vendorid", json_integer(hostdev->vendor));
                if (hostdev->has_product)
                        json_object_set_new(device, "productid", json_integer(hostdev->product));
        }
        if (hostdev->guest_reset) {
                bool is_off = g_strcmp0(hostdev->guest_reset, "off") == 0;

                json_set_bool(device, "guest-reset", !is_off);
                if (!is_off)
                        json_set_bool(device, "guest-resets-all",
                                      g_strcmp0(hostdev->guest_reset, "on") == 0);
        }
        return device;
}

static unsigned position(const CommandLine *line, const DomainHostdev *hostdev)
{
        unsigned i = 0;

        LIST_FOREACH (other, line->definition->devices.hostdevs) {
                if (other == hostdev)
                        break;
                i++;
        }
        return i;
}

/* The device's node, by iSCSI or by the host's own adapter. */
static int add_scsi_node(CommandLine *line, const DomainHostdev *hostdev, const char *name, Error *error)
{
        _cleanup_(json_decrefp) json_t *node = json_object();
        const char *path = line->host.scsi_nodes ? line->host.scsi_nodes[position(line, hostdev)] : NULL;
        int r = 0;

        if (hostdev->source_name) {
                DomainDisk disk = { .target = hostdev->info.alias };
                DiskSource source = {
                        .type = DISK_TYPE_NETWORK,
                        .protocol = DISK_PROTOCOL_ISCSI,
                        .name = hostdev->source_name,
                        .initiator_iqn = hostdev->initiator_iqn,
                };

                memcpy(&source.hosts, &hostdev->hosts, sizeof source.hosts);
                r = blockdev_set_network(line, &disk, &source, hostdev->auth, name, node, error);
        } else if (!path)
                r = error_set(error, ERROR_OPERATION_FAILED, "This host has no SCSI device for %s",
                              hostdev->info.alias);
        else {
                /* By its path: QEMU does not see in a set of files that it is no disk but commands for one.
                 */
                json_set_string(node, "driver", "host_device");
                json_set_string(node, "filename", path);
        }
        if (r < 0)
                return r;
        json_set_string(node, "node-name", name);
        json_set_bool(node, "read-only", hostdev->readonly);
        command_add_json(line, "-blockdev", TAKE_PTR(node));
        return 0;
}

static int add_scsi(CommandLine *line, const DomainHostdev *hostdev, Error *error)
{
        const DeviceAddress *address = &hostdev->info.address;
        _cleanup_(freep) char *name = g_strdup_printf("%s-backend", hostdev->info.alias),
                              *controller = device_bus(line, CONTROLLER_TYPE_SCSI, address->controller);
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (address->type != ADDRESS_DRIVE || !controller)
                return error_set(error, ERROR_INVALID_XML, "SCSI device %s has no controller",
                                 hostdev->info.alias);
        r = add_scsi_node(line, hostdev, name, error);
        if (r < 0)
                return r;
        device = device_new("scsi-generic", &hostdev->info);
        json_set_string(device, "drive", name);
        device_set_scsi_address(line, device, controller, address);
        if (hostdev->shareable)
                json_set_bool(device, "share-rw", true);
        json_set_number(device, "bootindex", device_boot_index(line, &hostdev->info));
        return device_add(line, TAKE_PTR(device), error);
}

/* All that the host's target of that name exports. */
static json_t *new_vhost_scsi(CommandLine *line, const DomainHostdev *hostdev)
{
        VirtioModel model = hostdev->model == HOSTDEV_VIRTIO_TRANSITIONAL ? VIRTIO_MODEL_TRANSITIONAL
                            : hostdev->model == HOSTDEV_VIRTIO_NON_TRANSITIONAL
                                    ? VIRTIO_MODEL_NON_TRANSITIONAL
                                    : VIRTIO_MODEL_VIRTIO;
        _cleanup_(freep) char *driver = device_virtio_driver("vhost-scsi", &hostdev->info, model),
                              *fd = NULL;
        json_t *device = device_new(driver, &hostdev->info);

        json_set_string(device, "wwpn", hostdev->wwpn);
        if (line->host.passes_files || !line->host.runs)
                fd = command_descriptor(line, "/dev/vhost-scsi");
        json_set_string(device, "vhostfd", fd);
        return device;
}

int command_hostdev(CommandLine *line, const DomainHostdev *hostdev, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (hostdev->mode != HOSTDEV_SUBSYSTEM)
                return device_unsupported(error, "The QEMU driver has no <hostdev mode='%s'>",
                                          hostdev_mode_to_string(hostdev->mode));
        if (hostdev->missing == YES)
                return 0;
        if (hostdev->info.address.type == ADDRESS_UNASSIGNED)
                return 0; /* taken from the host, and the guest does not see it */
        switch (hostdev->type) {
        case HOSTDEV_PCI:
                device = new_pci(hostdev);
                break;
        case HOSTDEV_MDEV:
                device = new_mediated(hostdev);
                break;
        case HOSTDEV_USB:
                device = new_usb(line, hostdev);
                break;
        case HOSTDEV_SCSI:
                return add_scsi(line, hostdev, error);
        case HOSTDEV_SCSI_HOST:
                device = new_vhost_scsi(line, hostdev);
                break;
        default:
                return device_unsupported(error, "The QEMU driver has no <hostdev type='%s'>",
                                          hostdev_type_to_string(hostdev->type));
        }
        r = device_set_info(line, device, &hostdev->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}
