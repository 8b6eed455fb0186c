/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading XML. libxml2 parses; its tree stays for as long as the document, and our nodes, which are all that
 * anybody else sees, point into it. A document type is refused as soon as it appears: nothing of ours has
 * one, and entities are how small documents become large. */

#include "core/xml.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define ARENA_BLOCK_SIZE ((size_t)16 * 1024)

/* What others see, with the node that it stands for. */
typedef struct Element {
        XmlNode node;
        xmlNode *source;
} Element;

struct XmlDocument {
        xmlDoc *tree;
        GPtrArray *blocks; /* memory of nodes and attributes, freed together */
        size_t block_left;
        GPtrArray *texts; /* strings that had to be joined */
        unsigned depth_max;
        XmlNode *root;
};

typedef struct Refusal {
        bool has_doctype;
} Refusal;

DEFINE_FOREIGN_CLEANUP(xmlParserCtxt, xmlFreeParserCtxt)

void xml_open(void)
{
        xmlInitParser();
        /* With the first number GLib makes a locale for all threads. One that has to wait for that finds
         * errno set afterwards, and g_ascii_string_to_unsigned() takes its number for none. */
        (void)g_ascii_strtoull("0", NULL, 10);
}

XmlDocument *xml_document_free(XmlDocument *document)
{
        if (!document)
                return NULL;
        if (document->tree)
                xmlFreeDoc(document->tree);
        g_ptr_array_unref(document->blocks);
        g_ptr_array_unref(document->texts);
        g_free(document);
        return NULL;
}

static void *arena_new(XmlDocument *document, size_t size)
{
        if (document->block_left < size) {
                g_ptr_array_add(document->blocks, g_malloc0(ARENA_BLOCK_SIZE));
                document->block_left = ARENA_BLOCK_SIZE;
        }

        char *block = g_ptr_array_index(document->blocks, document->blocks->len - 1);
        void *place = block + (ARENA_BLOCK_SIZE - document->block_left);

        document->block_left -= size;
        return place;
}

static const char *keep(XmlDocument *document, char *text)
{
        g_ptr_array_add(document->texts, text);
        return text;
}

