/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The places that are not free to choose: what the i440fx and q35 chip sets have built in, where the
 * firmware looks for the graphics card, and where real boards of the time had their sound and USB. */

#include "model/board.h"
#include "model/pci-device.h"

/* Where a built-in device sits; takes no slot of its own, since the chip set holds that already. */
static int place_builtin(DeviceInfo *info, const char *what, uint32_t slot, uint32_t function, Error *error)
{
        DeviceAddress *address = &info->address;

        if (address->type != ADDRESS_NONE && address->type != ADDRESS_PCI)
                return error_set(error, ERROR_INVALID_XML, "The first %s controller has a PCI address",
                                 what);
        if (!pci_address_is_given(info)) {
                *address = (DeviceAddress){ .type = ADDRESS_PCI, .slot = slot, .function = function };
                return 0;
        }
        if (address->domain == 0 && address->bus == 0 && address->slot == slot &&
            address->function == function)
                return 0;
        return error_set(error, ERROR_INVALID_XML,
                         "The first %s controller of this machine type has the PCI address 0000:00:%02x.%x",
                         what, slot, function);
}

static int hold(PciBuses *buses, uint32_t slot, uint32_t function, Error *error)
{
        const DeviceAddress address = { .type = ADDRESS_PCI, .slot = slot, .function = function };

        return pci_reserve(buses, &address, PCI_ENDPOINT | PCIE_ENDPOINT, error);
}

/* Takes the place if it is free and sets the address; 1 if so. */
static int try_place(PciBuses *buses, DeviceInfo *info, uint32_t slot, uint32_t function, uint32_t flags,
                     Error *error)
{
        if (buses->count == 0 || (buses->items[0].functions[slot] & (1u << function)) != 0)
                return 0;
        DeviceAddress address = { .type = ADDRESS_PCI,
                                  .multifunction = info->address.multifunction,
                                  .slot = slot,
                                  .function = function };
        int r = pci_reserve(buses, &address, flags, error);
        if (r < 0)
                return r;
        info->address = address;
        return 1;
}

/* The first card sits where it would if QEMU had put it there, unless somebody else sits there. */
static int place_primary_video(DomainDefinition *definition, PciBuses *buses, uint32_t slot, Error *error)
{
        if (definition->devices.videos.count == 0 || buses->count == 0)
                return 0;

        DomainVideo *video = definition->devices.videos.items[0];
        const Device device = { .kind = DEVICE_VIDEO, .object = video, .info = &video->info };
        if (!pci_device_is_wanted(definition, &device))
                return 0;
        if (pci_slot_in_use(buses, 0, slot))
                return pci_reserve_next(buses, pci_device_flags(definition, &device), PCI_FUNCTION_ANY,
                                        &video->info.address, error);
        return try_place(buses, &video->info, slot, 0, PCI_ENDPOINT, error);
}

static int place_i440fx(DomainDefinition *definition, PciBuses *buses, Error *error)
{
        bool has_usb = false;
        int r;

        LIST_FOREACH (controller, definition->devices.controllers) {
                r = 0;
                if (controller->type == CONTROLLER_TYPE_IDE && controller->index == 0)
                        r = place_builtin(&controller->info, "IDE", 1, 1, error);
                else if (controller->type == CONTROLLER_TYPE_USB && controller->index == 0 &&
                         controller->model == CONTROLLER_MODEL_PIIX3_UHCI) {
                        has_usb = true;
                        r = place_builtin(&controller->info, "USB", 1, 2, error);
                }
                if (r < 0)
                        return r;
        }
        /* Bridge, IDE and USB are functions of one chip, of which only USB can be switched off. */
        for (uint32_t function = 0; buses->count > 0 && function < (has_usb ? 3 : 2); function++) {
                r = hold(buses, 1, function, error);
                if (r < 0)
                        return r;
        }
        return place_primary_video(definition, buses, 2, error);
}

int pci_ich9_usb_function(ControllerModel model)
{
        switch (model) {
        case CONTROLLER_MODEL_ICH9_UHCI1:
                return 0;
        case CONTROLLER_MODEL_ICH9_UHCI2:
                return 1;
        case CONTROLLER_MODEL_ICH9_UHCI3:
                return 2;
        case CONTROLLER_MODEL_ICH9_EHCI1:
                return 7;
        default:
                return -1;
        }
}

static int place_q35_controller(DomainController *controller, PciBuses *buses, Error *error)
{
        bool is_wanted =
                controller->info.address.type == ADDRESS_NONE ||
                (controller->info.address.type == ADDRESS_PCI && !pci_address_is_given(&controller->info));
        int function = pci_ich9_usb_function(controller->model);

        if (controller->type == CONTROLLER_TYPE_SATA && controller->index == 0)
                return place_builtin(&controller->info, "SATA", 0x1f, 2, error);
        if (!is_wanted)
                return 0;
        if (controller->type == CONTROLLER_TYPE_PCI &&
            controller->model == CONTROLLER_MODEL_DMI_TO_PCI_BRIDGE && !pci_slot_in_use(buses, 0, 0x1e))
                return try_place(buses, &controller->info, 0x1e, 0, PCI_DMI_BRIDGE, error);
        if (controller->type != CONTROLLER_TYPE_USB || function < 0 || controller->index > 1)
                return 0;
        return try_place(buses, &controller->info, controller->index == 0 ? 0x1d : 0x1a, (uint32_t)function,
                         PCI_ENDPOINT, error);
}

static int place_q35(DomainDefinition *definition, PciBuses *buses, Error *error)
{
        int r;

        LIST_FOREACH (controller, definition->devices.controllers) {
                r = place_q35_controller(controller, buses, error);
                if (r < 0)
                        return r;
        }
        if (buses->count > 0) {
                /* ISA bridge, SATA, SMBus */
                for (unsigned i = 0; i < 3; i++) {
                        r = hold(buses, 0x1f, (const uint32_t[]){ 0, 2, 3 }[i], error);
                        if (r < 0)
                                return r;
                }
        }
        r = place_primary_video(definition, buses, 1, error);
        if (r < 0)
                return r;
        LIST_FOREACH (sound, definition->devices.sounds) {
                if (sound->model != SOUND_MODEL_ICH9 || sound->info.address.type != ADDRESS_NONE ||
                    pci_slot_in_use(buses, 0, 0x1b))
                        continue;
                return try_place(buses, &sound->info, 0x1b, 0, PCI_ENDPOINT, error);
        }
        return 0;
}

int pci_place_chipset(DomainDefinition *definition, PciBuses *buses, Error *error)
{
        switch (board_family(definition)) {
        case BOARD_I440FX:
                return place_i440fx(definition, buses, error);
        case BOARD_Q35:
                return place_q35(definition, buses, error);
        default:
                return 0;
        }
}
