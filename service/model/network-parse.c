/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A <network> comes in: read by the tables, then checked. */

#include "model/network.h"
#include <string.h>

int network_definition_parse(const char *xml, size_t size, unsigned flags, NetworkDefinition **ret,
                             Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *root;
        void *definition;
        int r;

        r = xml_parse(xml, size, "network", &document, error);
        if (r < 0)
                return r;
        root = xml_document_root(document);
        if (strcmp(root->name, "network") != 0)
                return error_set(error, ERROR_INVALID_XML, "The document is a <%s>, a <network> is expected",
                                 root->name);
        r = struct_parse(&network_definition_type, root, flags, &definition, error);
        if (r < 0)
                return r;
        r = network_definition_check(definition, error);
        if (r < 0)
                network_definition_free(definition);
        else
                *ret = definition;
        return r;
}
