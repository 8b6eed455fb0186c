/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A virtual network, as far as the bus shows it for every driver. A driver embeds it as the first member of
 * what it needs to know besides. */

#include "objects/object.h"

typedef struct Network {
        Object object;
        bool is_active, is_persistent, is_autostart;
} Network;
