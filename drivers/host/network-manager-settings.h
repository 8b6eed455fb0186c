/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A definition as connections of NetworkManager (nm-settings-dbus(5)): one of each device in it. They carry
 * whose they are, and what they were made of, in the setting "user". */

#include "model/host-interface.h"

typedef struct NetworkManagerConnection {
        char uuid[37]; /* the same for the same definition's device, always */
        char *digest;
        GVariant *settings; /* a{sa{sv}} */
} NetworkManagerConnection;

int network_manager_check(const HostInterfaceDefinition *definition, Error *error);
/* An array that frees them; the first is that of the definition itself, the others are of its members. */
GPtrArray *network_manager_connections(const HostInterfaceDefinition *definition);
/* Of a connection's settings; borrowed from there. NULL: not ours. */
const char *network_manager_owner(GVariant *settings);
const char *network_manager_digest(GVariant *settings);
