/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/image.h"
#include "core/child.h"
#include "core/loop.h"
#include <assert.h>
#include <string.h>

#define OUTPUT_MAX 65536
#define FDS_MAX    4
#define FIRST_FD   3
/* A new key is made as expensive as the processor allows. Some versions of QEMU measure that once, by a
 * clock that does not move between two of the kernel's ticks: a fast processor is through before, and it is
 * luck whether qemu-img fails. That takes it a few milliseconds. SHA-512 takes long enough. */
#define RUNS_USEC       (30 * G_USEC_PER_SEC)
#define BAD_MEASUREMENT "Unable to get accurate CPU usage"
#define HASH_USUAL      "sha512"

/* In their order; takes what was allocated over. */
typedef struct Arguments {
        GPtrArray *list;
        int fds[FDS_MAX];
        size_t n_fds;
        Job *job;
} Arguments;

static void arguments_clear(Arguments *arguments)
{
        g_clear_pointer(&arguments->list, g_ptr_array_unref);
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

/* The path by which qemu-img knows one of our descriptors. */
static char *pass(Arguments *arguments, int fd)
{
        assert(arguments->n_fds < FDS_MAX);
        arguments->fds[arguments->n_fds] = fd;
        return g_strdup_printf("/proc/self/fd/%zu", FIRST_FD + arguments->n_fds++);
}

static char *pass_image(Arguments *arguments, const Image *image)
{
        _cleanup_(freep) char *path = pass(arguments, image->name ? image->folder_fd : image->fd);

        return image->name ? g_strconcat(path, "/", image->name, NULL) : TAKE_PTR(path);
}

/* The passphrase as an object of that id. */
static void pass_key(Arguments *arguments, const Image *image, const char *id)
{
        _cleanup_(freep) char *path = NULL;

        if (image->key_fd <= 0)
                return;
        path = pass(arguments, image->key_fd);
        add(arguments, "--object");
        g_ptr_array_add(arguments->list, g_strdup_printf("secret,id=%s,file=%s", id, path));
}

/* "encrypt." where the encryption is a part of the format. */
static const char *key_prefix(const char *format)
{
        return strcmp(format, "luks") == 0 ? "" : "encrypt.";
}

static void option_add(GString *options, const char *prefix, const char *key, const char *value)
{
        _cleanup_(freep) char *doubled = NULL;
        _cleanup_(strvp) char **parts = NULL;

        if (!value)
                return;
        parts = g_strsplit(value, ",", -1);
        doubled = g_strjoinv(",,", parts);
        g_string_append_printf(options, "%s%s%s=%s", options->len > 0 ? "," : "", prefix, key, doubled);
}

/* How an encrypted image is named: by options instead of a file name. */
static char *encrypted_name(const Image *image, const char *path, const char *id)
{
        const char *prefix = key_prefix(image->format);
        GString *name = g_string_new(NULL);

        g_string_append_printf(name, "driver=%s,%skey-secret=%s,%sfile.driver=file", image->format, prefix,
                               id, *prefix ? "encrypt.format=luks," : "");
        option_add(name, "file.", "filename", path);
        return g_string_free(name, FALSE);
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
        return 0;
}

/* "    (12.34/100%)\r": the last one counts. */
static void progress_seen(const char *text, size_t size, void *data)
{
        Arguments *arguments = data;
        uint64_t done, total;

        for (size_t i = size; arguments->job && i-- > 0;) {
                double percent;

                if (text[i] != '(')
                        continue;
                percent = g_ascii_strtod(text + i + 1, NULL);
                job_get_progress(arguments->job, &done, &total);
                if (percent >= 0 && percent <= 100)
                        job_set_progress(arguments->job, (uint64_t)((double)total * percent / 100), total);
                return;
        }
}

static int run(Arguments *arguments, Error *error) AWAITS
{
        ChildOptions options = { .fds = arguments->fds,
                                 .n_fds = arguments->n_fds,
                                 .stdin_fd = -1,
                                 .stdout_fd = -1,
                                 .stderr_fd = -1,
                                 .ends_with_us = true,
                                 .output_seen = progress_seen,
                                 .output_data = arguments };

        _cleanup_(error_clear) Error failure = {};
        uint64_t until_usec = deadline_after_usec(RUNS_USEC);
        int r;

        g_ptr_array_add(arguments->list, NULL);
        options.arguments = (const char *const *)arguments->list->pdata;
        do {
                error_clear(&failure);
                r = child_run(&options, NULL, 0, OUTPUT_MAX, DEADLINE_NEVER, NULL, NULL, &failure);
        } while (r < 0 && strstr(failure.message, BAD_MEASUREMENT) && loop_now_usec() < until_usec);
        return r < 0 ? error_set(error, failure.code, "%s", failure.message) : 0;
}

/* NULL: nothing makes such images. */
static const char *format_name(VolumeFormat format)
{
        static const char *const names[] = {
                [VOLUME_FORMAT_ABSENT] = "raw",  [VOLUME_FORMAT_RAW] = "raw",
                [VOLUME_FORMAT_ISO] = "raw",     [VOLUME_FORMAT_QCOW] = "qcow",
                [VOLUME_FORMAT_QCOW2] = "qcow2", [VOLUME_FORMAT_QED] = "qed",
                [VOLUME_FORMAT_VMDK] = "vmdk",   [VOLUME_FORMAT_VDI] = "vdi",
                [VOLUME_FORMAT_VPC] = "vpc",     [VOLUME_FORMAT_VHD] = "vpc",
                [VOLUME_FORMAT_VHDX] = "vhdx",   [VOLUME_FORMAT_LUKS] = "luks",
        };

        return (size_t)format < G_N_ELEMENTS(names) ? names[format] : NULL;
}

static bool has_features(const VolumeImage *image)
{
        return image->has_features || image->lazy_refcounts || image->extended_l2 || image->data_file_raw;
}

/* Whether the format does not know it. */
static bool is_allocated(VolumePreallocation preallocation, const char *format)
{
        bool is_raw = strcmp(format, "raw") == 0;

        return preallocation > VOLUME_PREALLOCATION_OFF && strcmp(format, "qcow2") != 0 &&
               (!is_raw || preallocation == VOLUME_PREALLOCATION_METADATA);
}

static int check_data_file(const StorageVolumeDefinition *definition, Error *error)
{
        const char *file = definition->target.data_file;
        int r = 0;

        if (file)
                r = storage_volume_name_check(file, error);
        if (r < 0) {
                error_prefix(error, "volume '%s': <dataFile>", definition->name);
                return r;
        }
        if (file && strcmp(file, definition->name) == 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "volume '%s': its <dataFile> needs a name of its own", definition->name);
        return !file && definition->target.data_file_raw
                       ? error_set(error, ERROR_INVALID_XML,
                                   "volume '%s': <data_file_raw> needs a <dataFile>", definition->name)
                       : 0;
}

static int check_options(const StorageVolumeDefinition *definition, const char *format, bool preallocate,
                         Error *error)
{
        const VolumeImage *image = &definition->target;
        bool is_raw = strcmp(format, "raw") == 0, is_qcow2 = strcmp(format, "qcow2") == 0;
        const char *what = preallocate && !is_qcow2           ? "the flag PREALLOC_METADATA"
                           : has_features(image) && !is_qcow2 ? "<features>"
                           : image->compat != VOLUME_COMPAT_ABSENT && !is_qcow2 ? "<compat>"
                           : image->data_file && !is_qcow2                      ? "<dataFile>"
                           : is_allocated(image->preallocation, format)         ? "this <preallocation>"
                           : image->cluster_size > 0 && is_raw                  ? "<clusterSize>"
                           : definition->backing && is_raw                      ? "<backingStore>"
                                                                                : NULL;

        return what ? error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                "volume '%s': images of format %s have nothing that %s could mean",
                                definition->name, format, what)
                    : 0;
}

