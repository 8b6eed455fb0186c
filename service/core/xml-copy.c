/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Elements given out again as they were written: their part of the document is read once more, for what the
 * tree does not have (comments, instructions, where text stands), and written in libvirt's form. */

#include "core/xml.h"
#include <expat.h>
#include <string.h>

/* An element that is being written out again. */
typedef struct Copier {
        GString *text;
        const GPtrArray *namespaces; /* of XmlAttribute: the first element needs them; then NULL */
        bool is_tag_open, is_cdata;
} Copier;

DEFINE_FOREIGN_CLEANUP(struct XML_ParserStruct, XML_ParserFree)

static void need_prefix(GPtrArray *namespaces, const XmlNode *node, const XmlNode *top, const char *prefix,
                        size_t size)
{
        const XmlAttribute *of_parents = top->parent ? top->parent->namespaces : NULL, *declared;

        if (xml_find_namespace(node->namespaces, of_parents, prefix, size))
                return;
        declared = xml_find_namespace(of_parents, NULL, prefix, size);
        if (declared && *declared->value && !g_ptr_array_find(namespaces, declared, NULL))
                g_ptr_array_add(namespaces, (void *)declared);
}

/* The namespaces that the parents of `top` declared and it or what is in it uses. As deep as the document.
 */
static void collect_namespaces(GPtrArray *namespaces, const XmlNode *node, const XmlNode *top)
{
        const char *prefix = node->prefix ? node->prefix : "";

        if (node->namespace_uri)
                need_prefix(namespaces, node, top, prefix, strlen(prefix));
        for (const XmlAttribute *attribute = node->attributes; attribute; attribute = attribute->next) {
                const char *colon = strchr(attribute->name, ':');

                if (colon)
                        need_prefix(namespaces, node, top, attribute->name,
                                    (size_t)(colon - attribute->name));
        }
        for (const XmlNode *child = node->first_child; child; child = child->next)
                collect_namespaces(namespaces, child, top);
}

static void append_escaped(GString *text, const char *value, size_t size, bool is_attribute)
{
        const char *end = value + size;

        for (; value < end; value++) {
                if (*value == '<')
                        g_string_append(text, "&lt;");
                else if (*value == '>')
                        g_string_append(text, "&gt;");
                else if (*value == '&')
                        g_string_append(text, "&amp;");
                else if (*value == '"' && is_attribute)
                        g_string_append(text, "&quot;");
                else if (*value == '\r' || (is_attribute && (*value == '\n' || *value == '\t')))
                        g_string_append_printf(text, "&#%d;", *value);
                else
                        g_string_append_c(text, *value);
        }
}

static void end_tag(Copier *copier)
{
        if (copier->is_tag_open)
                g_string_append_c(copier->text, '>');
        copier->is_tag_open = false;
}

static void copy_attribute(Copier *copier, const char *name, const char *suffix, const char *value)
{
        g_string_append_printf(copier->text, " %s%s=\"", name, suffix);
        append_escaped(copier->text, value, strlen(value), true);
        g_string_append_c(copier->text, '"');
}

static void copy_start(void *context, const char *name, const char **attributes)
{
        Copier *copier = context;

        end_tag(copier);
        g_string_append_printf(copier->text, "<%s", name);
        for (const char **a = attributes; *a; a += 2)
                if (xml_declared_prefix(a[0]))
                        copy_attribute(copier, a[0], "", a[1]);
        for (unsigned i = 0; copier->namespaces && i < copier->namespaces->len; i++) {
                const XmlAttribute *declared = g_ptr_array_index(copier->namespaces, i);

                copy_attribute(copier, *declared->name ? "xmlns:" : "xmlns", declared->name,
                               declared->value);
        }
        copier->namespaces = NULL;
        for (const char **a = attributes; *a; a += 2)
                if (!xml_declared_prefix(a[0]))
                        copy_attribute(copier, a[0], "", a[1]);
        copier->is_tag_open = true;
}

static void copy_end(void *context, const char *name)
{
        Copier *copier = context;

        if (copier->is_tag_open)
                g_string_append(copier->text, "/>");
        else
                g_string_append_printf(copier->text, "</%s>", name);
        copier->is_tag_open = false;
}

static void copy_text(void *context, const char *text, int size)
{
        Copier *copier = context;

        end_tag(copier);
        if (copier->is_cdata)
                g_string_append_len(copier->text, text, size);
        else
                append_escaped(copier->text, text, (size_t)size, false);
}

static void copy_comment(void *context, const char *text)
{
        Copier *copier = context;

        end_tag(copier);
        g_string_append_printf(copier->text, "<!--%s-->", text);
}

static void copy_instruction(void *context, const char *target, const char *data)
{
        Copier *copier = context;

        end_tag(copier);
        g_string_append_printf(copier->text, "<?%s%s%s?>", target, *data ? " " : "", data);
}

static void copy_cdata_start(void *context)
{
        Copier *copier = context;

        end_tag(copier);
        copier->is_cdata = true;
        g_string_append(copier->text, "<![CDATA[");
}

static void copy_cdata_end(void *context)
{
        Copier *copier = context;

        copier->is_cdata = false;
        g_string_append(copier->text, "]]>");
}

char *xml_node_to_string(const XmlNode *node)
{
        _cleanup_(XML_ParserFreep) XML_Parser parser = XML_ParserCreate(XML_ENCODING);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *namespaces = g_ptr_array_new();
        Copier copier = { .text = g_string_new(NULL), .namespaces = namespaces };

        if (!parser)
                g_error("out of memory");
        collect_namespaces(namespaces, node, node);
        XML_SetUserData(parser, &copier);
        XML_SetElementHandler(parser, copy_start, copy_end);
        XML_SetCharacterDataHandler(parser, copy_text);
        XML_SetCommentHandler(parser, copy_comment);
        XML_SetProcessingInstructionHandler(parser, copy_instruction);
        XML_SetCdataSectionHandler(parser, copy_cdata_start, copy_cdata_end);
        if (XML_Parse(parser, node->source, (int)node->source_size, XML_TRUE) != XML_STATUS_OK)
                g_error("out of memory"); /* it was read before */
        return g_string_free(copier.text, FALSE);
}
