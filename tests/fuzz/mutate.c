/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The document is read, and written again with one to four changes, each at an element that chance picks. */

#include "tests/fuzz/mutate.h"
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

typedef struct Words {
        GPtrArray *elements, *attributes, *values;
        GHashTable *known; /* of structures, and of words by their kind */
} Words;

static Words words;

static void add_word(GPtrArray *list, const char *text, size_t size)
{
        g_autofree char *word = g_strndup(text, size), *key = g_strdup_printf("%p %s", (void *)list, word);

        if (size > 0 && g_hash_table_add(words.known, g_steal_pointer(&key)))
                g_ptr_array_add(list, g_steal_pointer(&word));
}

/* "source[mode=bind]/@host" */
static void add_path(const char *path)
{
        while (*path && *path != '.') {
                size_t size = strcspn(path, "[/");

                if (*path == '@')
                        add_word(words.attributes, path + 1, size - 1);
                else
                        add_word(words.elements, path, size);
                path += size;
                path += *path == '[' ? strcspn(path, "]") + 1 : 0;
                path += *path == '/';
        }
}

static void add_language(const StructType *type)
{
        if (!g_hash_table_add(words.known, g_strdup_printf("%p", (const void *)type)))
                return;
        for (uint32_t i = 0; i < type->count; i++) {
                const Field *field = &type->fields[i];
                const EnumTable *table = field->type;

                add_path(field->path);
                if (field->kind == FIELD_STRUCT || field->kind == FIELD_INLINE || field->kind == FIELD_LIST)
                        add_language(field->type);
                for (unsigned j = 0; field->kind == FIELD_ENUM && j < table->count; j++)
                        if (enum_to_string(table, j))
                                add_word(words.values, enum_to_string(table, j),
                                         strlen(enum_to_string(table, j)));
        }
}

static void learn(const StructType *language)
{
        static const char *const values[] = {
                "0",
                "1",
                "2",
                "-1",
                "255",
                "256",
                "65535",
                "65536",
                "4294967295",
                "4294967296",
                "18446744073709551615",
                "18446744073709551616",
                "-9223372036854775808",
                "0x",
                "0x1f",
                "010",
                "1.5",
                "",
                " ",
                "a",
                "/",
                "/a/b",
                "vda",
                "sdz",
                "hdc",
                "q35",
                "pc",
                "x86_64",
                "KiB",
                "EiB",
                "0-3,^2",
                "9999999",
                "52:54:00:00:00:01",
                "00000000-0000-0000-0000-000000000001",
                "::1",
                "127.0.0.1",
                "a,b=c",
                "%s%n",
                "\xc3\xa4",
        };

        if (words.known)
                return;
        words = (Words){ g_ptr_array_new(), g_ptr_array_new(), g_ptr_array_new(),
                         g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) };
        add_language(language);
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
                g_ptr_array_add(words.values, (void *)values[i]);
}

static const char *pick(const GPtrArray *list)
{
        return list->pdata[(unsigned)rand() % list->len];
}

typedef enum Change {
        DROP,
        DOUBLE,
        RENAME,
        ATTRIBUTE_SET,
        ATTRIBUTE_DROP,
        ATTRIBUTE_ADD,
        TEXT,
        CHILD,
        COPY,
        N_CHANGES
} Change;

typedef struct Writing {
        GString *text;
        unsigned at; /* the number of the element that is written */
        unsigned target;
        Change change;
        const XmlNode *copied; /* for COPY */
        unsigned depth;
} Writing;

static void write_escaped(GString *text, const char *value)
{
        g_autofree char *escaped = g_markup_escape_text(value, -1);

        g_string_append(text, escaped);
}

static void write_attribute(Writing *writing, const char *name, const char *value)
{
        g_string_append_printf(writing->text, " %s='", name);
        write_escaped(writing->text, value);
        g_string_append_c(writing->text, '\'');
}

