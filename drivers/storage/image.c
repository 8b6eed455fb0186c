/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/image.h"
#include "core/child.h"
#include "core/loop.h"
#include <string.h>

#define FOLDER_PATH "/proc/self/fd/3/"
#define SOURCE_PATH "/proc/self/fd/4"
#define OUTPUT_MAX  65536

/* In their order; takes what was allocated over. */
typedef struct Arguments {
        GPtrArray *list;
} Arguments;

static void arguments_clear(Arguments *arguments)
{
        g_ptr_array_unref(arguments->list);
}

static void add(Arguments *arguments, const char *text)
{
        g_ptr_array_add(arguments->list, g_strdup(text));
}

static void add_pair(Arguments *arguments, const char *option, const char *value)
{
        if (!value)
                return;
        add(arguments, option);
        add(arguments, value);
}

static int arguments_begin(Arguments *arguments, const char *command, Error *error)
{
        char *tool = g_find_program_in_path("qemu-img");

        *arguments = (Arguments){ g_ptr_array_new_with_free_func(g_free) };
        if (!tool)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "This host has no qemu-img, which works on images");
        g_ptr_array_add(arguments->list, tool);
        add(arguments, command);
        add(arguments, "-q");
        return 0;
}

static int run(Arguments *arguments, const int *fds, size_t n_fds, Error *error) AWAITS
{
        ChildOptions options = {
                .fds = fds, .n_fds = n_fds, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
        };
        _cleanup_(freep) char *output = NULL;
        size_t size;

        g_ptr_array_add(arguments->list, NULL);
        options.arguments = (const char *const *)arguments->list->pdata;
        return child_run(&options, NULL, 0, OUTPUT_MAX, DEADLINE_NEVER, &output, &size, error);
}

/* NULL: nothing makes such images. */
static const char *format_name(VolumeFormat format)
{
        static const char *const names[] = {
                [VOLUME_FORMAT_ABSENT] = "raw", [VOLUME_FORMAT_RAW] = "raw",     [VOLUME_FORMAT_ISO] = "raw",
                [VOLUME_FORMAT_QCOW] = "qcow",  [VOLUME_FORMAT_QCOW2] = "qcow2", [VOLUME_FORMAT_QED] = "qed",
                [VOLUME_FORMAT_VMDK] = "vmdk",  [VOLUME_FORMAT_VDI] = "vdi",     [VOLUME_FORMAT_VPC] = "vpc",
                [VOLUME_FORMAT_VHD] = "vpc",    [VOLUME_FORMAT_VHDX] = "vhdx",
        };

        return (size_t)format < G_N_ELEMENTS(names) ? names[format] : NULL;
}

static bool has_features(const VolumeImage *image)
{
        return image->has_features || image->lazy_refcounts || image->extended_l2;
}

static int check_options(const StorageVolumeDefinition *definition, const char *format, bool preallocate,
                         Error *error)
{
        const VolumeImage *image = &definition->target;
        bool is_raw = strcmp(format, "raw") == 0, is_qcow2 = strcmp(format, "qcow2") == 0;
        const char *what = preallocate && !is_qcow2           ? "the flag PREALLOC_METADATA"
                           : has_features(image) && !is_qcow2 ? "<features>"
                           : image->compat != VOLUME_COMPAT_ABSENT && !is_qcow2 ? "<compat>"
                           : image->cluster_size > 0 && is_raw                  ? "<clusterSize>"
                           : definition->backing && is_raw                      ? "<backingStore>"
                                                                                : NULL;

        return what ? error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                "volume '%s': images of format %s have nothing that %s could mean",
                                definition->name, format, what)
                    : 0;
}

int image_check(const StorageVolumeDefinition *definition, bool preallocate, const char **ret_format,
                Error *error)
{
        const VolumeImage *unknown = !format_name(definition->target.format) ? &definition->target
                                     : definition->backing && !format_name(definition->backing->format)
                                             ? definition->backing
                                             : NULL;

        if (definition->type != VOLUME_TYPE_FILE)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "volume '%s': only files can be made in this pool", definition->name);
        if (definition->target.encryption)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "volume '%s': encrypted volumes are not supported", definition->name);
        if (unknown)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "volume '%s': nothing makes or reads images of format '%s'",
                                 definition->name, volume_format_to_string(unknown->format));
        *ret_format = format_name(definition->target.format);
        return check_options(definition, *ret_format, preallocate, error);
}

