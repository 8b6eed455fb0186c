/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading: every row is looked up in the element by its path. What no row asks for is not seen, as in
 * libvirt. */

#include "model/table-private.h"
#include <string.h>

static bool text_is(const char *text, const char *bytes, size_t size)
{
        return strlen(text) == size && memcmp(text, bytes, size) == 0;
}

/* Whether the element is of an additional namespace, "qemu" of "qemu:arg", whatever it adds to: known by its
 * URI (".../schemas/domain/qemu/1.0"), not by the prefix. */
static bool is_foreign(const XmlNode *node, const char *name, size_t size)
{
        static const char folder[] = "/schemas/";
        const char *at = node->namespace_uri ? strstr(node->namespace_uri, folder) : NULL;

        at = at ? strchr(at + strlen(folder), '/') : NULL;
        return at && strncmp(at + 1, name, size) == 0 && at[1 + size] == '/';
}

bool node_matches(const XmlNode *node, const char *part, size_t size)
{
        const char *bracket = memchr(part, '[', size), *colon, *equals;
        size_t name_size = bracket ? (size_t)(bracket - part) : size;
        _cleanup_(freep) char *attribute = NULL;
        const char *value;

        colon = memchr(part, ':', name_size);
        if (colon) {
                if (!is_foreign(node, part, (size_t)(colon - part)) ||
                    !text_is(node->name, colon + 1, name_size - (size_t)(colon + 1 - part)))
                        return false;
        } else if (node->prefix || !text_is(node->name, part, name_size)) {
                return false;
        }
        if (!bracket)
                return true;
        equals = memchr(bracket, '=', size - name_size);
        if (!equals)
                return false;
        attribute = g_strndup(bracket + 1, (size_t)(equals - bracket - 1));
        value = xml_attribute(node, attribute);
        return value && text_is(value, equals + 1, size - (size_t)(equals + 1 - part) - 1);
}

static const XmlNode *child_find(const XmlNode *first, const char *part, size_t size)
{
        for (const XmlNode *node = first; node; node = node->next)
                if (node_matches(node, part, size))
                        return node;
        return NULL;
}

/* Goes down to the last part, which is left: an attribute, an element, or "" for the element itself. NULL if
 * an element on the way is not there. */
static const XmlNode *path_enter(const XmlNode *node, const char *path, const char **ret_last)
{
        size_t size;

        for (; node && path[size = path_part_length(path)] == '/'; path += size + 1)
                node = child_find(node->first_child, path, size);
        *ret_last = path;
        return node;
}

/* Where a value stands: its text, and the element that it is of. */
typedef struct Place {
        const XmlNode *node; /* that has the attribute, or is the element */
        const char *text;    /* NULL: absent */
} Place;

static Place place_find(const XmlNode *node, const char *path)
{
        const char *last;
        Place place = { .node = path_enter(node, path, &last) };

        if (!place.node)
                return place;
        if (*last == '@') {
                place.text = xml_attribute(place.node, last + 1);
        } else {
                if (*last && strcmp(last, ".") != 0)
                        place.node = child_find(place.node->first_child, last, strlen(last));
                if (place.node)
                        place.text = place.node->text ? place.node->text : "";
        }
        return place;
}

static int value_parse(void *object, const Field *field, const XmlNode *node, const char *text, Error *error)
{
        _cleanup_(freep) char *expected = NULL, *shown = NULL;

        if (field_from_text(object, field, text, xml_attribute(node, "unit"), &expected) == 0)
                return 0;
        shown = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), 60));
        return error_set(error, ERROR_INVALID_XML, "line %u: <%s>: %s='%s': %s expected", node->line,
                         node->name, field->path, shown, expected);
}

static int struct_parse_into(const StructType *type, const XmlNode *node, unsigned flags, void *object,
                             Error *error);

static int child_parse(void *object, const Field *field, const XmlNode *node, unsigned flags, Error *error)
{
        const char *last;
        const XmlNode *parent = path_enter(node, field->path, &last), *child;

        child = parent ? child_find(parent->first_child, last, strlen(last)) : NULL;
        if (!child)
                return 0;
        if (!(field->flags & FIELD_REPEATED_OK) && child_find(child->next, last, strlen(last)))
                return error_set(error, ERROR_INVALID_XML, "line %u: <%s>: only one <%s> is possible",
                                 child->line, parent->name, child->name);
        return struct_parse(field->type, child, flags, FIELD_AT(object, field, void *), error);
}

static int inline_parse(void *object, const Field *field, const XmlNode *node, unsigned flags, Error *error)
{
        const char *last;
        const XmlNode *inner = *field->path ? path_enter(node, field->path, &last) : node;

        if (inner && *field->path)
                inner = child_find(inner->first_child, last, strlen(last));
        return inner ? struct_parse_into(field->type, inner, flags, FIELD_AT(object, field, void), error)
                     : 0;
}

