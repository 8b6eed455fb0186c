/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* /sys is read, nothing is changed: passthrough.c takes the devices. */

#include "drivers/qemu/hostdevs.h"
#include "drivers/host/sysfs.h"
#include "drivers/host/virtual-function.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USB_DEVICES  "/sys/bus/usb/devices"
#define PCI_DEVICES  "/sys/bus/pci/devices"
#define MDEV_DEVICES "/sys/bus/mdev/devices"
#define SCSI_DEVICES "/sys/bus/scsi/devices"
#define VFIO         "/dev/vfio/vfio"
#define VHOST_SCSI   "/dev/vhost-scsi"
#define SEV          "/dev/sev"

static bool has_number(const char *folder, const char *name, int base, uint32_t wanted)
{
        uint64_t number;

        return sysfs_read_number(folder, name, base, &number) && number == wanted;
}

/* What is asked for: what it is, where it is, or both. */
static int fail_usb(const DomainHostdev *hostdev, bool is_several, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);

        if (hostdev->has_vendor)
                g_string_append_printf(text, " %04x:%04x", hostdev->vendor, hostdev->product);
        if (hostdev->has_usb_bus && hostdev->found_address != YES)
                g_string_append_printf(text, " at address %u of bus %u", hostdev->usb_device,
                                       hostdev->usb_bus);
        return error_set(error, ERROR_OPERATION_FAILED,
                         is_several ? "This host has several USB devices%s: an <address> says which"
                                    : "This host has no USB device%s",
                         text->str);
}

static int find_usb(DomainHostdev *hostdev, bool may_be_missing, Error *error)
{
        g_autoptr(GDir) devices = g_dir_open(USB_DEVICES, 0, NULL);
        bool has_address = hostdev->has_usb_bus && hostdev->found_address != YES;
        uint64_t usb_bus = 0, usb_device = 0;
        unsigned n_found = 0;
        const char *name;

        while (devices && (name = g_dir_read_name(devices))) {
                _cleanup_(freep) char *folder = g_build_filename(USB_DEVICES, name, NULL);
                uint64_t bus, device;

                if (!sysfs_read_number(folder, "busnum", 10, &bus) ||
                    !sysfs_read_number(folder, "devnum", 10, &device))
                        continue;
                if (hostdev->has_vendor && (!has_number(folder, "idVendor", 16, hostdev->vendor) ||
                                            !has_number(folder, "idProduct", 16, hostdev->product)))
                        continue;
                if (has_address && (bus != hostdev->usb_bus || device != hostdev->usb_device))
                        continue;
                n_found++;
                usb_bus = bus;
                usb_device = device;
        }
        if (n_found == 0 && may_be_missing) {
                hostdev->missing = YES;
                return 0;
        }
        if (n_found != 1)
                return fail_usb(hostdev, n_found > 1, error);
        if (!has_address)
                hostdev->found_address = YES;
        hostdev->has_usb_bus = hostdev->has_usb_device = true;
        hostdev->usb_bus = (uint32_t)usb_bus;
        hostdev->usb_device = (uint32_t)usb_device;
        return 0;
}

static int check_vfio(Error *error)
{
        if (access(VFIO, F_OK) >= 0)
                return 0;
        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                         "Devices of the host need VFIO, which this host does not have: there is no " VFIO);
}

/* One that is managed is taken from its driver when all else is sure. */
static int check_pci(const DeviceAddress *host, YesNo managed, Error *error)
{
        _cleanup_(freep) char *address = device_address_to_string(host);
        _cleanup_(freep) char *folder = g_build_filename(PCI_DEVICES, address, NULL), *driver = NULL;

        if (access(folder, F_OK) < 0)
                return error_set(error, ERROR_OPERATION_FAILED, "This host has no PCI device %s", address);
        if (managed == YES)
                return check_vfio(error);
        driver = sysfs_read_link_name(folder, "driver");
        if (g_strcmp0(driver, "vfio-pci") != 0)
                return error_set(
                        error, ERROR_OPERATION_INVALID,
                        "PCI device %s is not managed and bound to the driver '%s': vfio-pci must have "
                        "it first (Detach of its node device)",
                        address, driver ? driver : "none");
        return check_vfio(error);
}

/* Of a device that is whole the address could not be set. */
static int check_function(const DomainInterface *interface, Error *error)
{
        _cleanup_(freep) char *name = device_address_to_string(interface->source_device);
        VirtualFunction function;
        int r = check_pci(interface->source_device, interface->managed, error);

        return r < 0 ? r : virtual_function_find(PCI_DEVICES, name, &function, error);
}

