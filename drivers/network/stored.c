/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A file is one <stored> element around the <network>, which stands in it as it is formatted, because
 * metadata must survive byte for byte. */

#include "drivers/network/stored.h"
#include <string.h>

char *stored_network_format(const NetworkDefinition *definition, uid_t owner, bool is_autostart)
{
        _cleanup_(freep) char *xml = network_definition_format(definition, DEFINITION_INACTIVE);

        return g_strdup_printf("<stored owner='%u' autostart='%s'>\n%s</stored>\n", owner,
                               is_autostart ? "yes" : "no", xml);
}

int stored_network_parse(const char *text, size_t size, StoredNetwork *ret, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *root, *node;
        const char *owner;
        void *definition;
        guint64 uid;
        int r;

        r = xml_parse(text, size, "network", &document, error);
        if (r < 0)
                return r;
        root = xml_document_root(document);
        node = xml_child(root, "network");
        owner = xml_attribute(root, "owner");
        if (strcmp(root->name, "stored") != 0 || !node || !owner ||
            !g_ascii_string_to_unsigned(owner, 10, 0, UINT32_MAX - 1, &uid, NULL))
                return error_set(error, ERROR_INVALID_XML, "This is no network that was stored here");
        r = struct_parse(&network_definition_type, node, DEFINITION_INACTIVE, &definition, error);
        if (r < 0)
                return r;
        *ret = (StoredNetwork){
                .definition = definition,
                .owner = (uid_t)uid,
                .is_autostart = g_strcmp0(xml_attribute(root, "autostart"), "yes") == 0,
        };
        return 0;
}
