/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is behind a disk: <source>, <backingStore>, <driver> and <iotune>. From the bottom up, for a disk
 * "vda": the node "vda-file" that reads bytes, "vda-image" that knows the format, then "vda-throttle" and
 * "vda-copy" if they are asked for, and "vda-slice" below an image that is a part of its file; an image's
 * backing files are "vda-1-file", "vda-1-image" ... A chain that the definition does not tell is found by
 * QEMU in the image's header, and opened with QEMU's own rights. */

#include "drivers/qemu/command/blockdev.h"
#include "drivers/qemu/command/device.h"
#include <errno.h>
#include <string.h>

/* What all nodes of one disk have in common. */
typedef struct Stack {
        CommandLine *line;
        const DomainDisk *disk;
} Stack;

/* One file of the disk's chain, with what belongs to it. */
typedef struct Image {
        DiskType type;
        DiskFormat format;
        const DiskSource *source;
        const DiskEncryption *encryption; /* NULL: it is not encrypted */
        const DiskAuth *auth;             /* NULL: its server knows us without */
        const char *name;                 /* what its nodes' names begin with: "vda", "vda-1" */
        const char *backing;              /* the node below it; NULL: there is none, or it is not known */
        bool chain_ends;                  /* there is none */
        bool is_readonly;
        uint64_t cache_size;
} Image;

static json_t *node_new(const char *driver, const char *name)
{
        json_t *node = json_object();

        json_set_string(node, "driver", driver);
        json_set_string(node, "node-name", name);
        return node;
}

static void set_cache(json_t *node, DiskCache cache)
{
        bool is_direct = cache == DISK_CACHE_NONE || cache == DISK_CACHE_DIRECTSYNC;

        if (cache == DISK_CACHE_DEFAULT)
                return;
        json_object_set_new(
                node, "cache",
                json_pack("{s:b, s:b}", "direct", is_direct, "no-flush", cache == DISK_CACHE_UNSAFE));
}

static void set_discard(json_t *node, const DomainDisk *disk)
{
        if (disk->discard != DISK_DISCARD_DEFAULT)
                json_set_string(node, "discard", disk_discard_to_string(disk->discard));
        if (disk->detect_zeroes == DISK_DETECT_ZEROES_UNMAP && disk->discard != DISK_DISCARD_UNMAP)
                json_set_string(node, "detect-zeroes", "on"); /* unmapping needs leave to discard */
        else if (disk->detect_zeroes != DISK_DETECT_ZEROES_DEFAULT)
                json_set_string(node, "detect-zeroes", disk_detect_zeroes_to_string(disk->detect_zeroes));
}

DiskCache blockdev_cache(const DomainDisk *disk)
{
        return disk->cache == DISK_CACHE_DEFAULT && disk->shareable ? DISK_CACHE_NONE : disk->cache;
}

/* From where a relative path would be one only a person knows, who may look at the line. */
static int check_path(const Stack *stack, const char *path, Error *error)
{
        const DomainDisk *disk = stack->disk;

        if (!path || (stack->line->host.runs && !g_path_is_absolute(path)))
                return error_set(error, ERROR_INVALID_XML, "The source of disk %s is no absolute path: %s",
                                 disk->target, path ? path : "");
        return 0;
}

/* A file or a block device of the host. */
static int set_file(const Stack *stack, DiskType type, const DiskSource *source, bool is_readonly,
                    json_t *node, Error *error)
{
        const DomainDisk *disk = stack->disk;
        const char *path = type == DISK_TYPE_BLOCK ? source->dev : source->file;
        DiskCache cache = blockdev_cache(disk);
        _cleanup_(freep) char *filename = NULL;
        const char *driver = "file";
        int r;

        r = check_path(stack, path, error);
        if (r < 0)
                return r;
        if (type == DISK_TYPE_BLOCK)
                driver = disk->device == DISK_DEVICE_CDROM ? "host_cdrom" : "host_device";
        if (source->fd_group && disk->transient)
                return device_unsupported(error, "A disk with fdgroup= cannot be <transient/>");
        filename = source->fd_group
                           ? command_group(stack->line, source->fd_group, !is_readonly)
                           : command_file(stack->line, path, !is_readonly,
                                          cache == DISK_CACHE_NONE || cache == DISK_CACHE_DIRECTSYNC);
        json_set_string(node, "driver", driver);
        json_set_string(node, "filename", filename);
        if (disk->io != DISK_IO_DEFAULT)
                json_set_string(node, "aio", disk_io_to_string(disk->io));
        return 0;
}