static int check_mediated(const DomainHostdev *hostdev, Error *error)
{
        _cleanup_(freep) char *folder = g_build_filename(MDEV_DEVICES, hostdev->mdev_uuid, NULL);

        if (access(folder, F_OK) < 0)
                return error_set(error, ERROR_OPERATION_FAILED, "This host has no mediated device %s",
                                 hostdev->mdev_uuid);
        return check_vfio(error);
}

char *hostdevs_scsi_address(const DomainHostdev *hostdev)
{
        unsigned number;

        if (hostdev->type != HOSTDEV_SCSI || !hostdev->adapter ||
            sscanf(hostdev->adapter, "scsi_host%u", &number) != 1)
                return NULL;
        return g_strdup_printf("%u:%u:%u:%" G_GUINT64_FORMAT, number, hostdev->scsi_bus,
                               hostdev->scsi_target, hostdev->scsi_unit);
}

char *hostdevs_scsi_node(const char *address)
{
        _cleanup_(freep) char *folder = g_build_filename(SCSI_DEVICES, address, "scsi_generic", NULL);
        g_autoptr(GDir) names = g_dir_open(folder, 0, NULL);
        const char *name = names ? g_dir_read_name(names) : NULL;

        return name ? g_build_filename("/dev", name, NULL) : NULL;
}

static char *find_scsi(const DomainHostdev *hostdev)
{
        _cleanup_(freep) char *address = hostdevs_scsi_address(hostdev);

        return address ? hostdevs_scsi_node(address) : NULL;
}

static int check_scsi(const DomainHostdev *hostdev, Error *error)
{
        _cleanup_(freep) char *node = find_scsi(hostdev);

        if (!hostdev->adapter || node)
                return 0;
        return error_set(error, ERROR_OPERATION_FAILED,
                         "%s of this host has no SCSI device %u:%u:%" G_GUINT64_FORMAT, hostdev->adapter,
                         hostdev->scsi_bus, hostdev->scsi_target, hostdev->scsi_unit);
}

static int prepare(DomainHostdev *hostdev, bool is_start, Error *error)
{
        switch (hostdev->type) {
        case HOSTDEV_USB:
                return find_usb(hostdev, is_start && hostdev->startup_policy == STARTUP_POLICY_OPTIONAL,
                                error);
        case HOSTDEV_PCI:
                return check_pci(&hostdev->source_address, hostdev->managed, error);
        case HOSTDEV_MDEV:
                return check_mediated(hostdev, error);
        case HOSTDEV_SCSI:
                return check_scsi(hostdev, error);
        case HOSTDEV_SCSI_HOST:
                if (access(VHOST_SCSI, F_OK) < 0)
                        return error_set(
                                error, ERROR_CONFIG_UNSUPPORTED,
                                "<hostdev type='scsi_host'> needs vhost-scsi, which this host does not "
                                "have: there is no " VHOST_SCSI);
                return 0;
        default:
                return 0;
        }
}

static int prepare_device(const Device *device, bool is_start, Error *error)
{
        const DomainDisk *disk = device->kind == DEVICE_DISK ? device->object : NULL;
        DomainHostdev *hostdev = device->kind == DEVICE_HOSTDEV ? device->object : NULL;
        const DomainInterface *interface = device->kind == DEVICE_INTERFACE ? device->object : NULL;

        if (interface && interface_function(interface))
                return check_function(interface, error);
        if (disk && disk->type == DISK_TYPE_NVME)
                return check_pci(disk->source.address, disk->source.managed, error);
        return hostdev && hostdev->mode == HOSTDEV_SUBSYSTEM ? prepare(hostdev, is_start, error) : 0;
}

int hostdevs_prepare_device(const Device *device, Error *error)
{
        return prepare_device(device, false, error);
}

typedef struct Preparation {
        int result;
        Error *error;
} Preparation;

static int visit(const Device *device, void *data)
{
        Preparation *preparation = data;

        preparation->result = prepare_device(device, true, preparation->error);
        return preparation->result < 0;
}

int hostdevs_prepare(DomainDefinition *live, Error *error)
{
        Preparation preparation = { .error = error };

        if (live->launch_security && live->launch_security->type == LAUNCH_SEV && access(SEV, F_OK) < 0)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "<launchSecurity type='sev'> needs a processor and a kernel with SEV: there is "
                        "no " SEV);
        (void)device_foreach(live, visit, &preparation); /* the result is there */
        return preparation.result;
}

char **hostdevs_find_nodes(const DomainDefinition *live)
{
        const DomainDevices *devices = &live->devices;
        char **nodes = g_new0(char *, devices->hostdevs.count + 1);

        for (uint32_t i = 0; i < devices->hostdevs.count; i++)
                nodes[i] = find_scsi(devices->hostdevs.items[i]);
        return nodes;
}

void hostdevs_free_nodes(char **nodes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                g_free(nodes[i]);
        g_free(nodes);
}
