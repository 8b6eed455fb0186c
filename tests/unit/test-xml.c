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
        g_string_assign(deep, "<a");
        for (unsigned i = 0; i < XML_NAMESPACES_MAX; i++)
                g_string_append_printf(deep, " xmlns:n%u='urn:n'", i);
        g_string_append(deep, "><b xmlns='urn:b'/></a>");
        refuse(deep->str, deep->len, "line 1: more than 64 namespaces are declared");
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

static void an_element_is_given_out_as_it_was_written(void **state)
{
        static const struct {
                const char *document, *child;
        } cases[] = {
                { "<m> <a:x xmlns:a=\"urn:a\"  one='1'> <!-- kept --><a:y></a:y></a:x></m>",
                  "<a:x xmlns:a=\"urn:a\" one=\"1\"> <!-- kept --><a:y/></a:x>" },
                /* What the parents declared, as far as it is used, and once. */
                { "<m xmlns:a='urn:a' xmlns:b='urn:b' xmlns:c='urn:c'><x b:q='1'><a:y/><a:z/></x></m>",
                  "<x xmlns:b=\"urn:b\" xmlns:a=\"urn:a\" b:q=\"1\"><a:y/><a:z/></x>" },
                { "<m xmlns='urn:m'><x xmlns:a='urn:a'><y xmlns=''/></x></m>",
                  "<x xmlns:a=\"urn:a\" xmlns=\"urn:m\"><y xmlns=\"\"/></x>" },
                { "<m xmlns:a='urn:1'><x xmlns:a='urn:&quot;2&amp;'><a:y/></x></m>",
                  "<x xmlns:a=\"urn:&quot;2&amp;\"><a:y/></x>" },
                { "<m><no:x xml:lang='de'/></m>", "<no:x xml:lang=\"de\"/>" },
                { "<m><x><![CDATA[<&]]> a &lt; b &gt; \"c\" &amp;&#13;\r\n\xc3\xa4<?p d?><?q?></x></m>",
                  "<x><![CDATA[<&]]> a &lt; b &gt; \"c\" &amp;&#13;\n\xc3\xa4<?p d?><?q?></x>" },
                { "<m><x a='&#9;&#10;\n&quot;&apos;'/></m>", "<x a=\"&#9;&#10; &quot;'\"/>" },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                _cleanup_(xml_document_freep) XmlDocument *document = parse(cases[i].document);
                _cleanup_(freep) char *text = xml_node_to_string(xml_document_root(document)->first_child);

                assert_string_equal(text, cases[i].child);
        }
}

static void names_and_text_are_put_together(void **state)
{
        _cleanup_(xml_document_freep) XmlDocument *document =
                parse("\xef\xbb\xbf<?xml version='1.0' encoding='ISO-8859-1'?>\n"
                      "<a xmlns='urn:a'>one<b\n xmlns=''>in</b> &amp; <![CDATA[<two>]]><no:c/></a>");
        const XmlNode *root = xml_document_root(document), *child = xml_child(root, "b");

        (void)state;
        assert_string_equal(root->text, "one & <two>"); /* UTF-8, whatever it calls itself */
        assert_string_equal(root->namespace_uri, "urn:a");
        assert_null(root->prefix);
        assert_string_equal(child->text, "in");
        assert_null(child->namespace_uri);
        assert_int_equal(child->line, 2);
        child = child->next;
        assert_string_equal(child->name, "no:c"); /* nobody declared it */
        assert_null(child->prefix);
        assert_int_equal(child->line, 3);
        assert_null(child->next);
}

static void an_error_says_where(void **state)
{
        static const char *const cases[][2] = {
                { "<a>\n <b>\n </a>",
                  "test: line 3, column 4: mismatched tag, in the element 'b' of line 2" },
                { "<a>\n <b>", "test: line 2, column 5: no element found, in the element 'b' of line 2" },
                { "<a>\n&x;</a>", "test: line 2, column 1: undefined entity, in the element 'a' of line 1" },
                { "<a b='1' b='2'/>", "test: line 1, column 10: duplicate attribute" },
                { "a", "test: line 1, column 1: syntax error" },
                { "<a/>\n<b/>", "test: line 2, column 1: junk after document element" },
                { "<?xml version='1.0'?>\n<!DOCTYPE a><a/>",
                  "test: line 2: a document type is not allowed" },
                { "<a>\x01</a>",
                  "test: line 1, column 4: not well-formed (invalid token), in the element 'a'" },
        };

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
                refuse(cases[i][0], strlen(cases[i][0]), cases[i][1]);
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
                cmocka_unit_test(reads_what_is_written),
                cmocka_unit_test(refuses_what_is_bad),
                cmocka_unit_test(writes_as_libvirt_does),
                cmocka_unit_test(what_is_written_is_read_again),
                cmocka_unit_test(an_element_is_given_out_as_it_was_written),
                cmocka_unit_test(names_and_text_are_put_together),
                cmocka_unit_test(an_error_says_where),
                cmocka_unit_test(uuids_have_many_forms),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
