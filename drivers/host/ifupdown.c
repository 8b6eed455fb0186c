/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ifupdown: one file of ours for each interface, in the folder that /etc/network/interfaces reads, and ifup
 * and ifdown. A file is ours if its name begins with PREFIX and its text with IFUPDOWN_TAG. */

#include "core/child.h"
#include "core/store.h"
#include "drivers/host/host-manager.h"
#include "drivers/host/ifupdown-text.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NAME       "ifupdown"
#define MAIN_FILE  "etc/network/interfaces"
#define FOLDER     "etc/network/interfaces.d"
#define PREFIX     "virtbus-"
#define FILE_MAX   (1024 * 1024)
#define OUTPUT_MAX (64 * 1024)

static char *host_path(const Driver *driver, const char *path)
{
        return g_build_filename(driver->config->root ? driver->config->root : "/", path, NULL);
}

/* The folder may be read by "source-directory", which takes no dots. */
static char *file_name(const char *name)
{
        GString *text = g_string_new(PREFIX);

        for (const char *c = name; *c; c++)
                if (g_ascii_isalnum(*c) || *c == '-')
                        g_string_append_c(text, *c);
                else
                        g_string_append_printf(text, "_%02x", (unsigned char)*c);
        return g_string_free(text, FALSE);
}

static const char *find_tool(const char *const *paths)
{
        for (; *paths; paths++)
                if (access(*paths, X_OK) >= 0)
                        return *paths;
        return NULL;
}

static const char *find_ifup(void)
{
        return find_tool((const char *const[]){ "/sbin/ifup", "/usr/sbin/ifup", NULL });
}

static const char *find_ifdown(void)
{
        return find_tool((const char *const[]){ "/sbin/ifdown", "/usr/sbin/ifdown", NULL });
}

static const char *find_ifquery(void)
{
        return find_tool((const char *const[]){ "/sbin/ifquery", "/usr/sbin/ifquery", NULL });
}

static int run_tool(const char *tool, const char *name, uint64_t deadline_usec, Error *error) AWAITS
{
        const char *words[] = { tool, name, NULL };

        if (!tool)
                return error_set(error, ERROR_NOT_SUPPORTED, "This host has no " NAME " any more");
        return child_run(&(ChildOptions){ .arguments = words,
                                          .stdin_fd = -1,
                                          .stdout_fd = -1,
                                          .stderr_fd = -1,
                                          .umask = 0022 },
                         NULL, 0, OUTPUT_MAX, deadline_usec, NULL, NULL, error);
}

static int manages(const Driver *driver, const char *device _unused_, bool has_device _unused_,
                   uint64_t deadline_usec _unused_, Error *error _unused_)
{
        _cleanup_(freep) char *path = host_path(driver, MAIN_FILE);

        return driver->config->is_system && find_ifup() && access(path, F_OK) >= 0;
}

/* Called with the first two words of each line of a file; other than 0 ends that. */
typedef int (*LineSeen)(const char *first, const char *second, const void *data);

static int read_lines(const char *path, LineSeen seen, const void *data)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;
        char *rest, *next;
        int r = 0;

        if (store_read(AT_FDCWD, path, FILE_MAX, &text, &size, NULL) < 0)
                return 0; /* what cannot be read says nothing */
        for (char *line = strtok_r(text, "\n", &rest); line && r == 0; line = strtok_r(NULL, "\n", &rest)) {
                const char *first = strtok_r(line, " \t", &next);
                const char *second = first ? strtok_r(NULL, " \t", &next) : NULL;

                if (second)
                        r = seen(first, second, data);
        }
        return r;
}

static int sources_folder(const char *first, const char *second, const void *data _unused_)
{
        static const char *const folder = "/" FOLDER;
        _cleanup_(freep) char *full =
                second[0] == '/' ? g_strdup(second) : g_build_filename("/etc/network", second, NULL);
        const char *rest = g_str_has_prefix(full, folder) ? full + strlen(folder) : NULL;

        if (rest && strcmp(first, "source-directory") == 0)
                return rest[strspn(rest, "/")] == '\0';
        return rest && strcmp(first, "source") == 0 && strcmp(rest, "/*") == 0;
}

static int configures(const char *first, const char *second, const void *data)
{
        return strcmp(first, "iface") == 0 && strcmp(second, data) == 0;
}

static int check_file(const char *path, const char *device, Error *error)
{
        return read_lines(path, configures, device) == 0
                       ? 0
                       : error_set(error, ERROR_OPERATION_INVALID,
                                   "The interface '%s' is configured by %s, which is not of virtbus: change "
                                   "it there",
                                   device, path);
}

static bool is_ours(int folder_fd, const char *file)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;

        return g_str_has_prefix(file, PREFIX) &&
               store_read(folder_fd, file, FILE_MAX, &text, &size, NULL) >= 0 &&
               g_str_has_prefix(text, IFUPDOWN_TAG);
}

