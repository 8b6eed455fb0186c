/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading: every row is looked up in the element by its path. What no row asks for is not seen, as in
 * libvirt. */

#include "model/table-private.h"
#include <string.h>

static bool text_is(const char *text, const char *bytes, size_t size)
{
        return strncmp(text, bytes, size) == 0 && text[size] == '\0';
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

/* One part of a path, "language:name[attribute=value]", taken apart. */
typedef struct Part {
        const char *path; /* where it begins */
        size_t size;
        const char *language, *name, *attribute, *value; /* NULL: there is none */
        size_t language_size, name_size, attribute_size, value_size;
} Part;

static Part part_of(const char *path)
{
        Part part = { .path = path, .name = path };
        const char *at = path;

        for (; *at && *at != '/' && *at != '['; at++)
                if (*at == ':') {
                        part.language = path;
                        part.language_size = (size_t)(at - path);
                        part.name = at + 1;
                }
        part.name_size = (size_t)(at - part.name);
        if (*at == '[') { /* the tables are ours: what follows is there */
                part.attribute = at + 1;
                part.value = strchr(at, '=') + 1;
                at = strchr(at, ']');
                part.attribute_size = (size_t)(part.value - 1 - part.attribute);
                part.value_size = (size_t)(at - part.value);
                at++;
        }
        part.size = (size_t)(at - path);
        return part;
}

static bool has_attribute(const XmlNode *node, const Part *part)
{
        for (const XmlAttribute *attribute = node->attributes; attribute; attribute = attribute->next)
                if (text_is(attribute->name, part->attribute, part->attribute_size))
                        return text_is(attribute->value, part->value, part->value_size);
        return false;
}

/* The name first: it is what differs mostly. */
static bool part_matches(const Part *part, const XmlNode *node)
{
        return text_is(node->name, part->name, part->name_size) &&
               (part->language ? is_foreign(node, part->language, part->language_size) : !node->prefix) &&
               (!part->attribute || has_attribute(node, part));
}

bool node_matches(const XmlNode *node, const char *path)
{
        const Part part = part_of(path);

        return part_matches(&part, node);
}

static const XmlNode *child_find(const XmlNode *first, const Part *part)
{
        for (const XmlNode *node = first; node; node = node->next)
                if (part_matches(part, node))
                        return node;
        return NULL;
}

/* Goes down to the last part, which is left: an attribute, an element, or "" for the element itself. NULL if
 * it is plain that there is no such element. Most rows are of elements that are not there: the first letter
 * tells. */
static const XmlNode *path_enter(const XmlNode *node, const char *path, Part *ret_last)
{
        Part part = { .path = path };

        if (g_ascii_isalpha(*path) && !(node->child_initials & xml_initial(*path)))
                return NULL;
        if (*path != '@')
                part = part_of(path);
        for (; node && part.path[part.size] == '/'; part = part_of(part.path + part.size + 1))
                node = child_find(node->first_child, &part);
        *ret_last = part;
        return node;
}

/* Where a value stands: its text, and the element that it is of. */
typedef struct Place {
        const XmlNode *node; /* that has the attribute, or is the element */
        const char *text;    /* NULL: absent */
} Place;

static Place place_find(const XmlNode *node, const char *path)
{
        Part last;
        Place place = { .node = path_enter(node, path, &last) };

        if (!place.node)
                return place;
        if (*last.path == '@') {
                place.text = xml_attribute(place.node, last.path + 1);
        } else {
                if (*last.path && strcmp(last.path, ".") != 0)
                        place.node = child_find(place.node->first_child, &last);
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
        Part last;
        const XmlNode *parent = path_enter(node, field->path, &last), *child;

        child = parent ? child_find(parent->first_child, &last) : NULL;
        if (!child)
                return 0;
        if (!(field->flags & FIELD_REPEATED_OK) && child_find(child->next, &last))
                return error_set(error, ERROR_INVALID_XML, "line %u: <%s>: only one <%s> is possible",
                                 child->line, parent->name, child->name);
        return struct_parse(field->type, child, flags, FIELD_AT(object, field, void *), error);
}

static int inline_parse(void *object, const Field *field, const XmlNode *node, unsigned flags, Error *error)
{
        Part last;
        const XmlNode *inner = *field->path ? path_enter(node, field->path, &last) : node;

        if (inner && *field->path)
                inner = child_find(inner->first_child, &last);
        return inner ? struct_parse_into(field->type, inner, flags, FIELD_AT(object, field, void), error)
                     : 0;
}

static int list_parse(void *object, const Field *field, const XmlNode *node, unsigned flags, Error *error)
{
        Part last;
        const XmlNode *parent = path_enter(node, field->path, &last);

        for (const XmlNode *child = parent ? parent->first_child : NULL; child; child = child->next) {
                void *item = NULL;
                int r;

                if (!part_matches(&last, child))
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
        const char *attribute;
        GPtrArray *strings = g_ptr_array_new();
        const XmlNode *parent;
        Part last;
        size_t size;

        /* "dns/forwarder/@addr": of every forwarder. */
        attribute = strstr(field->path, "/@");
        size = attribute ? (size_t)(attribute - field->path) : strlen(field->path);
        _cleanup_(freep) char *path = g_strndup(field->path, size);

        parent = path_enter(node, path, &last);
        for (const XmlNode *child = parent ? parent->first_child : NULL; child; child = child->next) {
                const char *text;

                if (!part_matches(&last, child))
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
