/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.freedesktop.DBus.ObjectManager at /org/libvirt: the objects of all drivers with their native
 * interfaces, for each caller those that it sees. The org.libvirt family never had it and is left out. */

#include "auth/caller.h"
#include "bus/interface.h"

#define OBJECT_MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"

/* GetManagedObjects. */
int object_manager_dispatch(sd_bus_message *message);

/* Appends {interface: {property: value}} as a{sa{sv}}, as InterfacesAdded has it, with the properties that
 * the caller is known to be allowed to read (NULL: all). Only for kinds that have a native interface. */
int object_manager_append_interfaces(sd_bus_message *message, Caller *caller, Object *object);
