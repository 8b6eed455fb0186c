/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writing: the rows in their order. Elements on the way to a value are opened when the first value in them
 * is written and stay open for the rows that follow, so that neighbours share an element as in libvirt's
 * output. */

#include "model/table-private.h"
#include <string.h>

/* A part of a path. */
typedef struct Part {
        const char *text;
        size_t size;
} Part;

typedef struct Output {
        XmlWriter *writer;
        unsigned flags;
        GArray *open;    /* of Part: those that are open below the present structure's element */
        unsigned base;   /* where that structure's own begin */
        GPtrArray *kept; /* paths that were put together, which parts point into */
} Output;

/* Takes the path over. */
static const char *keep(Output *output, char *path)
{
        g_ptr_array_add(output->kept, path);
        return path;
}

static bool is_part(const Output *output, unsigned depth, const char *text, size_t size)
{
        const Part *part = &g_array_index(output->open, Part, depth);

        return part->size == size && memcmp(part->text, text, size) == 0;
}

static void close_to(Output *output, unsigned depth)
{
        while (output->open->len > depth) {
                xml_writer_close(output->writer);
                g_array_set_size(output->open, output->open->len - 1);
        }
}

/* Opens "name" or "name[attribute=value]". */
static void open_part(Output *output, const char *part, size_t size)
{
        const char *bracket = memchr(part, '[', size);
        Part open = { .text = part, .size = size };

        xml_writer_open_sized(output->writer, part, bracket ? (size_t)(bracket - part) : size);
        if (bracket) {
                _cleanup_(freep) char *test = g_strndup(bracket + 1, size - (size_t)(bracket - part) - 2);
                char *equals = strchr(test, '=');

                *equals = '\0';
                xml_writer_attribute(output->writer, test, equals + 1);
        }
        g_array_append_val(output->open, open);
}

/* Makes the elements of the path but its last part the open ones; returns the last part. */
static const char *enter(Output *output, const char *path)
{
        unsigned depth = output->base;
        size_t size;

        for (; path[size = path_part_length(path)] == '/'; path += size + 1, depth++) {
                if (depth < output->open->len && is_part(output, depth, path, size))
                        continue;
                close_to(output, depth);
                open_part(output, path, size);
        }
        /* An attribute goes into the element that is open, and so does the text of an element whose
         * attributes were just written; anything else ends what is deeper. */
        if (*path != '@' && !(depth + 1 == output->open->len && is_part(output, depth, path, size)))
                close_to(output, depth);
        return path;
}

/* Whether the last part of a path is an element whose attributes were just written. */
static bool is_open(const Output *output, const char *path, const char *last)
{
        unsigned depth = output->base;
        size_t size;

        for (; path != last; path += size + 1, depth++)
                size = path_part_length(path);
        return depth + 1 == output->open->len && is_part(output, depth, last, strlen(last));
}

/* A value as an attribute, an element's text, or an element with the value as its text. */
static void write_value(Output *output, const char *path, const char *text, const char *unit)
{
        const char *last = enter(output, path);

        if (*last == '@') {
                xml_writer_attribute(output->writer, last + 1, text);
                if (unit)
                        xml_writer_attribute(output->writer, "unit", unit);
                return;
        }
        if (strcmp(last, ".") == 0) {
                if (unit)
                        xml_writer_attribute(output->writer, "unit", unit);
                xml_writer_text(output->writer, text);
                return;
        }
        if (!is_open(output, path, last))
                open_part(output, last, strlen(last));
        if (unit)
                xml_writer_attribute(output->writer, "unit", unit);
        xml_writer_text(output->writer, text);
        close_to(output, output->open->len - 1);
}

/* The same for what is an element of its own, whatever is open. */
static const char *enter_new(Output *output, const char *path)
{
        const char *last = enter(output, path);

        if (is_open(output, path, last))
                close_to(output, output->open->len - 1);
        return last;
}

/* Writes the digits, at least `width`, before `end`; returns where they begin. */
static char *digits(char *end, uint64_t value, unsigned base, unsigned width, const char *alphabet)
{
        char *text = end;

        for (; value > 0 || text == end || end - text < (ptrdiff_t)width; value /= base)
                *--text = alphabet[value % base];
        return text;
}

static void write_number(Output *output, const Field *field, const void *object, const char *path)
{
        uint64_t value = field_number(object, field);
        bool is_negative = field->kind == FIELD_SIGNED && (int64_t)value < 0;
        bool is_hex = field->kind != FIELD_SIGNED && field->flags & FIELD_HEX;
        bool is_octal = field->kind != FIELD_SIGNED && !is_hex && field->flags & FIELD_OCTAL;
        char buffer[UINT8_MAX + 4], *text = buffer + sizeof buffer - 1;

        *text = '\0';
        text = digits(text, is_negative ? -value : value,
                      is_hex     ? 16
                      : is_octal ? 8
                                 : 10,
                      is_hex || is_octal ? field->width : 1,
                      field->flags & FIELD_UPPER ? "0123456789ABCDEF" : "0123456789abcdef");
        if (is_hex) {
                *--text = 'x';
                *--text = '0';
        }
        if (is_negative)
                *--text = '-';
        write_value(output, path, text,
                    field->kind == FIELD_SIZE && !(field->flags & FIELD_NO_UNIT) ? unit_to_text(field->scale)
                                                                                 : NULL);
}

