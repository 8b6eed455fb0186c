/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* XML in and out. Reading builds a small tree; Expat stands behind xml.c and xml-copy.c alone, without
 * entities or document types, with limits on size and depth, so that a hostile document costs little.
 * Writing is a buffer that indents as libvirt does: two spaces, single quotes, empty elements closed at
 * once. */

#include "core/error.h"

#define XML_ENCODING       "UTF-8" /* of every string on a bus, whatever it says of itself */
#define XML_SIZE_MAX       (16u * 1024 * 1024)
#define XML_DEPTH_MAX      128
#define XML_NAMESPACES_MAX 64 /* known to one element */
/* What the daemon has written itself, around what it was given: a status has a machine's definition twice.
 */
#define XML_STORED_SIZE_MAX       (4 * XML_SIZE_MAX)
#define XML_STORED_DEPTH_MAX      (XML_DEPTH_MAX + 8)
#define XML_STORED_NAMESPACES_MAX (XML_NAMESPACES_MAX + 8)

typedef struct XmlAttribute XmlAttribute;
typedef struct XmlNode XmlNode;

struct XmlAttribute {
        const char *name; /* with its prefix, as written */
        const char *value;
        XmlAttribute *next;
};

/* An element. Strings live as long as the document. Text is what stands directly in the element, joined. */
struct XmlNode {
        const char *name;          /* local name */
        const char *namespace_uri; /* NULL if it has none */
        const char *prefix;        /* NULL if it has none */
        const char *text;          /* NULL if there is none */
        unsigned line;             /* from 1, of its tag's beginning */
        uint32_t child_initials;   /* xml_initial() of each child's name: one without a bit is not there */
        XmlAttribute *attributes;
        XmlAttribute *namespaces;  /* its own, then its parents': named by their prefixes, "" for none */
        unsigned namespaces_count; /* of these */
        const char *source;        /* it and what is in it, in the text of the document */
        size_t source_size;
        XmlNode *parent, *first_child, *next;
};

static inline uint32_t xml_initial(char letter)
{
        return UINT32_C(1) << (letter & 31);
}

typedef struct XmlDocument XmlDocument;

/* Once, before threads read XML. */
void xml_open(void);

/* `what` names the document in errors ("domain"). `size` bytes, need not be NUL-terminated; NUL bytes
 * inside, invalid UTF-8, a document type, more than XML_SIZE_MAX bytes, XML_DEPTH_MAX levels or
 * XML_NAMESPACES_MAX namespaces are refused. The encoding that a document says it has does not matter. */
int xml_parse(const char *data, size_t size, const char *what, XmlDocument **ret_document, Error *error);
/* The same with the limits of what is stored: what was taken once has to be read again. */
int xml_parse_stored(const char *data, size_t size, const char *what, XmlDocument **ret_document,
                     Error *error);
XmlDocument *xml_document_free(XmlDocument *document);
DEFINE_CLEANUP(XmlDocument, xml_document_free)
XmlNode *xml_document_root(XmlDocument *document);

const char *xml_attribute(const XmlNode *node, const char *name);
/* The first child element of that name, or NULL. */
XmlNode *xml_child(const XmlNode *node, const char *name);
/* The next sibling of the same name, or NULL. */
XmlNode *xml_next(const XmlNode *node);
/* The first of these namespaces, up to `end`, that has that prefix (of `size` bytes, none for names without
 * one), or NULL. */
const XmlAttribute *xml_find_namespace(const XmlAttribute *namespaces, const XmlAttribute *end,
                                       const char *prefix, size_t size);
/* The prefix that the attribute of this name declares, "" where it is of names without one; NULL if it is
 * another attribute. */
const char *xml_declared_prefix(const char *name);
/* The element as it was written, comments and blanks included, with the namespaces that it has of its
 * parents and in libvirt's form: attributes in double quotes, an element without content closed at once. For
 * metadata. The caller frees it. */
char *xml_node_to_string(const XmlNode *node);

typedef struct XmlWriter XmlWriter;
XmlWriter *xml_writer_new(void);
XmlWriter *xml_writer_free(XmlWriter *writer);
DEFINE_CLEANUP(XmlWriter, xml_writer_free)
void xml_writer_open(XmlWriter *writer, const char *name);
/* The same with a name of that many bytes. */
void xml_writer_open_sized(XmlWriter *writer, const char *name, size_t size);
/* Only directly after xml_writer_open(). The value is escaped. */
void xml_writer_attribute(XmlWriter *writer, const char *name, const char *value);
/* Makes the open element one line: <name attributes>text</name>. */
void xml_writer_text(XmlWriter *writer, const char *text);
void xml_writer_close(XmlWriter *writer);
/* Text that is XML already, on lines of its own, indented to the present depth. */
void xml_writer_raw(XmlWriter *writer, const char *xml);
/* Ends the writer's life and gives its text, with a newline after the root. The caller frees it. */
char *xml_writer_finish(XmlWriter *writer);
