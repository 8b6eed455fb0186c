/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Slots and functions of PCI buses. A bus is searched slot by slot, the buses in their order. A set that can
 * grow adds the bridge that the device needs: address-pci.c lets it do so on a first pass, to learn which
 * bridges the machine must have, and then places everything anew. */

#include <assert.h>

#include "model/pci-bus.h"

typedef struct PciModel {
        ControllerModel model;
        uint32_t offers, asks;
        uint8_t first_slot, last_slot;
} PciModel;

static const PciModel models[] = {
        { CONTROLLER_MODEL_PCI_ROOT, PCI_AUTOMATIC | PCI_ENDPOINT | PCI_BRIDGE | PCI_EXPANDER, 0, 1, 31 },
        { CONTROLLER_MODEL_PCIE_ROOT,
          PCIE_ENDPOINT | PCIE_ROOT_PORT | PCI_DMI_BRIDGE | PCIE_EXPANDER | PCIE_TO_PCI, 0, 1, 31 },
        { CONTROLLER_MODEL_PCI_BRIDGE, PCI_AUTOMATIC | PCI_ENDPOINT | PCI_BRIDGE, PCI_BRIDGE, 1, 31 },
        { CONTROLLER_MODEL_DMI_TO_PCI_BRIDGE, PCI_ENDPOINT | PCI_BRIDGE, PCI_DMI_BRIDGE, 0, 31 },
        { CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE, PCI_AUTOMATIC | PCI_ENDPOINT | PCI_BRIDGE,
          PCI_AUTOMATIC | PCIE_TO_PCI, 1, 31 },
        { CONTROLLER_MODEL_PCIE_ROOT_PORT, PCI_AUTOMATIC | PCIE_ENDPOINT | PCIE_UPSTREAM_PORT | PCIE_TO_PCI,
          PCIE_ROOT_PORT | PCI_SHARED, 0, 0 },
        { CONTROLLER_MODEL_PCIE_SWITCH_UPSTREAM_PORT, PCIE_DOWNSTREAM_PORT, PCIE_UPSTREAM_PORT, 0, 31 },
        { CONTROLLER_MODEL_PCIE_SWITCH_DOWNSTREAM_PORT,
          PCI_AUTOMATIC | PCIE_ENDPOINT | PCIE_UPSTREAM_PORT | PCIE_TO_PCI, PCIE_DOWNSTREAM_PORT, 0, 0 },
        { CONTROLLER_MODEL_PCI_EXPANDER_BUS, PCI_AUTOMATIC | PCI_ENDPOINT | PCI_BRIDGE, PCI_EXPANDER, 0,
          31 },
        { CONTROLLER_MODEL_PCIE_EXPANDER_BUS, PCIE_ROOT_PORT | PCI_DMI_BRIDGE, PCIE_EXPANDER, 0, 0 },
};

static const PciModel *model_find(ControllerModel model)
{
        for (unsigned i = 0; i < G_N_ELEMENTS(models); i++)
                if (models[i].model == model)
                        return &models[i];
        return NULL;
}

uint32_t pci_flags_of_bridge(ControllerModel model)
{
        const PciModel *row = model_find(model);

        return row ? row->asks : 0;
}

void pci_bus_set_model(PciBus *bus, ControllerModel model)
{
        const PciModel *row = model_find(model);

        assert(row);
        bus->model = model;
        bus->flags = row->offers;
        bus->first_slot = row->first_slot;
        bus->last_slot = row->last_slot;
}

PciBuses *pci_buses_new(uint32_t count, bool can_grow)
{
        PciBuses *buses = g_new0(PciBuses, 1);

        buses->items = g_new0(PciBus, count);
        buses->count = count;
        buses->can_grow = can_grow;
        return buses;
}

PciBuses *pci_buses_free(PciBuses *buses)
{
        if (!buses)
                return NULL;
        g_free(buses->items);
        g_free(buses);
        return NULL;
}

bool pci_bus_is_full(const PciBus *bus)
{
        for (uint32_t slot = bus->first_slot; slot <= bus->last_slot; slot++)
                if (bus->functions[slot] == 0)
                        return false;
        return true;
}

bool pci_buses_have_pcie(const PciBuses *buses)
{
        return buses->count > 0 && buses->items[0].model == CONTROLLER_MODEL_PCIE_ROOT;
}

bool pci_slot_in_use(const PciBuses *buses, uint32_t bus, uint32_t slot)
{
        return bus < buses->count && slot < PCI_SLOTS && buses->items[bus].functions[slot] != 0;
}

/* Whoever writes an address may mix PCI and PCIe, and may use buses that are not filled by themselves. */
static bool fits_by_hand(const PciBus *bus, uint32_t flags)
{
        uint32_t offers = bus->flags, endpoints = PCI_ENDPOINT | PCIE_ENDPOINT;

        if ((offers & endpoints) != 0)
                offers |= endpoints;
        if ((flags & PCI_BRIDGE) != 0)
                flags |= PCI_ENDPOINT;
        return (offers & flags & PCI_TYPES_MASK) != 0;
}

