/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading XML. Expat finds the tokens, and our nodes are made as it goes. The text of the document is kept
 * with the place of each element in it, for xml-copy.c. A document type is refused as soon as it appears:
 * nothing of ours has one, and entities are how small documents become large. */

#include "core/xml.h"
#include <expat.h>
#include <stdarg.h>
#include <string.h>

#define ARENA_BLOCK_SIZE ((size_t)16 * 1024)
#define XML_NAMESPACE    "http://www.w3.org/XML/1998/namespace"

typedef struct Limits {
        size_t size;         /* bytes */
        unsigned depth;      /* elements within each other */
        unsigned namespaces; /* declared for one element, by it and its parents: each is looked at for it */
} Limits;

struct XmlDocument {
        GPtrArray *blocks; /* memory of nodes and strings, freed together */
        size_t block_left;
        char *source;
        XmlNode *root;
};

/* A document that is being read. */
typedef struct Reader {
        XML_Parser parser;
        XmlDocument *document;
        XmlNode *open; /* the innermost element */
        XmlNode *last; /* its last child */
        GString *text; /* of all that are open, one behind the other */
        size_t text_at[XML_STORED_DEPTH_MAX];
        unsigned depth; /* how many are open */
        const Limits *limits;
        const char *what;
        Error *error;
        int refusal; /* negative, with the error set */
} Reader;

DEFINE_FOREIGN_CLEANUP(struct XML_ParserStruct, XML_ParserFree)

void xml_open(void)
{
        /* With the first number GLib makes a locale for all threads. One that has to wait for that finds
         * errno set afterwards, and g_ascii_string_to_unsigned() takes its number for none. */
        (void)g_ascii_strtoull("0", NULL, 10);
}

XmlDocument *xml_document_free(XmlDocument *document)
{
        if (!document)
                return NULL;
        g_ptr_array_unref(document->blocks);
        g_free(document->source);
        g_free(document);
        return NULL;
}

/* Zeroed; what is large has a block of its own, before the one that is being filled. */
static void *arena_new(XmlDocument *document, size_t size)
{
        const size_t aligned = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
        char *block;

        if (aligned > ARENA_BLOCK_SIZE / 4) {
                block = g_malloc0(aligned);
                g_ptr_array_insert(document->blocks, 0, block);
                return block;
        }
        if (document->block_left < aligned) {
                g_ptr_array_add(document->blocks, g_malloc0(ARENA_BLOCK_SIZE));
                document->block_left = ARENA_BLOCK_SIZE;
        }
        block = g_ptr_array_index(document->blocks, document->blocks->len - 1);
        block += ARENA_BLOCK_SIZE - document->block_left;
        document->block_left -= aligned;
        return block;
}

static const char *keep(XmlDocument *document, const char *text, size_t size)
{
        return memcpy(arena_new(document, size + 1), text, size);
}

static void _printf_(3, 4) refuse(Reader *reader, unsigned long line, const char *format, ...)
{
        _cleanup_(freep) char *why = NULL;
        va_list arguments;

        va_start(arguments, format);
        why = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        reader->refusal =
                error_set(reader->error, ERROR_INVALID_XML, "%s: line %lu: %s", reader->what, line, why);
        (void)XML_StopParser(reader->parser, XML_FALSE); /* fails only if it has stopped */
}

const char *xml_declared_prefix(const char *name)
{
        if (!g_str_has_prefix(name, "xmlns") || (name[5] != '\0' && name[5] != ':'))
                return NULL;
        return name[5] ? name + 6 : "";
}

static XmlAttribute **append_attribute(XmlDocument *document, XmlAttribute **end, const char *name,
                                       const char *value)
{
        *end = arena_new(document, sizeof(XmlAttribute));
        **end = (XmlAttribute){
                .name = keep(document, name, strlen(name)),
                .value = keep(document, value, strlen(value)),
        };
        return &(*end)->next;
}

static void add_attributes(XmlDocument *document, XmlNode *node, const char **attributes)
{
        XmlAttribute **end = &node->attributes, **namespaces_end = &node->namespaces;

        for (; *attributes; attributes += 2) {
                const char *prefix = xml_declared_prefix(attributes[0]);

                node->namespaces_count += prefix ? 1 : 0;
                if (prefix)
                        namespaces_end = append_attribute(document, namespaces_end, prefix, attributes[1]);
                else
                        end = append_attribute(document, end, attributes[0], attributes[1]);
        }
        if (node->parent) {
                *namespaces_end = node->parent->namespaces;
                node->namespaces_count += node->parent->namespaces_count;
        }
}

const XmlAttribute *xml_find_namespace(const XmlAttribute *namespaces, const XmlAttribute *end,
                                       const char *prefix, size_t size)
{
        for (; namespaces != end; namespaces = namespaces->next)
                if (strncmp(namespaces->name, prefix, size) == 0 && namespaces->name[size] == '\0')
                        return namespaces;
        return NULL;
}

/* A prefix that nobody declared is part of the name. */
static void set_name(XmlDocument *document, XmlNode *node, const char *name)
{
        const char *colon = strchr(name, ':');
        const size_t size = colon ? (size_t)(colon - name) : 0;
        const XmlAttribute *declared = xml_find_namespace(node->namespaces, NULL, name, size);
        const char *uri = declared && *declared->value ? declared->value : NULL;

        if (!uri && size == strlen("xml") && g_str_has_prefix(name, "xml"))
                uri = XML_NAMESPACE;
        if (colon && uri) {
                node->prefix = keep(document, name, size);
                name = colon + 1;
        }
        node->namespace_uri = uri;
        node->name = keep(document, name, strlen(name));
}

