/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions are read at the start, all at once, and written when they change. A file that cannot be read
 * is never touched: somebody may want to repair it. */

#include "drivers/qemu/definitions.h"
#include "core/log.h"
#include "core/store.h"
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".xml"

static char *file_name(const Domain *domain)
{
        return g_strconcat(domain->object.uuid, SUFFIX, NULL);
}

static void attribute_number(XmlWriter *writer, const char *name, uint64_t value)
{
        char text[24];

        g_snprintf(text, sizeof text, "%" PRIu64, value);
        xml_writer_attribute(writer, name, text);
}

int definition_store(Domain *domain, const DomainDefinition *definition, bool is_autostart, Error *error)
{
        _cleanup_(freep) char *name = file_name(domain), *xml = NULL, *text = NULL;
        XmlWriter *writer = xml_writer_new();
        int r;

        xml = domain_definition_format(definition ? definition : domain->definition,
                                       DEFINITION_SECURE | DEFINITION_INACTIVE);
        xml_writer_open(writer, "machine");
        attribute_number(writer, "owner", domain->object.owner);
        xml_writer_attribute(writer, "autostart", is_autostart ? "yes" : "no");
        attribute_number(writer, "created", domain->created_at_usec);
        xml_writer_raw(writer, xml);
        xml_writer_close(writer);
        text = xml_writer_finish(writer);
        r = store_write(qemu_driver(domain->object.driver)->definitions_fd, name, text, strlen(text), 0600,
                        error);
        if (r < 0)
                error_prefix(error, "The definition of %s is not stored", object_describe(&domain->object));
        return r;
}

int definition_remove(Domain *domain, Error *error)
{
        _cleanup_(freep) char *name = file_name(domain);

        return store_remove(qemu_driver(domain->object.driver)->definitions_fd, name, error);
}

static bool number_of(const XmlNode *node, const char *name, uint64_t max, uint64_t *ret_value)
{
        const char *text = xml_attribute(node, name);
        guint64 value;

        if (!text || !g_ascii_string_to_unsigned(text, 10, 0, max, &value, NULL))
                return false;
        *ret_value = value;
        return true;
}

static int domain_read(Driver *driver, const XmlNode *root, Domain **ret_domain, Error *error)
{
        const XmlNode *node = xml_child(root, "domain");
        const char *autostart = xml_attribute(root, "autostart");
        uint64_t owner, created;
        void *definition;
        Domain *domain;
        int r;

        if (strcmp(root->name, "machine") != 0 || !node ||
            !number_of(root, "owner", UINT32_MAX - 1, &owner) ||
            !number_of(root, "created", UINT64_MAX, &created))
                return error_set(error, ERROR_INVALID_XML, "this is no stored machine");
        r = struct_parse(&domain_definition_type, node, DEFINITION_INACTIVE, &definition, error);
        if (r < 0)
                return r;
        domain = domain_new(driver, definition, (uid_t)owner);
        domain->created_at_usec = created;
        domain->is_persistent = true;
        domain->is_autostart = autostart && strcmp(autostart, "yes") == 0;
        *ret_domain = domain;
        return 0;
}

static int definition_load(int folder_fd, const char *name, Driver *driver, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(domain_unrefp) Domain *domain = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = store_read(folder_fd, name, XML_SIZE_MAX, &text, &size, error);
        if (r >= 0)
                r = xml_parse(text, size, name, &document, error);
        if (r >= 0)
                r = domain_read(driver, xml_document_root(document), &domain, error);
        if (r < 0)
                return r;
        if (strncmp(name, domain->object.uuid, UUID_STRING_MAX - 1) != 0)
                return error_set(error, ERROR_INVALID_XML, "the UUID in it is %s", domain->object.uuid);
        r = object_table_add(driver->objects, &domain->object);
        return r < 0 ? error_set(error, ERROR_EXISTS, "%s is there twice", object_describe(&domain->object))
                     : 0;
}

static int visit(int folder_fd, const char *name, void *data)
{
        _cleanup_(error_clear) Error error = {};

        if (definition_load(folder_fd, name, data, &error) < 0)
                log_error(name, "the definition cannot be used: %s", error.message);
        return 0; /* one bad file hides no other */
}

int definitions_load(Driver *driver, Error *error)
{
        return store_visit(qemu_driver(driver)->definitions_fd, SUFFIX, visit, driver, error);
}
