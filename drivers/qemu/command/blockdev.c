/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is behind a disk: <source>, <backingStore>, <driver> and <iotune>. From the bottom up, for a disk
 * "vda": the node "vda-file" that reads bytes, "vda-image" that knows the format, then "vda-throttle" and
 * "vda-copy" if they are asked for; an image's backing files are "vda-1-file", "vda-1-image" ... A chain
 * that the definition does not tell is found by QEMU in the image's header, and opened with QEMU's own
 * rights. */

#include "drivers/qemu/command/blockdev.h"
#include "drivers/qemu/command/device.h"
#include <errno.h>
#include <string.h>

/* What all nodes of one disk have in common. */
typedef struct Stack {
        CommandLine *line;
        const DomainDisk *disk;
} Stack;

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

static int check_path(const DomainDisk *disk, const char *path, Error *error)
{
        if (!path || !g_path_is_absolute(path))
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

        r = check_path(disk, path, error);
        if (r < 0)
                return r;
        if (type == DISK_TYPE_BLOCK)
                driver = disk->device == DISK_DEVICE_CDROM ? "host_cdrom" : "host_device";
        filename = command_file(stack->line, path, !is_readonly,
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
        int r = check_path(stack->disk, source->dir, error);

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
static int set_nvme(const Stack *stack, const DiskSource *source, json_t *node, Error *error)
{
        const DeviceAddress *host = &source->address;
        _cleanup_(freep) char *address =
                g_strdup_printf("%04x:%02x:%02x.%u", host->domain, host->bus, host->slot, host->function);

        if (stack->line->host.runs)
                return device_unsupported(error, "The QEMU driver has no disks of type 'nvme'");
        json_set_string(node, "driver", "nvme");
        json_set_string(node, "device", address);
        json_object_set_new(node, "namespace", json_integer((json_int_t)source->namespace_id));
        return 0;
}

static int set_storage(const Stack *stack, DiskType type, const DiskSource *source, const char *name,
                       bool is_readonly, json_t *node, Error *error)
{
        switch (type) {
        case DISK_TYPE_FILE:
        case DISK_TYPE_BLOCK:
                return set_file(stack, type, source, is_readonly, node, error);
        case DISK_TYPE_NETWORK:
                return blockdev_set_network(stack->line, stack->disk, source, name, node, error);
        case DISK_TYPE_DIR:
                return set_folder(stack, source, is_readonly, node, error);
        case DISK_TYPE_NVME:
                return set_nvme(stack, source, node, error);
        default:
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The QEMU driver has no disks of type '%s'", disk_type_to_string(type));
        }
}

/* The node of the bytes. */
static int add_storage(const Stack *stack, DiskType type, const DiskSource *source, const char *name,
                       bool is_readonly, Error *error)
{
        _cleanup_(json_decrefp) json_t *node = json_object();
        bool is_file = type == DISK_TYPE_FILE || type == DISK_TYPE_BLOCK;
        int r;

        if (source->encryption || stack->disk->encryption)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "The QEMU driver has no encrypted disks");
        if (source->slices.count > 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "The QEMU driver has no slices of disks");
        r = set_storage(stack, type, source, name, is_readonly, node, error);
        if (r < 0)
                return r;
        json_set_string(node, "node-name", name);
        /* The storage follows its format: read-only unless that writes. A descriptor that was passed cannot
         * follow: it was opened one way. */
        if (stack->line->host.passes_files && is_file)
                json_set_bool(node, "read-only", is_readonly);
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

static int add_format(const Stack *stack, DiskFormat format, const char *name, const char *storage,
                      const char *backing, bool chain_ends, bool is_readonly, uint64_t cache_size,
                      Error *error)
{
        const DomainDisk *disk = stack->disk;
        const char *driver = format_driver(format);
        json_t *node;

        if (!driver)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "QEMU has no disk format '%s'",
                                 disk_format_to_string(format));
        node = node_new(driver, name);
        json_set_bool(node, "read-only", is_readonly);
        set_cache(node, blockdev_cache(disk));
        set_discard(node, disk);
        if (format == DISK_FORMAT_QCOW2)
                json_set_number(node, "cache-size", cache_size);
        json_set_string(node, "file", storage);
        if (backing)
                json_set_string(node, "backing", backing);
        else if (chain_ends &&
                 (format == DISK_FORMAT_QCOW2 || format == DISK_FORMAT_QCOW || format == DISK_FORMAT_QED))
                json_object_set_new(node, "backing", json_null());
        command_add_json(stack->line, "-blockdev", node);
        return 0;
}

/* One image and, before it, those below. `depth` 0 is the disk's own. */
static int add_image(const Stack *stack, DiskType type, DiskFormat format, const DiskSource *source,
                     const DiskBacking *backing, bool chain_ends, bool is_readonly, Error *error)
{
        const char *target = stack->disk->target;
        _cleanup_(freep) char *storage = g_strdup_printf("%s-file", target);
        _cleanup_(freep) char *image = g_strdup_printf("%s-image", target);
        _cleanup_(freep) char *below = NULL;
        g_autoptr(GPtrArray) chain = g_ptr_array_new();
        int r;

        for (const DiskBacking *b = backing; b && b->type != DISK_TYPE_ABSENT; b = b->backing)
                g_ptr_array_add(chain, (void *)b);
        for (unsigned i = chain->len; i > 0; i--) {
                const DiskBacking *b = g_ptr_array_index(chain, i - 1);
                _cleanup_(freep) char *file = g_strdup_printf("%s-%u-file", target, i);
                char *name = g_strdup_printf("%s-%u-image", target, i);
                _cleanup_(freep) char *previous = below;

                below = name;
                r = add_storage(stack, b->type, &b->source, file, true, error);
                if (r >= 0)
                        r = add_format(stack, b->format, name, file, previous,
                                       b->backing && b->backing->type == DISK_TYPE_ABSENT, true,
                                       b->metadata_cache_max_size, error);
                if (r < 0)
                        return r;
        }
        r = add_storage(stack, type, source, storage, is_readonly, error);
        if (backing && backing->type == DISK_TYPE_ABSENT)
                chain_ends = true;
        return r < 0 ? r
                     : add_format(stack, format, image, storage, below, chain_ends, is_readonly,
                                  stack->disk->metadata_cache_max_size, error);
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
        bool is_known = false;
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

int blockdev_disk(CommandLine *line, const DomainDisk *disk, char **ret_node, Error *error)
{
        const Stack stack = { .line = line, .disk = disk };
        bool is_readonly = disk->readonly || disk->device == DISK_DEVICE_CDROM;
        _cleanup_(freep) char *node = NULL;
        int r;

        if (disk->transient)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "The QEMU driver has no transient disks");
        if (disk->mirror)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "A disk cannot start with a mirror");
        r = add_image(&stack, disk->type, disk->format, &disk->source, disk->backing, disk->backing_ends,
                      is_readonly, error);
        if (r < 0)
                return r;
        node = g_strdup_printf("%s-image", disk->target);
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

        if (!g_path_is_absolute(path))
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
