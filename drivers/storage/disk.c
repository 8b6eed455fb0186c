/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type disk: the partitions of a disk. sfdisk reads and writes the table; the kernel is told by
 * partx, which changes only the partitions that differ, so that others may be in use. A partition's name is
 * its device's, sdb1, as the kernel gives it. */

#include "core/fiber.h"
#include "drivers/storage/backend.h"
#include "drivers/storage/command.h"
#include "drivers/storage/look.h"
#include "drivers/storage/partitions.h"
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#define TABLE_PURPOSE "which reads and makes partitions"
#define TELL_PURPOSE  "which tells the kernel of partitions"

static const char *device_of(const StoragePoolDefinition *pool)
{
        return pool->source.devices.items[0]->path;
}

/* What sfdisk calls a table, by the pool's format; "unknown" makes the oldest one. NULL: sfdisk has none. */
static const char *label_of(const StoragePoolDefinition *pool)
{
        static const char *const labels[][2] = {
                { "unknown", "dos" }, { "dos", "dos" }, { "gpt", "gpt" }, { "sun", "sun" }, { "dvh", "sgi" },
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(labels); i++)
                if (strcmp(labels[i][0], pool->source.format) == 0)
                        return labels[i][1];
        return NULL;
}

/* The table; a disk without one is an error, with sfdisk's words. */
static int table_read(const StoragePoolDefinition *pool, json_t **ret_root, json_t **ret_table,
                      Error *error) AWAITS
{
        Command command = { .name = "sfdisk",
                            .purpose = TABLE_PURPOSE,
                            .arguments = COMMAND_ARGUMENTS("--json", "--", device_of(pool)) };
        _cleanup_(json_decrefp) json_t *root = NULL;
        _cleanup_(freep) char *output = NULL;
        json_t *table;
        int r = command_run(&command, &output, error);

        if (r < 0) {
                error_prefix(error, "Cannot read the partitions of '%s'", device_of(pool));
                return r;
        }
        root = json_loads(output, JSON_REJECT_DUPLICATES, NULL);
        table = json_object_get(root, "partitiontable");
        if (!json_is_string(json_object_get(table, "label")))
                return error_set(error, ERROR_OPERATION_FAILED, "sfdisk says nothing of use about '%s'",
                                 device_of(pool));
        *ret_table = table;
        *ret_root = TAKE_PTR(root);
        return 0;
}

static int check_label(const StoragePoolDefinition *pool, const json_t *table, Error *error)
{
        const char *present = json_string_value(json_object_get(table, "label")), *label = label_of(pool);

        if (strcmp(pool->source.format, "unknown") == 0 || g_strcmp0(label, present) == 0)
                return 0;
        return error_set(error, ERROR_OPERATION_INVALID,
                         "pool '%s': '%s' has a partition table of type '%s', the pool's format is '%s'",
                         pool->name, device_of(pool), present, pool->source.format);
}

static int disk_start(const StoragePoolDefinition *pool, bool is_resumed, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *root = NULL;
        json_t *table;
        int r = table_read(pool, &root, &table, error);

        (void)is_resumed; /* nothing is brought up */
        return r < 0 ? r : check_label(pool, table, error);
}

static int disk_build(const StoragePoolDefinition *pool, BackendBuild how, Error *error) AWAITS
{
        const char *label = label_of(pool);
        _cleanup_(freep) char *input = g_strdup_printf("label: %s\n", label);
        Command command = { .name = "sfdisk",
                            .purpose = TABLE_PURPOSE,
                            .arguments =
                                    COMMAND_ARGUMENTS("--quiet", "--wipe=always", "--", device_of(pool)),
                            .input = input };
        int r = label ? look_unused_device(pool->name, device_of(pool), error)
                      : error_set(error, ERROR_NOT_SUPPORTED,
                                  "pool '%s': partition tables of format '%s' are not made here: dos, gpt, "
                                  "sun "
                                  "and dvh are",
                                  pool->name, pool->source.format);

        if (r >= 0 && how != BACKEND_BUILD_OVERWRITE)
                r = look_empty_device(pool->name, device_of(pool), error);
        return r < 0 ? r : command_run(&command, NULL, error);
}

static int disk_remove(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        Command command = { .name = "wipefs",
                            .purpose = "which removes partition tables",
                            .arguments = COMMAND_ARGUMENTS("--quiet", "--all", "--", device_of(pool)) };
        int r = look_unused_device(pool->name, device_of(pool), error);

        return r < 0 ? r : command_run(&command, NULL, error);
}

static int tell_kernel(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        Command command = { .name = "partx",
                            .purpose = TELL_PURPOSE,
                            .arguments = COMMAND_ARGUMENTS("--update", "--", device_of(pool)) };

        return command_run(&command, NULL, error);
}

/* The volume of a partition's device. */
static int partition_look(const StoragePoolDefinition *pool, const char *node, FileEntry **ret_entry,
                          Error *error) AWAITS
{
        _cleanup_(freep) char *name = g_path_get_basename(node), *path = NULL;
        int r = look_stable_path(pool->path, node, &path, error);

        return r < 0 ? r : files_look_device(path, name, path, ret_entry, error);
}

