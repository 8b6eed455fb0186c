/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/listed.h"
#include <string.h>

#define NAME_LENGTH_MAX 255

static void release(void *entry)
{
        file_entry_free(entry);
}

GPtrArray *listed_new(void)
{
        return g_ptr_array_new_with_free_func(release);
}

static bool is_name(const char *name)
{
        return name && *name && strlen(name) <= NAME_LENGTH_MAX && !strchr(name, '/') &&
               g_utf8_validate(name, -1, NULL);
}

FileEntry *listed_entry(const Listed *what)
{
        FileEntry *entry = g_new0(FileEntry, 1);

        entry->name = g_strdup(what->name);
        entry->path = g_strdup(what->path);
        entry->key = g_strdup(what->key ? what->key : what->path);
        entry->stat.st_mode = what->type;
        entry->stat.st_size = (off_t)MIN(what->size, (uint64_t)INT64_MAX);
        entry->allocation = MIN(what->allocation, (uint64_t)INT64_MAX);
        entry->header.format = "raw";
        return entry;
}

void listed_add(GPtrArray *entries, const Listed *what)
{
        if (is_name(what->name))
                g_ptr_array_add(entries, listed_entry(what));
}

void listed_add_device(GPtrArray *entries, const Listed *what)
{
        FileEntry *entry;

        if (!is_name(what->name))
                return;
        if (files_look_device(what->path, what->name, what->key, &entry, NULL) < 0) {
                listed_add(entries, what);
                return;
        }
        if (what->allocation > 0)
                entry->allocation = what->allocation;
        g_ptr_array_add(entries, entry);
}

uint64_t listed_number(const char *text)
{
        return text && g_ascii_isdigit(*text) ? g_ascii_strtoull(text, NULL, 10) : 0;
}

const char *listed_json_text(const json_t *object, const char *key)
{
        return json_string_value(json_object_get(object, key));
}

uint64_t listed_json_number(const json_t *object, const char *key)
{
        const json_t *value = json_object_get(object, key);

        if (json_is_string(value))
                return listed_number(json_string_value(value));
        return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
}

int listed_json(const char *tool, const char *output, json_t **ret_root, Error *error)
{
        json_t *root = json_loads(output, JSON_REJECT_DUPLICATES, NULL);

        if (!root)
                return error_set(error, ERROR_OPERATION_FAILED, "%s did not answer with JSON", tool);
        *ret_root = root;
        return 0;
}
