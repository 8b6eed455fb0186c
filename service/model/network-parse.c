/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A <network> comes in, as XML or as native values: read by the tables, then checked. */

#include "model/network.h"

static int check(NetworkDefinition *definition, NetworkDefinition **ret, Error *error)
{
        int r = network_definition_check(definition, error);

        if (r < 0)
                network_definition_free(definition);
        else
                *ret = definition;
        return r;
}

int network_definition_parse(const char *xml, size_t size, unsigned flags, NetworkDefinition **ret,
                             Error *error)
{
        void *definition;
        int r;

        r = struct_parse_document(&network_definition_type, "network", xml, size, flags, &definition, error);
        return r < 0 ? r : check(definition, ret, error);
}

int network_definition_from_variant(GVariant *variant, NetworkDefinition **ret, Error *error)
{
        _cleanup_(freep) char *xml = NULL;
        void *definition;
        int r = struct_from_variant(&network_definition_type, variant, &definition, error);

        if (r < 0)
                return r;
        xml = network_definition_format(definition, DEFINITION_INACTIVE);
        r = struct_check_document(&network_definition_type, "network", xml, DEFINITION_INACTIVE, error);
        if (r < 0) {
                network_definition_free(definition);
                return r;
        }
        return check(definition, ret, error);
}

GVariant *network_definition_to_variant(const NetworkDefinition *definition)
{
        return struct_to_variant(&network_definition_type, definition);
}
