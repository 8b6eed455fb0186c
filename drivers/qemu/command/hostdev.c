/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <hostdev>: a device of the host in the guest's hands. These are the arguments; that the machine may touch
 * the device is for the start to arrange. */

#include "drivers/qemu/command/device.h"

static json_t *new_pci(const DomainHostdev *hostdev)
{
        const DeviceAddress *host = &hostdev->source_address;
        _cleanup_(freep) char *address =
                g_strdup_printf("%04x:%02x:%02x.%u", host->domain, host->bus, host->slot, host->function);
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
static json_t *new_usb(const DomainHostdev *hostdev)
{
        json_t *device = device_new("usb-host", &hostdev->info);

        if (hostdev->has_usb_bus && hostdev->has_usb_device) {
                _cleanup_(freep) char *path =
                        g_strdup_printf("/dev/bus/usb/%03u/%03u", hostdev->usb_bus, hostdev->usb_device);

                json_set_string(device, "hostdevice", path);
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

int command_hostdev(CommandLine *line, const DomainHostdev *hostdev, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (hostdev->mode != HOSTDEV_SUBSYSTEM)
                return device_unsupported(error, "The QEMU driver has no <hostdev mode='%s'>",
                                          hostdev_mode_to_string(hostdev->mode));
        switch (hostdev->type) {
        case HOSTDEV_PCI:
                device = new_pci(hostdev);
                break;
        case HOSTDEV_MDEV:
                device = new_mediated(hostdev);
                break;
        case HOSTDEV_USB:
                device = new_usb(hostdev);
                break;
        default:
                return device_unsupported(error, "The QEMU driver has no <hostdev type='%s'>",
                                          hostdev_type_to_string(hostdev->type));
        }
        r = device_set_info(line, device, &hostdev->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}