/* A folder of the host as a disk of its own making. */
static int set_folder(const Stack *stack, const DiskSource *source, bool is_readonly, json_t *node,
                      Error *error)
{
        int r = check_path(stack, source->dir, error);

        if (r < 0)
                return r;
        if (!is_readonly)
                return device_unsupported(error, "A disk of type 'dir' must be <readonly/>");
        json_set_string(node, "driver", "vvfat");
        json_set_string(node, "dir", source->dir);
        json_set_bool(node, "floppy", stack->disk->device == DISK_DEVICE_FLOPPY);
        json_set_bool(node, "rw", false);
        return 0;
}

/* An NVMe controller of the host, which must be free of its driver. */
static void set_nvme(const DiskSource *source, json_t *node)
{
        _cleanup_(freep) char *address = device_address_to_string(source->address);

        json_set_string(node, "driver", "nvme");
        json_set_string(node, "device", address);
        json_object_set_new(node, "namespace", json_integer((json_int_t)source->namespace_id));
}

static int set_storage(const Stack *stack, const Image *image, const char *name, json_t *node, Error *error)
{
        switch (image->type) {
        case DISK_TYPE_FILE:
        case DISK_TYPE_BLOCK:
                return set_file(stack, image->type, image->source, image->is_readonly, node, error);
        case DISK_TYPE_NETWORK:
                return blockdev_set_network(stack->line, stack->disk, image->source, image->auth, name, node,
                                            error);
        case DISK_TYPE_DIR:
                return set_folder(stack, image->source, image->is_readonly, node, error);
        case DISK_TYPE_NVME:
                set_nvme(image->source, node);
                return 0;
        default:
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The QEMU driver has no disks of type '%s'",
                                 disk_type_to_string(image->type));
        }
}

/* The passphrase's object, NULL for an image that is not encrypted; the caller frees *ret_id. */
static int add_passphrase(const Stack *stack, const Image *image, char **ret_id, Error *error)
{
        const DiskEncryption *encryption = image->encryption;

        *ret_id = NULL;
        if (!encryption)
                return 0;
        if (encryption->format == ENCRYPTION_FORMAT_QCOW || encryption->format == ENCRYPTION_FORMAT_DEFAULT)
                return device_unsupported(error,
                                          "The QEMU driver has no encryption of format '%s': it would "
                                          "take luks",
                                          encryption_format_to_string(encryption->format));
        if (encryption->secrets.count == 0)
                return error_set(error, ERROR_INVALID_XML, "<encryption> of disk %s needs a <secret>",
                                 stack->disk->target);
        if (encryption->secrets.count > 1)
                return device_unsupported(error, "QEMU opens disk %s with one <secret>",
                                          stack->disk->target);
        *ret_id = g_strdup_printf("%s-key", image->name);
        command_secret(stack->line, *ret_id, encryption->secrets.items[0], false);
        return 0;
}

/* What the server's library decrypts by itself. */
static int set_librbd(const Image *image, const char *passphrase, json_t *node, Error *error)
{
        const char *format = encryption_format_to_string(image->encryption->format);

        if (image->type != DISK_TYPE_NETWORK || image->source->protocol != DISK_PROTOCOL_RBD)
                return error_set(error, ERROR_INVALID_XML,
                                 "<encryption engine='librbd'> is for disks of protocol 'rbd'");
        json_object_set_new(node, "encrypt",
                            json_pack("{s:s, s:s}", "format", format, "key-secret", passphrase));
        return 0;
}

