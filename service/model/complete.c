/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes a definition as people write it into one that says everything: clients compare what they read back,
 * and devices must not move in the guest when others are added later. The order of the steps is that of
 * libvirt, since which address is free depends on it. */

#include "model/complete.h"
#include "model/board.h"

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

int domain_definition_complete(DomainDefinition *definition, Error *error)
{
        static const CompleteStep steps[] = {
                complete_identity,  complete_machine,      complete_controller_indexes, complete_devices,
                complete_consoles,  address_assign_drives, complete_controllers,        address_assign_ports,
                address_assign_pci, address_assign_usb,    complete_console_address,
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
                int r = steps[i](definition, error);
                if (r < 0)
                        return r;
        }
        return validate(definition, error);
}
