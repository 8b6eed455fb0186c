/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Descriptions are looked at in the order of their names; the first that fits is taken. What one of them
 * says is believed, as packages and administrators write them, but a broken one is passed over. */

#include "drivers/qemu/firmware.h"
#include "core/store.h"
#include "core/worker.h"
#include "model/volume-header.h"
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTION_MAX (64 * 1024)
#define SUFFIX          ".json"

const char *const firmware_folders[] = { "/usr/share/qemu/firmware", "/etc/qemu/firmware", NULL };

/* Name to contents, in the order of the names. */
static int add_description(int folder_fd, const char *name, void *data)
{
        GTree *descriptions = data;
        char *text;
        size_t size;

        if (store_read(folder_fd, name, DESCRIPTION_MAX, &text, &size, NULL) >= 0)
                g_tree_replace(descriptions, g_strdup(name), text);
        return 0;
}

static gint compare_names(gconstpointer a, gconstpointer b, gpointer data)
{
        (void)data;
        return strcmp(a, b);
}

static GTree *read_all(const char *const *folders)
{
        GTree *descriptions = g_tree_new_full(compare_names, NULL, g_free, g_free);

        for (; *folders; folders++) {
                _cleanup_(closep) int fd = open(*folders, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (fd >= 0)
                        (void)store_visit(fd, SUFFIX, add_description, descriptions, NULL);
        }
        return descriptions;
}

static bool has_word(json_t *array, const char *word)
{
        json_t *item;
        size_t i;

        json_array_foreach(array, i, item)
        {
                if (g_strcmp0(json_string_value(item), word) == 0)
                        return true;
        }
        return false;
}

static bool fits_machine(json_t *description, const DomainOs *os)
{
        json_t *target, *pattern;
        size_t i, j;

        json_array_foreach(json_object_get(description, "targets"), i, target)
        {
                if (g_strcmp0(json_string_value(json_object_get(target, "architecture")), os->arch) != 0)
                        continue;
                json_array_foreach(json_object_get(target, "machines"), j, pattern)
                {
                        if (json_is_string(pattern) && os->machine &&
                            fnmatch(json_string_value(pattern), os->machine, 0) == 0)
                                return true;
                }
        }
        return false;
}

static YesNo wanted_feature(const DomainOs *os, const char *name)
{
        LIST_FOREACH (feature, os->firmware_features) {
                if (g_strcmp0(feature->name, name) == 0)
                        return feature->enabled;
        }
        return YES_NO_ABSENT;
}

static bool agrees(YesNo wanted, bool is_there)
{
        return wanted == YES_NO_ABSENT || (wanted == YES) == is_there;
}

static bool fits_features(json_t *features, const DomainDefinition *live)
{
        const DomainOs *os = &live->os;
        bool is_secure = has_word(features, "secure-boot"), needs_smm = has_word(features, "requires-smm");

        if (needs_smm && live->features.smm == OFF)
                return false;
        if (live->launch_security && !has_word(features, "amd-sev"))
                return false;
        return agrees(os->loader_secure, is_secure && needs_smm) &&
               agrees(wanted_feature(os, "secure-boot"), is_secure) &&
               agrees(wanted_feature(os, "enrolled-keys"), has_word(features, "enrolled-keys")) &&
               !(live->suspend_to_mem == YES && !has_word(features, "acpi-s3")) &&
               !(live->suspend_to_disk == YES && !has_word(features, "acpi-s4"));
}

static const char *member(json_t *object, const char *key, const char *otherwise)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : otherwise;
}

/* Flash with variables beside the code, flash without any, or a ROM. */
static bool fits_mapping(json_t *mapping, const DomainOs *os)
{
        bool is_flash = strcmp(member(mapping, "device", ""), "flash") == 0;
        const char *mode = member(mapping, "mode", "split");

        if (!is_flash)
                return strcmp(member(mapping, "device", ""), "memory") == 0 &&
                       os->loader_type != LOADER_PFLASH && json_object_get(mapping, "filename");
        return os->loader_type != LOADER_ROM &&
               strcmp(mode, os->loader_stateless == YES ? "stateless" : "split") == 0 &&
               json_string_value(json_object_get(json_object_get(mapping, "executable"), "filename"));
}

static bool fits_interface(json_t *description, OsFirmware wanted)
{
        return has_word(json_object_get(description, "interface-types"),
                        wanted == OS_FIRMWARE_EFI ? "uefi" : "bios");
}

/* How large a flash is that begins as this template; 0: it cannot be read. */
static uint64_t read_template_size(const char *path, bool is_raw)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        _cleanup_(freep) uint8_t *bytes = g_malloc(VOLUME_HEADER_BYTES);
        _cleanup_(volume_header_clear) VolumeHeader header = {};
        struct stat status;
        ssize_t n;

        if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
                return 0;
        if (is_raw)
                return (uint64_t)status.st_size;
        n = pread(fd, bytes, VOLUME_HEADER_BYTES, 0);
        return n >= 0 && volume_header_read(bytes, (size_t)n, &header, NULL) >= 0 ? header.capacity : 0;
}

