/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/saved-definition.h"
#include "model/complete.h"
#include <string.h>

int saved_definition_replace(const DomainDefinition *saved, const char *xml, DomainDefinition **ret_wanted,
                             Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *wanted = NULL;
        _cleanup_(freep) char *difference = NULL;
        int r = domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &wanted, error);

        if (r >= 0)
                r = domain_definition_complete(wanted, error);
        if (r < 0)
                return r;
        difference = domain_definition_difference(saved, wanted, true);
        if (difference || strcmp(saved->uuid, wanted->uuid) != 0)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "The guest would see that %s is another: that cannot be while its memory is saved",
                        difference ? difference : "the UUID");
        *ret_wanted = TAKE_PTR(wanted);
        return 0;
}
