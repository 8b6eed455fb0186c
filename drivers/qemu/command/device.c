/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What every device's arguments have in common. Addresses were assigned when the definition was completed
 * (domain_definition_complete()); here they become the names that QEMU gives its buses. */

#include "drivers/qemu/command/device.h"
#include <string.h>

bool machine_is_q35(const DomainDefinition *definition)
{
        const char *machine = definition->os.machine;

        return machine && (strcmp(machine, "q35") == 0 || g_str_has_prefix(machine, "pc-q35-"));
}

bool machine_is_x86(const DomainDefinition *definition)
{
        const char *arch = definition->os.arch;

        /* Without one it is the distribution's QEMU for x86_64 (prepare_binary()). */
        return !arch || strcmp(arch, "x86_64") == 0 || g_strcmp0(arch, "i686") == 0;
}

bool machine_uses_kvm(const DomainDefinition *definition)
{
        return definition->type == DOMAIN_TYPE_KVM;
}

const DomainController *device_controller(const CommandLine *line, ControllerType type, uint32_t index)
{
        LIST_FOREACH (controller, line->definition->devices.controllers) {
                if (controller->type == type && controller->index == index)
                        return controller;
        }
        return NULL;
}

/* QEMU's own controllers have names that QEMU chose. */
static const char *built_in_bus(const CommandLine *line, const DomainController *controller)
{
        if (controller->index != 0)
                return NULL;
        if (controller->model == CONTROLLER_MODEL_PCIE_ROOT)
                return "pcie.0";
        if (controller->model == CONTROLLER_MODEL_PCI_ROOT)
                return "pci.0";
        if (controller->type == CONTROLLER_TYPE_IDE ||
            (controller->type == CONTROLLER_TYPE_SATA && machine_is_q35(line->definition)))
                return "ide";
        return NULL;
}

char *device_bus(const CommandLine *line, ControllerType type, uint32_t index)
{
        const DomainController *controller = device_controller(line, type, index);
        const char *name;

        if (!controller)
                return NULL;
        name = built_in_bus(line, controller);
        return g_strdup(name ? name : controller->info.alias);
}

json_t *device_new(const char *driver, const DeviceInfo *info)
{
        json_t *device = json_object();

        json_set_string(device, "driver", driver);
        json_set_string(device, "id", info->alias);
        return device;
}

void device_set_virtio(json_t *device, const VirtioOptions *options)
{
        json_set_on_off(device, "iommu_platform", options->iommu);
        json_set_on_off(device, "ats", options->ats);
        json_set_on_off(device, "packed", options->packed);
        json_set_on_off(device, "page-per-vq", options->page_per_vq);
}

char *device_virtio_driver(const char *base, const DeviceInfo *info, VirtioModel model)
{
        const char *variant = "";

        if (info->address.type == ADDRESS_CCW)
                return g_strconcat(base, "-ccw", NULL);
        if (info->address.type == ADDRESS_VIRTIO_MMIO)
                return g_strconcat(base, "-device", NULL);
        if (model == VIRTIO_MODEL_TRANSITIONAL)
                variant = "-transitional";
        else if (model == VIRTIO_MODEL_NON_TRANSITIONAL)
                variant = "-non-transitional";
        return g_strconcat(base, "-pci", variant, NULL);
}

static int set_pci(const CommandLine *line, json_t *device, const DeviceAddress *address, Error *error)
{
        _cleanup_(freep) char *bus = device_bus(line, CONTROLLER_TYPE_PCI, address->bus), *slot = NULL;

        if (address->domain != 0 || !bus)
                return error_set(error, ERROR_INVALID_XML,
                                 "There is no PCI controller with index %u for address %04x:%02x:%02x.%u",
                                 address->bus, address->domain, address->bus, address->slot,
                                 address->function);
        if (address->function > 0)
                slot = g_strdup_printf("0x%x.0x%x", address->slot, address->function);
        else
                slot = g_strdup_printf("0x%x", address->slot);
        json_set_string(device, "bus", bus);
        json_set_on_off(device, "multifunction", address->multifunction);
        json_set_string(device, "addr", slot);
        return 0;
}

static int set_usb(const CommandLine *line, json_t *device, const DeviceAddress *address, Error *error)
{
        _cleanup_(freep) char *name = device_bus(line, CONTROLLER_TYPE_USB, address->bus), *bus = NULL;

        if (!name)
                return error_set(error, ERROR_INVALID_XML, "There is no USB controller with index %u",
                                 address->bus);
        bus = g_strconcat(name, ".0", NULL);
        json_set_string(device, "bus", bus);
        json_set_string(device, "port", address->port);
        return 0;
}

