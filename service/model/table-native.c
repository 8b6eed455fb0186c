/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Native values that are not structures: what a text, a number, a boolean or a list of texts means to a
 * field, and how an error says where it stood. Whatever a document could not say is refused, for what is
 * read here is written as one. */

#include "model/table-native.h"
#include <string.h>

static void place_write(const NativePlace *place, GString *path)
{
        if (!place)
                return;
        place_write(place->above, path);
        if (!place->key)
                g_string_append_printf(path, "[%zu]", place->index);
        else if (*place->key)
                g_string_append_printf(path, "%s%s", path->len ? "." : "", place->key);
}

int native_refuse(const NativePlace *place, Error *error, const char *what)
{
        _cleanup_(string_builder_freep) GString *path = g_string_new(NULL);

        place_write(place, path);
        return error_set(error, ERROR_INVALID_ARGUMENT, "%s%s%s", path->str, path->len ? ": " : "", what);
}

/* Checks of XML name the line, and a line this has not. */
int native_pass_refusal(const NativePlace *place, Error *cause, Error *error)
{
        static const char no_line[] = "line 0: ";
        const char *message = cause->message;
        _cleanup_(string_builder_freep) GString *path = g_string_new(NULL);
        ErrorCode code = cause->code == ERROR_INVALID_XML ? ERROR_INVALID_ARGUMENT : cause->code;

        if (g_str_has_prefix(message, no_line))
                message += strlen(no_line);
        place_write(place, path);
        return error_set(error, code, "%s%s%s", path->str, path->len ? ": " : "", message);
}

GVariant *native_unwrap(GVariant *value)
{
        while (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
                GVariant *inner = g_variant_get_variant(value);

                g_variant_unref(value);
                value = inner;
        }
        return value;
}

bool native_is_writable(const char *text)
{
        if (!g_utf8_validate(text, -1, NULL))
                return false;
        for (; *text; text = g_utf8_next_char(text)) {
                gunichar c = g_utf8_get_char(text);

                if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0xfffe || c == 0xffff)
                        return false;
        }
        return true;
}

static int text_from_variant(const NativePlace *place, const Field *field, const char *text, void *object,
                             Error *error)
{
        _cleanup_(freep) char *expected = NULL, *shown = NULL, *message = NULL;

        if (!native_is_writable(text))
                return native_refuse(place, error, "the text has characters that XML cannot have");
        if (field_from_text(object, field, text, NULL, &expected) == 0)
                return 0;
        shown = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), 60));
        message = g_strdup_printf("'%s': %s expected", shown, expected);
        return native_refuse(place, error, message);
}

/* A number as text in the field's own base: then text has the only rules for ranges. */
static bool number_to_text(const Field *field, GVariant *value, char *ret_text, size_t size)
{
        uint64_t number;
        int64_t maybe_negative = 0;

        switch (g_variant_classify(value)) {
        case G_VARIANT_CLASS_BYTE:
                number = g_variant_get_byte(value);
                break;
        case G_VARIANT_CLASS_UINT16:
                number = g_variant_get_uint16(value);
                break;
        case G_VARIANT_CLASS_UINT32:
                number = g_variant_get_uint32(value);
                break;
        case G_VARIANT_CLASS_UINT64:
                number = g_variant_get_uint64(value);
                break;
        case G_VARIANT_CLASS_INT16:
                number = (uint64_t)(maybe_negative = g_variant_get_int16(value));
                break;
        case G_VARIANT_CLASS_INT32:
                number = (uint64_t)(maybe_negative = g_variant_get_int32(value));
                break;
        case G_VARIANT_CLASS_INT64:
                number = (uint64_t)(maybe_negative = g_variant_get_int64(value));
                break;
        default:
                return false;
        }
        if (maybe_negative < 0)
                g_snprintf(ret_text, size, "%" G_GINT64_FORMAT, maybe_negative);
        else
                g_snprintf(ret_text, size,
                           field->flags & FIELD_OCTAL ? "%" G_GINT64_MODIFIER "o" : "%" G_GUINT64_FORMAT,
                           number);
        return true;
}