static bool fits_automatically(const PciBus *bus, uint32_t flags)
{
        if ((bus->flags & flags & PCI_TYPES_MASK) == 0)
                return false;
        return (flags & PCI_AUTOMATIC) == 0 || (bus->flags & PCI_AUTOMATIC) != 0;
}

static void take(PciBus *bus, uint32_t slot, uint32_t function, uint32_t flags)
{
        if (bus->functions[slot] == 0 && (flags & PCI_SHARED) != 0)
                bus->is_shared[slot] = true;
        bus->functions[slot] |= (uint8_t)(1u << function);
}

int pci_reserve(PciBuses *buses, const DeviceAddress *address, uint32_t flags, Error *error)
{
        _cleanup_(freep) char *text = device_address_to_string(address);

        if (address->domain != 0)
                return error_set(error, ERROR_INVALID_XML, "PCI address %s: machines have only the domain 0",
                                 text);
        if (address->bus >= buses->count || buses->items[address->bus].model == CONTROLLER_MODEL_ABSENT)
                return error_set(error, ERROR_INVALID_XML, "PCI address %s: there is no PCI controller %u",
                                 text, address->bus);

        PciBus *bus = &buses->items[address->bus];
        if (!fits_by_hand(bus, flags))
                return error_set(error, ERROR_INVALID_XML,
                                 "PCI address %s: the device does not fit a '%s' bus", text,
                                 controller_model_to_string(bus->model));
        if (address->slot < bus->first_slot || address->slot > bus->last_slot || address->function > 7)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "PCI address %s: slots of a '%s' bus go from %u to %u, functions from 0 to 7", text,
                        controller_model_to_string(bus->model), bus->first_slot, bus->last_slot);
        if ((bus->functions[address->slot] & (1u << address->function)) != 0)
                return error_set(error, ERROR_INVALID_XML, "PCI address %s is used twice", text);
        take(bus, address->slot, address->function, flags);
        return 0;
}

/* The bridge whose bus takes such a device; ABSENT: none would. */
static ControllerModel model_for(const PciBuses *buses, uint32_t flags)
{
        if ((flags & (PCI_ENDPOINT | PCI_BRIDGE)) != 0) {
                for (uint32_t i = 0; i < buses->count; i++)
                        if ((buses->items[i].flags & PCI_BRIDGE) != 0)
                                return CONTROLLER_MODEL_PCI_BRIDGE;
                return CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE;
        }
        if ((flags & (PCIE_ENDPOINT | PCIE_UPSTREAM_PORT | PCIE_TO_PCI)) != 0 && pci_buses_have_pcie(buses))
                return CONTROLLER_MODEL_PCIE_ROOT_PORT;
        return CONTROLLER_MODEL_ABSENT;
}

static bool find_on_bus(const PciBus *bus, uint32_t flags, uint32_t function, DeviceAddress *address)
{
        if (!fits_automatically(bus, flags))
                return false;
        for (uint32_t slot = bus->first_slot; slot <= bus->last_slot; slot++) {
                address->slot = slot;
                address->function = function == PCI_FUNCTION_ANY ? 0 : function;
                if (bus->functions[slot] == 0)
                        return true;
                if ((flags & PCI_SHARED) == 0 || !bus->is_shared[slot])
                        continue;
                for (; address->function < 8; address->function++) {
                        if ((bus->functions[slot] & (1u << address->function)) == 0)
                                return true;
                        if (function != PCI_FUNCTION_ANY)
                                break;
                }
        }
        return false;
}

static PciBus *add_bus(PciBuses *buses, ControllerModel model)
{
        buses->items = g_renew(PciBus, buses->items, buses->count + 1);

        PciBus *bus = &buses->items[buses->count++];
        *bus = (PciBus){ .model = CONTROLLER_MODEL_ABSENT };
        pci_bus_set_model(bus, model);
        return bus;
}

static bool grow(PciBuses *buses, uint32_t flags)
{
        ControllerModel model = model_for(buses, flags);

        /* No bus number beyond: a machine cannot have more. */
        if (!buses->can_grow || model == CONTROLLER_MODEL_ABSENT || buses->count >= 255)
                return false;
        /* A bridge from PCIe comes with a port that is for it alone. */
        if (model == CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE)
                add_bus(buses, CONTROLLER_MODEL_PCIE_ROOT_PORT)->flags = PCI_AUTOMATIC | PCIE_TO_PCI;
        add_bus(buses, model);
        return true;
}

int pci_reserve_next(PciBuses *buses, uint32_t flags, uint32_t function, DeviceAddress *ret_address,
                     Error *error)
{
        DeviceAddress address = { .type = ADDRESS_PCI, .multifunction = ret_address->multifunction };

        do {
                for (address.bus = 0; address.bus < buses->count; address.bus++) {
                        if (!find_on_bus(&buses->items[address.bus], flags, function, &address))
                                continue;
                        take(&buses->items[address.bus], address.slot, address.function, flags);
                        *ret_address = address;
                        return 0;
                }
        } while (grow(buses, flags));
        return error_set(error, ERROR_CONFIG_UNSUPPORTED, "No PCI slot is left for another device");
}
