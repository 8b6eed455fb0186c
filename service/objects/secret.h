/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A secret without its value, as far as the bus shows it for every driver. A driver embeds it as the first
 * member of what it needs to know besides. */

#include "objects/object.h"

typedef struct Secret {
        Object object;
        int usage_type; /* virSecretUsageType */
        char *usage_id;
        bool is_ephemeral, is_private, has_value;
} Secret;
