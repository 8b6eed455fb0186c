/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A <network> comes in: read by the tables, then checked. */

#include "model/network.h"

int network_definition_parse(const char *xml, size_t size, unsigned flags, NetworkDefinition **ret,
                             Error *error)
{
        void *definition;
        int r;

        r = struct_parse_document(&network_definition_type, "network", xml, size, flags, &definition, error);
        if (r < 0)
                return r;
        r = network_definition_check(definition, error);
        if (r < 0)
                network_definition_free(definition);
        else
                *ret = definition;
        return r;
}
