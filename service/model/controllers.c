/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Controllers that nobody writes: those on the machine's board, and those that disks, channels and
 * smartcards hang on. Also their numbers, models and what QEMU calls them. */

#include "model/board.h"
#include "model/complete.h"

DomainController *controller_find(const DomainDefinition *definition, ControllerType type, uint32_t index)
{
        LIST_FOREACH (controller, definition->devices.controllers)
                if (controller->type == type && controller->index == index)
                        return controller;
        return NULL;
}

void controller_ensure(DomainDefinition *definition, ControllerType type, uint32_t index,
                       ControllerModel model)
{
        uint32_t position = definition->devices.controllers.count;

        if (controller_find(definition, type, index))
                return;
        for (uint32_t i = 0; i < definition->devices.controllers.count; i++) {
                const DomainController *other = definition->devices.controllers.items[i];
                if (other->type == type && other->index > index) {
                        position = i;
                        break;
                }
        }
        DomainController *controller = struct_new(&domain_controller_type);
        controller->type = type;
        controller->index = index;
        controller->has_index = true;
        controller->model = model;
        list_insert(&definition->devices.controllers, position, controller);
}

static bool is_ich9_usb(const DomainController *controller)
{
        return controller->type == CONTROLLER_TYPE_USB &&
               (controller->model == CONTROLLER_MODEL_ICH9_EHCI1 ||
                controller->model == CONTROLLER_MODEL_ICH9_UHCI1 ||
                controller->model == CONTROLLER_MODEL_ICH9_UHCI2 ||
                controller->model == CONTROLLER_MODEL_ICH9_UHCI3);
}

static bool index_is_used(const DomainDefinition *definition, const DomainController *controller,
                          uint32_t index)
{
        LIST_FOREACH (other, definition->devices.controllers)
                if (other->has_index && other->type == controller->type && other->index == index &&
                    (!is_ich9_usb(controller) || !is_ich9_usb(other) || other->model == controller->model))
                        return true;
        return false;
}

static int check_index(uint32_t index, const char *what, Error *error)
{
        /* Far beyond what any machine holds; keeps a typing error from filling the memory. */
        if (index > 255)
                return error_set(error, ERROR_INVALID_XML, "%s %u: controllers are numbered up to 255", what,
                                 index);
        return 0;
}

/* Those of one type stand in the order of their numbers, since they get their addresses in the order of the
 * list. */
static void sort_controllers(DomainDefinition *definition)
{
        for (uint32_t i = 1; i < definition->devices.controllers.count; i++) {
                const DomainController *controller = definition->devices.controllers.items[i];
                uint32_t position = i;

                for (uint32_t j = i; j-- > 0 && controller->has_index;) {
                        const DomainController *other = definition->devices.controllers.items[j];
                        if (other->type == controller->type && other->has_index &&
                            other->index > controller->index)
                                position = j;
                }
                if (position < i)
                        list_insert(&definition->devices.controllers, position,
                                    list_remove(&definition->devices.controllers, i));
        }
}

/* The parts of one ICH9 controller share a number. */
int complete_controller_indexes(DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (controller, definition->devices.controllers) {
                int r = check_index(controller->index, "Controller", error);
                if (r < 0)
                        return r;
        }
        sort_controllers(definition);
        LIST_FOREACH (controller, definition->devices.controllers) {
                if (controller->has_index)
                        continue;
                uint32_t index = 0;
                while (index_is_used(definition, controller, index))
                        index++;
                controller->index = index;
                controller->has_index = true;
        }
        sort_controllers(definition); /* those that have just got their numbers */
        return 0;
}

static int ensure_pci_root(DomainDefinition *definition, ControllerModel model, Error *error)
{
        DomainController *root = controller_find(definition, CONTROLLER_TYPE_PCI, 0);

        if (!root) {
                controller_ensure(definition, CONTROLLER_TYPE_PCI, 0, model);
                return 0;
        }
        if (root->model == CONTROLLER_MODEL_ABSENT)
                root->model = model;
        if (root->model != model)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The PCI controller 0 of this machine type has the model '%s', not '%s'",
                                 controller_model_to_string(model), controller_model_to_string(root->model));
        return 0;
}

static int add_builtin(DomainDefinition *definition, Error *error)
{
        switch (board_family(definition)) {
        case BOARD_I440FX:
                controller_ensure(definition, CONTROLLER_TYPE_USB, 0, CONTROLLER_MODEL_PIIX3_UHCI);
                return ensure_pci_root(definition, CONTROLLER_MODEL_PCI_ROOT, error);
        case BOARD_Q35:
                controller_ensure(definition, CONTROLLER_TYPE_USB, 0, CONTROLLER_MODEL_QEMU_XHCI);
                controller_ensure(definition, CONTROLLER_TYPE_SATA, 0, CONTROLLER_MODEL_ABSENT);
                return ensure_pci_root(definition, CONTROLLER_MODEL_PCIE_ROOT, error);
        case BOARD_VIRT:
                return ensure_pci_root(definition, CONTROLLER_MODEL_PCIE_ROOT, error);
        default:
                return 0;
        }
}

