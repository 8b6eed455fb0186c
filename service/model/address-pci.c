/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Gives every PCI device its place. A first pass finds out how many bridges are needed and adds them to the
 * definition; the second one, with the bridges in it, is for good. The order of the kinds is libvirt's: a
 * machine that is defined again from the same text must find its devices where they were. */

#include <assert.h>

#include "model/board.h"
#include "model/complete.h"
#include "model/pci-device.h"

typedef struct Pass {
        DomainDefinition *definition;
        PciBuses *buses;
        Error *error;
} Pass;

/* The chip set holds these places itself. */
static bool is_builtin(const Pass *pass, const Device *device)
{
        const DeviceAddress *address = &device->info->address;

        if (device->kind != DEVICE_CONTROLLER || address->bus != 0)
                return false;
        const DomainController *controller = device->object;
        if (controller->index != 0)
                return false;
        switch (board_family(pass->definition)) {
        case BOARD_I440FX:
                return address->slot == 1 &&
                       ((controller->type == CONTROLLER_TYPE_IDE && address->function == 1) ||
                        (controller->type == CONTROLLER_TYPE_USB && address->function == 2));
        case BOARD_Q35:
                return controller->type == CONTROLLER_TYPE_SATA && address->slot == 0x1f &&
                       address->function == 2;
        default:
                return false;
        }
}

static int reserve_given(const Device *device, void *userdata)
{
        const Pass *pass = userdata;

        if (!pci_address_is_given(device->info) || is_builtin(pass, device))
                return 0;
        uint32_t flags = pci_device_flags(pass->definition, device) ?: PCI_ENDPOINT;
        return pci_reserve(pass->buses, &device->info->address, flags, pass->error);
}

static int build_buses(Pass *pass, uint32_t count, bool can_grow)
{
        pass->buses = pci_buses_new(count, can_grow);
        LIST_FOREACH (controller, pass->definition->devices.controllers)
                if (controller->type == CONTROLLER_TYPE_PCI)
                        pci_bus_set_model(&pass->buses->items[controller->index], controller->model);
        /* Numbers that were left out become bridges too. */
        for (uint32_t i = 1; i < count; i++)
                if (pass->buses->items[i].model == CONTROLLER_MODEL_ABSENT)
                        pci_bus_set_model(&pass->buses->items[i], pci_buses_have_pcie(pass->buses)
                                                                          ? CONTROLLER_MODEL_PCIE_ROOT_PORT
                                                                          : CONTROLLER_MODEL_PCI_BRIDGE);
        return device_foreach(pass->definition, reserve_given, pass);
}

static int place_next(const Device *device, void *userdata)
{
        Pass *pass = userdata;

        if (!pci_device_is_wanted(pass->definition, device))
                return 0;
        return pci_reserve_next(pass->buses, pci_device_flags(pass->definition, device), PCI_FUNCTION_ANY,
                                &device->info->address, pass->error);
}

static int place_bridge(const Device *device, void *userdata)
{
        return ((const DomainController *)device->object)->type == CONTROLLER_TYPE_PCI
                       ? place_next(device, userdata)
                       : 0;
}

/* The parts of one ICH9 USB controller are functions of one slot. */
static int place_ich9_usb(const Device *device, Pass *pass)
{
        DomainController *controller = device->object;
        uint32_t function = (uint32_t)pci_ich9_usb_function(controller->model);

        LIST_FOREACH (other, pass->definition->devices.controllers) {
                if (other == controller || other->type != CONTROLLER_TYPE_USB ||
                    other->index != controller->index || pci_ich9_usb_function(other->model) < 0 ||
                    !pci_address_is_given(&other->info))
                        continue;
                DeviceAddress address = { .type = ADDRESS_PCI,
                                          .multifunction = controller->info.address.multifunction,
                                          .bus = other->info.address.bus,
                                          .slot = other->info.address.slot,
                                          .function = function };
                int r = pci_reserve(pass->buses, &address, PCI_ENDPOINT, pass->error);
                if (r >= 0)
                        controller->info.address = address;
                return r;
        }
        return pci_reserve_next(pass->buses, pci_device_flags(pass->definition, device), function,
                                &controller->info.address, pass->error);
}

static int place_controller(const Device *device, void *userdata)
{
        Pass *pass = userdata;
        const DomainController *controller = device->object;

        if (controller->type == CONTROLLER_TYPE_PCI || !pci_device_is_wanted(pass->definition, device))
                return 0;
        if (controller->type == CONTROLLER_TYPE_USB && pci_ich9_usb_function(controller->model) >= 0)
                return place_ich9_usb(device, pass);
        return place_next(device, userdata);
}

static int place_virtual_interface(const Device *device, void *userdata)
{
        bool is_hostdev = ((const DomainInterface *)device->object)->type == INTERFACE_TYPE_HOSTDEV;

        return is_hostdev ? 0 : place_next(device, userdata);
}

static int place_host_interface(const Device *device, void *userdata)
{
        bool is_hostdev = ((const DomainInterface *)device->object)->type == INTERFACE_TYPE_HOSTDEV;

        return is_hostdev ? place_next(device, userdata) : 0;
}