static int list_parse(void *object, const Field *field, const XmlNode *node, unsigned flags, Error *error)
{
        const char *last;
        const XmlNode *parent = path_enter(node, field->path, &last);

        for (const XmlNode *child = parent ? parent->first_child : NULL; child; child = child->next) {
                void *item = NULL;
                int r;

                if (!node_matches(child, last, strlen(last)))
                        continue;
                r = struct_parse(field->type, child, flags, &item, error);
                if (r < 0)
                        return r;
                list_append(FIELD_AT(object, field, AnyList), item);
        }
        return 0;
}

static void strings_parse(void *object, const Field *field, const XmlNode *node)
{
        const char *last, *attribute;
        GPtrArray *strings = g_ptr_array_new();
        const XmlNode *parent;
        size_t size;

        /* "dns/forwarder/@addr": of every forwarder. */
        attribute = strstr(field->path, "/@");
        size = attribute ? (size_t)(attribute - field->path) : strlen(field->path);
        _cleanup_(freep) char *path = g_strndup(field->path, size);

        parent = path_enter(node, path, &last);
        for (const XmlNode *child = parent ? parent->first_child : NULL; child; child = child->next) {
                const char *text;

                if (!node_matches(child, last, strlen(last)))
                        continue;
                text = attribute ? xml_attribute(child, attribute + 2) : child->text ? child->text : "";
                if (text)
                        g_ptr_array_add(strings, g_strdup(text));
        }
        if (strings->len == 0) {
                g_ptr_array_free(strings, TRUE);
                return;
        }
        g_ptr_array_add(strings, NULL);
        *FIELD_AT(object, field, char **) = (char **)g_ptr_array_free(strings, FALSE);
}

char *raw_from_element(const XmlNode *element)
{
        GString *text;

        if (!element || !element->first_child)
                return NULL;
        text = g_string_new(NULL);
        for (const XmlNode *child = element->first_child; child; child = child->next) {
                _cleanup_(freep) char *one = xml_node_to_string(child);

                g_string_append_printf(text, "%s%s", text->len ? "\n" : "", one);
        }
        return g_string_free(text, FALSE);
}

static int field_parse(void *object, const Field *field, const XmlNode *node, unsigned flags, Error *error)
{
        Place place;

        switch (field->kind) {
        case FIELD_STRUCT:
                return child_parse(object, field, node, flags, error);
        case FIELD_INLINE:
                return inline_parse(object, field, node, flags, error);
        case FIELD_LIST:
                return list_parse(object, field, node, flags, error);
        case FIELD_STRINGS:
                strings_parse(object, field, node);
                return 0;
        case FIELD_RAW:
                *FIELD_AT(object, field, char *) = raw_from_element(place_find(node, field->path).node);
                return 0;
        case FIELD_FLAG:
                *FIELD_AT(object, field, bool) = place_find(node, field->path).text != NULL;
                return 0;
        default:
                place = place_find(node, field->path);
                if (place.text)
                        return value_parse(object, field, place.node, place.text, error);
                if (field->flags & FIELD_REQUIRED)
                        return error_set(error, ERROR_INVALID_XML, "line %u: <%s>: %s is missing",
                                         node->line, node->name, field->path);
                return 0;
        }
}

static bool is_read(const Field *field, unsigned flags)
{
        return !(field->flags & FIELD_LIVE) || !(flags & DEFINITION_INACTIVE) || flags & DEFINITION_STATUS;
}

static int struct_parse_into(const StructType *type, const XmlNode *node, unsigned flags, void *object,
                             Error *error)
{
        for (uint32_t i = 0; i < type->count; i++) {
                const Field *field = &type->fields[i];
                int r;

                if (!is_read(field, flags) || !field_exists(object, field))
                        continue;
                r = field_parse(object, field, node, flags, error);
                if (r < 0)
                        return r;
        }
        return type->check ? type->check(object, node, flags, error) : 0;
}

int struct_parse(const StructType *type, const XmlNode *node, unsigned flags, void **ret_object,
                 Error *error)
{
        void *object = struct_new(type);
        int r = struct_parse_into(type, node, flags, object, error);

        if (r < 0) {
                struct_free(type, object);
                return r;
        }
        *ret_object = object;
        return 0;
}

int struct_parse_document(const StructType *type, const char *element, const char *xml, size_t size,
                          unsigned flags, void **ret, Error *error)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *root;
        int r;

        r = xml_parse(xml, size, element, &document, error);
        if (r < 0)
                return r;
        root = xml_document_root(document);
        if (strcmp(root->name, element) != 0)
                return error_set(error, ERROR_INVALID_XML, "The document is a <%s>, a <%s> is expected",
                                 root->name, element);
        return struct_parse(type, root, flags, ret, error);
}
