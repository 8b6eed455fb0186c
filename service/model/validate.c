/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The devices of a machine against each other: what must be unique is, what refers to something finds it.
 * Runs on completed definitions; PCI and USB addresses have been compared when they were assigned. */

#include <stdio.h>

#include "model/board.h"
#include "model/complete.h"
#include "model/device-list.h"

typedef struct Seen {
        GHashTable *words; /* a text -> itself */
        Error *error;
} Seen;

/* Takes `word`; false if it is there already. */
static bool seen_add(Seen *seen, char *word)
{
        return g_hash_table_add(seen->words, word);
}

static int check_device(const Device *device, void *userdata)
{
        Seen *seen = userdata;
        const DeviceInfo *info = device->info;

        if (info->boot_order > 0 && !seen_add(seen, g_strdup_printf("boot %u", info->boot_order)))
                return error_set(seen->error, ERROR_INVALID_XML, "The boot order %u is given twice",
                                 info->boot_order);
        /* The console that stands for a serial port has the port's alias. */
        if (info->alias && device->kind != DEVICE_CONSOLE && device->kind != DEVICE_CONTROLLER &&
            !seen_add(seen, g_strdup_printf("alias %s", info->alias)))
                return error_set(seen->error, ERROR_INVALID_XML, "The alias '%s' is given twice",
                                 info->alias);
        return 0;
}

static int check_disks(const DomainDefinition *definition, Seen *seen)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                const DeviceAddress *address = &disk->info.address;
                _cleanup_(freep) char *place = NULL;

                if (!seen_add(seen, g_strdup_printf("target %s", disk->target)))
                        return error_set(seen->error, ERROR_INVALID_XML, "Two disks have the target '%s'",
                                         disk->target);
                if (address->type != ADDRESS_DRIVE)
                        continue;
                place = device_address_to_string(address);
                if (!seen_add(seen, g_strdup_printf("%s %s", disk_bus_to_string(disk->bus), place)))
                        return error_set(seen->error, ERROR_CONFIG_UNSUPPORTED,
                                         "The address of disk '%s' (%s) is that of another device too",
                                         disk->target, place);
        }
        return 0;
}

static int check_hostdevs(const DomainDefinition *definition, Seen *seen)
{
        LIST_FOREACH (hostdev, definition->devices.hostdevs) {
                _cleanup_(freep) char *place = device_address_to_string(&hostdev->info.address);
                char *source = NULL;

                if (hostdev->type == HOSTDEV_SCSI && hostdev->info.address.type == ADDRESS_DRIVE &&
                    !seen_add(seen, g_strdup_printf("scsi %s", place)))
                        return error_set(
                                seen->error, ERROR_CONFIG_UNSUPPORTED,
                                "The address of a SCSI host device (%s) is that of another device too",
                                place);
                if (hostdev->type == HOSTDEV_PCI)
                        source = device_address_to_string(&hostdev->source_address);
                else if (hostdev->type == HOSTDEV_MDEV)
                        source = g_strdup(hostdev->mdev_uuid);
                else if (hostdev->type == HOSTDEV_SCSI)
                        source = g_strdup_printf("%s %u:%u:%" G_GUINT64_FORMAT,
                                                 hostdev->adapter ?: hostdev->source_name, hostdev->scsi_bus,
                                                 hostdev->scsi_target, hostdev->scsi_unit);
                if (source && !seen_add(seen, g_strconcat("host ", source, NULL))) {
                        g_free(source);
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "A device of the host is passed twice");
                }
                g_free(source);
        }
        return 0;
}

static int check_functions(const DomainDefinition *definition, Seen *seen)
{
        LIST_FOREACH (interface, definition->devices.interfaces) {
                _cleanup_(freep) char *source = interface_function(interface)
                                                        ? device_address_to_string(interface->source_device)
                                                        : NULL;

                if (source && !seen_add(seen, g_strconcat("host ", source, NULL)))
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "Device %s of the host is passed twice", source);
        }
        return 0;
}

