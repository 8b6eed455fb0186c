/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The steps of domain_definition_complete(), in the order in which it takes them. Each leaves alone what is
 * given already, so that a second run changes nothing. */

#include "model/domain.h"

/* identity.c: the UUID and the MAC addresses. */
int complete_identity(DomainDefinition *definition, Error *error);
/* complete-machine.c: memory, processors, what happens at the end, boot order. */
int complete_machine(DomainDefinition *definition, Error *error);
/* complete-devices.c: what each device lacks by itself; devices that every machine has. */
int complete_devices(DomainDefinition *definition, Error *error);
/* complete-consoles.c: serial ports and the console that stands for the first. */
int complete_consoles(DomainDefinition *definition, Error *error);
int complete_console_address(DomainDefinition *definition, Error *error);
/* controllers.c: indexes, models, the controllers that the machine or other devices need. */
int complete_controller_indexes(DomainDefinition *definition, Error *error);
int complete_controllers(DomainDefinition *definition, Error *error);
DomainController *controller_find(const DomainDefinition *definition, ControllerType type, uint32_t index);
/* Adds it unless there is one of that type and index. */
void controller_ensure(DomainDefinition *definition, ControllerType type, uint32_t index,
                       ControllerModel model);
/* Names, chassis and port numbers of PCI bridges, which depend on their addresses. */
void controllers_complete_pci(DomainDefinition *definition);
/* address-*.c */
/* The number in a disk's target name: "vda" -> 0, "sdaa" -> 26; -EINVAL: it is no such name. */
int disk_target_index(const char *target);
int address_assign_drives(DomainDefinition *definition, Error *error);
int address_assign_ports(DomainDefinition *definition, Error *error); /* virtio-serial, ccid, dimm */
int address_assign_pci(DomainDefinition *definition, Error *error);
int address_assign_usb(DomainDefinition *definition, Error *error);
/* validate.c: the devices against each other. */
int domain_definition_validate(const DomainDefinition *definition, Error *error);
/* validate-disk.c, validate-boot.c, validate-resctrl.c, validate-resources.c */
int domain_definition_validate_disks(const DomainDefinition *definition, Error *error);
int domain_definition_validate_boot(const DomainDefinition *definition, Error *error);
int domain_definition_validate_resctrl(const DomainDefinition *definition, Error *error);
int domain_definition_validate_resources(const DomainDefinition *definition, Error *error);
/* validate-machine.c: the devices against the machine type. */
int domain_definition_validate_machine(const DomainDefinition *definition, Error *error);
