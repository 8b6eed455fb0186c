/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's network interfaces and its devices, as far as the bus shows them for every driver. A driver
 * embeds them as the first member of what it needs to know besides. */

#include "objects/object.h"

typedef struct HostInterface {
        Object object;
        char *mac;
        bool is_active;
} HostInterface;

typedef struct NodeDevice {
        Object object;
        char *parent; /* the name of another; NULL for the root */
} NodeDevice;
