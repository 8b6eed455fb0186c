/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Gives every USB device a port. When the ports of all controllers are fewer than the devices, hubs are
 * added. */

#include "model/board.h"
#include "model/complete.h"
#include "model/device-list.h"
#include "model/usb-hub.h"

enum { CONTROLLERS_MAX = 256 };

typedef struct Pass {
        DomainDefinition *definition;
        UsbHub *roots[CONTROLLERS_MAX];
        uint32_t n_roots;
        int32_t n_ports, n_open; /* ports that are free, devices that need one */
        Error *error;
} Pass;

static uint32_t ports_of(const DomainController *controller)
{
        switch (controller->model) {
        case CONTROLLER_MODEL_PIIX3_UHCI:
        case CONTROLLER_MODEL_PIIX4_UHCI:
        case CONTROLLER_MODEL_VT82C686B_UHCI:
                return 2;
        case CONTROLLER_MODEL_EHCI:
        case CONTROLLER_MODEL_ICH9_EHCI1:
                return 6;
        case CONTROLLER_MODEL_PCI_OHCI:
                return 3;
        case CONTROLLER_MODEL_NEC_XHCI:
        case CONTROLLER_MODEL_QEMU_XHCI:
                return controller->has_ports ? controller->ports : 4;
        case CONTROLLER_MODEL_QUSB1:
        case CONTROLLER_MODEL_QUSB2:
                return controller->has_ports ? controller->ports : 8;
        default:
                return 0; /* none; or companions, whose ports are those of the ehci */
        }
}

static bool is_usb(const Device *device)
{
        switch (device->kind) {
        case DEVICE_HUB:
        case DEVICE_REDIRDEV:
                return true;
        case DEVICE_HOSTDEV:
                return ((const DomainHostdev *)device->object)->type == HOSTDEV_USB;
        case DEVICE_DISK:
                return ((const DomainDisk *)device->object)->bus == DISK_BUS_USB;
        case DEVICE_CONTROLLER:
                return ((const DomainController *)device->object)->type == CONTROLLER_TYPE_CCID;
        case DEVICE_INPUT:
                return ((const DomainInput *)device->object)->bus == INPUT_BUS_USB;
        case DEVICE_SERIAL:
                return ((const DomainSerial *)device->object)->target == SERIAL_TARGET_USB;
        case DEVICE_SOUND:
                return ((const DomainSound *)device->object)->model == SOUND_MODEL_USB;
        default:
                return false;
        }
}