static void element_starts(void *context, const char *name, const char **attributes)
{
        Reader *reader = context;
        XmlDocument *document = reader->document;
        XmlNode *parent = reader->open, *node;

        if (reader->refusal < 0)
                return;
        if (reader->depth >= reader->limits->depth) {
                refuse(reader, parent->line, "more than %u elements within each other",
                       reader->limits->depth);
                return;
        }
        node = arena_new(document, sizeof *node);
        node->source = document->source + XML_GetCurrentByteIndex(reader->parser);
        node->line = (unsigned)XML_GetCurrentLineNumber(reader->parser);
        node->parent = parent;
        add_attributes(document, node, attributes);
        if (node->namespaces_count > reader->limits->namespaces) {
                refuse(reader, node->line, "more than %u namespaces are declared",
                       reader->limits->namespaces);
                return;
        }
        set_name(document, node, name);
        if (!parent)
                document->root = node;
        else if (reader->last)
                reader->last->next = node;
        else
                parent->first_child = node;
        if (parent) /* what a foreign one is called is for its URI to say */
                parent->child_initials |= node->namespace_uri ? UINT32_MAX : xml_initial(node->name[0]);
        reader->text_at[reader->depth++] = reader->text->len;
        reader->open = node;
        reader->last = NULL;
}

static void element_ends(void *context, const char *name _unused_)
{
        Reader *reader = context;
        XmlNode *node = reader->open;
        const char *end = reader->document->source + XML_GetCurrentByteIndex(reader->parser) +
                          XML_GetCurrentByteCount(reader->parser);
        size_t text_at;

        if (reader->refusal < 0)
                return;
        node->source_size = (size_t)(end - node->source);
        text_at = reader->text_at[--reader->depth];
        if (reader->text->len > text_at)
                node->text =
                        keep(reader->document, reader->text->str + text_at, reader->text->len - text_at);
        g_string_truncate(reader->text, text_at);
        reader->open = node->parent;
        reader->last = node;
}

static void text_follows(void *context, const char *text, int size)
{
        Reader *reader = context;

        if (reader->refusal == 0)
                g_string_append_len(reader->text, text, size);
}

static void doctype_starts(void *context, const char *name _unused_, const char *system_id _unused_,
                           const char *public_id _unused_, int has_internal_subset _unused_)
{
        Reader *reader = context;

        refuse(reader, XML_GetCurrentLineNumber(reader->parser), "a document type is not allowed");
}

static int syntax_error(const Reader *reader)
{
        const enum XML_Error code = XML_GetErrorCode(reader->parser);
        const XmlNode *open = reader->open;
        _cleanup_(freep) char *within =
                open ? g_strdup_printf(", in the element '%s' of line %u", open->name, open->line) : NULL;

        return error_set(reader->error, ERROR_INVALID_XML, "%s: line %lu, column %lu: %s%s", reader->what,
                         XML_GetCurrentLineNumber(reader->parser),
                         XML_GetCurrentColumnNumber(reader->parser) + 1, XML_ErrorString(code),
                         within ? within : "");
}

static int parse_tree(Reader *reader, size_t size)
{
        _cleanup_(XML_ParserFreep) XML_Parser parser = XML_ParserCreate(XML_ENCODING);
        _cleanup_(string_builder_freep) GString *text = g_string_sized_new(1024);

        if (!parser)
                g_error("out of memory");
        reader->parser = parser;
        reader->text = text;
        XML_SetUserData(parser, reader);
        XML_SetElementHandler(parser, element_starts, element_ends);
        XML_SetCharacterDataHandler(parser, text_follows);
        XML_SetStartDoctypeDeclHandler(parser, doctype_starts);
        if (XML_Parse(parser, reader->document->source, (int)size, XML_TRUE) == XML_STATUS_OK)
                return 0;
        return reader->refusal < 0 ? reader->refusal : syntax_error(reader);
}

static int parse(const char *data, size_t size, const Limits *limits, const char *what,
                 XmlDocument **ret_document, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        int r;

        if (size > limits->size)
                return error_set(error, ERROR_INVALID_XML, "%s: %zu bytes of XML, at most %zu are read",
                                 what, size, limits->size);
        if (memchr(data, '\0', size))
                return error_set(error, ERROR_INVALID_XML, "%s: a NUL byte in the XML", what);

        document = g_new0(XmlDocument, 1);
        document->blocks = g_ptr_array_new_with_free_func(g_free);
        document->source = g_strndup(data, size);
        r = parse_tree(&(Reader){ .document = document, .limits = limits, .what = what, .error = error },
                       size);
        if (r < 0)
                return r;
        *ret_document = TAKE_PTR(document);
        return 0;
}

int xml_parse(const char *data, size_t size, const char *what, XmlDocument **ret_document, Error *error)
{
        static const Limits limits = { XML_SIZE_MAX, XML_DEPTH_MAX, XML_NAMESPACES_MAX };

        return parse(data, size, &limits, what, ret_document, error);
}

int xml_parse_stored(const char *data, size_t size, const char *what, XmlDocument **ret_document,
                     Error *error)
{
        static const Limits limits = { XML_STORED_SIZE_MAX, XML_STORED_DEPTH_MAX,
                                       XML_STORED_NAMESPACES_MAX };

        return parse(data, size, &limits, what, ret_document, error);
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