static void release_entry(void *entry)
{
        file_entry_free(entry);
}

static void add_free(const json_t *table, uint64_t disk_bytes, bool in_extended, GArray *extents)
{
        uint64_t sector = partitions_sector_bytes(table);
        _cleanup_(g_array_unrefp) GArray *room = partitions_room(table, disk_bytes / sector, in_extended);

        for (unsigned i = 0; i < room->len; i++) {
                const Extent *extent = &g_array_index(room, Extent, i);
                PoolExtent bytes = { extent->start * sector, (extent->start + extent->size) * sector };

                g_array_append_val(extents, bytes);
        }
}

static GArray *free_extents(const json_t *table, uint64_t disk_bytes)
{
        GArray *extents = g_array_new(FALSE, FALSE, sizeof(PoolExtent));

        add_free(table, disk_bytes, false, extents);
        if (partitions_find_extended(table))
                add_free(table, disk_bytes, true, extents);
        return extents;
}

static int disk_list(const StoragePoolDefinition *pool, GPtrArray **ret_entries, BackendSizes *ret_sizes,
                     Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = g_ptr_array_new_with_free_func(release_entry);
        _cleanup_(file_entry_freep) FileEntry *disk = NULL;
        _cleanup_(json_decrefp) json_t *root = NULL;
        json_t *table, *partition;
        uint64_t used = 0;
        size_t i;
        int r = table_read(pool, &root, &table, error);

        if (r >= 0)
                r = files_look_device(device_of(pool), pool->name, NULL, &disk, error);
        if (r < 0)
                return r;
        json_array_foreach(json_object_get(table, "partitions"), i, partition)
        {
                const char *node = json_string_value(json_object_get(partition, "node"));
                FileEntry *entry;

                if (!node || partition_look(pool, node, &entry, NULL) < 0)
                        continue; /* the kernel does not know it */
                if (partition_is_extended(partition))
                        entry->allocation = 0; /* the others in it count */
                used += entry->allocation;
                g_ptr_array_add(entries, entry);
        }
        ret_sizes->capacity = (uint64_t)disk->stat.st_size;
        ret_sizes->allocation = MIN(used, ret_sizes->capacity);
        ret_sizes->available = ret_sizes->capacity - ret_sizes->allocation;
        ret_sizes->free_extents = free_extents(table, (uint64_t)disk->stat.st_size);
        *ret_entries = TAKE_PTR(entries);
        return 0;
}

/* sfdisk's name of a partition's type, for the table; NULL: what it takes when nothing is said. */
static const char *type_of(const StorageVolumeDefinition *volume, bool is_gpt)
{
        static const struct {
                VolumeFormat format;
                const char *dos, *gpt;
        } types[] = {
                { VOLUME_FORMAT_FAT16, "6", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" },
                { VOLUME_FORMAT_FAT32, "c", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" },
                { VOLUME_FORMAT_LINUX_SWAP, "82", "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F" },
                { VOLUME_FORMAT_LINUX_LVM, "8e", "E6D6D379-F507-44C2-A23C-238F2A3DF928" },
                { VOLUME_FORMAT_EXTENDED, "f", NULL },
                { VOLUME_FORMAT_LINUX_RAID, "fd", "A19D880F-05FC-4D3B-A006-743F0F84911E" },
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
                if (types[i].format == volume->target.format)
                        return is_gpt ? types[i].gpt : types[i].dos;
        return NULL;
}

static int check_new(const StorageVolumeDefinition *volume, const char *node, bool is_gpt, Error *error)
{
        _cleanup_(freep) char *expected = node ? g_path_get_basename(node) : g_strdup("?");
        VolumeFormat format = volume->target.format;
        bool is_plain = format == VOLUME_FORMAT_ABSENT || format == VOLUME_FORMAT_RAW ||
                        format == VOLUME_FORMAT_NONE || format == VOLUME_FORMAT_LINUX;

        if (strcmp(volume->name, expected) != 0)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "volume '%s': the next partition of this disk is called '%s'", volume->name,
                                 expected);
        if (volume->target.encryption || volume->backing)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "volume '%s': partitions have neither encryption nor a backing store here",
                                 volume->name);
        return is_plain || type_of(volume, is_gpt)
                       ? 0
                       : error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                   "volume '%s': there are no partitions of format '%s' in this table",
                                   volume->name, volume_format_to_string(format));
}

/* The first one that is large enough. */
static int find_place(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                      const json_t *table, bool is_logical, Extent *ret, Error *error) AWAITS
{
        uint64_t sector = partitions_sector_bytes(table), size = (volume->capacity + sector - 1) / sector;
        _cleanup_(file_entry_freep) FileEntry *disk = NULL;
        _cleanup_(g_array_unrefp) GArray *room = NULL;
        int r = files_look_device(device_of(pool), pool->name, NULL, &disk, error);

        if (r < 0)
                return r;
        room = partitions_room(table, (uint64_t)disk->stat.st_size / sector, is_logical);
        for (unsigned i = 0; i < room->len; i++) {
                const Extent *extent = &g_array_index(room, Extent, i);

                if (extent->size < size)
                        continue;
                *ret = (Extent){ extent->start, size };
                return 0;
        }
        return error_set(error, ERROR_NO_SPACE,
                         "volume '%s': there is no space of %" PRIu64 " bytes at one piece on '%s'%s",
                         volume->name, volume->capacity, device_of(pool),
                         is_logical ? " in its extended partition" : "");
}

