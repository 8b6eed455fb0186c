/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Title, description and the elements of other programs in a definition. An element is known by its
 * namespace alone and kept as it was written. */

#include "model/domain.h"
#include <string.h>

/* The elements of <metadata>, at the depth at which they stand in a definition. */
static int metadata_open(const char *elements, XmlDocument **ret_document, Error *error)
{
        _cleanup_(freep) char *text =
                g_strconcat("<domain><metadata>", elements ? elements : "", "</metadata></domain>", NULL);

        return xml_parse(text, strlen(text), "metadata", ret_document, error);
}

static const XmlNode *first_element(XmlDocument *document)
{
        return xml_document_root(document)->first_child->first_child;
}

static const XmlNode *find_element(XmlDocument *document, const char *namespace_uri)
{
        const XmlNode *node = first_element(document);

        while (node && g_strcmp0(node->namespace_uri, namespace_uri) != 0)
                node = node->next;
        return node;
}

static int no_metadata(const char *what, Error *error)
{
        return error_set(error, ERROR_NO_METADATA, "metadata not found: %s", what);
}

int domain_definition_get_metadata(const DomainDefinition *definition, int kind, const char *namespace_uri,
                                   char **ret_text, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *node;
        const char *text;
        int r;

        if (kind == DOMAIN_METADATA_DESCRIPTION || kind == DOMAIN_METADATA_TITLE) {
                text = kind == DOMAIN_METADATA_TITLE ? definition->title : definition->description;
                if (!text)
                        return no_metadata(kind == DOMAIN_METADATA_TITLE ? "there is no title"
                                                                         : "there is no description",
                                           error);
                *ret_text = g_strdup(text);
                return 0;
        }
        if (kind != DOMAIN_METADATA_ELEMENT)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Metadata has no kind %d: 0 (description), 1 (title) or 2 (element)", kind);
        if (!namespace_uri || !*namespace_uri)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "An element of metadata needs the URI of its namespace");
        r = metadata_open(definition->metadata, &document, error);
        if (r < 0)
                return r;
        node = find_element(document, namespace_uri);
        if (!node)
                return no_metadata("Requested metadata element is not present", error);
        *ret_text = xml_node_to_string(node);
        return 0;
}

static char *text_or_none(const char *text)
{
        return text && *text ? g_strdup(text) : NULL;
}

/* The element with its namespace declared: what the client sent has none of its own for the prefix. */
static int element_build(const char *text, const char *prefix, const char *namespace_uri, char **ret_element,
                         Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(freep) char *escaped = g_markup_escape_text(namespace_uri, -1);
        const char *name;
        XmlNode *root;
        size_t name_size;
        int r;

        r = xml_parse(text, strlen(text), "metadata", &document, error);
        if (r < 0)
                return r;
        root = xml_document_root(document);
        if (root->namespace_uri) { /* it says everything itself */
                if (strcmp(root->namespace_uri, namespace_uri) != 0)
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "The element is of the namespace '%s', not of '%s'",
                                         root->namespace_uri, namespace_uri);
                *ret_element = xml_node_to_string(root);
                return 0;
        }
        if (!prefix || !*prefix || strcspn(prefix, " \t\n<>&'\"/=:") != strlen(prefix) ||
            strchr("0123456789-.", *prefix) || strcmp(prefix, "xml") == 0 || strcmp(prefix, "xmlns") == 0)
                return error_set(error, ERROR_INVALID_ARGUMENT, "'%s' is no prefix for a namespace",
                                 prefix ? prefix : "");
        /* The root is written anew with the prefix; what is in it stays as it is. */
        _cleanup_(freep) char *whole = xml_node_to_string(root);

        name = root->name;
        name_size = strlen(name);
        if (g_str_has_suffix(whole, "/>") || !strstr(whole, "</"))
                *ret_element = g_strdup_printf("<%s:%s xmlns:%s=\"%s\"%s", prefix, name, prefix, escaped,
                                               whole + 1 + name_size);
        else
                *ret_element =
                        g_strdup_printf("<%s:%s xmlns:%s=\"%s\"%.*s</%s:%s>", prefix, name, prefix, escaped,
                                        (int)(strlen(whole) - 1 - name_size - strlen("</>") - name_size),
                                        whole + 1 + name_size, prefix, name);
        return 0;
}

/* What is taken has to be read again: by GetMetadata, and by the next daemon. */
static int elements_check(const char *elements, const char *namespace_uri, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        int r = metadata_open(elements, &document, error);

        if (r >= 0 && !find_element(document, namespace_uri))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "'%s' would be read again as another namespace: no URI has such characters",
                              namespace_uri);
        return r;
}

static int element_set(DomainDefinition *definition, const char *text, const char *prefix,
                       const char *namespace_uri, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(string_builder_freep) GString *all = g_string_new(NULL);
        _cleanup_(freep) char *element = NULL;
        int r;

        r = metadata_open(definition->metadata, &document, error);
        if (r >= 0 && text && *text)
                r = element_build(text, prefix, namespace_uri, &element, error);
        if (r < 0)
                return r;
        for (const XmlNode *node = first_element(document); node; node = node->next) {
                _cleanup_(freep) char *other = NULL;

                if (g_strcmp0(node->namespace_uri, namespace_uri) == 0)
                        continue;
                other = xml_node_to_string(node);
                g_string_append_printf(all, "%s%s", all->len ? "\n" : "", other);
        }
        if (element)
                g_string_append_printf(all, "%s%s", all->len ? "\n" : "", element);
        if (element)
                r = elements_check(all->str, namespace_uri, error);
        if (r < 0)
                return r;
        g_free(definition->metadata);
        definition->metadata = text_or_none(all->str);
        return 0;
}

/* XML has no way to write some characters. */
static int text_check(const char *what, const char *text, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(freep) char *xml = g_markup_printf_escaped("<text>%s</text>", text ? text : "");

        return xml_parse(xml, strlen(xml), what, &document, error);
}

int domain_definition_set_metadata(DomainDefinition *definition, int kind, const char *text,
                                   const char *prefix, const char *namespace_uri, Error *error)
{
        int r;

        switch (kind) {
        case DOMAIN_METADATA_DESCRIPTION:
                r = text_check("description", text, error);
                if (r < 0)
                        return r;
                g_free(definition->description);
                definition->description = text_or_none(text);
                return 0;
        case DOMAIN_METADATA_TITLE:
                if (text && strchr(text, '\n'))
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "A title is one line: it has a newline");
                r = text_check("title", text, error);
                if (r < 0)
                        return r;
                g_free(definition->title);
                definition->title = text_or_none(text);
                return 0;
        case DOMAIN_METADATA_ELEMENT:
                if (!namespace_uri || !*namespace_uri)
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "An element of metadata needs the URI of its namespace");
                return element_set(definition, text, prefix, namespace_uri, error);
        default:
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Metadata has no kind %d: 0 (description), 1 (title) or 2 (element)", kind);
        }
}