/* Whether the image can go on with these variables; if not, *ret_wanted says what it would need. Those of a
 * template that the definition names have the format that it names, whatever that of the image's own. */
static bool fits_variables(json_t *mapping, const OsNvram *nvram, const FirmwareVariables *variables,
                           char **ret_wanted)
{
        json_t *template = json_object_get(mapping, "nvram-template");
        const char *of_image = member(template, "format", "raw"), *path = member(template, "filename", NULL),
                   *format = !nvram || !nvram->template_path ? of_image
                             : nvram->format                 ? nvram->format
                                                             : "raw";
        const uint64_t size = path ? read_template_size(path, strcmp(of_image, "raw") == 0) : 0,
                       there = strcmp(format, "raw") == 0 ? variables->file_size : variables->qcow2_size;

        if (size > 0 && size == there)
                return true;
        *ret_wanted = size > 0 ? g_strdup_printf("some of format %s and %" PRIu64 " bytes, as %s", format,
                                                 size, path)
                      : path   ? g_strdup_printf("some like %s, which cannot be read", path)
                               : g_strdup("none");
        return false;
}

static void replace(char **text, const char *by)
{
        g_free(*text);
        *text = g_strdup(by);
}

static void set_template(DomainOs *os, json_t *mapping)
{
        json_t *template = json_object_get(mapping, "nvram-template");

        if (!template || (os->nvram && os->nvram->template_path))
                return;
        if (!os->nvram)
                os->nvram = g_new0(OsNvram, 1);
        replace(&os->nvram->template_path, member(template, "filename", NULL));
        if (strcmp(member(template, "format", "raw"), "raw") != 0) {
                replace(&os->nvram->template_format, member(template, "format", NULL));
                if (!os->nvram->format)
                        replace(&os->nvram->format, os->nvram->template_format);
        }
}

static void fill(DomainDefinition *live, json_t *description)
{
        DomainOs *os = &live->os;
        json_t *mapping = json_object_get(description, "mapping"),
               *executable = json_object_get(mapping, "executable");

        os->loader_readonly = YES;
        if (!executable) {
                os->loader_type = LOADER_ROM;
                replace(&os->loader, member(mapping, "filename", NULL));
                return;
        }
        os->loader_type = LOADER_PFLASH;
        replace(&os->loader, member(executable, "filename", NULL));
        if (strcmp(member(executable, "format", "raw"), "raw") != 0)
                replace(&os->loader_format, member(executable, "format", NULL));
        if (os->loader_stateless != YES)
                set_template(os, mapping);
        if (has_word(json_object_get(description, "features"), "requires-smm")) {
                os->loader_secure = YES;
                live->features.smm = ON;
        }
}

/* What is looked for. */
typedef struct Search {
        DomainDefinition *live;
        const FirmwareVariables *variables; /* NULL: there are none, or they do not matter */
        bool by_loader;                     /* the description of the image that the definition names */
        bool is_found;
        char *other, *wanted; /* the first image that would do but for the variables, and which it needs */
} Search;

/* An image that would be right for another machine's variables: the first one is told of. */
static bool fits_what_is_there(Search *search, json_t *mapping)
{
        _cleanup_(freep) char *wanted = NULL;

        if (!search->variables ||
            fits_variables(mapping, search->live->os.nvram, search->variables, &wanted))
                return true;
        if (!search->other) {
                search->other = g_strdup(member(json_object_get(mapping, "executable"), "filename",
                                                member(mapping, "filename", "")));
                search->wanted = TAKE_PTR(wanted);
        }
        return false;
}

static gboolean visit(gpointer name, gpointer text, gpointer data)
{
        _cleanup_(json_decrefp) json_t *description = json_loads(text, 0, NULL);
        Search *search = data;
        DomainOs *os = &search->live->os;
        json_t *mapping = json_object_get(description, "mapping");

        (void)name;
        if (search->by_loader) {
                search->is_found =
                        g_strcmp0(member(json_object_get(mapping, "executable"), "filename", NULL),
                                  os->loader) == 0;
                if (search->is_found)
                        set_template(os, mapping);
                return search->is_found;
        }
        search->is_found = fits_interface(description, os->firmware) && fits_machine(description, os) &&
                           fits_mapping(mapping, os) &&
                           fits_features(json_object_get(description, "features"), search->live) &&
                           fits_what_is_there(search, mapping);
        if (search->is_found)
                fill(search->live, description);
        return search->is_found;
}

static int set_misfit(const Search *search, Error *error)
{
        const FirmwareVariables *variables = search->variables;
        const bool is_qcow2 = variables->qcow2_size > 0;

        return error_set(error, ERROR_OPERATION_INVALID,
                         "The firmware variables %s are of format %s and %" PRIu64
                         " bytes, and the firmware of this host that <os> asks for, %s, needs %s: flag "
                         "RESET_NVRAM (32) makes new ones, and what is in the old ones is lost",
                         variables->path, is_qcow2 ? "qcow2" : "raw",
                         is_qcow2 ? variables->qcow2_size : variables->file_size, search->other,
                         search->wanted);
}