static bool is_librbd(const Image *image)
{
        return image->encryption && image->encryption->engine == ENCRYPTION_ENGINE_LIBRBD;
}

/* The node of the bytes. */
static int add_storage(const Stack *stack, const Image *image, const char *passphrase, Error *error)
{
        _cleanup_(json_decrefp) json_t *node = json_object();
        _cleanup_(freep) char *name = g_strdup_printf("%s-file", image->name);
        bool is_file = image->type == DISK_TYPE_FILE || image->type == DISK_TYPE_BLOCK;
        int r;

        r = set_storage(stack, image, name, node, error);
        if (r >= 0 && is_librbd(image))
                r = set_librbd(image, passphrase, node, error);
        if (r < 0)
                return r;
        json_set_string(node, "node-name", name);
        /* The storage follows its format: read-only unless that writes. A descriptor that was passed cannot
         * follow: it was opened one way. */
        if ((stack->line->host.passes_files && is_file) || image->source->fd_group)
                json_set_bool(node, "read-only", image->is_readonly);
        else
                json_set_bool(node, "auto-read-only", true);
        set_cache(node, blockdev_cache(stack->disk));
        json_set_string(node, "discard", "unmap"); /* whether the guest may is said at the format */
        command_add_json(stack->line, "-blockdev", TAKE_PTR(node));
        return 0;
}

/* QEMU's name of a format that it can read, NULL if there is none. */
static const char *format_driver(DiskFormat format)
{
        switch (format) {
        case DISK_FORMAT_ABSENT: /* never guessed: a guest could write a header that names another file */
        case DISK_FORMAT_RAW:
        case DISK_FORMAT_ISO:
        case DISK_FORMAT_DIR:
        case DISK_FORMAT_FAT: /* which the storage makes of a folder */
                return "raw";
        case DISK_FORMAT_BOCHS:
        case DISK_FORMAT_CLOOP:
        case DISK_FORMAT_DMG:
        case DISK_FORMAT_VPC:
        case DISK_FORMAT_VDI:
        case DISK_FORMAT_QCOW:
        case DISK_FORMAT_QCOW2:
        case DISK_FORMAT_QED:
        case DISK_FORMAT_VMDK:
                return disk_format_to_string(format);
        default:
                return NULL;
        }
}

/* The part of the storage that is the image; its node is the caller's. */
static int slice_of(const Image *image, const DiskSlice **ret_slice, Error *error)
{
        *ret_slice = NULL;
        if (image->source->slices.count == 0)
                return 0;
        *ret_slice = image->source->slices.items[0];
        if (image->source->slices.count > 1 || g_strcmp0((*ret_slice)->type, "storage") != 0)
                return device_unsupported(error, "QEMU takes one <slice> of type 'storage' for an image");
        return 0;
}

static void set_slice(json_t *node, const DiskSlice *slice)
{
        json_object_set_new(node, "offset", json_integer((json_int_t)slice->offset));
        json_object_set_new(node, "size", json_integer((json_int_t)slice->size));
}

/* Between the storage and the format: only "raw" can cut by itself. */
static void add_slice(const Stack *stack, const Image *image, const DiskSlice *slice, char **below)
{
        _cleanup_(freep) char *name = g_strdup_printf("%s-slice", image->name), *storage = *below;
        json_t *node = node_new("raw", name);

        set_slice(node, slice);
        json_set_string(node, "file", storage);
        json_set_bool(node, "auto-read-only", true);
        json_set_string(node, "discard", "unmap");
        set_cache(node, blockdev_cache(stack->disk));
        command_add_json(stack->line, "-blockdev", node);
        *below = TAKE_PTR(name);
}

