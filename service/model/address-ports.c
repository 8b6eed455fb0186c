/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices that are numbered on something small: channels on the ports of virtio-serial controllers,
 * smartcards on the slots of readers, memory modules on the machine's slots. */

#include "model/board.h"
#include "model/complete.h"

#define VIRTIO_SERIAL_PORTS 31u

static bool port_is_used(const DomainDefinition *definition, uint32_t controller, uint32_t port)
{
        LIST_FOREACH (channel, definition->devices.channels) {
                const DeviceAddress *address = &channel->info.address;
                if (address->type == ADDRESS_VIRTIO_SERIAL && address->controller == controller &&
                    address->port_number == port)
                        return true;
        }
        LIST_FOREACH (console, definition->devices.consoles) {
                const DeviceAddress *address = &console->info.address;
                if (address->type == ADDRESS_VIRTIO_SERIAL && address->controller == controller &&
                    address->port_number == port)
                        return true;
        }
        return false;
}

static bool find_port(const DomainDefinition *definition, const DomainController *controller,
                      DeviceAddress *address)
{
        uint32_t ports = controller->has_ports ? controller->ports : VIRTIO_SERIAL_PORTS;

        /* Port 0 is kept for a console: old guests expect it there. */
        for (uint32_t port = 1; port < ports; port++) {
                if (port_is_used(definition, controller->index, port))
                        continue;
                address->type = ADDRESS_VIRTIO_SERIAL;
                address->controller = controller->index;
                address->port_number = port;
                return true;
        }
        return false;
}

static void assign_channel(DomainDefinition *definition, DomainChannel *channel)
{
        DeviceAddress *address = &channel->info.address;
        uint32_t next = 0;

        if (address->type == ADDRESS_VIRTIO_SERIAL) {
                const DomainController *controller =
                        controller_find(definition, CONTROLLER_TYPE_VIRTIO_SERIAL, address->controller);
                if (controller && find_port(definition, controller, address))
                        return;
        }
        LIST_FOREACH (controller, definition->devices.controllers) {
                if (controller->type != CONTROLLER_TYPE_VIRTIO_SERIAL)
                        continue;
                if (find_port(definition, controller, address))
                        return;
                next = MAX(next, controller->index + 1);
        }
        controller_ensure(definition, CONTROLLER_TYPE_VIRTIO_SERIAL, next, CONTROLLER_MODEL_ABSENT);
        address->type = ADDRESS_VIRTIO_SERIAL;
        address->controller = next;
        address->port_number = 1;
}

static void assign_channels(DomainDefinition *definition)
{
        LIST_FOREACH (channel, definition->devices.channels) {
                const DeviceAddress *address = &channel->info.address;
                bool is_open = address->type == ADDRESS_NONE ||
                               (address->type == ADDRESS_VIRTIO_SERIAL && address->port_number == 0);

                if (channel->target == CHANNEL_TARGET_VIRTIO && is_open)
                        assign_channel(definition, channel);
        }
}

static bool ccid_slot_is_used(const DomainDefinition *definition, uint32_t slot)
{
        LIST_FOREACH (smartcard, definition->devices.smartcards)
                if (smartcard->info.address.type == ADDRESS_CCID &&
                    smartcard->info.address.controller == 0 && smartcard->info.address.slot == slot)
                        return true;
        return false;
}

static void assign_smartcards(DomainDefinition *definition)
{
        LIST_FOREACH (smartcard, definition->devices.smartcards) {
                uint32_t slot = 0;

                if (smartcard->info.address.type != ADDRESS_NONE)
                        continue;
                while (ccid_slot_is_used(definition, slot))
                        slot++;
                smartcard->info.address =
                        (DeviceAddress){ .type = ADDRESS_CCID, .slot = slot, .has_slot = true };
        }
}

static bool has_memory_slot(const DomainMemory *memory)
{
        return memory->model == MEMORY_MODEL_DIMM || memory->model == MEMORY_MODEL_NVDIMM;
}

static bool memory_slot_is_used(const DomainDefinition *definition, uint32_t slot)
{
        LIST_FOREACH (memory, definition->devices.memories)
                if (memory->info.address.type == ADDRESS_DIMM && memory->info.address.has_slot &&
                    memory->info.address.slot == slot)
                        return true;
        return false;
}

static int assign_memories(DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (memory, definition->devices.memories) {
                DeviceAddress *address = &memory->info.address;
                uint32_t slot = 0;

                if (!has_memory_slot(memory) || (address->type == ADDRESS_DIMM && address->has_slot))
                        continue;
                while (memory_slot_is_used(definition, slot))
                        slot++;
                if (slot >= definition->max_memory_slots)
                        return error_set(
                                error, ERROR_CONFIG_UNSUPPORTED,
                                "The machine has %u memory slots (maxMemory/@slots), which are all in use",
                                definition->max_memory_slots);
                address->type = ADDRESS_DIMM;
                address->slot = slot;
                address->has_slot = true;
        }
        return 0;
}

int address_assign_ports(DomainDefinition *definition, Error *error)
{
        if (!board_is_qemu(definition))
                return 0;
        assign_channels(definition);
        assign_smartcards(definition);
        return assign_memories(definition, error);
}