int native_wrong_type(const NativePlace *place, Error *error, GVariant *value, const char *expected)
{
        _cleanup_(freep) char *message = g_strdup_printf("a value of type '%.20s': %s expected",
                                                         g_variant_get_type_string(value), expected);

        return native_refuse(place, error, message);
}

static bool is_boolean(const Field *field)
{
        return field->kind == FIELD_FLAG ||
               (field->kind == FIELD_ENUM && ((const EnumTable *)field->type)->is_boolean);
}

static int scalar_from_variant(const NativePlace *place, const Field *field, GVariant *value, void *object,
                               Error *error)
{
        bool is_number =
                field->kind == FIELD_UNSIGNED || field->kind == FIELD_SIGNED || field->kind == FIELD_SIZE;
        char text[32];

        if (is_boolean(field) && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
                bool is_true = g_variant_get_boolean(value);

                field_set_number(object, field, field->kind == FIELD_FLAG ? is_true : is_true ? 1 : 2);
                field_set_has(object, field, true);
                return 0;
        }
        if (field->kind == FIELD_FLAG)
                return native_wrong_type(place, error, value, "a boolean is");
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
                return text_from_variant(place, field, g_variant_get_string(value, NULL), object, error);
        if (is_number && number_to_text(field, value, text, sizeof text))
                return text_from_variant(place, field, text, object, error);
        return native_wrong_type(place, error, value,
                                 is_number           ? "an integer is"
                                 : is_boolean(field) ? "a boolean is"
                                                     : "a string is");
}

static int strings_from_variant(const NativePlace *place, const Field *field, GVariant *value, void *object,
                                Error *error)
{
        size_t count;
        GPtrArray *strings;
        int r = 0;

        if (!g_variant_is_of_type(value, G_VARIANT_TYPE("a*")))
                return native_wrong_type(place, error, value, "an array of strings is");
        count = g_variant_n_children(value);
        strings = g_ptr_array_new_with_free_func(g_free);
        for (size_t i = 0; r >= 0 && i < count; i++) {
                _cleanup_(g_variant_unrefp) GVariant *item =
                        native_unwrap(g_variant_get_child_value(value, i));
                NativePlace at = { .above = place, .index = i };

                if (!g_variant_is_of_type(item, G_VARIANT_TYPE_STRING))
                        r = native_wrong_type(&at, error, item, "a string is");
                else if (!native_is_writable(g_variant_get_string(item, NULL)))
                        r = native_refuse(&at, error, "the text has characters that XML cannot have");
                else
                        g_ptr_array_add(strings, g_variant_dup_string(item, NULL));
        }
        if (r < 0 || count == 0) {
                g_ptr_array_unref(strings);
                return r;
        }
        g_ptr_array_add(strings, NULL);
        *FIELD_AT(object, field, char **) = (char **)g_ptr_array_free(strings, FALSE);
        return 0;
}

/* Elements in a text: read as a document, so that what is kept closes what it opens. */
static int raw_from_variant(const NativePlace *place, const Field *field, GVariant *value, void *object,
                            Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        _cleanup_(error_clear) Error cause = { 0 };
        _cleanup_(freep) char *xml = NULL;

        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
                return native_wrong_type(place, error, value, "a string of XML elements is");
        xml = g_strconcat("<", field->key, ">", g_variant_get_string(value, NULL), "</", field->key, ">",
                          NULL);
        if (xml_parse(xml, strlen(xml), field->key, &document, &cause) < 0)
                return native_pass_refusal(place, &cause, error);
        *FIELD_AT(object, field, char *) = raw_from_element(xml_document_root(document));
        return 0;
}

int native_value_read(const NativePlace *place, const Field *field, GVariant *value, void *object,
                      Error *error)
{
        switch (field->kind) {
        case FIELD_STRINGS:
                return strings_from_variant(place, field, value, object, error);
        case FIELD_RAW:
                return raw_from_variant(place, field, value, object, error);
        default:
                return scalar_from_variant(place, field, value, object, error);
        }
}