/* The files that are known by name can be told; others may be read by them. */
static int check_files(const Driver *driver, const char *device, int folder_fd, Error *error)
{
        _cleanup_(freep) char *main_file = host_path(driver, MAIN_FILE), *folder = host_path(driver, FOLDER);
        GDir *listing = g_dir_open(folder, 0, NULL);
        const char *name;
        int r = check_file(main_file, device, error);

        while (listing && r >= 0 && (name = g_dir_read_name(listing))) {
                _cleanup_(freep) char *path = g_build_filename(folder, name, NULL);

                if (!is_ours(folder_fd, name))
                        r = check_file(path, device, error);
        }
        if (listing)
                g_dir_close(listing);
        return r;
}

/* Also by a file that is read by another. */
static int check_unknown(const char *device, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(error_clear) Error problem = {};
        int r = run_tool(find_ifquery(), device, deadline_usec, &problem);

        if (r < 0 && strstr(problem.message, "unknown interface"))
                return 0;
        if (r < 0) {
                error_move(error, &problem);
                return r;
        }
        return error_set(error, ERROR_OPERATION_INVALID,
                         "The interface '%s' is configured in a file that /" MAIN_FILE
                         " reads, which is not of virtbus: change it there",
                         device);
}

static int check_free(const Driver *driver, const char *device, bool has_device _unused_,
                      uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(freep) char *folder = host_path(driver, FOLDER), *own = file_name(device);
        _cleanup_(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* there may be none */
        int r = check_files(driver, device, fd, error);

        return r < 0 || is_ours(fd, own) ? r : check_unknown(device, deadline_usec, error);
}

/* What is not ours stays as it is, whatever its name. */
static int write_file(int folder_fd, const char *name, const HostInterfaceDefinition *definition,
                      Error *error) AWAITS
{
        _cleanup_(freep) char *file = file_name(name), *before = NULL;
        _cleanup_(freep) char *text = definition ? ifupdown_text(definition) : NULL;
        bool is_there = faccessat(folder_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
        size_t size;

        if (is_there && !is_ours(folder_fd, file))
                return definition ? error_set(error, ERROR_OPERATION_INVALID,
                                              "The interface '%s' would be the file /" FOLDER
                                              "/%s, which is there and not of virtbus",
                                              name, file)
                                  : 0;
        if (!definition)
                return store_remove(folder_fd, file, error);
        if (store_read(folder_fd, file, FILE_MAX, &before, &size, NULL) >= 0 && strcmp(before, text) == 0)
                return 0;
        return store_write(folder_fd, file, text, strlen(text), 0644, error);
}

static int store(const Driver *driver, const char *name, const HostInterfaceDefinition *definition,
                 bool is_up _unused_, uint64_t deadline_usec _unused_, Error *error) AWAITS
{
        _cleanup_(freep) char *main_file = host_path(driver, MAIN_FILE), *folder = host_path(driver, FOLDER);
        _cleanup_(closep) int fd = -EBADF;

        if (definition && read_lines(main_file, sources_folder, NULL) == 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The interface '%s' would be a file in %s, which %s does not read: 'source "
                                 "/" FOLDER "/*' in it does that",
                                 name, folder, main_file);
        fd = store_open_folder(folder, 0755, error);
        return fd < 0 ? fd : write_file(fd, name, definition, error);
}

static int start(const Driver *driver _unused_, const HostInterfaceDefinition *definition,
                 uint64_t deadline_usec, Error *error) AWAITS
{
        return run_tool(find_ifup(), definition->name, deadline_usec, error);
}

/* Also of what it does not think is up: it may have been brought up half. */
static int stop(const Driver *driver _unused_, const HostInterfaceDefinition *definition,
                uint64_t deadline_usec, Error *error) AWAITS
{
        return run_tool(find_ifdown(), definition->name, deadline_usec, error);
}

static int settle(const Driver *driver, GHashTable *definitions, uint64_t deadline_usec _unused_,
                  Error *error) AWAITS
{
        _cleanup_(g_hash_table_unrefp) GHashTable *files =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = NULL;
        _cleanup_(freep) char *folder = host_path(driver, FOLDER);
        _cleanup_(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        GHashTableIter iterator;
        gpointer name, definition;
        int r = fd < 0 ? 0 : store_list(fd, "", &names, error);

        if (fd < 0 || r < 0)
                return r;
        g_hash_table_iter_init(&iterator, definitions);
        while (r >= 0 && g_hash_table_iter_next(&iterator, &name, &definition)) {
                g_hash_table_add(files, file_name(name));
                r = write_file(fd, name, definition, error);
        }
        for (unsigned i = 0; r >= 0 && i < names->len; i++)
                if (is_ours(fd, names->pdata[i]) && !g_hash_table_contains(files, names->pdata[i]))
                        r = store_remove(fd, names->pdata[i], error);
        return r;
}

const HostManager ifupdown_manager = {
        .name = NAME,
        .knows_hotplug = true,
        .manages = manages,
        .check_free = check_free,
        .check = ifupdown_check,
        .store = store,
        .start = start,
        .stop = stop,
        .settle = settle,
};