static int check_encryption(const StorageVolumeDefinition *definition, const char **format, Error *error)
{
        const DiskEncryption *encryption = definition->target.encryption;
        bool is_plain = strcmp(*format, "raw") == 0 || strcmp(*format, "luks") == 0;

        if (!encryption)
                return strcmp(*format, "luks") != 0
                               ? 0
                               : error_set(error, ERROR_INVALID_XML,
                                           "volume '%s': format 'luks' needs an <encryption>",
                                           definition->name);
        if (encryption->format != ENCRYPTION_FORMAT_LUKS && encryption->format != ENCRYPTION_FORMAT_DEFAULT)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "volume '%s': new volumes are encrypted by 'luks', not by '%s'",
                                 definition->name, encryption_format_to_string(encryption->format));
        if (!is_plain && strcmp(*format, "qcow2") != 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "volume '%s': images of format %s cannot be encrypted, raw and qcow2 can",
                                 definition->name, *format);
        if (encryption->secrets.count > 1 ||
            (encryption->secrets.count == 1 && encryption->secrets.items[0]->type != SECRET_TYPE_PASSPHRASE))
                return error_set(error, ERROR_INVALID_XML,
                                 "volume '%s': <encryption> has one <secret type='passphrase'>",
                                 definition->name);
        if (encryption->cipher_size > 0 && !encryption->cipher_name)
                return error_set(error, ERROR_INVALID_XML, "volume '%s': <cipher> needs a name",
                                 definition->name);
        *format = is_plain ? "luks" : *format;
        return 0;
}