/* LUKS is a format of its own, or a part of qcow2. */
static int set_encryption(const Image *image, const char *passphrase, const char **driver, json_t *node,
                          Error *error)
{
        if (!image->encryption || is_librbd(image))
                return 0;
        if (image->encryption->format != ENCRYPTION_FORMAT_LUKS)
                return device_unsupported(error, "QEMU itself has no encryption of format '%s'",
                                          encryption_format_to_string(image->encryption->format));
        if (strcmp(*driver, "raw") == 0) {
                *driver = "luks";
                json_set_string(node, "key-secret", passphrase);
        } else if (image->format == DISK_FORMAT_QCOW2)
                json_object_set_new(node, "encrypt",
                                    json_pack("{s:s, s:s}", "format", "luks", "key-secret", passphrase));
        else
                return device_unsupported(error, "QEMU has no encryption for images of format '%s'",
                                          disk_format_to_string(image->format));
        return 0;
}

static bool has_backing_field(DiskFormat format)
{
        return format == DISK_FORMAT_QCOW2 || format == DISK_FORMAT_QCOW || format == DISK_FORMAT_QED;
}

static int add_format(const Stack *stack, const Image *image, const char *passphrase, Error *error)
{
        const DomainDisk *disk = stack->disk;
        const char *driver = format_driver(image->format);
        _cleanup_(freep) char *name = g_strdup_printf("%s-image", image->name),
                              *below = g_strdup_printf("%s-file", image->name);
        _cleanup_(json_decrefp) json_t *node = json_object();
        const DiskSlice *slice;
        int r;

        if (!driver)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "QEMU has no disk format '%s'",
                                 disk_format_to_string(image->format));
        r = slice_of(image, &slice, error);
        if (r >= 0)
                r = set_encryption(image, passphrase, &driver, node, error);
        if (r < 0)
                return r;
        if (slice && strcmp(driver, "raw") == 0)
                set_slice(node, slice);
        else if (slice)
                add_slice(stack, image, slice, &below);
        json_set_string(node, "driver", driver);
        json_set_string(node, "node-name", name);
        json_set_bool(node, "read-only", image->is_readonly);
        set_cache(node, blockdev_cache(disk));
        set_discard(node, disk);
        if (image->format == DISK_FORMAT_QCOW2)
                json_set_number(node, "cache-size", image->cache_size);
        json_set_string(node, "file", below);
        if (image->backing)
                json_set_string(node, "backing", image->backing);
        else if (image->chain_ends && has_backing_field(image->format))
                json_object_set_new(node, "backing", json_null());
        command_add_json(stack->line, "-blockdev", TAKE_PTR(node));
        return 0;
}

static int add_image(const Stack *stack, const Image *image, Error *error)
{
        _cleanup_(freep) char *passphrase = NULL;
        int r = add_passphrase(stack, image, &passphrase, error);

        if (r >= 0)
                r = add_storage(stack, image, passphrase, error);
        return r < 0 ? r : add_format(stack, image, passphrase, error);
}

