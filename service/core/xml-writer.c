/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writing XML: a buffer, where in it the names of the open elements stand, and whether the last tag is still
 * open for attributes. */

#include "core/xml.h"
#include <string.h>

#define INDENT 2

typedef struct Name {
        size_t at, size; /* in the text */
} Name;

struct XmlWriter {
        GString *text;
        GArray *open; /* of Name */
        bool is_tag_open;
        bool has_text; /* the innermost element is one line */
};

XmlWriter *xml_writer_new(void)
{
        XmlWriter *writer = g_new0(XmlWriter, 1);

        writer->text = g_string_sized_new(8192); /* most definitions */
        writer->open = g_array_new(false, false, sizeof(Name));
        return writer;
}

XmlWriter *xml_writer_free(XmlWriter *writer)
{
        if (!writer)
                return NULL;
        string_builder_freep(&writer->text);
        g_array_unref(writer->open);
        g_free(writer);
        return NULL;
}

static void indent(XmlWriter *writer)
{
        static const char blanks[] = "                                ";

        for (size_t left = (size_t)writer->open->len * INDENT, size; left > 0; left -= size) {
                size = MIN(left, sizeof blanks - 1);
                g_string_append_len(writer->text, blanks, (gssize)size);
        }
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
                size_t plain = strcspn(c, "<>&'\"\n\t\r");

                g_string_append_len(text, c, (gssize)plain);
                c += plain;
                if (*c == '\0')
                        return;
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
        xml_writer_open_sized(writer, name, strlen(name));
}

void xml_writer_open_sized(XmlWriter *writer, const char *name, size_t size)
{
        Name open = { .size = size };

        g_assert(!writer->has_text);
        end_tag(writer, ">\n");
        indent(writer);
        g_string_append_c(writer->text, '<');
        open.at = writer->text->len;
        g_string_append_len(writer->text, name, (gssize)size);
        g_array_append_val(writer->open, open);
        writer->is_tag_open = true;
}

void xml_writer_attribute(XmlWriter *writer, const char *name, const char *value)
{
        g_assert(writer->is_tag_open);
        g_string_append_c(writer->text, ' ');
        g_string_append(writer->text, name);
        g_string_append(writer->text, "='");
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
        const Name name = g_array_index(writer->open, Name, writer->open->len - 1);

        g_array_set_size(writer->open, writer->open->len - 1);
        if (writer->is_tag_open) {
                end_tag(writer, "/>\n");
                return;
        }
        if (!writer->has_text)
                indent(writer);
        writer->has_text = false;
        g_string_append(writer->text, "</");
        g_string_append_len(writer->text, writer->text->str + name.at, (gssize)name.size);
        g_string_append(writer->text, ">\n");
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
