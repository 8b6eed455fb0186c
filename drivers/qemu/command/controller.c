/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <controller>: the buses that other devices sit on. Some belong to the machine type and need no argument.
 */

#include "drivers/qemu/command/device.h"
#include <inttypes.h>

typedef struct ModelName {
        ControllerModel model;
        const char *driver;
} ModelName;

static const char *find_driver(const ModelName *names, size_t count, ControllerModel model)
{
        for (size_t i = 0; i < count; i++)
                if (names[i].model == model)
                        return names[i].driver;
        return NULL;
}

static const ModelName usb_drivers[] = {
        { CONTROLLER_MODEL_ABSENT, "piix3-usb-uhci" },
        { CONTROLLER_MODEL_PIIX3_UHCI, "piix3-usb-uhci" },
        { CONTROLLER_MODEL_PIIX4_UHCI, "piix4-usb-uhci" },
        { CONTROLLER_MODEL_EHCI, "usb-ehci" },
        { CONTROLLER_MODEL_ICH9_EHCI1, "ich9-usb-ehci1" },
        { CONTROLLER_MODEL_ICH9_UHCI1, "ich9-usb-uhci1" },
        { CONTROLLER_MODEL_ICH9_UHCI2, "ich9-usb-uhci2" },
        { CONTROLLER_MODEL_ICH9_UHCI3, "ich9-usb-uhci3" },
        { CONTROLLER_MODEL_VT82C686B_UHCI, "vt82c686b-usb-uhci" },
        { CONTROLLER_MODEL_PCI_OHCI, "pci-ohci" },
        { CONTROLLER_MODEL_NEC_XHCI, "nec-usb-xhci" },
        { CONTROLLER_MODEL_QEMU_XHCI, "qemu-xhci" },
};

static const ModelName scsi_drivers[] = {
        { CONTROLLER_MODEL_LSILOGIC, "lsi" },       { CONTROLLER_MODEL_LSISAS1068, "mptsas1068" },
        { CONTROLLER_MODEL_LSISAS1078, "megasas" }, { CONTROLLER_MODEL_VMPVSCSI, "pvscsi" },
        { CONTROLLER_MODEL_AM53C974, "am53c974" },  { CONTROLLER_MODEL_DC390, "dc390" },
};

static const ModelName pci_drivers[] = {
        { CONTROLLER_MODEL_PCI_BRIDGE, "pci-bridge" },
        { CONTROLLER_MODEL_DMI_TO_PCI_BRIDGE, "i82801b11-bridge" },
        { CONTROLLER_MODEL_PCIE_TO_PCI_BRIDGE, "pcie-pci-bridge" },
        { CONTROLLER_MODEL_PCIE_ROOT_PORT, "pcie-root-port" },
        { CONTROLLER_MODEL_PCIE_SWITCH_UPSTREAM_PORT, "x3130-upstream" },
        { CONTROLLER_MODEL_PCIE_SWITCH_DOWNSTREAM_PORT, "xio3130-downstream" },
        { CONTROLLER_MODEL_PCI_EXPANDER_BUS, "pxb" },
        { CONTROLLER_MODEL_PCIE_EXPANDER_BUS, "pxb-pcie" },
};

static int unknown_model(const DomainController *controller, Error *error)
{
        return device_unsupported(error, "QEMU has no %s controller of model '%s'",
                                  controller_type_to_string(controller->type),
                                  controller_model_to_string(controller->model));
}

static int new_usb(const DomainController *controller, json_t **ret_device, Error *error)
{
        const char *driver = find_driver(usb_drivers, G_N_ELEMENTS(usb_drivers), controller->model);
        json_t *device;

        if (!driver)
                return unknown_model(controller, error);
        device = device_new(driver, &controller->info);
        if (controller->model == CONTROLLER_MODEL_NEC_XHCI ||
            controller->model == CONTROLLER_MODEL_QEMU_XHCI) {
                json_set_number(device, "p2", controller->ports);
                json_set_number(device, "p3", controller->ports);
        }
        *ret_device = device;
        return 0;
}

