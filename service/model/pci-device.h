/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which devices sit on PCI, and on what kind of slot. */

#include "model/device-list.h"
#include "model/pci-bus.h"

/* PCI_* of the device; 0: it is none of PCI. */
uint32_t pci_device_flags(const DomainDefinition *definition, const Device *device);
/* Whether it sits on PCI and its place is still to be found. */
bool pci_device_is_wanted(const DomainDefinition *definition, const Device *device);
/* The address is of PCI and says where. */
bool pci_address_is_given(const DeviceInfo *info);

/* pci-chipset.c: places that the chip set dictates, taken before any other. */
int pci_place_chipset(DomainDefinition *definition, PciBuses *buses, Error *error);
/* The function of a part of the ICH9 USB controller, by its model; -1: it is none. */
int pci_ich9_usb_function(ControllerModel model);