int image_check(const StorageVolumeDefinition *definition, bool preallocate, const char **ret_format,
                Error *error)
{
        const VolumeImage *unknown =
                !format_name(definition->target.format) ? &definition->target
                : definition->backing && (!format_name(definition->backing->format) ||
                                          definition->backing->format == VOLUME_FORMAT_LUKS)
                        ? definition->backing
                        : NULL;
        const char *format;
        int r;

        if (definition->type != VOLUME_TYPE_FILE)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "volume '%s': only files can be made in this pool", definition->name);
        if (unknown)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "volume '%s': nothing makes or reads images of format '%s'",
                                 definition->name, volume_format_to_string(unknown->format));
        format = format_name(definition->target.format);
        r = check_encryption(definition, &format, error);
        if (r >= 0)
                r = check_options(definition, format, preallocate, error);
        if (r >= 0)
                r = check_data_file(definition, error);
        if (r >= 0)
                *ret_format = format;
        return r;
}

static void add_encryption(GString *options, const DiskEncryption *encryption, const char *format)
{
        const char *prefix = key_prefix(format);
        _cleanup_(freep) char *cipher = NULL;

        if (*prefix)
                option_add(options, prefix, "format", "luks");
        option_add(options, prefix, "key-secret", "key");
        if (encryption->cipher_name)
                cipher = encryption->cipher_size > 0
                                 ? g_strdup_printf("%s-%u", encryption->cipher_name, encryption->cipher_size)
                                 : g_strdup(encryption->cipher_name);
        option_add(options, prefix, "cipher-alg", cipher);
        option_add(options, prefix, "cipher-mode", encryption->cipher_mode);
        option_add(options, prefix, "hash-alg",
                   encryption->cipher_hash ? encryption->cipher_hash : HASH_USUAL);
        option_add(options, prefix, "ivgen-alg", encryption->ivgen_name);
        option_add(options, prefix, "ivgen-hash-alg", encryption->ivgen_hash);
}

/* NULL: nothing is said. */
static const char *preallocation_of(const StorageVolumeDefinition *definition, bool preallocate)
{
        bool is_whole = definition->has_allocation && definition->allocation >= definition->capacity;

        if (definition->target.preallocation != VOLUME_PREALLOCATION_ABSENT)
                return volume_preallocation_to_string(definition->target.preallocation);
        return !preallocate ? NULL : is_whole ? "falloc" : "metadata";
}

static void add_options(Arguments *arguments, const StorageVolumeDefinition *definition, const char *format,
                        bool preallocate, const char *data_path)
{
        _cleanup_(string_builder_freep) GString *options = g_string_new(NULL);
        const VolumeImage *image = &definition->target;
        VolumeCompat usual = has_features(image) || image->encryption || data_path ? VOLUME_COMPAT_1_1
                                                                                   : VOLUME_COMPAT_0_10;
        _cleanup_(freep) char *cluster = NULL;

        if (image->cluster_size > 0)
                cluster = g_strdup_printf("%" G_GUINT64_FORMAT, image->cluster_size);
        if (strcmp(format, "qcow2") == 0) {
                option_add(options, "", "compat",
                           volume_compat_to_string(image->compat != VOLUME_COMPAT_ABSENT ? image->compat
                                                                                         : usual));
                option_add(options, "", "lazy_refcounts", image->lazy_refcounts ? "on" : NULL);
                option_add(options, "", "extended_l2", image->extended_l2 ? "on" : NULL);
        }
        option_add(options, "", "cluster_size", cluster);
        option_add(options, "", "nocow", image->nocow ? "on" : NULL);
        option_add(options, "", "preallocation", preallocation_of(definition, preallocate));
        option_add(options, "", "data_file", data_path);
        option_add(options, "", "data_file_raw", image->data_file_raw ? "on" : NULL);
        if (image->encryption)
                add_encryption(options, image->encryption, format);
        add_pair(arguments, "-o", options->len > 0 ? options->str : NULL);
}

