/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names under which QEMU and its events know the devices of a running machine. They are libvirt's, which
 * scripts and other tools look for: "virtio-disk0", "net0", "pci.1". */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/board.h"
#include "model/complete.h"
#include "model/device-list.h"

/* Names that are a word and the position; the kinds that are not here have rules of their own. */
static const char *const prefixes[_DEVICE_KIND_MAX] = {
        [DEVICE_INTERFACE] = "net",
        [DEVICE_SOUND] = "sound",
        [DEVICE_HOSTDEV] = "hostdev",
        [DEVICE_FILESYSTEM] = "fs",
        [DEVICE_SMARTCARD] = "smartcard",
        [DEVICE_SERIAL] = "serial",
        [DEVICE_PARALLEL] = "parallel",
        [DEVICE_CHANNEL] = "channel",
        [DEVICE_CONSOLE] = "console",
        [DEVICE_INPUT] = "input",
        [DEVICE_WATCHDOG] = "watchdog",
        [DEVICE_MEMBALLOON] = "balloon",
        [DEVICE_RNG] = "rng",
        [DEVICE_HUB] = "hub",
        [DEVICE_SHMEM] = "shmem",
        [DEVICE_TPM] = "tpm",
        [DEVICE_PANIC] = "panic",
        [DEVICE_REDIRDEV] = "redir",
        [DEVICE_VIDEO] = "video",
        [DEVICE_IOMMU] = "iommu",
        [DEVICE_VSOCK] = "vsock",
        [DEVICE_CRYPTO] = "crypto",
};

typedef struct Taken {
        const char *prefix;
        uint32_t next;
} Taken;

/* Counts from the highest number in use, so that a name is not given twice in the life of a machine. */
static int note_number(const Device *device, void *userdata)
{
        Taken *taken = userdata;
        const char *alias = device->info->alias;
        size_t length = strlen(taken->prefix);

        if (!alias || strncmp(alias, taken->prefix, length) != 0 || !g_ascii_isdigit(alias[length]))
                return 0;
        char *end = NULL;
        unsigned long number = strtoul(alias + length, &end, 10);
        if (*end == '\0' && number < UINT32_MAX && number >= taken->next)
                taken->next = (uint32_t)number + 1;
        return 0;
}

static int has_alias(const Device *device, void *userdata)
{
        return device->info->alias && g_str_equal(device->info->alias, userdata);
}

static char *next_alias(DomainDefinition *definition, const char *prefix)
{
        Taken taken = { .prefix = prefix };

        device_foreach(definition, note_number, &taken);
        return g_strdup_printf("%s%u", prefix, taken.next);
}

static char *number_alias(DomainDefinition *definition, const char *prefix, uint32_t position)
{
        _cleanup_(freep) char *alias = g_strdup_printf("%s%u", prefix, position);

        if (device_foreach(definition, has_alias, alias) == 0)
                return TAKE_PTR(alias);
        return next_alias(definition, prefix);
}

static bool has_scsi_targets(const DomainDefinition *definition, uint32_t index)
{
        const DomainController *controller = controller_find(definition, CONTROLLER_TYPE_SCSI, index);

        return controller && controller->model != CONTROLLER_MODEL_LSILOGIC;
}

static char *disk_alias(DomainDefinition *definition, const DomainDisk *disk, uint32_t position)
{
        const DeviceAddress *address = &disk->info.address;
        const char *bus = disk_bus_to_string(disk->bus) ?: "virtio";
        int index = disk_target_index(disk->target);

        if (address->type == ADDRESS_DRIVE && disk->bus == DISK_BUS_SCSI &&
            has_scsi_targets(definition, address->controller))
                return g_strdup_printf("scsi%u-%u-%u-%u", address->controller, address->bus, address->target,
                                       address->unit);
        if (address->type == ADDRESS_DRIVE)
                return g_strdup_printf("%s%u-%u-%u", bus, address->controller, address->bus, address->unit);

        _cleanup_(freep) char *prefix = g_strdup_printf("%s-disk", bus);
        return number_alias(definition, prefix, index < 0 ? position : (uint32_t)index);
}

static char *controller_alias(const DomainDefinition *definition, const DomainController *controller)
{
        const char *type = controller_type_to_string(controller->type) ?: "controller";
        BoardFamily family = board_family(definition);

        switch (controller->type) {
        case CONTROLLER_TYPE_PCI:
                return g_strdup_printf("%s.%u",
                                       controller->model == CONTROLLER_MODEL_PCIE_ROOT ? "pcie" : "pci",
                                       controller->index);
        case CONTROLLER_TYPE_IDE:
                if (controller->index == 0 && family == BOARD_I440FX)
                        return g_strdup("ide"); /* QEMU's own name for the one on the board */
                break;
        case CONTROLLER_TYPE_SATA:
                if (controller->index == 0 && family == BOARD_Q35)
                        return g_strdup("ide");
                break;
        case CONTROLLER_TYPE_USB:
                if (controller->index == 0)
                        return g_strdup("usb");
                break;
        default:
                break;
        }
        return g_strdup_printf("%s%u", type, controller->index);
}

static const char *memory_prefix(MemoryModel model)
{
        switch (model) {
        case MEMORY_MODEL_NVDIMM:
                return "nvdimm";
        case MEMORY_MODEL_VIRTIO_PMEM:
                return "virtiopmem";
        case MEMORY_MODEL_VIRTIO_MEM:
                return "virtiomem";
        case MEMORY_MODEL_SGX_EPC:
                return "epc";
        default:
                return "dimm";
        }
}

static int assign(const Device *device, void *userdata)
{
        DomainDefinition *definition = userdata;
        char **alias = &device->info->alias;

        if (*alias)
                return 0;
        switch (device->kind) {
        case DEVICE_DISK:
                *alias = disk_alias(definition, device->object, device->position);
                break;
        case DEVICE_CONTROLLER:
                *alias = controller_alias(definition, device->object);
                break;
        case DEVICE_MEMORY: {
                const DomainMemory *memory = device->object;
                uint32_t number = memory->info.address.type == ADDRESS_DIMM ? memory->info.address.slot
                                                                            : device->position;
                *alias = number_alias(definition, memory_prefix(memory->model), number);
                break;
        }
        case DEVICE_INTERFACE: {
                const DomainInterface *interface = device->object;
                *alias = interface_function(interface) ? next_alias(definition, "hostdev")
                                                       : number_alias(definition, "net", device->position);
                break;
        }
        case DEVICE_NVRAM:
                *alias = g_strdup("nvram");
                break;
        default:
                if (prefixes[device->kind])
                        *alias = number_alias(definition, prefixes[device->kind], device->position);
                break;
        }
        return 0;
}

/* The console that stands for the first serial port has its name as well. */
static void share_serial_alias(DomainDefinition *definition)
{
        if (definition->os.type != OS_TYPE_HVM || definition->devices.consoles.count == 0 ||
            definition->devices.serials.count == 0)
                return;

        DomainConsole *console = definition->devices.consoles.items[0];
        if (console->target != CONSOLE_TARGET_SERIAL)
                return;
        g_free(console->info.alias);
        console->info.alias = g_strdup(definition->devices.serials.items[0]->info.alias);
}

void domain_definition_assign_aliases(DomainDefinition *definition)
{
        device_foreach(definition, assign, definition);
        share_serial_alias(definition);
}
