/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes a definition as people write it into one that says everything: clients compare what they read back,
 * and devices must not move in the guest when others are added later. The order of the steps is that of
 * libvirt, since which address is free depends on it. */

#include "model/complete.h"
#include "model/device-list.h"

enum { DEVICES_MAX = 4096, CELLS_MAX = 256 };

typedef int (*CompleteStep)(DomainDefinition *definition, Error *error);
typedef int (*ValidateStep)(const DomainDefinition *definition, Error *error);

static int validate(const DomainDefinition *definition, Error *error)
{
        static const ValidateStep steps[] = {
                domain_definition_validate,           domain_definition_validate_machine,
                domain_definition_validate_disks,     domain_definition_validate_boot,
                domain_definition_validate_resources,
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
                int r = steps[i](definition, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int count(const Device *device _unused_, void *userdata)
{
        (*(unsigned *)userdata)++;
        return 0;
}

/* Several steps compare each with each: what is far beyond any machine must not keep the daemon busy. */
static int check_limits(DomainDefinition *definition, Error *error)
{
        unsigned devices = 0;

        device_foreach(definition, count, &devices);
        if (devices > DEVICES_MAX)
                return error_set(error, ERROR_INVALID_XML, "A machine has at most %d devices, not %u",
                                 DEVICES_MAX, devices);
        if (definition->iothreads > DEVICES_MAX)
                return error_set(error, ERROR_INVALID_XML, "A machine has at most %d iothreads, not %u",
                                 DEVICES_MAX, definition->iothreads);
        if (definition->cpu && definition->cpu->numa_cells.count > CELLS_MAX)
                return error_set(error, ERROR_INVALID_XML, "A machine has at most %d NUMA cells, not %u",
                                 CELLS_MAX, definition->cpu->numa_cells.count);
        return 0;
}

int domain_definition_complete(DomainDefinition *definition, Error *error)
{
        static const CompleteStep steps[] = {
                check_limits,         complete_identity,  complete_machine,      complete_controller_indexes,
                complete_devices,     complete_consoles,  address_assign_drives, complete_controllers,
                address_assign_ports, address_assign_pci, address_assign_usb,    complete_console_address,
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
                int r = steps[i](definition, error);
                if (r < 0)
                        return r;
        }
        return validate(definition, error);
}