static int place_devices(Pass *pass)
{
        static const struct {
                DeviceKind kind;
                DeviceVisitor place;
        } order[] = {
                { DEVICE_CONTROLLER, place_bridge },
                { DEVICE_FILESYSTEM, place_next },
                { DEVICE_INTERFACE, place_virtual_interface },
                { DEVICE_SOUND, place_next },
                { DEVICE_CONTROLLER, place_controller },
                { DEVICE_DISK, place_next },
                { DEVICE_INTERFACE, place_host_interface },
                { DEVICE_HOSTDEV, place_next },
                { DEVICE_MEMBALLOON, place_next },
                { DEVICE_RNG, place_next },
                { DEVICE_WATCHDOG, place_next },
                { DEVICE_VIDEO, place_next },
                { DEVICE_SHMEM, place_next },
                { DEVICE_INPUT, place_next },
                { DEVICE_SERIAL, place_next },
                { DEVICE_MEMORY, place_next },
                { DEVICE_VSOCK, place_next },
                { DEVICE_IOMMU, place_next },
                { DEVICE_PANIC, place_next },
                { DEVICE_CRYPTO, place_next },
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
                int r = device_foreach_of(pass->definition, order[i].kind, order[i].place, pass);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A slot for one more device: a bridge on conventional PCI, so that hot-plugging does not end at 31; a root
 * port on PCIe, but only where ports are not chosen by hand. */
static int reserve_spare(Pass *pass, uint32_t flags)
{
        DeviceAddress spare = { 0 };

        return pci_reserve_next(pass->buses, flags, PCI_FUNCTION_ANY, &spare, pass->error);
}

static bool all_full(const PciBuses *buses)
{
        for (uint32_t i = 0; i < buses->count; i++)
                if (!pci_bus_is_full(&buses->items[i]))
                        return false;
        return true;
}

/* Bridges that the pass came to need become controllers, which need slots themselves. */
static int add_bridges(Pass *pass)
{
        for (uint32_t i = 1; i < pass->buses->count; i++) {
                if (controller_find(pass->definition, CONTROLLER_TYPE_PCI, i))
                        continue;
                ControllerModel model = pass->buses->items[i].model;
                controller_ensure(pass->definition, CONTROLLER_TYPE_PCI, i, model);
                int r = reserve_spare(pass, pci_flags_of_bridge(model));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int first_pass(Pass *pass, uint32_t count)
{
        int r = build_buses(pass, count, true);
        if (r < 0)
                return r;
        r = pci_place_chipset(pass->definition, pass->buses, pass->error);
        if (r < 0)
                return r;
        bool has_pcie = pci_buses_have_pcie(pass->buses);
        if (!has_pcie && !all_full(pass->buses)) {
                r = reserve_spare(pass, PCI_AUTOMATIC | PCI_ENDPOINT);
                if (r < 0)
                        return r;
        }
        r = place_devices(pass);
        if (r < 0)
                return r;
        if (has_pcie && count == 1 && pass->buses->count > 1) {
                r = reserve_spare(pass, PCI_AUTOMATIC | PCIE_ENDPOINT);
                if (r < 0)
                        return r;
        }
        return add_bridges(pass);
}

static int second_pass(Pass *pass, uint32_t count)
{
        int r = build_buses(pass, count, false);
        if (r < 0)
                return r;
        r = pci_place_chipset(pass->definition, pass->buses, pass->error);
        if (r < 0)
                return r;
        return place_devices(pass);
}

typedef struct SavedAddress {
        DeviceInfo *info;
        DeviceAddress address;
} SavedAddress;

/* Only addresses without a place are changed by a pass, and they own no memory. */
static int save_address(const Device *device, void *userdata)
{
        const SavedAddress saved = { .info = device->info, .address = device->info->address };

        if (!pci_address_is_given(device->info) && !device->info->address.port)
                g_array_append_val((GArray *)userdata, saved);
        return 0;
}

static uint32_t count_buses(const DomainDefinition *definition)
{
        uint32_t count = 0;

        LIST_FOREACH (controller, definition->devices.controllers)
                if (controller->type == CONTROLLER_TYPE_PCI)
                        count = MAX(count, controller->index + 1);
        return count;
}

static int find_bridges(DomainDefinition *definition, uint32_t count, uint32_t *ret_count, Error *error)
{
        Pass pass = { .definition = definition, .error = error };
        GArray *saved = g_array_new(FALSE, FALSE, sizeof(SavedAddress));

        device_foreach(definition, save_address, saved);
        int r = first_pass(&pass, count);
        if (r >= 0)
                *ret_count = pass.buses->count;
        for (guint i = 0; i < saved->len; i++) {
                const SavedAddress *item = &g_array_index(saved, SavedAddress, i);
                item->info->address = item->address;
        }
        g_array_unref(saved);
        pci_buses_free(pass.buses);
        return r;
}

static int set_multifunction(const Device *device, void *userdata)
{
        const PciBuses *buses = userdata;
        DeviceAddress *address = &device->info->address;

        if (pci_address_is_given(device->info) && address->function == 0 &&
            address->multifunction == ON_OFF_ABSENT && address->bus < buses->count &&
            buses->items[address->bus].functions[address->slot] > 1)
                address->multifunction = ON;
        return 0;
}

int address_assign_pci(DomainDefinition *definition, Error *error)
{
        uint32_t count = count_buses(definition);

        if (count == 0)
                return 0;
        /* Bus numbers have eight bits. */
        if (count > 256)
                return error_set(error, ERROR_INVALID_XML, "PCI controllers are numbered up to 255");

        int r = find_bridges(definition, count, &count, error);
        if (r < 0)
                return r;
        Pass pass = { .definition = definition, .error = error };
        r = second_pass(&pass, count);
        if (r >= 0) {
                device_foreach(definition, set_multifunction, pass.buses);
                controllers_complete_pci(definition);
        }
        pci_buses_free(pass.buses);
        return r;
}
