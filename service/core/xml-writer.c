/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writing XML: a buffer, the names of the open elements, and whether the last tag is still open for
 * attributes. */

#include "core/xml.h"
#include <string.h>

#define INDENT 2

struct XmlWriter {
        GString *text;
        GPtrArray *open; /* of names, owned */
        bool is_tag_open;
        bool has_text; /* the innermost element is one line */
};

XmlWriter *xml_writer_new(void)
{
        XmlWriter *writer = g_new0(XmlWriter, 1);

        writer->text = g_string_sized_new(1024);
        writer->open = g_ptr_array_new_with_free_func(g_free);
        return writer;
}

XmlWriter *xml_writer_free(XmlWriter *writer)
{
        if (!writer)
                return NULL;
        string_builder_freep(&writer->text);
        g_ptr_array_unref(writer->open);
        g_free(writer);
        return NULL;
}

static void indent(XmlWriter *writer)
{
        for (guint i = 0; i < writer->open->len * INDENT; i++)
                g_string_append_c(writer->text, ' ');
}

static void end_tag(XmlWriter *writer, const char *end)
{
        if (writer->is_tag_open)
                g_string_append(writer->text, end);
        writer->is_tag_open = false;
}

static void append_escaped(GString *text, const char *value, bool is_attribute)
{
        for (const char *c = value; *c; c++) {
                if (*c == '<')
                        g_string_append(text, "&lt;");
                else if (*c == '>')
                        g_string_append(text, "&gt;");
                else if (*c == '&')
                        g_string_append(text, "&amp;");
                else if (*c == '\'')
                        g_string_append(text, "&apos;");
                else if (*c == '"')
                        g_string_append(text, "&quot;");
                else if ((*c == '\n' || *c == '\t') && is_attribute)
                        g_string_append_printf(text, "&#%d;", *c); /* a parser would make blanks of them */
                else if (*c == '\r')
                        g_string_append(text, "&#13;");
                else
                        g_string_append_c(text, *c);
        }
}

void xml_writer_open(XmlWriter *writer, const char *name)
{
        g_assert(!writer->has_text);
        end_tag(writer, ">\n");
        indent(writer);
        g_string_append_printf(writer->text, "<%s", name);
        g_ptr_array_add(writer->open, g_strdup(name));
        writer->is_tag_open = true;
}

void xml_writer_attribute(XmlWriter *writer, const char *name, const char *value)
{
        g_assert(writer->is_tag_open);
        g_string_append_printf(writer->text, " %s='", name);
        append_escaped(writer->text, value, true);
        g_string_append_c(writer->text, '\'');
}

void xml_writer_text(XmlWriter *writer, const char *text)
{
        end_tag(writer, ">");
        append_escaped(writer->text, text, false);
        writer->has_text = true;
}

void xml_writer_close(XmlWriter *writer)
{
        _cleanup_(freep) char *name = g_ptr_array_steal_index(writer->open, writer->open->len - 1);

        if (writer->is_tag_open) {
                end_tag(writer, "/>\n");
                return;
        }
        if (!writer->has_text)
                indent(writer);
        writer->has_text = false;
        g_string_append_printf(writer->text, "</%s>\n", name);
}

void xml_writer_raw(XmlWriter *writer, const char *xml)
{
        end_tag(writer, ">\n");
        indent(writer);
        g_string_append(writer->text, xml);
        if (!g_str_has_suffix(xml, "\n"))
                g_string_append_c(writer->text, '\n');
}

char *xml_writer_finish(XmlWriter *writer)
{
        char *text;

        g_assert(writer->open->len == 0);
        text = g_string_free(TAKE_PTR(writer->text), FALSE);
        xml_writer_free(writer);
        return text;
}