static int foreach_usb(Pass *pass, const DeviceKind *kinds, unsigned n_kinds, DeviceVisitor visitor)
{
        for (unsigned i = 0; i < n_kinds; i++) {
                int r = device_foreach_of(pass->definition, kinds[i], visitor, pass);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const DeviceKind all_kinds[] = {
        DEVICE_HUB,   DEVICE_HOSTDEV, DEVICE_DISK,  DEVICE_CONTROLLER,
        DEVICE_INPUT, DEVICE_SERIAL,  DEVICE_SOUND, DEVICE_REDIRDEV,
};

static bool is_open(const DeviceInfo *info)
{
        return info->address.type == ADDRESS_NONE ||
               (info->address.type == ADDRESS_USB && !info->address.port);
}

static int reserve_given(const Device *device, void *userdata)
{
        Pass *pass = userdata;
        const DeviceAddress *address = &device->info->address;

        if (!is_usb(device))
                return 0;
        if (is_open(device->info)) {
                pass->n_open += device->kind != DEVICE_HUB;
                return 0;
        }
        if (address->type != ADDRESS_USB)
                return 0;
        if (address->bus >= pass->n_roots || !pass->roots[address->bus])
                return error_set(pass->error, ERROR_INVALID_XML,
                                 "USB port %s: there is no USB controller %u with ports", address->port,
                                 address->bus);
        pass->n_ports -= device->kind != DEVICE_HUB;
        return usb_hub_reserve(pass->roots[address->bus], address->port, device->kind == DEVICE_HUB,
                               pass->error);
}

static int place(const Device *device, void *userdata)
{
        Pass *pass = userdata;
        DeviceAddress *address = &device->info->address;

        if (!is_usb(device) || !is_open(device->info))
                return 0;
        for (uint32_t bus = 0; bus < pass->n_roots; bus++) {
                if (!pass->roots[bus] ||
                    (address->type == ADDRESS_USB && address->has_bus && address->bus != bus))
                        continue;
                char *port = usb_hub_reserve_next(pass->roots[bus], device->kind == DEVICE_HUB);
                if (!port)
                        continue;
                address->type = ADDRESS_USB;
                address->bus = bus;
                address->has_bus = true;
                address->port = port;
                return 0;
        }
        return error_set(pass->error, ERROR_CONFIG_UNSUPPORTED, "No USB port is left for a device '%s'",
                         device_kind_to_string(device->kind));
}

static int add_roots(Pass *pass)
{
        LIST_FOREACH (controller, pass->definition->devices.controllers) {
                uint32_t ports = ports_of(controller);

                if (controller->type != CONTROLLER_TYPE_USB || ports == 0)
                        continue;
                if (controller->index >= CONTROLLERS_MAX || ports > UINT8_MAX)
                        return error_set(pass->error, ERROR_INVALID_XML,
                                         "USB controllers are numbered up to %u", CONTROLLERS_MAX - 1);
                if (pass->roots[controller->index])
                        return error_set(pass->error, ERROR_INVALID_XML, "There are two USB controllers %u",
                                         controller->index);
                pass->roots[controller->index] = usb_hub_new(ports);
                pass->n_roots = MAX(pass->n_roots, controller->index + 1);
                pass->n_ports += (int32_t)ports;
        }
        return 0;
}

/* Each hub takes a port and gives eight; one port is left for what comes later. */
static void add_hubs(Pass *pass)
{
        int32_t n_hubs = 0;

        pass->n_ports += (USB_HUB_PORTS - 1) * (int32_t)pass->definition->devices.hubs.count;
        if (pass->n_open > pass->n_ports)
                n_hubs = (pass->n_open - pass->n_ports + USB_HUB_PORTS - 1) / (USB_HUB_PORTS - 1);
        for (; n_hubs > 0; n_hubs--) {
                DomainHub *hub = struct_new(&domain_hub_type);
                hub->type = g_strdup("usb");
                list_append(&pass->definition->devices.hubs, hub);
        }
}

/* How many hubs are on the way to it; of one without a port: more than there can be. */
static int depth_of(const DomainHub *hub)
{
        int depth = 0;

        if (is_open(&hub->info) || hub->info.address.type != ADDRESS_USB)
                return USB_HUB_DEPTH;
        for (const char *c = hub->info.address.port; *c; c++)
                depth += *c == '.';
        return depth;
}

static gint compare_hubs(gconstpointer a, gconstpointer b, gpointer userdata _unused_)
{
        return depth_of(*(DomainHub *const *)a) - depth_of(*(DomainHub *const *)b);
}

/* A hub comes after the one that it hangs on: so QEMU wants it, and so does whoever reads this again. Those
 * of one depth keep their order, by which they get their ports: the sort has to be stable. */
static void sort_hubs(DomainDefinition *definition)
{
        if (definition->devices.hubs.count > 1)
                g_qsort_with_data(definition->devices.hubs.items, (gint)definition->devices.hubs.count,
                                  sizeof(void *), compare_hubs, NULL);
}

static int assign(Pass *pass)
{
        int r = add_roots(pass);
        if (r < 0 || pass->n_roots == 0)
                return r;
        sort_hubs(pass->definition);
        /* Hubs first, since others hang on them. */
        r = foreach_usb(pass, all_kinds, G_N_ELEMENTS(all_kinds), reserve_given);
        if (r < 0)
                return r;
        add_hubs(pass);
        r = foreach_usb(pass, all_kinds, G_N_ELEMENTS(all_kinds), place);
        sort_hubs(pass->definition);
        return r;
}

static int find_usb(const Device *device, void *userdata _unused_)
{
        return is_usb(device) && device->kind != DEVICE_CONTROLLER;
}

static bool has_controller(const DomainDefinition *definition)
{
        LIST_FOREACH (controller, definition->devices.controllers)
                if (controller->type == CONTROLLER_TYPE_USB && controller->model != CONTROLLER_MODEL_NONE)
                        return true;
        return false;
}

int address_assign_usb(DomainDefinition *definition, Error *error)
{
        Pass pass = { .definition = definition, .error = error };

        if (!board_is_qemu(definition))
                return 0;
        if (!has_controller(definition) && device_foreach(definition, find_usb, NULL) > 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "USB devices need a USB controller");
        int r = assign(&pass);
        for (uint32_t i = 0; i < pass.n_roots; i++)
                usb_hub_free(pass.roots[i]);
        return r;
}
