/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* systemd-networkd: files in its folders, and its Reload. What is to be up from the host's boot on stands in
 * /etc, the rest in /run while it is up; what stands in /etc and is not to be up now has a condition in /run
 * that is not true. Files are found again by NETWORKD_PREFIX in their names and a tag in their first line. A
 * main file is several definitions': one fiber at a time changes files. */

#include "core/await.h"
#include "core/store.h"
#include "drivers/host/host-manager.h"
#include "drivers/host/host-service.h"
#include "drivers/host/networkd-text.h"
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICE  "org.freedesktop.network1"
#define PATH     "/org/freedesktop/network1"
#define ETC      "etc/systemd/network"
#define RUN      "run/systemd/network"
#define FILE_MAX (1024 * 1024)
#define DAEMON   "systemd-networkd"

static char *folder_path(const Driver *driver, const char *folder)
{
        return g_build_filename(driver->config->root ? driver->config->root : "/", folder, NULL);
}

static int manages(const Driver *driver, const char *device _unused_, bool has_device _unused_,
                   uint64_t deadline_usec, Error *error) AWAITS
{
        return host_service_is_running(driver, SERVICE, deadline_usec, error);
}

/* The file by which it configures the device; NULL: none. */
static int find_file(const Driver *driver, const char *device, uint64_t deadline_usec, char **ret_file,
                     Error *error) AWAITS
{
        static const ServiceMethod find = { SERVICE, PATH, SERVICE ".Manager", "GetLinkByName" };
        _cleanup_(g_variant_unrefp) GVariant *link = NULL, *description = NULL;
        const char *path, *text;
        json_t *json;
        int32_t index;
        int r = host_service_ask(driver, &find, g_variant_new("(s)", device), "(io)", deadline_usec, &link,
                                 error);

        if (r < 0)
                return r;
        g_variant_get(link, "(i&o)", &index, &path);
        r = host_service_ask(driver, &(ServiceMethod){ SERVICE, path, SERVICE ".Link", "Describe" }, NULL,
                             "(s)", deadline_usec, &description, error);
        if (r < 0)
                return r;
        g_variant_get(description, "(&s)", &text);
        json = json_loads(text, 0, NULL);
        if (!json)
                return error_set(error, ERROR_OPERATION_FAILED, DAEMON " describes '%s' in what is not JSON",
                                 device);
        *ret_file = g_strdup(json_string_value(json_object_get(json, "NetworkFile")));
        json_decref(json);
        return 0;
}

static int check_free(const Driver *driver, const char *device, bool has_device, uint64_t deadline_usec,
                      Error *error) AWAITS
{
        _cleanup_(freep) char *file = NULL, *name = NULL;
        int r = has_device ? find_file(driver, device, deadline_usec, &file, error) : 0;

        if (r < 0 || !file)
                return r;
        name = g_path_get_basename(file);
        return g_str_has_prefix(name, NETWORKD_PREFIX)
                       ? 0
                       : error_set(error, ERROR_OPERATION_INVALID,
                                   "The interface '%s' is configured by %s of " DAEMON
                                   ", which is not of virtbus: change it there",
                                   device, file);
}

static int reload(const Driver *driver, uint64_t deadline_usec, Error *error) AWAITS
{
        static const ServiceMethod method = { SERVICE, PATH, SERVICE ".Manager", "Reload" };

        return driver->service_call(&method, NULL, deadline_usec, NULL, error);
}

static struct {
        bool is_taken;
        Condition given_back;
} files_lock; /* the folders are the host's, not a driver's */

static int lock_files(uint64_t deadline_usec, Error *error) AWAITS
{
        while (files_lock.is_taken)
                if (condition_wait(&files_lock.given_back, deadline_usec) < 0)
                        return error_set(error, ERROR_BUSY,
                                         "Another change of the files of " DAEMON " does not end");
        files_lock.is_taken = true;
        return 0;
}

static int unlock_files(int result)
{
        files_lock.is_taken = false;
        condition_wake_all(&files_lock.given_back);
        return result;
}

static bool has_text(int fd, const NetworkdFile *file)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;

        return store_read(fd, file->name, FILE_MAX, &text, &size, NULL) >= 0 &&
               strcmp(text, file->text) == 0;
}

/* A file that is as it should be is left alone: to systemd-networkd it is the same one then. */
static int write_files(const Driver *driver, const char *folder, GPtrArray *files, Error *error) AWAITS
{
        _cleanup_(freep) char *top = folder_path(driver, folder);
        int r = 0;

        for (unsigned i = 0; i < files->len && r >= 0; i++) {
                const NetworkdFile *file = files->pdata[i];
                _cleanup_(freep) char *path = g_build_filename(top, file->folder, NULL);
                _cleanup_(closep) int fd = store_open_folder(path, 0755, error);

                r = MIN(fd, 0);
                if (r >= 0 && !has_text(fd, file))
                        r = store_write(fd, file->name, file->text, strlen(file->text), 0644, error);
        }
        return r;
}

