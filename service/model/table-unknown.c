/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What of a document no row of the tables asks for. The parser looks rows up in the document; here it is the
 * other way round: each element stands in one or more scopes, a structure with the part of its paths that
 * leads here, and goes on into those of its rows that begin with its name. */

#include "model/table-private.h"
#include <string.h>

typedef struct Scope {
        const StructType *type;
        const char *path; /* what has been walked of it: the first `length` bytes, "driver/" */
        size_t length;
} Scope;

typedef struct Walk {
        StructUnknownVisit visit;
        void *data;
        unsigned n_found;
} Walk;

static bool has_prefix(const Field *field, const Scope *scope)
{
        return strncmp(field->path, scope->path, scope->length) == 0;
}

/* Inline structures at the very element have rows for it too. */
static void scope_add(GArray *scopes, const StructType *type, const char *path, size_t length)
{
        const Scope scope = { type, path, length };

        for (unsigned i = 0; i < scopes->len; i++) {
                const Scope *other = &g_array_index(scopes, Scope, i);

                if (other->type == type && other->length == length &&
                    strncmp(other->path, path, length) == 0)
                        return;
        }
        g_array_append_val(scopes, scope);
        for (uint32_t i = 0; i < type->count; i++) {
                const Field *field = &type->fields[i];
                size_t size = strlen(field->path);

                if (field->kind == FIELD_INLINE && strncmp(field->path, path, size) == 0 &&
                    (size == length || (size + 1 == length && path[size] == '/')))
                        scope_add(scopes, field->type, "", 0);
        }
}

/* By the rest of the row's path; a size has its unit beside it. */
static bool is_attribute_of(const Field *field, const char *rest, const char *name)
{
        if (rest[0] == '@' && strcmp(rest + 1, name) == 0)
                return true;
        return field->kind == FIELD_SIZE && (!rest[0] || strchr("@.", rest[0])) && strcmp(name, "unit") == 0;
}

static bool is_known_attribute(const GArray *scopes, const char *name)
{
        for (unsigned i = 0; i < scopes->len; i++) {
                const Scope *scope = &g_array_index(scopes, Scope, i);

                for (uint32_t j = 0; j < scope->type->count; j++) {
                        const Field *field = &scope->type->fields[j];

                        if (has_prefix(field, scope) &&
                            is_attribute_of(field, field->path + scope->length, name))
                                return true;
                }
        }
        return false;
}

/* "source[mode=bind]": @mode chooses the row, so it is known. */
static bool chooses(const char *path, size_t length, const char *name)
{
        const char *bracket = length > 0 ? memrchr(path, '[', length) : NULL;
        size_t size = strlen(name);

        return bracket && bracket + size + 1 < path + length && strncmp(bracket + 1, name, size) == 0 &&
               bracket[1 + size] == '=';
}

static void tell(Walk *walk, const XmlNode *node, const char *attribute)
{
        _cleanup_(freep) char *what = NULL;

        if (walk->n_found++ >= UNKNOWN_MAX)
                return;
        what = attribute ? g_strdup_printf("line %u: <%s>: there is no attribute '%.60s'", node->line,
                                           node->name, attribute)
                         : g_strdup_printf("line %u: <%s>: there is no element <%.60s>", node->line,
                                           node->parent ? node->parent->name : "", node->name);
        walk->visit(what, walk->data);
}

static void walk_node(Walk *walk, const XmlNode *node, const GArray *scopes);

/* The scopes that a child opens in one row; true if the row knows it. */
static bool enter_row(const Field *field, const Scope *scope, const XmlNode *child, GArray *scopes,
                      bool *ret_is_raw)
{
        const char *rest = field->path + scope->length;
        size_t size;

        if (!has_prefix(field, scope) || rest[0] == '@' || rest[0] == '.' || !rest[0])
                return false;
        size = path_part_length(rest);
        if (!node_matches(child, rest))
                return false;
        if (rest[size] == '/')
                scope_add(scopes, scope->type, field->path, scope->length + size + 1);
        else if (field->kind == FIELD_STRUCT || field->kind == FIELD_INLINE || field->kind == FIELD_LIST) {
                scope_add(scopes, field->type, "", 0);
        } else if (field->kind == FIELD_RAW)
                *ret_is_raw = true;
        else if (field->kind == FIELD_SIZE)
                scope_add(scopes, scope->type, field->path, scope->length + size);
        if (memchr(rest, '[', size)) /* the attribute in brackets is known by the path */
                scope_add(scopes, scope->type, field->path, scope->length + size);
        return true;
}

static void walk_child(Walk *walk, const XmlNode *child, const GArray *scopes)
{
        g_autoptr(GArray) inner = g_array_new(FALSE, FALSE, sizeof(Scope));
        bool is_known = false, is_raw = false;

        for (unsigned i = 0; i < scopes->len; i++) {
                const Scope *scope = &g_array_index(scopes, Scope, i);

                for (uint32_t j = 0; j < scope->type->count; j++)
                        is_known |= enter_row(&scope->type->fields[j], scope, child, inner, &is_raw);
        }
        if (is_known && !is_raw)
                walk_node(walk, child, inner);
        else if (!is_known && !child->prefix)
                tell(walk, child, NULL);
}

static void walk_node(Walk *walk, const XmlNode *node, const GArray *scopes)
{
        for (const XmlAttribute *attribute = node->attributes; attribute; attribute = attribute->next) {
                bool is_known = strchr(attribute->name, ':') || is_known_attribute(scopes, attribute->name);

                for (unsigned i = 0; i < scopes->len && !is_known; i++) {
                        const Scope *scope = &g_array_index(scopes, Scope, i);

                        is_known = chooses(scope->path, scope->length, attribute->name);
                }
                if (!is_known && !g_str_has_prefix(attribute->name, "xmlns"))
                        tell(walk, node, attribute->name);
        }
        for (const XmlNode *child = node->first_child; child; child = child->next)
                walk_child(walk, child, scopes);
}

void struct_unknown(const StructType *type, const XmlNode *node, StructUnknownVisit visit, void *data)
{
        g_autoptr(GArray) scopes = g_array_new(FALSE, FALSE, sizeof(Scope));
        Walk walk = { .visit = visit, .data = data };

        scope_add(scopes, type, "", 0);
        walk_node(&walk, node, scopes);
}