static void option_add(GString *options, const char *key, const char *value)
{
        if (value)
                g_string_append_printf(options, "%s%s=%s", options->len > 0 ? "," : "", key, value);
}

static void add_options(Arguments *arguments, const StorageVolumeDefinition *definition, const char *format,
                        bool preallocate)
{
        _cleanup_(string_builder_freep) GString *options = g_string_new(NULL);
        const VolumeImage *image = &definition->target;
        VolumeCompat usual = has_features(image) ? VOLUME_COMPAT_1_1 : VOLUME_COMPAT_0_10;
        _cleanup_(freep) char *cluster = NULL;

        if (image->cluster_size > 0)
                cluster = g_strdup_printf("%" G_GUINT64_FORMAT, image->cluster_size);
        if (strcmp(format, "qcow2") == 0) {
                option_add(options, "compat",
                           volume_compat_to_string(image->compat != VOLUME_COMPAT_ABSENT ? image->compat
                                                                                         : usual));
                option_add(options, "lazy_refcounts", image->lazy_refcounts ? "on" : NULL);
                option_add(options, "extended_l2", image->extended_l2 ? "on" : NULL);
        }
        option_add(options, "cluster_size", cluster);
        option_add(options, "nocow", image->nocow ? "on" : NULL);
        if (preallocate)
                option_add(options, "preallocation",
                           definition->has_allocation && definition->allocation >= definition->capacity
                                   ? "falloc"
                                   : "metadata");
        add_pair(arguments, "-o", options->len > 0 ? options->str : NULL);
}

int image_create(int folder_fd, const char *name, const StorageVolumeDefinition *definition,
                 const char *format, bool preallocate, Error *error)
{
        _cleanup_(arguments_clear) Arguments arguments = {};
        _cleanup_(freep) char *path = g_strconcat(FOLDER_PATH, name, NULL);
        int r = arguments_begin(&arguments, "create", error);

        if (r < 0)
                return r;
        add_pair(&arguments, "-f", format);
        if (definition->backing) {
                add_pair(&arguments, "-b", definition->backing->path);
                add_pair(&arguments, "-F", format_name(definition->backing->format));
        }
        add_options(&arguments, definition, format, preallocate);
        add(&arguments, path);
        if (definition->has_capacity)
                g_ptr_array_add(arguments.list, g_strdup_printf("%" G_GUINT64_FORMAT, definition->capacity));
        return run(&arguments, &folder_fd, 1, error);
}

int image_convert(int folder_fd, const char *name, const StorageVolumeDefinition *definition,
                  const char *format, bool preallocate, int source_fd, const char *source_format,
                  Error *error)
{
        _cleanup_(arguments_clear) Arguments arguments = {};
        _cleanup_(freep) char *path = g_strconcat(FOLDER_PATH, name, NULL);
        const int fds[] = { folder_fd, source_fd };
        int r = arguments_begin(&arguments, "convert", error);

        if (r < 0)
                return r;
        add_pair(&arguments, "-f", source_format);
        add_pair(&arguments, "-O", format);
        add_options(&arguments, definition, format, preallocate);
        add(&arguments, SOURCE_PATH);
        add(&arguments, path);
        return run(&arguments, fds, G_N_ELEMENTS(fds), error);
}

int image_resize(int folder_fd, const char *name, const char *format, uint64_t capacity, bool shrink,
                 bool allocate, Error *error)
{
        _cleanup_(arguments_clear) Arguments arguments = {};
        _cleanup_(freep) char *path = g_strconcat(FOLDER_PATH, name, NULL);
        int r = arguments_begin(&arguments, "resize", error);

        if (r < 0)
                return r;
        add_pair(&arguments, "-f", format);
        if (shrink)
                add(&arguments, "--shrink");
        if (allocate)
                add(&arguments, "--preallocation=falloc");
        add(&arguments, path);
        g_ptr_array_add(arguments.list, g_strdup_printf("%" G_GUINT64_FORMAT, capacity));
        return run(&arguments, &folder_fd, 1, error);
}