/* Whose the file is, to be freed; NULL: not of virtbus, also if its name says so. */
static char *owner_of(int fd, const char *name)
{
        _cleanup_(freep) char *text = NULL;
        size_t size;

        if (store_read(fd, name, FILE_MAX, &text, &size, NULL) < 0 || !g_str_has_prefix(text, NETWORKD_TAG))
                return NULL;
        return g_strndup(text + strlen(NETWORKD_TAG), strcspn(text + strlen(NETWORKD_TAG), "\n"));
}

/* Whether a file of that owner shall stay. */
typedef bool (*FileKeep)(const char *owner, const char *folder, const char *name, const void *data);

static bool is_of_another(const char *owner, const char *folder _unused_, const char *name _unused_,
                          const void *data)
{
        return strcmp(owner, data) != 0;
}

typedef struct Wanted {
        const char *owner;
        const GPtrArray *files;
} Wanted;

static bool is_of_another_or_wanted(const char *owner, const char *folder, const char *name,
                                    const void *data)
{
        const Wanted *wanted = data;

        if (strcmp(owner, wanted->owner) != 0)
                return true;
        for (unsigned i = 0; i < wanted->files->len; i++) {
                const NetworkdFile *file = wanted->files->pdata[i];

                if (g_strcmp0(file->folder, folder) == 0 && strcmp(file->name, name) == 0)
                        return true;
        }
        return false;
}

/* Removes files of the folder `folder` in `top` (NULL: of itself). */
static int clean_folder(const char *top, const char *folder, FileKeep keep, const void *data,
                        Error *error) AWAITS
{
        _cleanup_(freep) char *path = g_build_filename(top, folder, NULL);
        _cleanup_(closep) int fd = store_open_folder(path, 0755, error);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = NULL;
        int r = fd < 0 ? fd : store_list(fd, "", &names, error);

        for (unsigned i = 0; r >= 0 && i < names->len; i++) {
                const char *name = names->pdata[i];
                _cleanup_(freep) char *owner = g_str_has_prefix(folder ? folder : name, NETWORKD_PREFIX)
                                                       ? owner_of(fd, name)
                                                       : NULL;

                if (owner && !keep(owner, folder, name, data))
                        r = store_remove(fd, name, error);
        }
        return r;
}

static GPtrArray *list_ours(const char *top, const char *suffix)
{
        GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        GDir *listing = g_dir_open(top, 0, NULL);
        const char *name;

        while (listing && (name = g_dir_read_name(listing)))
                if (g_str_has_prefix(name, NETWORKD_PREFIX) && g_str_has_suffix(name, suffix))
                        g_ptr_array_add(names, g_strdup(name));
        if (listing)
                g_dir_close(listing);
        return names;
}

/* Main files that have no drop-ins, also because a crash was between the two. */
static int clean_mains(const char *top, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = list_ours(top, NETWORK_SUFFIX);
        _cleanup_(closep) int fd = store_open_folder(top, 0755, error);
        int r = MIN(fd, 0);

        for (unsigned i = 0; r >= 0 && i < names->len; i++) {
                const char *name = names->pdata[i];
                _cleanup_(freep) char *folder = g_strconcat(name, ".d", NULL), *text = NULL;
                size_t size;

                if (faccessat(fd, folder, F_OK, 0) < 0 &&
                    store_read(fd, name, FILE_MAX, &text, &size, NULL) >= 0 &&
                    g_str_has_prefix(text, NETWORKD_MAIN_TAG))
                        r = store_remove(fd, name, error);
        }
        return r;
}

static int clean(const Driver *driver, const char *in, FileKeep keep, const void *data, Error *error) AWAITS
{
        _cleanup_(freep) char *top = folder_path(driver, in);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *folders = list_ours(top, ".d");
        int r;

        if (access(top, F_OK) < 0)
                return 0;
        r = clean_folder(top, NULL, keep, data, error);
        for (unsigned i = 0; i < folders->len && r >= 0; i++) {
                _cleanup_(freep) char *path = g_build_filename(top, folders->pdata[i], NULL);

                r = clean_folder(top, folders->pdata[i], keep, data, error);
                (void)rmdir(path); /* fails if it has others */
        }
        return r < 0 ? r : clean_mains(top, error);
}