static bool is_text(const xmlNode *node)
{
        return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

/* The text directly in the list, without a copy where it is one piece. */
static const char *text_of(XmlDocument *document, const xmlNode *first)
{
        const xmlNode *only = NULL;
        GString *joined = NULL;

        for (const xmlNode *node = first; node; node = node->next) {
                if (!is_text(node))
                        continue;
                if (!only) {
                        only = node;
                        continue;
                }
                if (!joined)
                        joined = g_string_new((const char *)only->content);
                g_string_append(joined, (const char *)node->content);
        }
        if (joined)
                return keep(document, g_string_free(joined, FALSE));
        return only ? (const char *)only->content : NULL;
}

static void add_attributes(XmlDocument *document, XmlNode *node, const xmlNode *source)
{
        XmlAttribute **end = &node->attributes;

        for (const xmlAttr *attribute = source->properties; attribute; attribute = attribute->next) {
                const char *name = (const char *)attribute->name;
                const char *value = text_of(document, attribute->children);

                if (attribute->ns && attribute->ns->prefix)
                        name = keep(document,
                                    g_strdup_printf("%s:%s", attribute->ns->prefix, attribute->name));
                *end = arena_new(document, sizeof(XmlAttribute));
                **end = (XmlAttribute){ .name = name, .value = value ? value : "" };
                end = &(*end)->next;
        }
}

static XmlNode *add_element(XmlDocument *document, XmlNode *parent, xmlNode *source)
{
        Element *element = arena_new(document, sizeof(Element));
        long line = xmlGetLineNo(source);

        element->source = source;
        element->node = (XmlNode){
                .name = (const char *)source->name,
                .namespace_uri = source->ns ? (const char *)source->ns->href : NULL,
                .prefix = source->ns ? (const char *)source->ns->prefix : NULL,
                .text = text_of(document, source->children),
                .line = line > 0 ? (unsigned)line : 0,
                .parent = parent,
        };
        add_attributes(document, &element->node, source);
        return &element->node;
}

/* Recursion ends when no level is left. */
static int add_children(XmlDocument *document, XmlNode *parent, xmlNode *source, unsigned levels,
                        const char *what, Error *error)
{
        XmlNode **end = &parent->first_child;

        if (levels == 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "%s: line %u: more than %u elements within each other", what, parent->line,
                                 document->depth_max);
        for (xmlNode *child = source->children; child; child = child->next) {
                if (child->type == XML_ENTITY_REF_NODE)
                        return error_set(error, ERROR_INVALID_XML, "%s: line %u: entity '%s' is not defined",
                                         what, parent->line, child->name);
                if (child->type != XML_ELEMENT_NODE)
                        continue;
                *end = add_element(document, parent, child);
                /* What a foreign one is called is for its URI to say. */
                parent->child_initials |= child->ns ? UINT32_MAX : xml_initial((*end)->name[0]);

                int r = add_children(document, *end, child, levels - 1, what, error);

                if (r < 0)
                        return r;
                end = &(*end)->next;
        }
        return 0;
}

static void refuse_doctype(void *context, const xmlChar *name _unused_, const xmlChar *external_id _unused_,
                           const xmlChar *system_id _unused_)
{
        xmlParserCtxt *parser = context;
        Refusal *refusal = parser->_private;

        refusal->has_doctype = true;
        xmlStopParser(parser);
}

static int parse_error(xmlParserCtxt *parser, const char *what, Error *error)
{
        const xmlError *failure = xmlCtxtGetLastError(parser);
        _cleanup_(freep) char *message =
                g_strdup(failure && failure->message ? failure->message : "not XML");

        return error_set(error, ERROR_INVALID_XML, "%s: line %d: %s", what, failure ? failure->line : 1,
                         g_strchomp(message));
}

static int parse_tree(const char *data, size_t size, const char *what, xmlDoc **ret_tree, Error *error)
{
        _cleanup_(xmlFreeParserCtxtp) xmlParserCtxt *parser = xmlNewParserCtxt();
        Refusal refusal = { 0 };

        if (!parser)
                g_error("out of memory");
        parser->_private = &refusal;
        parser->sax->internalSubset = refuse_doctype;
        xmlDoc *tree = xmlCtxtReadMemory(parser, data, (int)size, NULL, NULL,
                                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                                 XML_PARSE_BIG_LINES | XML_PARSE_COMPACT);

        if (refusal.has_doctype) {
                xmlFreeDoc(tree);
                return error_set(error, ERROR_INVALID_XML, "%s: line %d: a document type is not allowed",
                                 what, parser->input ? parser->input->line : 1);
        }
        if (!tree || !xmlDocGetRootElement(tree)) {
                xmlFreeDoc(tree);
                return parse_error(parser, what, error);
        }
        *ret_tree = tree;
        return 0;
}

static int parse(const char *data, size_t size, size_t size_max, unsigned depth_max, const char *what,
                 XmlDocument **ret_document, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        int r;

        if (size > size_max)
                return error_set(error, ERROR_INVALID_XML, "%s: %zu bytes of XML, at most %zu are read",
                                 what, size, size_max);
        if (memchr(data, '\0', size))
                return error_set(error, ERROR_INVALID_XML, "%s: a NUL byte in the XML", what);

        document = g_new0(XmlDocument, 1);
        document->blocks = g_ptr_array_new_with_free_func(g_free);
        document->texts = g_ptr_array_new_with_free_func(g_free);
        document->depth_max = depth_max;
        r = parse_tree(data, size, what, &document->tree, error);
        if (r < 0)
                return r;

        xmlNode *root = xmlDocGetRootElement(document->tree);

        document->root = add_element(document, NULL, root);
        r = add_children(document, document->root, root, depth_max, what, error);
        if (r < 0)
                return r;
        *ret_document = TAKE_PTR(document);
        return 0;
}

int xml_parse(const char *data, size_t size, const char *what, XmlDocument **ret_document, Error *error)
{
        return parse(data, size, XML_SIZE_MAX, XML_DEPTH_MAX, what, ret_document, error);
}

int xml_parse_stored(const char *data, size_t size, const char *what, XmlDocument **ret_document,
                     Error *error)
{
        return parse(data, size, XML_STORED_SIZE_MAX, XML_STORED_DEPTH_MAX, what, ret_document, error);
}

XmlNode *xml_document_root(XmlDocument *document)
{
        return document->root;
}

const char *xml_attribute(const XmlNode *node, const char *name)
{
        for (const XmlAttribute *attribute = node->attributes; attribute; attribute = attribute->next)
                if (strcmp(attribute->name, name) == 0)
                        return attribute->value;
        return NULL;
}

static XmlNode *find(XmlNode *node, const char *name)
{
        while (node && strcmp(node->name, name) != 0)
                node = node->next;
        return node;
}

XmlNode *xml_child(const XmlNode *node, const char *name)
{
        return find(node->first_child, name);
}

XmlNode *xml_next(const XmlNode *node)
{
        return find(node->next, node->name);
}

char *xml_node_to_string(const XmlNode *node)
{
        const Element *element = (const Element *)node;
        /* The copy declares the namespaces that the original had from its parents. */
        xmlNode *copy = xmlDocCopyNode(element->source, element->source->doc, 1);
        xmlBuffer *buffer = xmlBufferCreate();

        if (!copy || !buffer)
                g_error("out of memory");
        (void)xmlNodeDump(buffer, element->source->doc, copy, 0,
                          0); /* into memory: fails only without any */

        char *text = g_strdup((const char *)xmlBufferContent(buffer));

        xmlBufferFree(buffer);
        xmlFreeNode(copy);
        return text;
}