static int set_virtio_serial(const CommandLine *line, json_t *device, const DeviceAddress *address,
                             Error *error)
{
        _cleanup_(freep) char *name = device_bus(line, CONTROLLER_TYPE_VIRTIO_SERIAL, address->controller);
        _cleanup_(freep) char *bus = NULL;

        if (!name)
                return error_set(error, ERROR_INVALID_XML,
                                 "There is no virtio-serial controller with index %u", address->controller);
        bus = g_strdup_printf("%s.%u", name, address->bus);
        json_set_string(device, "bus", bus);
        json_set_number(device, "nr", address->port_number);
        return 0;
}

static int set_address(const CommandLine *line, json_t *device, const DeviceAddress *address, Error *error)
{
        switch (address->type) {
        case ADDRESS_PCI:
                return set_pci(line, device, address, error);
        case ADDRESS_USB:
                return set_usb(line, device, address, error);
        case ADDRESS_VIRTIO_SERIAL:
                return set_virtio_serial(line, device, address, error);
        case ADDRESS_ISA:
                if (address->has_iobase)
                        json_object_set_new(device, "iobase", json_integer((json_int_t)address->iobase));
                if (address->has_irq)
                        json_object_set_new(device, "irq", json_integer(address->irq));
                return 0;
        case ADDRESS_CCW: {
                _cleanup_(freep) char *number =
                        g_strdup_printf("%x.%x.%04x", address->cssid, address->ssid, address->devno);

                if (address->has_ccw) /* else QEMU finds one */
                        json_set_string(device, "devno", number);
                return 0;
        }
        default: /* drives have their own way, the rest says nothing to QEMU */
                return 0;
        }
}

unsigned device_boot_index(const CommandLine *line, const DeviceInfo *info)
{
        for (unsigned i = 0; i < line->n_boots; i++) {
                if (line->boots[i] == info)
                        return i + 1;
        }
        return info->boot_order;
}

int device_set_info(const CommandLine *line, json_t *device, const DeviceInfo *info, Error *error)
{
        int r;

        r = set_address(line, device, &info->address, error);
        if (r < 0)
                return r;
        json_set_number(device, "bootindex", device_boot_index(line, info));
        json_set_number(device, "acpi-index", info->acpi_index);
        json_set_string(device, "loadparm", info->loadparm);
        if (info->rom) {
                if (info->rom->enabled == NO)
                        json_set_string(device, "romfile", "");
                else
                        json_set_string(device, "romfile", info->rom->file);
                if (info->rom->bar != ON_OFF_ABSENT)
                        json_object_set_new(device, "rombar", json_integer(info->rom->bar == ON));
        }
        return 0;
}

static int override_property(json_t *device, const OverrideProperty *property, Error *error)
{
        const char *text = property->value ? property->value : "";
        gint64 number;

        switch (property->kind) {
        case OVERRIDE_REMOVE:
                json_object_del(device, property->name);
                return 0;
        case OVERRIDE_BOOL:
                json_set_bool(device, property->name, strcmp(text, "true") == 0);
                return 0;
        case OVERRIDE_SIGNED:
        case OVERRIDE_UNSIGNED:
                if (!g_ascii_string_to_signed(text, 0, property->kind == OVERRIDE_SIGNED ? G_MININT64 : 0,
                                              G_MAXINT64, &number, NULL))
                        return error_set(error, ERROR_INVALID_XML,
                                         "%s of a device's override is no such number: %s", property->name,
                                         text);
                json_object_set_new(device, property->name, json_integer(number));
                return 0;
        default:
                json_set_string(device, property->name, text);
                return 0;
        }
}

int device_add(CommandLine *line, json_t *device, Error *error)
{
        _cleanup_(json_decrefp) json_t *owned = device;
        const char *alias = json_string_value(json_object_get(device, "id"));

        LIST_FOREACH (override, line->definition->overrides) {
                if (!alias || g_strcmp0(override->alias, alias) != 0)
                        continue;
                LIST_FOREACH (property, override->properties) {
                        int r = override_property(device, property, error);

                        if (r < 0)
                                return r;
                }
        }
        command_add_json(line, "-device", TAKE_PTR(owned));
        return 0;
}