/* What the definition has in the folder becomes this, which is freed. */
static int replace_files(const Driver *driver, const char *folder, const char *owner, GPtrArray *files,
                         Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *own = files;
        int r = write_files(driver, folder, own, error);

        return r < 0 ? r
                     : clean(driver, folder, is_of_another_or_wanted,
                             &(Wanted){ .owner = owner, .files = own }, error);
}

static int put(const Driver *driver, const char *folder, const HostInterfaceDefinition *definition,
               Error *error) AWAITS
{
        return replace_files(driver, folder, definition->name, networkd_files(definition), error);
}

/* For another run of the host; now it is as it is. */
static int put_down(const Driver *driver, const HostInterfaceDefinition *definition, Error *error) AWAITS
{
        return replace_files(driver, RUN, definition->name, networkd_down_files(definition), error);
}

static int remove_files(const Driver *driver, const char *folder, const char *owner, Error *error) AWAITS
{
        return clean(driver, folder, is_of_another, owner, error);
}

static int store_files(const Driver *driver, const char *name, const HostInterfaceDefinition *definition,
                       bool is_up, Error *error) AWAITS
{
        int r;

        if (definition && definition->start == START_MODE_ONBOOT) {
                r = is_up ? 0 : put_down(driver, definition, error);
                if (r >= 0)
                        r = put(driver, ETC, definition, error);
                return r < 0 || !is_up ? r : remove_files(driver, RUN, name, error);
        }
        r = definition && is_up ? put(driver, RUN, definition, error)
                                : remove_files(driver, RUN, name, error);
        return r < 0 ? r : remove_files(driver, ETC, name, error);
}

static int store(const Driver *driver, const char *name, const HostInterfaceDefinition *definition,
                 bool is_up, uint64_t deadline_usec, Error *error) AWAITS
{
        int r = lock_files(deadline_usec, error);

        return r < 0 ? r : unlock_files(store_files(driver, name, definition, is_up, error));
}

static int start_files(const Driver *driver, const HostInterfaceDefinition *definition, Error *error) AWAITS
{
        bool is_for_boot = definition->start == START_MODE_ONBOOT;
        int r = put(driver, is_for_boot ? ETC : RUN, definition, error);

        return r < 0 || !is_for_boot ? r : remove_files(driver, RUN, definition->name, error);
}

static int start(const Driver *driver, const HostInterfaceDefinition *definition, uint64_t deadline_usec,
                 Error *error) AWAITS
{
        int r = lock_files(deadline_usec, error);

        if (r >= 0)
                r = unlock_files(start_files(driver, definition, error));
        return r < 0 ? r : reload(driver, deadline_usec, error);
}

static int stop(const Driver *driver, const HostInterfaceDefinition *definition, uint64_t deadline_usec,
                Error *error) AWAITS
{
        int r = lock_files(deadline_usec, error);

        if (r >= 0)
                r = unlock_files(definition->start == START_MODE_ONBOOT
                                         ? put_down(driver, definition, error)
                                         : remove_files(driver, RUN, definition->name, error));
        return r < 0 ? r : reload(driver, deadline_usec, error);
}

static bool is_defined(const char *owner, const char *folder _unused_, const char *name _unused_,
                       const void *data)
{
        return g_hash_table_contains((GHashTable *)data, owner);
}

static bool is_for_boot(const char *owner, const char *folder _unused_, const char *name _unused_,
                        const void *data)
{
        const HostInterfaceDefinition *definition = g_hash_table_lookup((GHashTable *)data, owner);

        return definition && definition->start == START_MODE_ONBOOT;
}

static int settle_files(const Driver *driver, GHashTable *definitions, Error *error) AWAITS
{
        GHashTableIter iterator;
        gpointer value;
        int r = clean(driver, ETC, is_for_boot, definitions, error);

        if (r >= 0)
                r = clean(driver, RUN, is_defined, definitions, error);
        g_hash_table_iter_init(&iterator, definitions);
        while (r >= 0 && g_hash_table_iter_next(&iterator, NULL, &value)) {
                const HostInterfaceDefinition *definition = value;

                if (definition->start == START_MODE_ONBOOT)
                        r = put(driver, ETC, definition, error);
        }
        return r;
}

static int settle(const Driver *driver, GHashTable *definitions, uint64_t deadline_usec, Error *error) AWAITS
{
        int r = lock_files(deadline_usec, error);

        return r < 0 ? r : unlock_files(settle_files(driver, definitions, error));
}

const HostManager networkd_manager = {
        .name = DAEMON,
        .changes_parents = true,
        .manages = manages,
        .check_free = check_free,
        .check = networkd_check,
        .store = store,
        .start = start,
        .stop = stop,
        .settle = settle,
};