int firmware_choose(DomainDefinition *live, const char *const *folders, const FirmwareVariables *variables,
                    Error *error)
{
        Search search = {
                .live = live,
                .variables = live->os.firmware == OS_FIRMWARE_EFI ? variables : NULL,
                .by_loader = live->os.loader != NULL,
        };
        GTree *descriptions = read_all(folders);
        int r = 0;

        g_tree_foreach(descriptions, visit, &search);
        g_tree_unref(descriptions);
        if (!search.is_found && search.other)
                r = set_misfit(&search, error);
        else if (!search.is_found && !search.by_loader &&
                 live->os.firmware != OS_FIRMWARE_BIOS) /* every board has one */
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED,
                              "No EFI firmware of this host is what <os> asks for, on a machine of type "
                              "'%s'; looked for in %s",
                              live->os.machine, folders[0]);
        g_free(search.other);
        g_free(search.wanted);
        return r;
}

void firmware_variables_clear(FirmwareVariables *variables)
{
        g_free(variables->path);
}

typedef struct Task {
        DomainDefinition *live;
        const FirmwareVariables *variables; /* of the fiber, which waits to the end */
        Error error;
} Task;

static int choose(void *data)
{
        Task *task = data;

        return firmware_choose(task->live, firmware_folders, task->variables, &task->error);
}

static bool needs_choice(const DomainOs *os)
{
        if (!os->loader)
                return os->firmware != OS_FIRMWARE_ABSENT;
        return os->loader_type == LOADER_PFLASH && os->loader_readonly != NO &&
               os->loader_stateless != YES && !(os->nvram && os->nvram->template_path);
}

int firmware_prepare(DomainDefinition *live, const char *path, const FirmwareVariables *variables,
                     Error *error)
{
        DomainOs *os = &live->os;
        Task task = { .live = live, .variables = variables };
        int r;

        if (!needs_choice(os) && !os->nvram)
                return 0;
        r = needs_choice(os) ? worker_finish(choose, &task) : 0;
        if (r < 0) {
                error_move(error, &task.error);
                return r;
        }
        if (os->nvram && os->nvram->type == DISK_TYPE_ABSENT && !os->nvram->path)
                os->nvram->path = g_strdup(path);
        return 0;
}

typedef struct Listing {
        DomainOs os; /* `arch` and `machine` only */
        GPtrArray *images;
        bool has_efi, has_secure;
} Listing;

static void listing_free(void *data)
{
        Listing *listing = data;

        g_free(listing->os.arch);
        g_free(listing->os.machine);
        g_ptr_array_unref(listing->images);
        g_free(listing);
}

static gboolean list_one(gpointer name, gpointer text, gpointer data)
{
        Listing *listing = data;
        _cleanup_(json_decrefp) json_t *description = json_loads(text, 0, NULL);
        json_t *mapping = json_object_get(description, "mapping"),
               *features = json_object_get(description, "features");
        const char *image =
                json_string_value(json_object_get(json_object_get(mapping, "executable"), "filename"));

        (void)name;
        if (!fits_interface(description, OS_FIRMWARE_EFI) || !fits_machine(description, &listing->os))
                return FALSE;
        listing->has_efi = true;
        listing->has_secure = listing->has_secure ||
                              (has_word(features, "secure-boot") && has_word(features, "requires-smm"));
        if (image && !g_ptr_array_find_with_equal_func(listing->images, image, g_str_equal, NULL))
                g_ptr_array_add(listing->images, g_strdup(image));
        return FALSE; /* the next one */
}

static int list_all(void *data)
{
        GTree *descriptions = read_all(firmware_folders);

        g_tree_foreach(descriptions, list_one, data);
        g_tree_unref(descriptions);
        return 0;
}

void firmware_list(const char *arch, const char *machine, uint64_t deadline_usec, FirmwareList *ret_list)
{
        Listing *listing = g_new0(Listing, 1);
        int r;

        *ret_list = (FirmwareList){ 0 };
        listing->os.arch = g_strdup(arch);
        listing->os.machine = g_strdup(machine);
        listing->images = g_ptr_array_new_with_free_func(g_free);
        r = worker_run(list_all, listing, listing_free, deadline_usec);
        if (r == -ETIMEDOUT || r == -ECANCELED)
                return; /* the thread has it still */
        g_ptr_array_add(listing->images, NULL);
        *ret_list = (FirmwareList){ .images = (char **)g_ptr_array_steal(listing->images, NULL),
                                    .has_efi = listing->has_efi,
                                    .has_secure = listing->has_secure };
        listing_free(listing);
}

void firmware_list_clear(FirmwareList *list)
{
        g_strfreev(list->images);
}
