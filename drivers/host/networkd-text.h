/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A definition in the words of systemd-networkd (systemd.netdev(5), systemd.network(5)). What several
 * definitions say of one device stands in drop-ins of one main file, which says nothing but whose it is. */

#include "model/host-interface.h"

#define NETWORKD_PREFIX   "10-virtbus-"
#define NETWORKD_TAG      "# Made by virtbus for the interface "
#define NETWORKD_MAIN_TAG "# Made by virtbus\n" /* it goes with the last drop-in */
#define NETDEV_SUFFIX     ".netdev"
#define NETWORK_SUFFIX    ".network"
#define DROP_IN_SUFFIX    ".conf"
/* No name has a ':'. */
#define DOWN_SUFFIX ":down" DROP_IN_SUFFIX

typedef struct NetworkdFile {
        char *folder; /* of drop-ins; NULL: the configuration's own */
        char *name;
        char *text;
} NetworkdFile;

int networkd_check(const HostInterfaceDefinition *definition, Error *error);
/* All of the definition, as an array of NetworkdFile that frees them; a main file comes after its drop-ins.
 */
GPtrArray *networkd_files(const HostInterfaceDefinition *definition);
/* What keeps systemd-networkd from them: a condition that is never true, for this run of the host. */
GPtrArray *networkd_down_files(const HostInterfaceDefinition *definition);
