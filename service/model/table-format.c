/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writing: the rows in their order. Elements on the way to a value are opened when the first value in them
 * is written and stay open for the rows that follow, so that neighbours share an element as in libvirt's
 * output. */

#include "model/table-private.h"
#include <inttypes.h>
#include <string.h>

typedef struct Output {
        XmlWriter *writer;
        unsigned flags;
        GPtrArray *open; /* of char *: the parts of the path that are open below the present structure's
                            element */
        unsigned base;   /* where that structure's own begin */
} Output;

static void close_to(Output *output, unsigned depth)
{
        while (output->open->len > depth) {
                xml_writer_close(output->writer);
                g_ptr_array_set_size(output->open, (int)output->open->len - 1);
        }
}

/* Opens "name" or "name[attribute=value]". */
static void open_part(Output *output, const char *part, size_t size)
{
        const char *bracket = memchr(part, '[', size);
        _cleanup_(freep) char *name = g_strndup(part, bracket ? (size_t)(bracket - part) : size);

        xml_writer_open(output->writer, name);
        if (bracket) {
                _cleanup_(freep) char *test = g_strndup(bracket + 1, size - (size_t)(bracket - part) - 2);
                char *equals = strchr(test, '=');

                *equals = '\0';
                xml_writer_attribute(output->writer, test, equals + 1);
        }
        g_ptr_array_add(output->open, g_strndup(part, size));
}

/* Makes the elements of the path but its last part the open ones; returns the last part. */
static const char *enter(Output *output, const char *path)
{
        unsigned depth = output->base;
        size_t size;

        for (; path[size = path_part_length(path)] == '/'; path += size + 1, depth++) {
                const char *part = depth < output->open->len ? output->open->pdata[depth] : NULL;

                if (part && strlen(part) == size && memcmp(part, path, size) == 0)
                        continue;
                close_to(output, depth);
                open_part(output, path, size);
        }
        /* An attribute goes into the element that is open, and so does the text of an element whose
         * attributes were just written; anything else ends what is deeper. */
        if (*path != '@' &&
            !(depth + 1 == output->open->len && strcmp(output->open->pdata[depth], path) == 0))
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
        return depth + 1 == output->open->len && strcmp(output->open->pdata[depth], last) == 0;
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

static void write_number(Output *output, const Field *field, const void *object, const char *path)
{
        uint64_t value = field_number(object, field);
        char text[32];

        if (field->kind == FIELD_SIGNED)
                g_snprintf(text, sizeof text, "%" PRId64, (int64_t)value);
        else if (field->flags & FIELD_HEX && field->flags & FIELD_UPPER)
                g_snprintf(text, sizeof text, "0x%0*" PRIX64, field->width, value);
        else if (field->flags & FIELD_HEX)
                g_snprintf(text, sizeof text, "0x%0*" PRIx64, field->width, value);
        else if (field->flags & FIELD_OCTAL)
                g_snprintf(text, sizeof text, "%0*" PRIo64, field->width, value);
        else
                g_snprintf(text, sizeof text, "%" PRIu64, value);
        write_value(output, path, text,
                    field->kind == FIELD_SIZE && !(field->flags & FIELD_NO_UNIT) ? unit_to_text(field->scale)
                                                                                 : NULL);
}

static void write_strings(Output *output, const Field *field, const void *object, const char *full_path)
{
        const char *attribute = strstr(full_path, "/@");
        _cleanup_(freep) char *path =
                g_strndup(full_path, attribute ? (size_t)(attribute - full_path) : strlen(full_path));

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
                _cleanup_(freep) char *inside = g_strconcat(path, "/", NULL);

                enter(output, inside); /* opens the element itself */
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
                _cleanup_(freep) char *joined = NULL;
                const char *path = field->path;

                if (!is_written(field, object, output->flags))
                        continue;
                if (*prefix && *path)
                        path = joined = g_strconcat(prefix, "/", path, NULL);
                else if (*prefix)
                        path = prefix;
                write_field(output, field, object, path);
        }
}

void struct_format(const StructType *type, const void *object, const char *element, XmlWriter *writer,
                   unsigned flags)
{
        Output output = { .writer = writer, .flags = flags, .open = g_ptr_array_new_with_free_func(g_free) };

        if (element)
                write_element(&output, type, object, element);
        else
                write_fields(&output, type, object, "");
        close_to(&output, 0);
        g_ptr_array_unref(output.open);
}

char *struct_to_xml(const StructType *type, const void *object, const char *element, unsigned flags)
{
        XmlWriter *writer = xml_writer_new();

        struct_format(type, object, element, writer, flags);
        return xml_writer_finish(writer);
}