/* The disk's own image and, before it, those below. */
static int add_chain(const Stack *stack, Error *error)
{
        const DomainDisk *disk = stack->disk;
        g_autoptr(GPtrArray) chain = g_ptr_array_new();
        _cleanup_(freep) char *below = NULL, *name = NULL;
        unsigned number;
        int r;

        /* A medium that came later has a number, and so have the images below it. */
        number = disk->source.index;
        for (const DiskBacking *b = disk->backing; b && b->type != DISK_TYPE_ABSENT; b = b->backing)
                g_ptr_array_add(chain, (void *)b);
        for (unsigned i = chain->len; i > 0; i--) {
                const DiskBacking *b = g_ptr_array_index(chain, i - 1);
                _cleanup_(freep) char *part = g_strdup_printf("%s-%u", disk->target, number + i);
                const Image image = {
                        .type = b->type,
                        .format = b->format,
                        .source = &b->source,
                        .encryption = b->source.encryption,
                        .auth = b->source.auth,
                        .name = part,
                        .backing = below,
                        .chain_ends = b->backing && b->backing->type == DISK_TYPE_ABSENT,
                        .is_readonly = true,
                        .cache_size = b->metadata_cache_max_size,
                };

                r = add_image(stack, &image, error);
                if (r < 0)
                        return r;
                g_free(below);
                below = g_strdup_printf("%s-image", part);
        }
        name = number > 0 ? g_strdup_printf("%s-%u", disk->target, number) : g_strdup(disk->target);
        const Image image = {
                .type = disk->type,
                .format = disk->format,
                .source = &disk->source,
                .encryption = disk->encryption ? disk->encryption : disk->source.encryption,
                .auth = disk->auth ? disk->auth : disk->source.auth,
                .name = name,
                .backing = below,
                .chain_ends =
                        disk->backing_ends || (disk->backing && disk->backing->type == DISK_TYPE_ABSENT),
                .is_readonly = disk->readonly || disk->transient || disk->device == DISK_DEVICE_CDROM,
                .cache_size = disk->metadata_cache_max_size,
        };

        return add_image(stack, &image, error);
}

typedef struct Limit {
        const char *name;
        size_t offset;
} Limit;

static const Limit limits[] = {
        { "bps-total", offsetof(DiskTune, total_bytes_sec) },
        { "bps-read", offsetof(DiskTune, read_bytes_sec) },
        { "bps-write", offsetof(DiskTune, write_bytes_sec) },
        { "iops-total", offsetof(DiskTune, total_iops_sec) },
        { "iops-read", offsetof(DiskTune, read_iops_sec) },
        { "iops-write", offsetof(DiskTune, write_iops_sec) },
        { "bps-total-max", offsetof(DiskTune, total_bytes_sec_max) },
        { "bps-read-max", offsetof(DiskTune, read_bytes_sec_max) },
        { "bps-write-max", offsetof(DiskTune, write_bytes_sec_max) },
        { "iops-total-max", offsetof(DiskTune, total_iops_sec_max) },
        { "iops-read-max", offsetof(DiskTune, read_iops_sec_max) },
        { "iops-write-max", offsetof(DiskTune, write_iops_sec_max) },
        { "bps-total-max-length", offsetof(DiskTune, total_bytes_sec_max_length) },
        { "bps-read-max-length", offsetof(DiskTune, read_bytes_sec_max_length) },
        { "bps-write-max-length", offsetof(DiskTune, write_bytes_sec_max_length) },
        { "iops-total-max-length", offsetof(DiskTune, total_iops_sec_max_length) },
        { "iops-read-max-length", offsetof(DiskTune, read_iops_sec_max_length) },
        { "iops-write-max-length", offsetof(DiskTune, write_iops_sec_max_length) },
        { "iops-size", offsetof(DiskTune, size_iops_sec) },
};

/* Limits of speed; disks with the same group name share them, those of the first count. */
static void add_throttle(const Stack *stack, char **node)
{
        const DiskTune *tune = stack->disk->tune;
        const char *target = stack->disk->target;
        _cleanup_(freep) char *name = g_strdup_printf("%s-throttle", target), *below = *node, *group = NULL;
        bool is_known = stack->disk->source.index > 0; /* it was there for the medium before */
        json_t *object, *values;

        group = tune->group_name ? g_strdup_printf("throttle-group-%s", tune->group_name)
                                 : g_strdup_printf("throttle-%s", target);
        LIST_FOREACH (other, stack->line->definition->devices.disks) {
                if (other == stack->disk)
                        break;
                is_known |= tune->group_name && other->tune &&
                            g_strcmp0(other->tune->group_name, tune->group_name) == 0;
        }
        if (!is_known) {
                values = json_object();
                for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
                        json_set_number(values, limits[i].name,
                                        *(const uint64_t *)((const char *)tune + limits[i].offset));
                object = json_pack("{s:s, s:s, s:o}", "qom-type", "throttle-group", "id", group, "limits",
                                   values);
                command_add_json(stack->line, "-object", object);
        }
        object = node_new("throttle", name);
        json_set_string(object, "throttle-group", group);
        json_set_string(object, "file", below);
        command_add_json(stack->line, "-blockdev", object);
        *node = TAKE_PTR(name);
}

