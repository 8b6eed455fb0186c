/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type zfs: the block volumes of a ZFS pool, or of a data set in one. */

#include "drivers/storage/blocks.h"
#include "drivers/storage/command.h"
#include "drivers/storage/listed.h"
#include <inttypes.h>
#include <string.h>

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:. "
#define DEVICES      "/dev/zvol/"
#define ZFS(...)                                                                                            \
        ((Command){ .name = "zfs",                                                                          \
                    .purpose = "which manages ZFS's volumes",                                               \
                    .arguments = COMMAND_ARGUMENTS(__VA_ARGS__) })
#define ZPOOL(...)                                                                                          \
        ((Command){ .name = "zpool",                                                                        \
                    .purpose = "which manages ZFS's pools",                                                 \
                    .arguments = COMMAND_ARGUMENTS(__VA_ARGS__) })

/* `others` are allowed besides. */
static int check_name(const char *what, const char *name, const char *others, Error *error)
{
        _cleanup_(freep) char *letters = g_strconcat(NAME_LETTERS, others, NULL);

        if (g_ascii_isalnum(*name) && strspn(name, letters) == strlen(name))
                return 0;
        return error_set(
                error, ERROR_INVALID_ARGUMENT,
                "%s '%s': ZFS's names are of letters, digits and _ - : . and begin with a letter or digit",
                what, name);
}

static int zfs_build(const StoragePoolDefinition *pool, BackendBuild how, Error *error) AWAITS
{
        int r = check_name("pool", pool->source.name, "", error);

        return r < 0 ? r
                     : blocks_build(pool, how, "zpool", "which manages ZFS's pools",
                                    COMMAND_ARGUMENTS("create", "-f", pool->source.name), error);
}

static int zfs_remove(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        int r = check_name("pool", pool->source.name, "", error);

        return r < 0 ? r : command_run(&ZPOOL("destroy", pool->source.name), NULL, error);
}

static int zfs_start(const StoragePoolDefinition *pool, bool is_resumed, Error *error) AWAITS
{
        int r = check_name("pool", pool->source.name, "/", error);

        (void)is_resumed; /* nothing is brought up */
        return r < 0 ? r : command_run(&ZFS("list", "-H", pool->source.name), NULL, error);
}

/* NAME, size and what is set aside for it, between tabs. */
static void add_line(const StoragePoolDefinition *pool, const char *line, GPtrArray *entries) AWAITS
{
        _cleanup_(strvp) char **columns = g_strsplit(line, "\t", -1);
        size_t length = strlen(pool->source.name);
        _cleanup_(freep) char *path = NULL;

        if (g_strv_length(columns) != 3 || strncmp(columns[0], pool->source.name, length) != 0 ||
            columns[0][length] != '/')
                return;
        path = g_strconcat(DEVICES, columns[0], NULL);
        listed_add_device(entries, &(Listed){ .name = columns[0] + length + 1,
                                              .path = path,
                                              .type = S_IFBLK,
                                              .size = listed_number(columns[1]),
                                              .allocation = listed_number(columns[2]) });
}

static int read_sizes(const StoragePoolDefinition *pool, BackendSizes *ret_sizes, Error *error) AWAITS
{
        _cleanup_(freep) char *output = NULL;
        _cleanup_(strvp) char **columns = NULL;
        int r = command_run(&ZFS("get", "-Hp", "-o", "value", "used,available", pool->source.name), &output,
                            error);

        if (r < 0)
                return r;
        columns = g_strsplit(output, "\n", 3);
        if (g_strv_length(columns) < 2)
                return error_set(error, ERROR_OPERATION_FAILED, "zfs does not tell the sizes of '%s'",
                                 pool->source.name);
        ret_sizes->allocation = listed_number(columns[0]);
        ret_sizes->available = listed_number(columns[1]);
        ret_sizes->capacity = ret_sizes->allocation + ret_sizes->available;
        return 0;
}

static int zfs_list(const StoragePoolDefinition *pool, GPtrArray **ret_entries, BackendSizes *ret_sizes,
                    Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = listed_new();
        _cleanup_(freep) char *output = NULL;
        _cleanup_(strvp) char **lines = NULL;
        int r = read_sizes(pool, ret_sizes, error);

        if (r >= 0)
                r = command_run(&ZFS("list", "-Hp", "-t", "volume", "-r", "-o",
                                     "name,volsize,refreservation", pool->source.name),
                                &output, error);
        if (r < 0)
                return r;
        lines = g_strsplit(output, "\n", -1);
        for (char **line = lines; *line; line++)
                add_line(pool, *line, entries);
        *ret_entries = TAKE_PTR(entries);
        return 0;
}

static int zfs_create_volume(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                             FileEntry **ret_entry, Error *error) AWAITS
{
        _cleanup_(freep) char *full = g_strconcat(pool->source.name, "/", volume->name, NULL),
                              *size = g_strdup_printf("%" PRIu64, volume->capacity),
                              *path = g_strconcat(DEVICES, full, NULL);
        bool is_sparse = volume->has_allocation && volume->allocation < volume->capacity;
        int r = check_name("volume", volume->name, "", error);

        if (r >= 0)
                r = blocks_check_new(volume, "ZFS's volumes", false, error);
        if (r >= 0)
                r = command_run(is_sparse ? &ZFS("create", "-s", "-V", size, full)
                                          : &ZFS("create", "-V", size, full),
                                NULL, error);
        if (r < 0)
                return r;
        *ret_entry = listed_entry(&(Listed){ .name = volume->name,
                                             .path = path,
                                             .type = S_IFBLK,
                                             .size = volume->capacity,
                                             .allocation = is_sparse ? 0 : volume->capacity });
        return 0;
}

static int zfs_delete_volume(const StoragePoolDefinition *pool, const FileEntry *entry, Error *error) AWAITS
{
        _cleanup_(freep) char *full = g_strconcat(pool->source.name, "/", entry->name, NULL);

        return command_run(&ZFS("destroy", full), NULL, error);
}

static int zfs_resize_volume(const StoragePoolDefinition *pool, const FileEntry *entry, uint64_t capacity,
                             Error *error) AWAITS
{
        _cleanup_(freep) char *full = g_strconcat(pool->source.name, "/", entry->name, NULL),
                              *size = g_strdup_printf("volsize=%" PRIu64, capacity);

        return command_run(&ZFS("set", size, full), NULL, error);
}

static int zfs_find_sources(const PoolSource *where, GPtrArray *sources, Error *error) AWAITS
{
        _cleanup_(freep) char *output = NULL;
        _cleanup_(strvp) char **lines = NULL;
        int r;

        (void)where;
        r = command_run(&ZPOOL("list", "-H", "-o", "name"), &output, error);
        if (r < 0)
                return r;
        lines = g_strsplit(output, "\n", -1);
        for (char **line = lines; *line; line++) {
                PoolSource *source = **line ? storage_source_new(NULL) : NULL;

                if (!source)
                        continue;
                source->name = g_strdup(*line);
                g_ptr_array_add(sources, source);
        }
        return 0;
}

const Backend backend_zfs = {
        .build = zfs_build,
        .start = zfs_start,
        .remove = zfs_remove,
        .find_sources = zfs_find_sources,
        .list = zfs_list,
        .create_volume = zfs_create_volume,
        .delete_volume = zfs_delete_volume,
        .resize_volume = zfs_resize_volume,
};