static void write_attributes(Writing *writing, const XmlNode *node, bool is_target)
{
        unsigned n = 0, chosen;

        for (const XmlAttribute *attribute = node->attributes; attribute; attribute = attribute->next)
                n++;
        chosen = n > 0 ? (unsigned)rand() % n : 0;
        n = 0;
        for (const XmlAttribute *attribute = node->attributes; attribute; attribute = attribute->next, n++) {
                bool is_chosen = is_target && n == chosen;

                if (is_chosen && writing->change == ATTRIBUTE_DROP)
                        continue;
                write_attribute(writing, attribute->name,
                                is_chosen && writing->change == ATTRIBUTE_SET ? pick(words.values)
                                                                              : attribute->value);
        }
        if (is_target && writing->change == ATTRIBUTE_ADD) {
                const char *name = pick(words.attributes);

                if (!xml_attribute(node, name))
                        write_attribute(writing, name, pick(words.values));
        }
}

static void write_node(Writing *writing, const XmlNode *node);

static void write_content(Writing *writing, const XmlNode *node, bool is_target)
{
        if (is_target && writing->change == TEXT)
                write_escaped(writing->text, pick(words.values));
        else if (node->text)
                write_escaped(writing->text, node->text);
        for (const XmlNode *child = node->first_child; child; child = child->next)
                write_node(writing, child);
        if (is_target && writing->change == CHILD) {
                const char *name = pick(words.elements);

                g_string_append_printf(writing->text, "<%s", name);
                write_attribute(writing, pick(words.attributes), pick(words.values));
                g_string_append_printf(writing->text, ">%s</%s>", rand() % 4 ? "" : "1", name);
        }
        if (is_target && writing->change == COPY && writing->copied) {
                const XmlNode *copied = g_steal_pointer(&writing->copied); /* not within itself again */

                write_node(writing, copied);
        }
}

static void write_node(Writing *writing, const XmlNode *node)
{
        bool is_target = writing->at++ == writing->target;
        unsigned times = !is_target ? 1 : writing->change == DROP ? 0 : writing->change == DOUBLE ? 2 : 1;
        g_autofree char *own =
                node->prefix ? g_strdup_printf("%s:%s", node->prefix, node->name) : g_strdup(node->name);
        const char *name = is_target && writing->change == RENAME ? pick(words.elements) : own;

        if (++writing->depth < 60)
                for (unsigned i = 0; i < times; i++) {
                        g_string_append_printf(writing->text, "<%s", name);
                        write_attributes(writing, node, is_target);
                        g_string_append_c(writing->text, '>');
                        write_content(writing, node, is_target);
                        g_string_append_printf(writing->text, "</%s>", name);
                }
        writing->depth--;
}

static unsigned count(const XmlNode *node, const XmlNode **numbered, unsigned n, unsigned wanted)
{
        if (n == wanted)
                *numbered = node;
        n++;
        for (const XmlNode *child = node->first_child; child; child = child->next)
                n = count(child, numbered, n, wanted);
        return n;
}

/* One change; NULL if it is no XML. */
static char *change(const char *text, size_t size)
{
        _cleanup_(xml_document_freep) XmlDocument *document = NULL;
        const XmlNode *ignored = NULL;
        Writing writing = { .change = (Change)((unsigned)rand() % N_CHANGES) };
        unsigned n;

        if (xml_parse(text, size, "document", &document, NULL) < 0)
                return NULL;
        n = count(xml_document_root(document), &ignored, 0, 0);
        /* The root stays; what is changed is more often a device than the frame around it. */
        writing.target = n > 1 ? 1 + (unsigned)rand() % (n - 1) : n;
        (void)count(xml_document_root(document), &writing.copied, 0,
                    n > 1 ? 1 + (unsigned)rand() % (n - 1) : n);
        writing.text = g_string_new(NULL);
        write_node(&writing, xml_document_root(document));
        return g_string_free(writing.text, FALSE);
}

size_t mutate_xml(const StructType *language, uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
        g_autofree char *text = g_strndup((const char *)data, size);
        unsigned n_changes;

        learn(language);
        srand(seed);
        if (rand() % 16 == 0)
                return LLVMFuzzerMutate(data, size, max_size);
        n_changes = 1 + (unsigned)rand() % 4;
        for (unsigned i = 0; i < n_changes; i++) {
                char *changed = change(text, strlen(text));

                if (!changed)
                        return LLVMFuzzerMutate(data, size, max_size);
                g_free(text);
                text = changed;
        }
        if (strlen(text) > max_size)
                return LLVMFuzzerMutate(data, size, max_size);
        memcpy(data, text, strlen(text));
        return strlen(text);
}
