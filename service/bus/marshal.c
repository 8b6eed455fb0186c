/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GVariant <-> message, by recursion over the type. Called by generated code and by bus/signals.c. Depth is
 * bounded: messages nest at most 64 levels, which sd-bus checks as it reads them. */

#include "bus/marshal.h"
#include <string.h>

int marshal_append_string(sd_bus_message *message, const char *text)
{
        _cleanup_(freep) char *valid = NULL;
        char *space;
        size_t size;
        int r;

        if (!text)
                text = "";
        size = strlen(text);
        if (!g_utf8_validate(text, (gssize)size, NULL)) {
                text = valid = g_utf8_make_valid(text, (gssize)size);
                size = strlen(text);
        }
        /* sd_bus_message_append_basic() would look at every byte once more. */
        r = sd_bus_message_append_string_space(message, size, &space);
        if (r >= 0)
                memcpy(space, text, size);
        return r;
}

static int append_basic(sd_bus_message *message, GVariant *value)
{
        char type = *g_variant_get_type_string(value);

        switch (type) {
        case 's':
                return marshal_append_string(message, g_variant_get_string(value, NULL));
        case 'o':
        case 'g':
                return sd_bus_message_append_basic(message, type, g_variant_get_string(value, NULL));
        case 'b': {
                int boolean = g_variant_get_boolean(value);

                return sd_bus_message_append_basic(message, 'b', &boolean);
        }
        case 'h':
                return -EOPNOTSUPP;
        default:
                /* Numbers: in a GVariant of a basic type the data are the number itself. */
                return sd_bus_message_append_basic(message, type, g_variant_get_data(value));
        }
}

static int append_value(sd_bus_message *message, GVariant *value, bool is_compatible);

static int append_variant(sd_bus_message *message, GVariant *value, bool is_compatible)
{
        _cleanup_(g_variant_unrefp) GVariant *inner = g_variant_get_variant(value);
        int r;

        r = sd_bus_message_open_container(message, 'v', g_variant_get_type_string(inner));
        if (r < 0)
                return r;
        r = append_value(message, inner, is_compatible);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(message);
}

/* The value of a dictionary entry; a second variant around it where old clients expect it. */
static int append_entry_value(sd_bus_message *message, GVariant *value, bool is_compatible)
{
        int r;

        if (!is_compatible || !g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT))
                return append_value(message, value, is_compatible);
        r = sd_bus_message_open_container(message, 'v', "v");
        if (r < 0)
                return r;
        r = append_variant(message, value, is_compatible);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(message);
}