/* An image that was made with a file of data under another name says the right one. */
static int rename_data_file(const Image *image, Error *error) AWAITS
{
        _cleanup_(arguments_clear) Arguments arguments = {};
        _cleanup_(string_builder_freep) GString *options = g_string_new(NULL);
        _cleanup_(freep) char *path = NULL;
        int r = arguments_begin(&arguments, "amend", error);

        if (r < 0)
                return r;
        add(&arguments, "-q");
        path = pass_image(&arguments, image); /* as before: the image names its data by this descriptor */
        add_pair(&arguments, "-f", image->format);
        option_add(options, "", "data_file", image->data_path);
        add_pair(&arguments, "-o", options->str);
        add(&arguments, path);
        return run(&arguments, error);
}

int image_create(const Image *image, const StorageVolumeDefinition *definition, bool preallocate,
                 Error *error)
{
        _cleanup_(arguments_clear) Arguments arguments = {};
        _cleanup_(freep) char *path = NULL, *data = NULL;
        int r = arguments_begin(&arguments, "create", error);

        if (r < 0)
                return r;
        add(&arguments, "-q");
        path = pass_image(&arguments, image);
        pass_key(&arguments, image, "key");
        if (image->data_name)
                data = g_strdup_printf("/proc/self/fd/%d/%s", FIRST_FD, image->data_name);
        add_pair(&arguments, "-f", image->format);
        if (definition->backing) {
                add_pair(&arguments, "-b", definition->backing->path);
                add_pair(&arguments, "-F", format_name(definition->backing->format));
        }
        add_options(&arguments, definition, image->format, preallocate, data);
        add(&arguments, path);
        if (definition->has_capacity)
                g_ptr_array_add(arguments.list, g_strdup_printf("%" G_GUINT64_FORMAT, definition->capacity));
        r = run(&arguments, error);
        return r >= 0 && data ? rename_data_file(image, error) : r;
}

int image_convert(const Image *image, const StorageVolumeDefinition *definition, bool preallocate,
                  const Image *source, Job *job, Error *error)
{
        _cleanup_(arguments_clear) Arguments arguments = {};
        _cleanup_(freep) char *path = NULL, *source_path = NULL, *source_name = NULL;
        int r = arguments_begin(&arguments, "convert", error);

        if (r < 0)
                return r;
        arguments.job = job;
        add(&arguments, "-p");
        path = pass_image(&arguments, image);
        source_path = pass_image(&arguments, source);
        pass_key(&arguments, image, "key");
        pass_key(&arguments, source, "source");
        if (source->key_fd > 0) {
                add(&arguments, "--image-opts");
                source_name = encrypted_name(source, source_path, "source");
        } else {
                add_pair(&arguments, "-f", source->format);
        }
        add_pair(&arguments, "-O", image->format);
        add_options(&arguments, definition, image->format, preallocate, NULL);
        add(&arguments, source_name ? source_name : source_path);
        add(&arguments, path);
        return run(&arguments, error);
}

int image_resize(const Image *image, uint64_t capacity, bool shrink, bool allocate, Error *error)
{
        _cleanup_(arguments_clear) Arguments arguments = {};
        _cleanup_(freep) char *path = NULL, *name = NULL;
        int r = arguments_begin(&arguments, "resize", error);

        if (r < 0)
                return r;
        add(&arguments, "-q");
        path = pass_image(&arguments, image);
        pass_key(&arguments, image, "key");
        if (image->key_fd > 0) {
                add(&arguments, "--image-opts");
                name = encrypted_name(image, path, "key");
        } else {
                add_pair(&arguments, "-f", image->format);
        }
        if (shrink)
                add(&arguments, "--shrink");
        if (allocate)
                add(&arguments, "--preallocation=falloc");
        add(&arguments, name ? name : path);
        g_ptr_array_add(arguments.list, g_strdup_printf("%" G_GUINT64_FORMAT, capacity));
        return run(&arguments, error);
}