/* A companion shares the ports of the EHCI controller with its index: it bears no bus of its own. */
static int set_usb_companion(const CommandLine *line, const DomainController *controller, json_t *device,
                             Error *error)
{
        _cleanup_(freep) char *bus = NULL;
        const DomainController *master = NULL;

        if (!controller->info.has_master)
                return 0;
        LIST_FOREACH (other, line->definition->devices.controllers) {
                if (other->type == CONTROLLER_TYPE_USB && other->index == controller->index &&
                    !other->info.has_master)
                        master = other;
        }
        if (!master)
                return error_set(error, ERROR_INVALID_XML, "USB controller %u has companions but no master",
                                 controller->index);
        json_object_del(device, "id"); /* the name is the master's */
        bus = g_strconcat(master->info.alias, ".0", NULL);
        json_set_string(device, "masterbus", bus);
        json_object_set_new(device, "firstport", json_integer(controller->info.master_startport));
        return 0;
}

static int new_virtio_scsi(const DomainController *controller, json_t **ret_device)
{
        _cleanup_(freep) char *driver = NULL, *thread = NULL;
        VirtioModel model = VIRTIO_MODEL_VIRTIO;
        json_t *device;

        if (controller->model == CONTROLLER_MODEL_VIRTIO_TRANSITIONAL)
                model = VIRTIO_MODEL_TRANSITIONAL;
        else if (controller->model == CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL)
                model = VIRTIO_MODEL_NON_TRANSITIONAL;
        driver = device_virtio_driver("virtio-scsi", &controller->info, model);
        device = device_new(driver, &controller->info);
        device_set_virtio(device, &controller->virtio);
        json_set_number(device, "num_queues", controller->queues);
        json_set_number(device, "cmd_per_lun", controller->cmd_per_lun);
        json_set_number(device, "max_sectors", controller->max_sectors);
        json_set_on_off(device, "ioeventfd", controller->ioeventfd);
        if (controller->iothread > 0) {
                thread = g_strdup_printf("iothread%u", controller->iothread);
                json_set_string(device, "iothread", thread);
        }
        *ret_device = device;
        return 0;
}

static int new_scsi(const DomainController *controller, json_t **ret_device, Error *error)
{
        const char *driver;

        switch (controller->model) {
        case CONTROLLER_MODEL_VIRTIO_SCSI:
        case CONTROLLER_MODEL_VIRTIO_TRANSITIONAL:
        case CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL:
                return new_virtio_scsi(controller, ret_device);
        case CONTROLLER_MODEL_ABSENT:
        case CONTROLLER_MODEL_AUTO:
                driver = "lsi";
                break;
        default:
                driver = find_driver(scsi_drivers, G_N_ELEMENTS(scsi_drivers), controller->model);
                break;
        }
        if (!driver)
                return unknown_model(controller, error);
        *ret_device = device_new(driver, &controller->info);
        return 0;
}

static json_t *new_virtio_serial(const DomainController *controller)
{
        _cleanup_(freep) char *driver = NULL;
        VirtioModel model = VIRTIO_MODEL_VIRTIO;
        json_t *device;

        if (controller->model == CONTROLLER_MODEL_VIRTIO_TRANSITIONAL)
                model = VIRTIO_MODEL_TRANSITIONAL;
        else if (controller->model == CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL)
                model = VIRTIO_MODEL_NON_TRANSITIONAL;
        driver = device_virtio_driver("virtio-serial", &controller->info, model);
        device = device_new(driver, &controller->info);
        device_set_virtio(device, &controller->virtio);
        json_set_number(device, "max_ports", controller->ports);
        if (controller->has_vectors)
                json_object_set_new(device, "vectors", json_integer(controller->vectors));
        return device;
}

static int new_pci(const DomainController *controller, json_t **ret_device, Error *error)
{
        const char *driver = find_driver(pci_drivers, G_N_ELEMENTS(pci_drivers), controller->model);
        json_t *device;

        if (controller->pci_name != PCI_CONTROLLER_NAME_NONE)
                driver = pci_controller_name_to_string(controller->pci_name);
        if (!driver)
                return unknown_model(controller, error);
        device = device_new(driver, &controller->info);
        if (controller->has_chassis_nr)
                json_object_set_new(device, "chassis_nr", json_integer(controller->chassis_nr));
        if (controller->has_chassis)
                json_object_set_new(device, "chassis", json_integer(controller->chassis));
        if (controller->has_port)
                json_object_set_new(device, "port", json_integer(controller->port));
        if (controller->has_bus_nr)
                json_object_set_new(device, "bus_nr", json_integer(controller->bus_nr));
        if (controller->has_node)
                json_object_set_new(device, "numa_node", json_integer(controller->node));
        json_set_on_off(device, "hotplug", controller->hotplug);
        *ret_device = device;
        return 0;
}