static int append_children(sd_bus_message *message, GVariant *value, bool is_compatible)
{
        bool is_entry = g_variant_is_of_type(value, G_VARIANT_TYPE_DICT_ENTRY);
        size_t n_children = g_variant_n_children(value);

        for (size_t i = 0; i < n_children; i++) {
                _cleanup_(g_variant_unrefp) GVariant *child = g_variant_get_child_value(value, i);
                int r;

                r = is_entry && i == 1 ? append_entry_value(message, child, is_compatible)
                                       : append_value(message, child, is_compatible);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int append_container(sd_bus_message *message, GVariant *value, bool is_compatible)
{
        const char *type = g_variant_get_type_string(value);
        _cleanup_(freep) char *contents = NULL;
        char kind = *type;
        int r;

        if (kind == 'a') {
                contents = g_strdup(type + 1);
        } else {
                /* without the brackets; sd-bus calls structures r and dictionary entries e */
                contents = g_strndup(type + 1, strlen(type) - 2);
                kind = kind == '(' ? 'r' : 'e';
        }
        r = sd_bus_message_open_container(message, kind, contents);
        if (r < 0)
                return r;
        r = append_children(message, value, is_compatible);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(message);
}

static int append_value(sd_bus_message *message, GVariant *value, bool is_compatible)
{
        switch (*g_variant_get_type_string(value)) {
        case 'v':
                return append_variant(message, value, is_compatible);
        case 'a':
        case '(':
        case '{':
                return append_container(message, value, is_compatible);
        case 'm':
                return -EOPNOTSUPP; /* D-Bus has no such type */
        default:
                return append_basic(message, value);
        }
}

int marshal_append(sd_bus_message *message, GVariant *value, bool is_compatible)
{
        _cleanup_(g_variant_unrefp) GVariant *own = g_variant_ref_sink(value);

        return append_value(message, own, is_compatible);
}

static int append_record(sd_bus_message *message, const Record *record, bool is_compatible)
{
        const char type[] = { record->type, '\0' };
        int r;

        r = sd_bus_message_open_container(message, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(message, 's', record->key);
        if (r >= 0 && is_compatible)
                r = sd_bus_message_open_container(message, 'v', "v");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', type);
        if (r >= 0)
                r = record->type == 's' ? marshal_append_string(message, record->value.text)
                                        : sd_bus_message_append_basic(message, record->type, &record->value);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0 && is_compatible)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/* One dictionary, of the records from `*at` up to the next object's. */
static int append_dictionary(sd_bus_message *message, const Records *records, guint *at, bool is_compatible)
{
        int r = sd_bus_message_open_container(message, 'a', "{sv}");

        for (; r >= 0 && *at < records->items->len; (*at)++) {
                const Record *record = &g_array_index(records->items, Record, *at);

                if (record->type == 0)
                        break;
                r = append_record(message, record, is_compatible);
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
}

int marshal_append_records(sd_bus_message *message, const char *signature, const Records *records,
                           bool is_compatible)
{
        guint at = 0;
        int r;

        if (strcmp(signature, "a{sv}") == 0)
                return append_dictionary(message, records, &at, is_compatible);
        r = sd_bus_message_open_container(message, 'a', "(sa{sv})");
        while (r >= 0 && at < records->items->len) {
                r = sd_bus_message_open_container(message, 'r', "sa{sv}");
                if (r >= 0)
                        r = marshal_append_string(message, g_array_index(records->items, Record, at++).key);
                if (r >= 0)
                        r = append_dictionary(message, records, &at, is_compatible);
                if (r >= 0)
                        r = sd_bus_message_close_container(message);
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
}

typedef union BasicValue {
        const char *text;
        uint8_t y;
        int b;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
} BasicValue;

/* NULL for a type that no GVariant of ours holds. */
static GVariant *basic_new(char type, const BasicValue *value)
{
        switch (type) {
        case 's':
                return g_variant_new_string(value->text);
        case 'o':
                return g_variant_new_object_path(value->text);
        case 'g':
                return g_variant_new_signature(value->text);
        case 'b':
                return g_variant_new_boolean(value->b);
        case 'y':
                return g_variant_new_byte(value->y);
        case 'n':
                return g_variant_new_int16(value->n);
        case 'q':
                return g_variant_new_uint16(value->q);
        case 'i':
                return g_variant_new_int32(value->i);
        case 'u':
                return g_variant_new_uint32(value->u);
        case 'x':
                return g_variant_new_int64(value->x);
        case 't':
                return g_variant_new_uint64(value->t);
        case 'd':
                return g_variant_new_double(value->d);
        default:
                return NULL;
        }
}

static int read_value(sd_bus_message *message, char type, const char *contents, unsigned *n_values,
                      GVariant **ret_value);

/* Fills the builder with everything up to the end of the container. */
static int read_children(sd_bus_message *message, unsigned *n_values, GVariantBuilder *builder)
{
        const char *contents;
        char type;
        int r;

        while ((r = sd_bus_message_peek_type(message, &type, &contents)) > 0) {
                GVariant *child;

                r = read_value(message, type, contents, n_values, &child);
                if (r < 0)
                        return r;
                g_variant_builder_add_value(builder, child);
        }
        return r;
}

/* As GVariant writes the type of a container that sd-bus describes by `type` and `contents`. */
static char *container_type(char type, const char *contents)
{
        switch (type) {
        case 'a':
                return g_strconcat("a", contents, NULL);
        case 'v':
                return g_strdup("v");
        case 'r':
                return g_strconcat("(", contents, ")", NULL);
        default:
                return g_strconcat("{", contents, "}", NULL);
        }
}

static int read_container(sd_bus_message *message, char type, const char *contents, unsigned *n_values,
                          GVariant **ret_value)
{
        _cleanup_(freep) char *text = container_type(type, contents);
        _cleanup_(g_variant_builder_unrefp) GVariantBuilder *builder = NULL;
        int r;

        if (!g_variant_type_string_is_valid(text))
                return -EBADMSG;
        r = sd_bus_message_enter_container(message, type, contents);
        if (r < 0)
                return r;
        builder = g_variant_builder_new(G_VARIANT_TYPE(text));
        r = read_children(message, n_values, builder);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;
        *ret_value = g_variant_builder_end(builder);
        return 0;
}

static size_t number_size(char type)
{
        return type == 'y'           ? 1
               : strchr("nq", type)  ? 2
               : strchr("iu", type)  ? 4
               : strchr("xtd", type) ? 8
                                     : 0;
}

/* Numbers lie in a message as they do in a GVariant; but booleans, which are no numbers here. */
static int read_numbers(sd_bus_message *message, char type, GVariant **ret_value)
{
        const char element[] = { type, '\0' };
        const void *numbers;
        size_t size;
        int r = sd_bus_message_read_array(message, type, &numbers, &size);

        if (r < 0)
                return r;
        *ret_value = g_variant_new_fixed_array(G_VARIANT_TYPE(element), numbers, size / number_size(type),
                                               number_size(type));
        return 0;
}

/* The result is floating: the caller puts it into a builder or sinks it. */
static int read_value(sd_bus_message *message, char type, const char *contents, unsigned *n_values,
                      GVariant **ret_value)
{
        BasicValue value;
        int r;

        if (++*n_values > MARSHAL_VALUES_MAX)
                return -E2BIG;
        if (type == 'a' && contents[1] == '\0' && number_size(*contents) > 0)
                return read_numbers(message, *contents, ret_value);
        if (strchr("avre", type))
                return read_container(message, type, contents, n_values, ret_value);
        if (type == 'h')
                return -EOPNOTSUPP;
        r = sd_bus_message_read_basic(message, type, &value);
        if (r < 0)
                return r;
        *ret_value = basic_new(type, &value);
        return *ret_value ? 0 : -EBADMSG;
}

int marshal_read(sd_bus_message *message, const char *signature, GVariant **ret_value)
{
        const char *contents;
        unsigned n_values = 0;
        GVariant *value;
        char type;
        int r;

        r = sd_bus_message_peek_type(message, &type, &contents);
        if (r < 0)
                return r;
        if (r == 0)
                return -ENXIO;
        r = read_value(message, type, contents, &n_values, &value);
        if (r < 0)
                return r;
        g_variant_ref_sink(value);
        if (strcmp(g_variant_get_type_string(value), signature) != 0) {
                g_variant_unref(value);
                return -EINVAL;
        }
        *ret_value = value;
        return 0;
}

int marshal_read_all(sd_bus_message *message, GVariant **ret_values)
{
        _cleanup_(g_variant_builder_unrefp) GVariantBuilder *builder =
                g_variant_builder_new(G_VARIANT_TYPE_TUPLE);
        unsigned n_values = 0;
        int r = read_children(message, &n_values, builder);

        if (r >= 0)
                *ret_values = g_variant_ref_sink(g_variant_builder_end(builder));
        return r;
}

int marshal_read_strings(sd_bus_message *message, char ***ret_strings)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *strings = g_ptr_array_new_with_free_func(g_free);
        const char *text;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read_basic(message, 's', &text)) > 0) {
                if (strings->len == MARSHAL_VALUES_MAX)
                        return -E2BIG;
                g_ptr_array_add(strings, g_strdup(text));
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;
        g_ptr_array_add(strings, NULL);
        *ret_strings = (char **)g_ptr_array_free(TAKE_PTR(strings), FALSE);
        return 0;
}

int marshal_read_fds(sd_bus_message *message, int **ret_fds, size_t *ret_n)
{
        _cleanup_(freep) int *fds = NULL;
        size_t n = 0;
        int fd, r;

        r = sd_bus_message_enter_container(message, 'a', "h");
        while (r >= 0 && (r = sd_bus_message_read_basic(message, 'h', &fd)) > 0) {
                fds = g_renew(int, fds, n + 1);
                fds[n++] = fd;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;
        *ret_fds = TAKE_PTR(fds);
        *ret_n = n;
        return 0;
}

int marshal_append_paths(sd_bus_message *message, const GPtrArray *objects)
{
        int r;

        r = sd_bus_message_open_container(message, 'a', "o");
        for (unsigned i = 0; r >= 0 && i < objects->len; i++)
                r = sd_bus_message_append_basic(message, 'o', ((const Object *)objects->pdata[i])->path);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

void marshal_entry_string(GVariantBuilder *entry, const char *key, const char *value)
{
        if (value && *value)
                g_variant_builder_add(entry, "{sv}", key, g_variant_new_string(value));
}