static int append(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                  const json_t *table, bool is_gpt, bool is_logical, Error *error) AWAITS
{
        const char *type = type_of(volume, is_gpt);
        _cleanup_(freep) char *input = NULL;
        Command command = { .name = "sfdisk",
                            .purpose = TABLE_PURPOSE,
                            .arguments = COMMAND_ARGUMENTS("--quiet", "--no-reread", "--no-tell-kernel",
                                                           "--append", "--wipe-partitions=never", "--",
                                                           device_of(pool)) };
        Extent place = {};
        int r = find_place(pool, volume, table, is_logical, &place, error);

        if (r < 0)
                return r;
        input = g_strdup_printf("start=%" PRIu64 ", size=%" PRIu64 "%s%s\n", place.start, place.size,
                                type ? ", type=" : "", type ? type : "");
        command.input = input;
        r = command_run(&command, NULL, error);
        return r < 0 ? r : tell_kernel(pool, error);
}

static bool is_logical(const json_t *table, const char *node)
{
        return partitions_find_extended(table) && partition_number(node) >= PARTITION_FIRST_LOGICAL;
}

static int disk_create_volume(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                              FileEntry **ret_entry, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *root = NULL;
        _cleanup_(freep) char *node = NULL;
        json_t *table;
        bool is_gpt, is_extended = volume->target.format == VOLUME_FORMAT_EXTENDED;
        int r = table_read(pool, &root, &table, error);

        if (r < 0)
                return r;
        if (is_extended && partitions_find_extended(table))
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "volume '%s': '%s' has an extended partition already", volume->name,
                                 device_of(pool));
        is_gpt = strcmp(json_string_value(json_object_get(table, "label")), "gpt") == 0;
        node = partitions_next_node(table, is_extended);
        if (!node)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "volume '%s': '%s' has four partitions and none of format 'extended'",
                                 volume->name, device_of(pool));
        r = check_new(volume, node, is_gpt, error);
        if (r >= 0)
                r = look_disk(pool->name, device_of(pool), error);
        if (r >= 0)
                r = append(pool, volume, table, is_gpt, is_logical(table, node), error);
        return r < 0 ? r : partition_look(pool, node, ret_entry, error);
}

/* Logical partitions have their numbers by their order: one that goes renames those behind it, which may be
 * in use. */
static int check_last(const StoragePoolDefinition *pool, const FileEntry *entry, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *root = NULL;
        unsigned number = partition_number(entry->name), last;
        const json_t *extended;
        json_t *table;
        int r = table_read(pool, &root, &table, error);

        if (r < 0)
                return r;
        extended = partitions_find_extended(table);
        last = partitions_last_number(table);
        if (!extended || last < PARTITION_FIRST_LOGICAL || number >= last ||
            (number < PARTITION_FIRST_LOGICAL &&
             number != partition_number(json_string_value(json_object_get(extended, "node")))))
                return 0;
        return error_set(
                error, ERROR_OPERATION_INVALID,
                "The volume '%s': the logical partitions behind or in it go first, beginning with number %u",
                entry->name, last);
}

static int disk_check_delete(const StoragePoolDefinition *pool, const FileEntry *entry, Error *error) AWAITS
{
        int r = check_last(pool, entry, error);

        return r < 0 ? r : look_unused_device(pool->name, entry->path, error);
}

/* The kernel first: it refuses while somebody uses the partition. */
static int disk_delete_volume(const StoragePoolDefinition *pool, const FileEntry *entry, Error *error) AWAITS
{
        _cleanup_(freep) char *number = g_strdup_printf("%u", partition_number(entry->name));
        Command forget = { .name = "partx",
                           .purpose = TELL_PURPOSE,
                           .arguments = COMMAND_ARGUMENTS("--delete", "--nr", number, device_of(pool)) },
                delete = { .name = "sfdisk",
                           .purpose = TABLE_PURPOSE,
                           .arguments = COMMAND_ARGUMENTS("--quiet", "--no-reread", "--no-tell-kernel",
                                                          "--delete", device_of(pool), number) };
        int r = disk_check_delete(pool, entry, error);

        if (r >= 0)
                r = command_run(&forget, NULL, error);
        if (r < 0)
                return r;
        r = command_run(&delete, NULL, error);
        if (r < 0) {
                fiber_clear_cancel();
                (void)tell_kernel(pool, NULL); /* the partition is still there */
        }
        return r;
}

const Backend backend_disk = {
        .build = disk_build,
        .start = disk_start,
        .remove = disk_remove,
        .list = disk_list,
        .create_volume = disk_create_volume,
        .delete_volume = disk_delete_volume,
        .check_delete = disk_check_delete,
};
