/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <controller>. */

#include "model/domain/controller.h"

DEFINE_ENUM(controller_type, CONTROLLER_TYPES);
DEFINE_ENUM(controller_model, CONTROLLER_MODELS);
DEFINE_ENUM(pci_controller_name, PCI_CONTROLLER_NAMES);

#define MODELS(first, last) (BIT((last) + 1) - BIT(first))

/* Which models a type can have. */
static const uint64_t models_of_type[] = {
        [CONTROLLER_TYPE_IDE] = MODELS(CONTROLLER_MODEL_PIIX3, CONTROLLER_MODEL_ICH6),
        [CONTROLLER_TYPE_SCSI] =
                MODELS(CONTROLLER_MODEL_AUTO, CONTROLLER_MODEL_AM53C974) & ~BIT(CONTROLLER_MODEL_VIRTIO),
        [CONTROLLER_TYPE_VIRTIO_SERIAL] =
                MODELS(CONTROLLER_MODEL_VIRTIO, CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL),
        [CONTROLLER_TYPE_USB] = MODELS(CONTROLLER_MODEL_PIIX3_UHCI, CONTROLLER_MODEL_NONE),
        [CONTROLLER_TYPE_PCI] = MODELS(CONTROLLER_MODEL_PCI_ROOT, CONTROLLER_MODEL_PCIE_EXPANDER_BUS),
        [CONTROLLER_TYPE_ISA] = 0,
};

/* Numbers of a PCI controller's target that have limits. */
static int target_check(const DomainController *controller, unsigned line, Error *error)
{
        const struct {
                const char *name;
                bool is_given;
                uint32_t value, least, most;
        } numbers[] = {
                { "chassisNr", controller->has_chassis_nr, controller->chassis_nr, 1, 255 },
                { "chassis", controller->has_chassis, controller->chassis, 0, 255 },
                { "port", controller->has_port, controller->port, 0, 255 },
                { "busNr", controller->has_bus_nr, controller->bus_nr, 1, 254 },
                { "index", controller->has_target_index, controller->target_index, 0, 30 },
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++)
                if (numbers[i].is_given &&
                    (numbers[i].value < numbers[i].least || numbers[i].value > numbers[i].most))
                        return error_set(error, ERROR_INVALID_XML,
                                         "line %u: <controller>: target/@%s='%u': %u to %u are possible",
                                         line, numbers[i].name, numbers[i].value, numbers[i].least,
                                         numbers[i].most);
        return 0;
}

/* Where one can be; a CCID controller is a USB device. */
static int address_check(const DomainController *controller, unsigned line, Error *error)
{
        AddressType type = controller->info.address.type;
        bool is_root = controller->model == CONTROLLER_MODEL_PCI_ROOT ||
                       controller->model == CONTROLLER_MODEL_PCIE_ROOT;

        if (is_root && type != ADDRESS_NONE)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <controller>: model='%s' has no address", line,
                                 controller_model_to_string(controller->model));
        switch (type) {
        case ADDRESS_DRIVE:
        case ADDRESS_VIRTIO_SERIAL:
        case ADDRESS_CCID:
        case ADDRESS_ISA:
        case ADDRESS_DIMM:
                break;
        case ADDRESS_USB:
                if (controller->type == CONTROLLER_TYPE_CCID)
                        return 0;
                break;
        default:
                return 0;
        }
        return error_set(error, ERROR_INVALID_XML,
                         "line %u: <controller>: an address of type 'pci' is expected, not '%s'", line,
                         address_type_to_string(type));
}

static bool is_xhci(const DomainController *controller)
{
        return controller->model == CONTROLLER_MODEL_NEC_XHCI ||
               controller->model == CONTROLLER_MODEL_QEMU_XHCI ||
               controller->model == CONTROLLER_MODEL_QUSB1 || controller->model == CONTROLLER_MODEL_QUSB2;
}

