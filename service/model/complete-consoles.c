/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Serial ports, and the oldest habit of the language: the first console of a full machine is no device of
 * its own but another name for the first serial port. Whichever of the two is written, both are shown. */

#include "model/board.h"
#include "model/complete.h"

static SerialTarget default_target(const DomainDefinition *definition)
{
        return board_is_x86(definition) ? SERIAL_TARGET_ISA : SERIAL_TARGET_SYSTEM;
}

static SerialModel model_of_target(const DomainDefinition *definition, SerialTarget target)
{
        switch (target) {
        case SERIAL_TARGET_ISA:
                return SERIAL_MODEL_ISA;
        case SERIAL_TARGET_USB:
                return SERIAL_MODEL_USB;
        case SERIAL_TARGET_PCI:
                return SERIAL_MODEL_PCI;
        case SERIAL_TARGET_SPAPR_VIO:
                return SERIAL_MODEL_SPAPR_VTY;
        case SERIAL_TARGET_SYSTEM:
                return definition->os.arch && g_str_has_prefix(definition->os.arch, "riscv")
                               ? SERIAL_MODEL_16550A
                               : SERIAL_MODEL_PL011;
        case SERIAL_TARGET_SCLP:
                return SERIAL_MODEL_SCLPCONSOLE;
        case SERIAL_TARGET_ISA_DEBUG:
                return SERIAL_MODEL_ISA_DEBUGCON;
        default:
                return SERIAL_MODEL_ABSENT;
        }
}

/* Ports count from 0; a port that is not given comes after the highest so far. */
#define COMPLETE_PORTS(list)                                                                                \
        do {                                                                                                \
                uint32_t next_port = 0;                                                                     \
                LIST_FOREACH (item, list)                                                                   \
                        if (item->has_port && item->port >= next_port)                                      \
                                next_port = item->port + 1;                                                 \
                LIST_FOREACH (item, list) {                                                                 \
                        if (item->has_port)                                                                 \
                                continue;                                                                   \
                        item->port = next_port++;                                                           \
                        item->has_port = true;                                                              \
                }                                                                                           \
        } while (0)

static void complete_serial(const DomainDefinition *definition, DomainSerial *serial)
{
        if (serial->target == SERIAL_TARGET_ABSENT && serial->info.address.type == ADDRESS_USB)
                serial->target = SERIAL_TARGET_USB;
        else if (serial->target == SERIAL_TARGET_ABSENT && serial->info.address.type == ADDRESS_PCI)
                serial->target = SERIAL_TARGET_PCI;
        if (serial->target == SERIAL_TARGET_ABSENT)
                serial->target = default_target(definition);
        if (serial->model == SERIAL_MODEL_ABSENT)
                serial->model = model_of_target(definition, serial->target);
}

static void copy_source(const ChardevSource *from, ChardevSource *ret_to)
{
        ChardevSource *copy = struct_copy(&chardev_source_type, from);

        *ret_to = *copy; /* what it points to moves, the shell goes */
        g_free(copy);
}

static bool is_serial(const DomainConsole *console)
{
        return console->target == CONSOLE_TARGET_SERIAL || console->target == CONSOLE_TARGET_ABSENT;
}

static void serial_from_console(DomainDefinition *definition, const DomainConsole *console)
{
        DomainSerial *serial = struct_new(&domain_serial_type);

        copy_source(&console->source, &serial->source);
        serial->has_port = true;
        list_append(&definition->devices.serials, serial);
}

static void console_from_serial(DomainDefinition *definition, const DomainSerial *serial)
{
        DomainConsole *console = struct_new(&domain_console_type);

        copy_source(&serial->source, &console->source);
        console->target = CONSOLE_TARGET_SERIAL;
        console->has_port = true;
        console->port = serial->port;
        list_insert(&definition->devices.consoles, 0, console);
}

/* Ports that a guest's firmware does not take for its console have none. */
static bool can_be_console(const DomainSerial *serial)
{
        return serial->target != SERIAL_TARGET_PCI && serial->target != SERIAL_TARGET_USB &&
               serial->target != SERIAL_TARGET_ISA_DEBUG;
}

static int pair_console(DomainDefinition *definition, Error *error)
{
        DomainConsole *first =
                definition->devices.consoles.count > 0 ? definition->devices.consoles.items[0] : NULL;

        for (uint32_t i = 1; i < definition->devices.consoles.count; i++)
                if (definition->devices.consoles.items[i]->target == CONSOLE_TARGET_SERIAL)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "Only the first console can be a serial port");

        bool is_pair = first && is_serial(first);
        if (is_pair && definition->devices.serials.count == 0)
                serial_from_console(definition, first);
        if (definition->devices.serials.count == 0)
                return 0;
        if (!is_pair && !can_be_console(definition->devices.serials.items[0]))
                return 0;
        if (is_pair)
                struct_free(&domain_console_type, list_remove(&definition->devices.consoles, 0));

        DomainSerial *serial = definition->devices.serials.items[0];
        complete_serial(definition, serial);
        COMPLETE_PORTS(definition->devices.serials);
        console_from_serial(definition, serial);
        return 0;
}

/* The address of the first serial port is also that of its other name. */
int complete_console_address(DomainDefinition *definition, Error *error _unused_)
{
        if (definition->devices.serials.count == 0 || definition->devices.consoles.count == 0 ||
            definition->os.type != OS_TYPE_HVM)
                return 0;

        const DomainSerial *serial = definition->devices.serials.items[0];
        DomainConsole *console = definition->devices.consoles.items[0];
        if (console->target != CONSOLE_TARGET_SERIAL || serial->info.address.type == ADDRESS_NONE)
                return 0;
        g_free(console->info.address.port);
        console->info.address = serial->info.address;
        console->info.address.port = g_strdup(serial->info.address.port);
        return 0;
}

int complete_consoles(DomainDefinition *definition, Error *error)
{
        if (!board_is_qemu(definition))
                return 0;
        LIST_FOREACH (serial, definition->devices.serials)
                complete_serial(definition, serial);
        COMPLETE_PORTS(definition->devices.serials);
        COMPLETE_PORTS(definition->devices.parallels);
        if (definition->os.type == OS_TYPE_HVM) {
                int r = pair_console(definition, error);
                if (r < 0)
                        return r;
        }
        LIST_FOREACH (console, definition->devices.consoles)
                if (console->target == CONSOLE_TARGET_ABSENT)
                        console->target = CONSOLE_TARGET_VIRTIO;
        COMPLETE_PORTS(definition->devices.consoles);
        return 0;
}
