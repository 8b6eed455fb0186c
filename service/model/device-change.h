/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One device of a definition, described by an element of its own: read, found, added, removed, replaced. For
 * the running machine as for its stored definition. */

#include "model/device-list.h"

/* What somebody wrote; owned. */
typedef struct DeviceElement {
        DeviceKind kind;
        void *object;
} DeviceElement;

void device_element_clear(DeviceElement *element);

/* <disk>, <interface> ...; flags as for domain_definition_parse(). */
int device_element_parse(const char *xml, unsigned flags, DeviceElement *ret_element, Error *error);

/* The one device that is meant: of a disk its target says which, of an interface its MAC address, of a
 * controller type and index, of a display its type, of a channel its name, of a file system its name in the
 * guest; whatever has an alias or an address must have the same. Of other kinds all that is written must be
 * true. ERROR_NO_DEVICE if there is none, ERROR_INVALID_ARGUMENT if there are several. */
int device_find(const DomainDefinition *definition, const DeviceElement *element, Device *ret_device,
                Error *error);
int device_find_alias(const DomainDefinition *definition, const char *alias, Device *ret_device,
                      Error *error);

/* Adds it with all that it lacks (address, controllers that it needs); takes it out of the element. Nothing
 * that is there moves. The definition is of no use after a failure: work on a copy. ERROR_EXISTS if its name
 * or its place is taken. */
int definition_add_device(DomainDefinition *definition, DeviceElement *element, Device *ret_device,
                          Error *error);
/* Takes it out. ERROR_OPERATION_INVALID if others need it. */
int definition_remove_device(DomainDefinition *definition, const Device *device, Error *error);
/* Puts the element where the device is, which keeps the address and the name of the old one unless the
 * element has its own; takes it out of the element. The definition is of no use after a failure. */
int definition_replace_device(DomainDefinition *definition, const Device *device, DeviceElement *element,
                              Error *error);