static bool is_companion(const DomainController *controller)
{
        return controller->info.has_master || controller->model == CONTROLLER_MODEL_ICH9_EHCI1;
}

static int check_controllers(const DomainDefinition *definition, Seen *seen)
{
        bool usb_is_off = false;
        uint32_t n_usb = 0;

        LIST_FOREACH (controller, definition->devices.controllers) {
                const char *type = controller_type_to_string(controller->type);
                char *word = g_strdup_printf("controller %s %u", type, controller->index);

                if (controller->type == CONTROLLER_TYPE_USB) {
                        n_usb++;
                        usb_is_off |= controller->model == CONTROLLER_MODEL_NONE;
                }
                if (controller->type == CONTROLLER_TYPE_USB && is_companion(controller)) {
                        g_free(word);
                        word = g_strdup_printf("controller usb %u %s", controller->index,
                                               controller_model_to_string(controller->model));
                }
                if (!seen_add(seen, word))
                        return error_set(seen->error, ERROR_INVALID_XML, "There are two '%s' controllers %u",
                                         type, controller->index);
        }
        if (usb_is_off && n_usb > 1)
                return error_set(
                        seen->error, ERROR_INVALID_XML,
                        "USB is switched off by a controller of model 'none': there can be no other");
        return 0;
}

static int check_channels(const DomainDefinition *definition, Seen *seen)
{
        LIST_FOREACH (channel, definition->devices.channels) {
                const DeviceAddress *address = &channel->info.address;

                if (address->type != ADDRESS_VIRTIO_SERIAL)
                        continue;
                const DomainController *controller =
                        controller_find(definition, CONTROLLER_TYPE_VIRTIO_SERIAL, address->controller);
                if (!controller)
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "There is no virtio-serial controller %u", address->controller);
                if (controller->has_ports && address->port_number >= controller->ports)
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "Port %u: the virtio-serial controller %u has %u ports",
                                         address->port_number, address->controller, controller->ports);
                if (!seen_add(seen,
                              g_strdup_printf("vserial %u %u", address->controller, address->port_number)))
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "Port %u of the virtio-serial controller %u is used twice",
                                         address->port_number, address->controller);
        }
        LIST_FOREACH (smartcard, definition->devices.smartcards) {
                const DeviceAddress *address = &smartcard->info.address;
                if (address->type == ADDRESS_CCID &&
                    !seen_add(seen, g_strdup_printf("ccid %u %u", address->controller, address->slot)))
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "Slot %u of the ccid controller %u is used twice", address->slot,
                                         address->controller);
        }
        return 0;
}

static int check_memories(const DomainDefinition *definition, Seen *seen)
{
        bool has_cells = definition->cpu && definition->cpu->numa_cells.count > 0;

        if (definition->devices.memories.count > 0 && definition->max_memory_kib == 0)
                return error_set(seen->error, ERROR_CONFIG_UNSUPPORTED, "Memory devices need maxMemory");
        if (definition->max_memory_kib > 0 && !has_cells && board_is_qemu(definition))
                return error_set(seen->error, ERROR_CONFIG_UNSUPPORTED,
                                 "Memory can be plugged only where there are NUMA cells");
        LIST_FOREACH (memory, definition->devices.memories) {
                const DeviceAddress *address = &memory->info.address;

                if (has_cells && memory->has_node && memory->node >= definition->cpu->numa_cells.count)
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "A memory device names the NUMA cell %u of %u", memory->node,
                                         definition->cpu->numa_cells.count);
                if (address->type != ADDRESS_DIMM || !address->has_slot)
                        continue;
                if (address->slot >= definition->max_memory_slots)
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "Memory slot %u: the machine has %u", address->slot,
                                         definition->max_memory_slots);
                if (!seen_add(seen, g_strdup_printf("dimm %u", address->slot)))
                        return error_set(seen->error, ERROR_INVALID_XML, "Memory slot %u is used twice",
                                         address->slot);
        }
        return 0;
}

