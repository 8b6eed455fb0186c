/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The PCI buses of a machine and what sits in their slots: which device fits where, and the next place that
 * is free. Knows nothing of definitions but controller models and addresses. */

#include "model/domain.h"

/* What a bus offers and a device asks for. */
enum {
        PCI_ENDPOINT = 1 << 0,
        PCIE_ENDPOINT = 1 << 1,
        PCIE_ROOT_PORT = 1 << 2,
        PCIE_UPSTREAM_PORT = 1 << 3,
        PCIE_DOWNSTREAM_PORT = 1 << 4,
        PCI_DMI_BRIDGE = 1 << 5,
        PCI_EXPANDER = 1 << 6,
        PCIE_EXPANDER = 1 << 7,
        PCI_BRIDGE = 1 << 8,
        PCIE_TO_PCI = 1 << 9,
        PCI_TYPES_MASK = (1 << 10) - 1,
        PCI_AUTOMATIC =
                1 << 16,      /* the bus takes devices that name no bus; the device must not go elsewhere */
        PCI_SHARED = 1 << 17, /* may share its slot with others of its kind, a function each */
};

#define PCI_SLOTS        32
#define PCI_FUNCTION_ANY UINT32_MAX

typedef struct PciBus {
        ControllerModel model; /* ABSENT: there is no such bus */
        uint32_t flags;
        uint8_t first_slot, last_slot;
        uint8_t functions[PCI_SLOTS]; /* a bit for each that is taken */
        bool is_shared[PCI_SLOTS];
} PciBus;

typedef struct PciBuses {
        PciBus *items;
        uint32_t count;
        bool can_grow; /* buses are added when no slot is free */
} PciBuses;

PciBuses *pci_buses_new(uint32_t count, bool can_grow);
PciBuses *pci_buses_free(PciBuses *buses);
DEFINE_CLEANUP(PciBuses, pci_buses_free)

void pci_bus_set_model(PciBus *bus, ControllerModel model);
bool pci_bus_is_full(const PciBus *bus);
bool pci_buses_have_pcie(const PciBuses *buses);
/* What a controller of that model asks for; 0: it is a root and sits nowhere. */
uint32_t pci_flags_of_bridge(ControllerModel model);

bool pci_slot_in_use(const PciBuses *buses, uint32_t bus, uint32_t slot);
/* Takes an address that is given; refuses what is taken, does not exist or does not fit. */
int pci_reserve(PciBuses *buses, const DeviceAddress *address, uint32_t flags, Error *error);
/* Finds a place and takes it; sets type, bus, slot and function. `function`: a certain one, or
 * PCI_FUNCTION_ANY. */
int pci_reserve_next(PciBuses *buses, uint32_t flags, uint32_t function, DeviceAddress *ret_address,
                     Error *error);