/* All numbers up to the one in use, since QEMU has no gaps. */
static void ensure_up_to(DomainDefinition *definition, ControllerType type, uint32_t index)
{
        const DomainController *last = NULL;

        LIST_FOREACH (controller, definition->devices.controllers)
                if (controller->type == type)
                        last = controller;
        ControllerModel model = type == CONTROLLER_TYPE_SCSI && last ? last->model : CONTROLLER_MODEL_ABSENT;
        for (uint32_t i = 0; i <= index; i++)
                controller_ensure(definition, type, i, model);
}

static int add_for_disks(DomainDefinition *definition, DiskBus bus, ControllerType type, Error *error)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                if (disk->bus != bus || disk->info.address.type != ADDRESS_DRIVE)
                        continue;
                int r = check_index(disk->info.address.controller, "Address of drive", error);
                if (r < 0)
                        return r;
                ensure_up_to(definition, type, disk->info.address.controller);
        }
        return 0;
}

static int add_for_port(DomainDefinition *definition, const DeviceAddress *address, Error *error)
{
        int r = check_index(address->controller, "Address of virtio-serial", error);

        if (r >= 0)
                controller_ensure(definition, CONTROLLER_TYPE_VIRTIO_SERIAL, address->controller,
                                  CONTROLLER_MODEL_ABSENT);
        return r;
}

