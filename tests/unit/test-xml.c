/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* XML in and out: what is read, what is refused and why, and how it is written. */

#include "core/uuid.h"
#include "core/xml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static XmlDocument *parse(const char *text)
{
        _cleanup_(error_clear) Error error = {};
        XmlDocument *document = NULL;

        if (xml_parse(text, strlen(text), "test", &document, &error) < 0)
                fail_msg("%s", error.message);
        return document;
}

static void reads_what_is_written(void **state)
{
        _cleanup_(xml_document_freep) XmlDocument *document =
                parse("<a x='1' q:y='&lt;2' xmlns:q='urn:q'>\n <b>one &amp; "
                      "two</b><c/><b>three</b><q:d>z</q:d></a>");
        const XmlNode *root = xml_document_root(document), *child;

        (void)state;
        assert_string_equal(root->name, "a");
        assert_string_equal(xml_attribute(root, "x"), "1");
        assert_null(xml_attribute(root, "z"));
        child = xml_child(root, "b");
        assert_string_equal(child->text, "one & two");
        child = xml_next(child);
        assert_string_equal(child->text, "three");
        assert_null(xml_next(child));
        child = xml_child(root, "d");
        assert_string_equal(child->namespace_uri, "urn:q");
        assert_string_equal(child->prefix, "q");
        assert_int_equal(child->line, 2);
}

static void refuse(const char *text, size_t size, const char *why)
{
        _cleanup_(error_clear) Error error = {};
        XmlDocument *document = NULL;

        assert_true(xml_parse(text, size, "test", &document, &error) < 0);
        assert_null(document);
        assert_int_equal(error.code, ERROR_INVALID_XML);
        if (!strstr(error.message, why))
                fail_msg("'%s' does not say '%s'", error.message, why);
}

/* In place of what is there. */
static void set_levels(GString *text, unsigned count)
{
        g_string_truncate(text, 0);
        for (unsigned i = 0; i < count; i++)
                g_string_append(text, "<a>");
        for (unsigned i = 0; i < count; i++)
                g_string_append(text, "</a>");
}

static void refuses_what_is_bad(void **state)
{
        _cleanup_(string_builder_freep) GString *deep = g_string_new(NULL);
        _cleanup_(freep) char *big = g_malloc0(XML_SIZE_MAX + 2);
        _cleanup_(xml_document_freep) XmlDocument *document = NULL, *other = NULL;
        _cleanup_(error_clear) Error error = {};

        (void)state;
        refuse("", 0, "test");
        refuse("<a>", 3, "test");
        refuse("<a/><b/>", 8, "test");
        refuse("<a>\xff</a>", 8, "test");
        refuse("<a\0/>", 5, "NUL");
        refuse("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 40, "test");
        set_levels(deep, XML_DEPTH_MAX + 1);
        refuse(deep->str, deep->len, "more than 128 elements within each other");
        assert_int_equal(xml_parse_stored(deep->str, deep->len, "test", &document, NULL), 0);
        set_levels(deep, XML_STORED_DEPTH_MAX + 1);
        assert_true(xml_parse_stored(deep->str, deep->len, "test", &other, &error) < 0);
        assert_non_null(strstr(error.message, "more than 136 elements within each other"));
        memset(big, ' ', XML_SIZE_MAX + 1);
        memcpy(big, "<a/>", 4);
        refuse(big, XML_SIZE_MAX + 1, "16");
}

static void writes_as_libvirt_does(void **state)
{
        XmlWriter *writer = xml_writer_new();
        _cleanup_(freep) char *text = NULL;

        (void)state;
        xml_writer_open(writer, "domain");
        xml_writer_attribute(writer, "type", "k'v\"m<");
        xml_writer_open(writer, "name");
        xml_writer_text(writer, "a & b");
        xml_writer_close(writer);
        xml_writer_open(writer, "features");
        xml_writer_open(writer, "acpi");
        xml_writer_close(writer);
        xml_writer_close(writer);
        xml_writer_close(writer);
        text = xml_writer_finish(writer);
        assert_string_equal(text, "<domain type='k&apos;v&quot;m&lt;'>\n"
                                  "  <name>a &amp; b</name>\n"
                                  "  <features>\n"
                                  "    <acpi/>\n"
                                  "  </features>\n"
                                  "</domain>\n");
}

static void what_is_written_is_read_again(void **state)
{
        static const char value[] = "<\"'&\t\n\r> \xc3\xa4";
        XmlWriter *writer = xml_writer_new();
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(freep) char *text = NULL;

        (void)state;
        xml_writer_open(writer, "a");
        xml_writer_attribute(writer, "b", value);
        xml_writer_text(writer, value);
        xml_writer_close(writer);
        text = xml_writer_finish(writer);
        document = parse(text);
        assert_string_equal(xml_attribute(xml_document_root(document), "b"), value);
        assert_string_equal(xml_document_root(document)->text, value);
}

static void a_node_keeps_its_bytes(void **state)
{
        static const char inner[] = "<app:x xmlns:app=\"urn:app\"  one='1'><!-- kept --><app:y/></app:x>";
        _cleanup_(freep) char *whole = g_strdup_printf("<metadata>\n  %s\n</metadata>", inner);
        _cleanup_(xml_document_freep) XmlDocument *document = parse(whole);
        _cleanup_(freep) char *text = xml_node_to_string(xml_document_root(document)->first_child);
        _cleanup_(xml_document_freep) XmlDocument *again = parse(text);

        (void)state;
        assert_non_null(strstr(text, "<!-- kept -->"));
        assert_string_equal(xml_document_root(again)->namespace_uri, "urn:app");
}

static void uuids_have_many_forms(void **state)
{
        char uuid[UUID_STRING_MAX] = "unchanged";

        (void)state;
        assert_true(uuid_parse("6695EB01F6A4830479AA97F2502E193F", uuid));
        assert_string_equal(uuid, "6695eb01-f6a4-8304-79aa-97f2502e193f");
        assert_true(uuid_parse("6695eb01-f6a4-8304-79aa-97f2502e193f", uuid));
        assert_false(uuid_parse("6695eb01-f6a4-8304-79aa-97f2502e193", uuid));
        assert_false(uuid_parse("6695eb01-f6a4-8304-79aa-97f2502e193f0", uuid));
        assert_false(uuid_parse("6695eb01-f6a4-8304-79aa-97f2502e193g", uuid));
        assert_false(uuid_parse("", uuid));
        assert_string_equal(uuid, "6695eb01-f6a4-8304-79aa-97f2502e193f");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_what_is_written),  cmocka_unit_test(refuses_what_is_bad),
                cmocka_unit_test(writes_as_libvirt_does), cmocka_unit_test(what_is_written_is_read_again),
                cmocka_unit_test(a_node_keeps_its_bytes), cmocka_unit_test(uuids_have_many_forms),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