/* A floppy has no turn at booting of its own: its controller has one for each drive. */
typedef void (*FloppyTurn)(void *data, char drive, unsigned turn);

static void floppy_turns(const CommandLine *line, FloppyTurn found, void *data)
{
        LIST_FOREACH (disk, line->definition->devices.disks) {
                unsigned turn = device_boot_index(line, &disk->info);

                if (disk->bus == DISK_BUS_FDC && turn > 0 && disk->info.address.unit < 2)
                        found(data, disk->info.address.unit == 0 ? 'A' : 'B', turn);
        }
}

static void floppy_turn_member(void *data, char drive, unsigned turn)
{
        char key[] = { 'b', 'o', 'o', 't', 'i', 'n', 'd', 'e', 'x', drive, '\0' };

        json_set_number(data, key, turn);
}

static json_t *new_floppy_controller(const CommandLine *line)
{
        json_t *device = json_object();

        json_set_string(device, "driver", "isa-fdc");
        floppy_turns(line, floppy_turn_member, device);
        return device;
}

static void floppy_turn_global(void *data, char drive, unsigned turn)
{
        command_add_option(data, "-global", "isa-fdc.bootindex%c=%u", drive, turn);
}

/* Part of the machine type. */
static bool is_built_in(const CommandLine *line, const DomainController *controller)
{
        bool is_q35 = machine_is_q35(line->definition);

        switch (controller->type) {
        case CONTROLLER_TYPE_PCI:
                return controller->model == CONTROLLER_MODEL_PCI_ROOT ||
                       controller->model == CONTROLLER_MODEL_PCIE_ROOT;
        case CONTROLLER_TYPE_IDE:
                return controller->index == 0 && !is_q35;
        case CONTROLLER_TYPE_SATA:
                return controller->index == 0 && is_q35;
        case CONTROLLER_TYPE_USB:
                return controller->model == CONTROLLER_MODEL_NONE;
        case CONTROLLER_TYPE_FDC:
                return !is_q35;
        case CONTROLLER_TYPE_ISA:
                return true;
        default:
                return false;
        }
}

static int new_controller(const CommandLine *line, const DomainController *controller, json_t **ret_device,
                          Error *error)
{
        switch (controller->type) {
        case CONTROLLER_TYPE_PCI:
                return new_pci(controller, ret_device, error);
        case CONTROLLER_TYPE_USB:
                return new_usb(controller, ret_device, error);
        case CONTROLLER_TYPE_SCSI:
                return new_scsi(controller, ret_device, error);
        case CONTROLLER_TYPE_SATA:
                *ret_device = device_new("ahci", &controller->info);
                return 0;
        case CONTROLLER_TYPE_VIRTIO_SERIAL:
                *ret_device = new_virtio_serial(controller);
                return 0;
        case CONTROLLER_TYPE_FDC:
                *ret_device = new_floppy_controller(line);
                return 0;
        case CONTROLLER_TYPE_CCID:
                *ret_device = device_new("usb-ccid", &controller->info);
                return 0;
        default:
                return device_unsupported(error,
                                          "QEMU has no %s controller with index %u for this machine type",
                                          controller_type_to_string(controller->type), controller->index);
        }
}

int command_controller(CommandLine *line, const DomainController *controller, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (controller->has_pcihole64 && controller->pcihole64_kib > 0)
                command_add_option(line, "-global", "%s-pcihost.pci-hole64-size=%" PRIu64 "K",
                                   machine_is_q35(line->definition) ? "q35" : "i440FX",
                                   controller->pcihole64_kib);
        if (is_built_in(line, controller)) {
                if (controller->type == CONTROLLER_TYPE_FDC && controller->index == 0)
                        floppy_turns(line, floppy_turn_global, line);
                return 0;
        }
        r = new_controller(line, controller, &device, error);
        if (r >= 0 && controller->type == CONTROLLER_TYPE_USB)
                r = set_usb_companion(line, controller, device, error);
        if (r >= 0)
                r = device_set_info(line, device, &controller->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}
