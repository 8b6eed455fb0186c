/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/nwfilter/shipped.h"
#include "core/log.h"
#include <string.h>

static void release(void *data)
{
        filter_definition_free(data);
}

/* That of a build that is not installed goes first. */
static char *find_folder(void)
{
        _cleanup_(freep) char *self = g_file_read_link("/proc/self/exe", NULL),
                              *folder = self ? g_path_get_dirname(self) : g_strdup("/"),
                              *built = g_build_filename(folder, "../drivers/nwfilter/shipped", NULL);

        return g_file_test(built, G_FILE_TEST_IS_DIR) ? TAKE_PTR(built) : g_strdup(VIRTBUS_FILTERS);
}

static int read_file(const char *path, FilterDefinition **ret_definition, Error *error)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (!g_file_get_contents(path, &text, &size, NULL))
                return error_set(error, ERROR_OPERATION_FAILED, "it cannot be read");
        r = filter_definition_parse(text, size, ret_definition, error);
        if (r >= 0 && !(*ret_definition)->uuid[0]) {
                *ret_definition = filter_definition_free(*ret_definition);
                r = error_set(error, ERROR_INVALID_XML, "it has no <uuid>");
        }
        return r;
}

static int compare(const void *a, const void *b)
{
        const FilterDefinition *const *left = a, *const *right = b;

        return strcmp((*left)->name, (*right)->name);
}

GPtrArray *shipped_read(void)
{
        GPtrArray *definitions = g_ptr_array_new_with_free_func(release);
        _cleanup_(freep) char *folder = find_folder();
        GDir *entries = g_dir_open(folder, 0, NULL);

        for (const char *name; entries && (name = g_dir_read_name(entries));) {
                _cleanup_(freep) char *path = g_build_filename(folder, name, NULL);
                _cleanup_(error_clear) Error error = {};
                FilterDefinition *definition;

                if (!g_str_has_suffix(name, ".xml"))
                        continue;
                if (read_file(path, &definition, &error) < 0)
                        log_error(path, "the filter is left out: %s", error.message);
                else
                        g_ptr_array_add(definitions, definition);
        }
        if (entries)
                g_dir_close(entries);
        g_ptr_array_sort(definitions, compare);
        return definitions;
}
