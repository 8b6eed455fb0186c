/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a text means to a field. XML and native values follow the same rules, so they are here, and know
 * nothing of where the text stood: the caller says that in its error. */

#include "core/uuid.h"
#include "model/cpuset.h"
#include "model/table-private.h"
#include <errno.h>
#include <string.h>

static int expect(char **ret_expected, const char *what)
{
        *ret_expected = g_strdup(what);
        return -EINVAL;
}

static int enum_from_text(void *object, const Field *field, const char *text, char **ret_expected)
{
        const EnumTable *table = field->type;
        int value = enum_from_string(table, text);
        GString *words;

        if (value >= 0) {
                field_set_number(object, field, (uint64_t)value);
                field_set_has(object, field, true);
                return 0;
        }
        if (field->flags & FIELD_LENIENT)
                return 0;
        words = g_string_new(NULL);
        for (unsigned i = 0; i < table->count; i++)
                if (table->words[i])
                        g_string_append_printf(words, "%s%s", words->len ? ", " : "one of ",
                                               table->words[i]);
        *ret_expected = g_string_free(words, FALSE);
        return -EINVAL;
}

int field_expect_number(const Field *field, char **ret_expected)
{
        *ret_expected = g_strdup_printf("%s of at most %u bits is",
                                        field->kind == FIELD_SIGNED ? "an integer" : "a positive integer",
                                        field->size * 8u);
        return -EINVAL;
}

static int integer_from_text(void *object, const Field *field, const char *text, char **ret_expected)
{
        uint64_t value;

        if (field->flags & FIELD_MINUS_ONE && strcmp(text, "-1") == 0)
                return 0;
        if (number_from_text(field, text, &value) < 0)
                return field_expect_number(field, ret_expected);
        field_set_number(object, field, value);
        field_set_has(object, field, true);
        return 0;
}

static int size_from_text(void *object, const Field *field, const char *text, const char *unit,
                          char **ret_expected)
{
        uint64_t unit_bytes = unit && *unit ? unit_from_text(unit) : field->scale, value;
        Field plain = *field;

        plain.kind = FIELD_UNSIGNED;
        if (unit_bytes == 0) {
                *ret_expected =
                        g_strdup_printf("not unit '%.60s' but one as bytes, KiB, MiB or GiB is", unit);
                return -EINVAL;
        }
        if (number_from_text(&plain, text, &value) < 0 || size_scale(field, value, unit_bytes, &value) < 0)
                return expect(ret_expected, "a size is");
        field_set_number(object, field, value);
        field_set_has(object, field, true);
        return 0;
}

static void text_set(void *object, const Field *field, char *text)
{
        g_free(*FIELD_AT(object, field, char *));
        *FIELD_AT(object, field, char *) = text;
}

/* "" is absent, and what is required is not absent: rules of the element may count on it. */
static bool must_not_be_empty(const Field *field)
{
        return field->flags & FIELD_NOT_EMPTY ||
               (field->flags & FIELD_REQUIRED && !(field->flags & FIELD_EMPTY_WORD));
}

static int string_from_text(void *object, const Field *field, const char *text, char **ret_expected)
{
        if (!*text && must_not_be_empty(field))
                return expect(ret_expected, "a text is");
        if (*text || field->flags & FIELD_EMPTY_WORD)
                text_set(object, field, g_strdup(text));
        return 0;
}

static int cpuset_from_text(void *object, const Field *field, const char *text, char **ret_expected)
{
        char *canonical = cpuset_canonical(text);

        if (!canonical)
                return expect(ret_expected, "a set of numbers as 0-3,7 is");
        if (!*canonical && must_not_be_empty(field)) {
                g_free(canonical);
                return expect(ret_expected, "a set with a number in it is");
        }
        if (!*canonical && !(field->flags & FIELD_EMPTY_WORD))
                g_clear_pointer(&canonical, g_free);
        text_set(object, field, canonical);
        return 0;
}

static int uuid_from_text(void *object, const Field *field, const char *text, char **ret_expected)
{
        if (*text || !field->has_offset)
                if (!uuid_parse(text, FIELD_AT(object, field, char)))
                        return expect(ret_expected, "a UUID is");
        field_set_has(object, field, true);
        return 0;
}

int field_from_text(void *object, const Field *field, const char *text, const char *unit,
                    char **ret_expected)
{
        switch (field->kind) {
        case FIELD_STRING:
                return string_from_text(object, field, text, ret_expected);
        case FIELD_ENUM:
                return enum_from_text(object, field, text, ret_expected);
        case FIELD_UNSIGNED:
        case FIELD_SIGNED:
                return integer_from_text(object, field, text, ret_expected);
        case FIELD_SIZE:
                return size_from_text(object, field, text, unit, ret_expected);
        case FIELD_CPUSET:
                return cpuset_from_text(object, field, text, ret_expected);
        case FIELD_UUID:
                return uuid_from_text(object, field, text, ret_expected);
        case FIELD_MAC:
                if (mac_parse(text, FIELD_AT(object, field, char)))
                        return 0;
                return expect(ret_expected, "a MAC address as 52:54:00:12:34:56 is");
        default:
                return expect(ret_expected, "something other than a text is");
        }
}