static int add_for_channels(DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (channel, definition->devices.channels) {
                int r = channel->target == CHANNEL_TARGET_VIRTIO
                                ? add_for_port(definition, &channel->info.address, error)
                                : 0;
                if (r < 0)
                        return r;
        }
        LIST_FOREACH (console, definition->devices.consoles) {
                int r = console->target == CONSOLE_TARGET_VIRTIO
                                ? add_for_port(definition, &console->info.address, error)
                                : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_for_smartcards(DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (smartcard, definition->devices.smartcards) {
                if (smartcard->info.address.type != ADDRESS_NONE &&
                    smartcard->info.address.type != ADDRESS_CCID)
                        continue;
                int r = check_index(smartcard->info.address.controller, "Address of ccid", error);
                if (r < 0)
                        return r;
                ensure_up_to(definition, CONTROLLER_TYPE_CCID, smartcard->info.address.controller);
        }
        return 0;
}

static int add_for_hostdevs(DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (hostdev, definition->devices.hostdevs) {
                if (hostdev->type != HOSTDEV_SCSI || hostdev->info.address.type != ADDRESS_DRIVE)
                        continue;
                int r = check_index(hostdev->info.address.controller, "Address of drive", error);
                if (r < 0)
                        return r;
                ensure_up_to(definition, CONTROLLER_TYPE_SCSI, hostdev->info.address.controller);
        }
        return 0;
}

static void complete_model(const DomainDefinition *definition, DomainController *controller)
{
        bool is_x86 = board_is_x86(definition);

        if (controller->type == CONTROLLER_TYPE_SCSI &&
            (controller->model == CONTROLLER_MODEL_ABSENT || controller->model == CONTROLLER_MODEL_AUTO))
                controller->model = is_x86 ? CONTROLLER_MODEL_LSILOGIC : CONTROLLER_MODEL_VIRTIO_SCSI;
        if (controller->type == CONTROLLER_TYPE_USB && controller->model == CONTROLLER_MODEL_ABSENT)
                controller->model = is_x86 ? CONTROLLER_MODEL_PIIX3_UHCI : CONTROLLER_MODEL_QEMU_XHCI;
        if (!is_ich9_usb(controller) || controller->model == CONTROLLER_MODEL_ICH9_EHCI1 ||
            controller->info.has_master)
                return;
        /* Each companion drives two of the six ports. */
        controller->info.has_master = true;
        controller->info.master_startport = 2u * (uint32_t)(controller->model - CONTROLLER_MODEL_ICH9_UHCI1);
}

static int check_pci_model(DomainController *controller, Error *error)
{
        bool is_root = controller->model == CONTROLLER_MODEL_PCI_ROOT ||
                       controller->model == CONTROLLER_MODEL_PCIE_ROOT;

        if (controller->type != CONTROLLER_TYPE_PCI)
                return 0;
        if (controller->model == CONTROLLER_MODEL_ABSENT)
                return error_set(error, ERROR_INVALID_XML, "The PCI controller %u has no model",
                                 controller->index);
        if (is_root && controller->index != 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "A PCI controller of model '%s' has the index 0, not %u",
                                 controller_model_to_string(controller->model), controller->index);
        if (!is_root && controller->index == 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "The PCI controller 0 has the model 'pci-root' or 'pcie-root', not '%s'",
                                 controller_model_to_string(controller->model));
        return 0;
}

int complete_controllers(DomainDefinition *definition, Error *error)
{
        static const struct {
                DiskBus bus;
                ControllerType type;
        } buses[] = {
                { DISK_BUS_SCSI, CONTROLLER_TYPE_SCSI },
                { DISK_BUS_FDC, CONTROLLER_TYPE_FDC },
                { DISK_BUS_IDE, CONTROLLER_TYPE_IDE },
                { DISK_BUS_SATA, CONTROLLER_TYPE_SATA },
        };
        int r = add_builtin(definition, error);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < G_N_ELEMENTS(buses); i++) {
                r = add_for_disks(definition, buses[i].bus, buses[i].type, error);
                if (r < 0)
                        return r;
        }
        if (!board_is_qemu(definition))
                return 0;
        r = add_for_channels(definition, error);
        if (r < 0)
                return r;
        r = add_for_smartcards(definition, error);
        if (r < 0)
                return r;
        r = add_for_hostdevs(definition, error);
        if (r < 0)
                return r;
        LIST_FOREACH (controller, definition->devices.controllers) {
                complete_model(definition, controller);
                r = check_pci_model(controller, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static PciControllerName name_of_model(ControllerModel model)
{
        switch (model) {
        case CONTROLLER_MODEL_PCI_BRIDGE:
                return PCI_CONTROLLER_NAME_PCI_BRIDGE;
        case CONTROLLER_MODEL_DMI_TO_PCI_BRIDGE:
                return PCI_CONTROLLER_NAME_I82801B11;
        case CONTROLLER_MODEL_PCIE_ROOT_PORT:
                return PCI_CONTROLLER_NAME_PCIE_ROOT_PORT;
        case CONTROLLER_MODEL_PCIE_SWITCH_UPSTREAM_PORT:
                return PCI_CONTROLLER_NAME_X3130_UPSTREAM;
        case CONTROLLER_MODEL_PCIE_SWITCH_DOWNSTREAM_PORT:
                return PCI_CONTROLLER_NAME_XIO3130_DOWNSTREAM;
        case CONTROLLER_MODEL_PCI_EXPANDER_BUS:
                return PCI_CONTROLLER_NAME_PXB;
        case CONTROLLER_MODEL_PCIE_EXPANDER_BUS:
                return PCI_CONTROLLER_NAME_PXB_PCIE;
        case CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE:
                return PCI_CONTROLLER_NAME_PCIE_PCI_BRIDGE;
        default:
                return PCI_CONTROLLER_NAME_NONE;
        }
}

static void complete_chassis(DomainController *controller, uint32_t port)
{
        if (!controller->has_chassis) {
                controller->has_chassis = true;
                controller->chassis = controller->index;
        }
        if (!controller->has_port) {
                controller->has_port = true;
                controller->port = port;
        }
}

/* Expanders count down from 254, two apart, so that each has room for a bridge of its own. */
static void complete_bus_number(const DomainDefinition *definition, DomainController *controller)
{
        uint32_t lowest = 256;

        if (controller->has_bus_nr)
                return;
        LIST_FOREACH (other, definition->devices.controllers)
                if (other->type == CONTROLLER_TYPE_PCI && other->has_bus_nr)
                        lowest = MIN(lowest, other->bus_nr);
        controller->has_bus_nr = true;
        controller->bus_nr = lowest > 2 ? lowest - 2 : 1;
}

void controllers_complete_pci(DomainDefinition *definition)
{
        LIST_FOREACH (controller, definition->devices.controllers) {
                const DeviceAddress *address = &controller->info.address;

                if (controller->type != CONTROLLER_TYPE_PCI)
                        continue;
                if (controller->pci_name == PCI_CONTROLLER_NAME_NONE)
                        controller->pci_name = name_of_model(controller->model);
                switch (controller->model) {
                case CONTROLLER_MODEL_PCI_BRIDGE:
                        if (!controller->has_chassis_nr)
                                controller->chassis_nr = controller->index;
                        controller->has_chassis_nr = true;
                        break;
                case CONTROLLER_MODEL_PCIE_ROOT_PORT:
                        complete_chassis(controller, (address->slot << 3) + address->function);
                        break;
                case CONTROLLER_MODEL_PCIE_SWITCH_DOWNSTREAM_PORT:
                        complete_chassis(controller, address->slot);
                        break;
                case CONTROLLER_MODEL_PCI_EXPANDER_BUS:
                case CONTROLLER_MODEL_PCIE_EXPANDER_BUS:
                        complete_bus_number(definition, controller);
                        break;
                default:
                        break;
                }
        }
}