static void write_strings(Output *output, const Field *field, const void *object, const char *full_path)
{
        const char *attribute = strstr(full_path, "/@");
        const char *path =
                attribute ? keep(output, g_strndup(full_path, (size_t)(attribute - full_path))) : full_path;

        for (const char *const *text = *CONST_FIELD_AT(object, field, FieldStrings); text && *text; text++) {
                if (!attribute) {
                        write_value(output, path, *text, NULL);
                        continue;
                }
                const char *last = enter_new(output, path);

                open_part(output, last, strlen(last));
                xml_writer_attribute(output->writer, attribute + 2, *text);
                close_to(output, output->open->len - 1);
        }
}

static void write_fields(Output *output, const StructType *type, const void *object, const char *prefix);

/* A structure of its own: an element below the open ones. */
static void write_element(Output *output, const StructType *type, const void *object, const char *path)
{
        const char *last = enter_new(output, path);
        unsigned base = output->base;

        open_part(output, last, strlen(last));
        output->base = output->open->len;
        write_fields(output, type, object, "");
        close_to(output, output->base - 1);
        output->base = base;
}

static void write_raw(Output *output, const char *path, const char *xml)
{
        const char *last = enter(output, path);

        if (!is_open(output, path, last))
                open_part(output, last, strlen(last));
        xml_writer_raw(output->writer, xml);
        close_to(output, output->open->len - 1);
}

static bool is_written(const Field *field, const void *object, unsigned flags)
{
        const StructType *type = field->type;

        if (!field_exists(object, field) || (field->shown && !field->shown(object, flags)))
                return false;
        if (field->flags & FIELD_SECRET && !(flags & (DEFINITION_SECURE | DEFINITION_STATUS)))
                return false;
        if (field->flags & FIELD_LIVE && flags & DEFINITION_INACTIVE && !(flags & DEFINITION_STATUS))
                return false;
        if (field->kind == FIELD_INLINE && type->shown)
                return type->shown(CONST_FIELD_AT(object, field, void), flags);
        if (field->kind == FIELD_INLINE) /* what is in it decides */
                return true;
        return field_is_due(object, field);
}

static void write_inline(Output *output, const Field *field, const void *object, const char *path)
{
        if (field->flags & FIELD_KEEP_EMPTY) {
                enter(output, keep(output, g_strconcat(path, "/", NULL))); /* opens the element itself */
        }
        write_fields(output, field->type, CONST_FIELD_AT(object, field, void), path);
}

static void write_field(Output *output, const Field *field, const void *object, const char *path)
{
        const AnyList *list;
        const char *text = NULL, *last;

        switch (field->kind) {
        case FIELD_STRING:
        case FIELD_CPUSET:
                text = *CONST_FIELD_AT(object, field, char *);
                break;
        case FIELD_UUID:
        case FIELD_MAC:
                text = CONST_FIELD_AT(object, field, char);
                break;
        case FIELD_ENUM:
                text = enum_to_string(field->type, (unsigned)field_number(object, field));
                break;
        case FIELD_FLAG:
                last = enter_new(output, path);
                open_part(output, last, strlen(last)); /* left open: its attributes may follow */
                return;
        case FIELD_STRUCT:
                write_element(output, field->type, *CONST_FIELD_AT(object, field, void *), path);
                return;
        case FIELD_LIST:
                list = CONST_FIELD_AT(object, field, AnyList);
                for (uint32_t i = 0; i < list->count; i++)
                        write_element(output, field->type, list->items[i], path);
                return;
        case FIELD_INLINE:
                write_inline(output, field, object, path);
                return;
        case FIELD_STRINGS:
                write_strings(output, field, object, path);
                return;
        case FIELD_RAW:
                write_raw(output, path, *CONST_FIELD_AT(object, field, char *));
                return;
        default:
                write_number(output, field, object, path);
                return;
        }
        if (text)
                write_value(output, path, text, NULL);
}

static void write_fields(Output *output, const StructType *type, const void *object, const char *prefix)
{
        for (uint32_t i = 0; i < type->count; i++) {
                const Field *field = &type->fields[i];
                const char *path = field->path;

                if (!is_written(field, object, output->flags))
                        continue;
                if (*prefix && *path)
                        path = keep(output, g_strconcat(prefix, "/", path, NULL));
                else if (*prefix)
                        path = prefix;
                write_field(output, field, object, path);
        }
}

void struct_format(const StructType *type, const void *object, const char *element, XmlWriter *writer,
                   unsigned flags)
{
        Output output = {
                .writer = writer,
                .flags = flags,
                .open = g_array_new(false, false, sizeof(Part)),
                .kept = g_ptr_array_new_with_free_func(g_free),
        };

        if (element)
                write_element(&output, type, object, element);
        else
                write_fields(&output, type, object, "");
        close_to(&output, 0);
        g_array_unref(output.open);
        g_ptr_array_unref(output.kept);
}

char *struct_to_xml(const StructType *type, const void *object, const char *element, unsigned flags)
{
        XmlWriter *writer = xml_writer_new();

        struct_format(type, object, element, writer, flags);
        return xml_writer_finish(writer);
}