static void add_copy_on_read(const Stack *stack, char **node)
{
        _cleanup_(freep) char *name = g_strdup_printf("%s-copy", stack->disk->target), *below = *node;
        json_t *object = node_new("copy-on-read", name);

        json_set_string(object, "file", below);
        command_add_json(stack->line, "-blockdev", object);
        *node = TAKE_PTR(name);
}

/* What is written goes into an image of this run, above the disk's own. */
static void add_overlay(const Stack *stack, char **node)
{
        const DomainDisk *disk = stack->disk;
        _cleanup_(freep) char *name = g_strdup_printf("%s-overlay", disk->target),
                              *storage = g_strdup_printf("%s-overlay-file", disk->target), *below = *node;
        _cleanup_(freep) char *path =
                command_overlay(stack->line, disk->source.file ? disk->source.file : disk->source.dev);
        json_t *object = node_new("file", storage);

        json_set_string(object, "filename", path);
        json_set_string(object, "discard", "unmap");
        command_add_json(stack->line, "-blockdev", object);
        object = node_new("qcow2", name);
        json_set_string(object, "file", storage);
        json_set_string(object, "backing", below);
        set_discard(object, disk);
        command_add_json(stack->line, "-blockdev", object);
        *node = TAKE_PTR(name);
}

int blockdev_disk(CommandLine *line, const DomainDisk *disk, char **ret_node, Error *error)
{
        const Stack stack = { .line = line, .disk = disk };
        _cleanup_(freep) char *node = NULL;
        int r;

        if (disk->transient && disk->type != DISK_TYPE_FILE && disk->type != DISK_TYPE_BLOCK)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The disk %s cannot be <transient/>: only files and block devices can",
                                 disk->target);
        if (disk->mirror)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "A disk cannot start with a mirror");
        r = add_chain(&stack, error);
        if (r < 0)
                return r;
        node = disk->source.index > 0 ? g_strdup_printf("%s-%u-image", disk->target, disk->source.index)
                                      : g_strdup_printf("%s-image", disk->target);
        if (disk->transient && !disk->readonly)
                add_overlay(&stack, &node);
        if (disk->tune)
                add_throttle(&stack, &node);
        if (disk->copy_on_read == ON)
                add_copy_on_read(&stack, &node);
        *ret_node = TAKE_PTR(node);
        return 0;
}

int blockdev_flash(CommandLine *line, const char *name, const char *path, const char *format,
                   bool is_readonly, char **ret_node, Error *error)
{
        _cleanup_(freep) char *storage = g_strdup_printf("%s-file", name),
                              *image = g_strdup_printf("%s-image", name);
        _cleanup_(freep) char *filename = NULL;
        json_t *node;

        if (line->host.runs && !g_path_is_absolute(path))
                return error_set(error, ERROR_INVALID_XML, "The firmware's path is not absolute: %s", path);
        if (format && strcmp(format, "raw") != 0 && strcmp(format, "qcow2") != 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "Firmware cannot be in format '%s'",
                                 format);
        filename = command_file(line, path, !is_readonly, false);
        node = node_new("file", storage);
        json_set_string(node, "filename", filename);
        if (line->host.passes_files)
                json_set_bool(node, "read-only", is_readonly);
        else
                json_set_bool(node, "auto-read-only", true);
        json_set_string(node, "discard", "unmap");
        command_add_json(line, "-blockdev", node);
        node = node_new(format ? format : "raw", image);
        json_set_bool(node, "read-only", is_readonly);
        json_set_string(node, "file", storage);
        command_add_json(line, "-blockdev", node);
        *ret_node = TAKE_PTR(image);
        return 0;
}