static int controller_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DomainController *controller = object;
        unsigned line = node ? node->line : 0;

        (void)flags;
        if (controller->model != CONTROLLER_MODEL_ABSENT &&
            !(models_of_type[controller->type] & BIT(controller->model)))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <controller>: type='%s' has no model='%s'", line,
                                 controller_type_to_string(controller->type),
                                 controller_model_to_string(controller->model));
        if (controller->type == CONTROLLER_TYPE_PCI && controller->model == CONTROLLER_MODEL_ABSENT)
                return error_set(error, ERROR_INVALID_XML, "line %u: <controller>: type='pci' needs a model",
                                 line);
        if (controller->type == CONTROLLER_TYPE_USB && controller->has_ports &&
            (!is_xhci(controller) || controller->ports == 0 || controller->ports > 15))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <controller>: ports='%u': 1 to 15 are possible, with xhci models alone",
                        line, controller->ports);
        if ((controller->model == CONTROLLER_MODEL_PCI_ROOT ||
             controller->model == CONTROLLER_MODEL_PCIE_ROOT) &&
            controller->has_index && controller->index != 0)
                return error_set(error, ERROR_INVALID_XML, "line %u: <controller>: model='%s' has index 0",
                                 line, controller_model_to_string(controller->model));
        int r = target_check(controller, line, error);
        return r < 0 ? r : address_check(controller, line, error);
}

#define THIS   DomainController
#define IF_PCI WHEN(type, BIT(CONTROLLER_TYPE_PCI))
static const Field domain_controller_fields[] = {
        ENUM("@type", type, controller_type, .flags = FIELD_IDENTITY | FIELD_REQUIRED),
        UNSIGNED("@index", index, .has_offset = offsetof(THIS, has_index), .flags = FIELD_IDENTITY),
        ENUM("@model", model, controller_model, .flags = FIELD_IDENTITY),
        OPTIONAL_UNSIGNED("@ports", ports,
                          WHEN(type, BIT(CONTROLLER_TYPE_VIRTIO_SERIAL) | BIT(CONTROLLER_TYPE_USB))),
        OPTIONAL_UNSIGNED("@vectors", vectors, WHEN(type, BIT(CONTROLLER_TYPE_VIRTIO_SERIAL))),
        OPTIONAL_UNSIGNED("@maxGrantFrames", max_grant_frames, WHEN(type, BIT(CONTROLLER_TYPE_XENBUS))),
        OPTIONAL_UNSIGNED("@maxEventChannels", max_event_channels, WHEN(type, BIT(CONTROLLER_TYPE_XENBUS))),
        UNSIGNED("driver/@queues", queues, .flags = FIELD_NO_ABI),
        UNSIGNED("driver/@cmd_per_lun", cmd_per_lun),
        UNSIGNED("driver/@max_sectors", max_sectors),
        ONOFF("driver/@ioeventfd", ioeventfd),
        UNSIGNED("driver/@iothread", iothread, .flags = FIELD_NO_ABI),
        INLINE("driver", virtio, virtio_options),
        ENUM("model/@name", pci_name, pci_controller_name, IF_PCI),
        OPTIONAL_UNSIGNED("target/@chassisNr", chassis_nr, IF_PCI, .flags = FIELD_ANY_BASE),
        OPTIONAL_UNSIGNED("target/@chassis", chassis, IF_PCI, .flags = FIELD_ANY_BASE),
        HEX("target/@port", port, 1, IF_PCI, .has_offset = offsetof(THIS, has_port)),
        OPTIONAL_UNSIGNED("target/@busNr", bus_nr, IF_PCI, .flags = FIELD_ANY_BASE),
        OPTIONAL_UNSIGNED("target/@index", target_index, IF_PCI, .flags = FIELD_ANY_BASE),
        ONOFF("target/@hotplug", hotplug, IF_PCI),
        OPTIONAL_UNSIGNED("target/node", node, IF_PCI),
        INLINE("", info, device_info),
        SIZE_KIB("pcihole64", pcihole64_kib,
                 WHEN(model, BIT(CONTROLLER_MODEL_PCI_ROOT) | BIT(CONTROLLER_MODEL_PCIE_ROOT)),
                 .has_offset = offsetof(THIS, has_pcihole64), .flags = FIELD_ROUND_UP),
};
#undef THIS
DEFINE_STRUCT(domain_controller, DomainController, .check = controller_check);