static bool audio_exists(const DomainDefinition *definition, uint32_t id)
{
        LIST_FOREACH (audio, definition->devices.audios)
                if (audio->id == id)
                        return true;
        return false;
}

static int check_audio(const DomainDefinition *definition, Seen *seen)
{
        LIST_FOREACH (audio, definition->devices.audios)
                if (!seen_add(seen, g_strdup_printf("audio %u", audio->id)))
                        return error_set(seen->error, ERROR_INVALID_XML, "The audio id %u is given twice",
                                         audio->id);
        LIST_FOREACH (sound, definition->devices.sounds)
                if (sound->has_audio_id && !audio_exists(definition, sound->audio_id))
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "There is no audio %u for the sound device", sound->audio_id);
        LIST_FOREACH (graphics, definition->devices.graphics)
                if (graphics->has_audio_id && !audio_exists(definition, graphics->audio_id))
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "There is no audio %u for the graphics", graphics->audio_id);
        return 0;
}

/* Fixed numbers of what a machine can have at all. */
static int check_singles(const DomainDefinition *definition, Seen *seen)
{
        LIST_FOREACH (panic, definition->devices.panics)
                if (!seen_add(seen, g_strdup_printf("panic %d", panic->model)))
                        return error_set(seen->error, ERROR_INVALID_XML,
                                         "There are two panic devices of one model");
        LIST_FOREACH (tpm, definition->devices.tpms) {
                if (!seen_add(seen, g_strdup(tpm->model == TPM_SPAPR_PROXY ? "tpm proxy" : "tpm")))
                        return error_set(seen->error, ERROR_CONFIG_UNSUPPORTED, "A machine has one TPM");
                if (tpm->active_pcr_banks && tpm->version != TPM_VERSION_2_0)
                        return error_set(seen->error, ERROR_CONFIG_UNSUPPORTED,
                                         "Banks of a TPM can be chosen for version 2.0 only, which a %s has "
                                         "if its version='2.0' says so",
                                         tpm_model_to_string(tpm->model));
        }
        LIST_FOREACH (graphics, definition->devices.graphics)
                if (!seen_add(seen, g_strdup_printf("graphics %d", graphics->type)))
                        return error_set(seen->error, ERROR_CONFIG_UNSUPPORTED,
                                         "A machine has one graphics of each type: there are two of '%s'",
                                         graphics_type_to_string(graphics->type));
        if (definition->devices.iommus.count > 1)
                return error_set(seen->error, ERROR_CONFIG_UNSUPPORTED, "A machine has one IOMMU");
        return 0;
}

static int check_boot(const DomainDefinition *definition, Seen *seen)
{
        GHashTableIter iter;
        gpointer word;

        if (definition->os.boots.count == 0)
                return 0;
        g_hash_table_iter_init(&iter, seen->words);
        while (g_hash_table_iter_next(&iter, &word, NULL))
                if (g_str_has_prefix(word, "boot "))
                        return error_set(seen->error, ERROR_CONFIG_UNSUPPORTED,
                                         "Boot order is given either in os/boot or at the devices");
        return 0;
}

int domain_definition_validate(const DomainDefinition *definition, Error *error)
{
        static int (*const checks[])(const DomainDefinition *, Seen *) = {
                check_boot,     check_disks,    check_hostdevs, check_functions, check_controllers,
                check_channels, check_memories, check_audio,    check_singles,
        };
        Seen seen = { .words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                      .error = error };
        /* The visitor only reads. */
        int r = device_foreach((DomainDefinition *)definition, check_device, &seen);

        for (unsigned i = 0; i < G_N_ELEMENTS(checks) && r >= 0; i++)
                r = checks[i](definition, &seen);
        g_hash_table_unref(seen.words);
        return r;
}
