/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "objects/secret.h"
#include <string.h>

bool secret_is_for(const Secret *secret, const SecretDefinition *definition)
{
        return secret->usage_type == (int)definition->usage_type &&
               strcmp(secret->usage_id, secret_definition_usage(definition)) == 0;
}

Secret *secret_find_for(const ObjectTable *objects, const SecretDefinition *definition, uid_t owner)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *secrets = object_table_list(objects, OBJECT_SECRET);

        if (definition->usage_type == SECRET_USAGE_NONE)
                return NULL;
        for (unsigned i = 0; i < secrets->len; i++) {
                Secret *secret = secrets->pdata[i];

                if (secret->object.owner == owner && secret_is_for(secret, definition))
                        return secret;
        }
        return NULL;
}
