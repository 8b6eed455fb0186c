/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A secret without its value, as far as the bus shows it for every driver. A driver embeds it as the first
 * member of what it needs to know besides. */

#include "model/secret.h"
#include "objects/object.h"

typedef struct Secret {
        Object object;
        int usage_type; /* virSecretUsageType */
        char *usage_id;
        bool is_ephemeral, is_private, has_value;
} Secret;

/* Whether the secret is for what the definition says. One for nothing in particular is the same as no other.
 */
bool secret_is_for(const Secret *secret, const SecretDefinition *definition);
/* The owner's secret for what the definition says; borrowed, NULL: there is none. */
Secret *secret_find_for(const ObjectTable *objects, const SecretDefinition *definition, uid_t owner);
