/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type logical: a volume group of LVM. A volume is a logical volume, all of which is allocated; one
 * with a <backingStore> is a snapshot of that. */

#include "drivers/storage/blocks.h"
#include "drivers/storage/command.h"
#include "drivers/storage/listed.h"
#include <inttypes.h>
#include <string.h>

#define PURPOSE      "which manages volume groups"
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-"
#define LVM(...)                                                                                            \
        ((Command){ .name = "lvm", .purpose = PURPOSE, .arguments = COMMAND_ARGUMENTS(__VA_ARGS__) })
#define REPORT        "--reportformat", "json", "--units", "b", "--nosuffix", "-o"
#define GROUP_COLUMNS "vg_size,vg_free"
#define LV_COLUMNS    "lv_name,lv_uuid,lv_path,lv_size,lv_attr"

static int check_name(const char *what, const char *name, Error *error)
{
        if (*name && *name != '-' && strspn(name, NAME_LETTERS) == strlen(name))
                return 0;
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s '%s': LVM's names are of letters, digits and + _ . -, and do not begin with -",
                         what, name);
}

/* The rows of the only report. */
static int report(const Command *command, const char *rows, json_t **ret_root, json_t **ret_rows,
                  Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *root = NULL;
        _cleanup_(freep) char *output = NULL;
        json_t *found;
        int r = command_run(command, &output, error);

        if (r >= 0)
                r = listed_json("lvm", output, &root, error);
        if (r < 0)
                return r;
        found = json_object_get(json_array_get(json_object_get(root, "report"), 0), rows);
        if (!json_is_array(found))
                return error_set(error, ERROR_OPERATION_FAILED, "lvm reports no '%s'", rows);
        *ret_rows = found;
        *ret_root = TAKE_PTR(root);
        return 0;
}

static int logical_build(const StoragePoolDefinition *pool, BackendBuild how, Error *error) AWAITS
{
        int r = check_name("volume group", pool->source.name, error);

        return r < 0 ? r
                     : blocks_build(pool, how, "lvm", PURPOSE,
                                    COMMAND_ARGUMENTS("vgcreate", "--yes", "--", pool->source.name), error);
}

static int logical_start(const StoragePoolDefinition *pool, bool is_resumed, Error *error) AWAITS
{
        int r = check_name("volume group", pool->source.name, error);

        (void)is_resumed; /* what is active already stays so */
        return r < 0 ? r
                     : command_run(&LVM("vgchange", "--activate", "y", "--", pool->source.name), NULL,
                                   error);
}

static int logical_stop(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        return command_run(&LVM("vgchange", "--activate", "n", "--", pool->source.name), NULL, error);
}

static int logical_remove(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        int r = check_name("volume group", pool->source.name, error);

        if (r >= 0)
                r = command_run(&LVM("vgremove", "--yes", "--", pool->source.name), NULL, error);
        for (unsigned i = 0; r >= 0 && i < pool->source.devices.count; i++)
                r = command_run(&LVM("pvremove", "--yes", "--", pool->source.devices.items[i]->path), NULL,
                                error);
        return r;
}

static int logical_find_sources(const PoolSource *where, GPtrArray *sources, Error *error) AWAITS
{
        Command command = LVM("pvs", REPORT, "pv_name,vg_name");
        _cleanup_(json_decrefp) json_t *root = NULL;
        json_t *rows, *row;
        size_t i;
        int r;

        (void)where;
        if (!command_exists("lvm"))
                return 0; /* there cannot be any */
        r = report(&command, "pv", &root, &rows, error);
        if (r < 0)
                return r;
        json_array_foreach(rows, i, row)
        {
                const char *group = listed_json_text(row, "vg_name"),
                           *device = listed_json_text(row, "pv_name");
                PoolSource *source = NULL;

                if (!group || !*group || !device)
                        continue;
                for (unsigned n = 0; n < sources->len && !source; n++)
                        if (strcmp(((PoolSource *)sources->pdata[n])->name, group) == 0)
                                source = sources->pdata[n];
                if (!source) {
                        source = storage_source_new("lvm2");
                        source->name = g_strdup(group);
                        g_ptr_array_add(sources, source);
                }
                storage_source_add_device(source, device);
        }
        return 0;
}

/* By the first letters of lv_attr: pools of thin volumes and what LVM keeps for itself are no volumes. */
static bool is_volume(const char *attributes)
{
        return attributes && *attributes && !strchr("tTeliD", *attributes);
}

static void add_row(GPtrArray *entries, const json_t *row) AWAITS
{
        const char *name = listed_json_text(row, "lv_name"), *uuid = listed_json_text(row, "lv_uuid"),
                   *path = listed_json_text(row, "lv_path"), *attributes = listed_json_text(row, "lv_attr");
        uint64_t size = listed_json_number(row, "lv_size");
        bool is_thin = attributes && *attributes == 'V';

        if (!name || !uuid || !path || *path != '/' || (!is_volume(attributes) && !is_thin))
                return;
        listed_add_device(entries, &(Listed){ .name = name,
                                              .path = path,
                                              .key = uuid,
                                              .type = S_IFBLK,
                                              .size = size,
                                              .allocation = size });
}

static int logical_list(const StoragePoolDefinition *pool, GPtrArray **ret_entries, BackendSizes *ret_sizes,
                        Error *error) AWAITS
{
        Command volumes = LVM("lvs", REPORT, LV_COLUMNS, "--", pool->source.name),
                group = LVM("vgs", REPORT, GROUP_COLUMNS, "--", pool->source.name);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = listed_new();
        _cleanup_(json_decrefp) json_t *group_root = NULL, *root = NULL;
        json_t *rows, *row;
        size_t i;
        int r = report(&group, "vg", &group_root, &rows, error);

        if (r < 0)
                return r;
        ret_sizes->capacity = listed_json_number(json_array_get(rows, 0), "vg_size");
        ret_sizes->available = listed_json_number(json_array_get(rows, 0), "vg_free");
        ret_sizes->allocation = ret_sizes->capacity - MIN(ret_sizes->available, ret_sizes->capacity);
        r = report(&volumes, "lv", &root, &rows, error);
        if (r < 0)
                return r;
        json_array_foreach(rows, i, row) add_row(entries, row);
        *ret_entries = TAKE_PTR(entries);
        return 0;
}

/* "vg/name" of a snapshot's origin, which must be of this group. The caller frees. */
static int origin_of(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                     char **ret_origin, Error *error)
{
        const char *path = volume->backing->path ? volume->backing->path : "";
        size_t length = strlen(pool->path);

        if (strncmp(path, pool->path, length) != 0 || path[length] != '/' ||
            check_name("", path + length + 1, NULL) < 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "volume '%s': its <backingStore> '%s' is no logical volume of '%s'",
                                 volume->name, path, pool->path);
        *ret_origin = g_strconcat(pool->source.name, path + length, NULL);
        return 0;
}

static int logical_look(const StoragePoolDefinition *pool, const char *name, FileEntry **ret_entry,
                        Error *error) AWAITS
{
        _cleanup_(freep) char *full = g_strconcat(pool->source.name, "/", name, NULL);
        Command command = LVM("lvs", REPORT, LV_COLUMNS, "--", full);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = listed_new();
        _cleanup_(json_decrefp) json_t *root = NULL;
        json_t *rows;
        int r = report(&command, "lv", &root, &rows, error);

        if (r >= 0)
                add_row(entries, json_array_get(rows, 0));
        if (r >= 0 && entries->len == 0)
                r = error_set(error, ERROR_OPERATION_FAILED, "LVM made '%s' and does not show it", full);
        if (r < 0)
                return r;
        *ret_entry = g_ptr_array_steal_index(entries, 0);
        return 0;
}

static int logical_create_volume(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                                 FileEntry **ret_entry, Error *error) AWAITS
{
        _cleanup_(freep) char *size = g_strdup_printf("%" PRIu64 "b", volume->capacity), *origin = NULL;
        int r = check_name("volume", volume->name, error);

        if (r >= 0)
                r = blocks_check_new(volume, "logical volumes", true, error);

        if (r >= 0 && volume->backing)
                r = origin_of(pool, volume, &origin, error);
        if (r >= 0 && origin)
                r = command_run(&LVM("lvcreate", "--yes", "--snapshot", "--name", volume->name, "--size",
                                     size, "--", origin),
                                NULL, error);
        else if (r >= 0)
                r = command_run(&LVM("lvcreate", "--yes", "--wipesignatures", "y", "--name", volume->name,
                                     "--size", size, "--", pool->source.name),
                                NULL, error);
        return r < 0 ? r : logical_look(pool, volume->name, ret_entry, error);
}

/* LVM would delete the snapshots with it: they are volumes of their own. */
static int logical_check_delete(const StoragePoolDefinition *pool, const FileEntry *entry,
                                Error *error) AWAITS
{
        _cleanup_(freep) char *full = g_strconcat(pool->source.name, "/", entry->name, NULL);
        Command command = LVM("lvs", REPORT, "lv_attr", "--", full);
        _cleanup_(json_decrefp) json_t *root = NULL;
        json_t *rows;
        const char *attributes;
        int r = report(&command, "lv", &root, &rows, error);

        if (r < 0)
                return r;
        attributes = listed_json_text(json_array_get(rows, 0), "lv_attr");
        if (!attributes || !*attributes)
                return error_set(error, ERROR_OPERATION_FAILED, "LVM does not tell what '%s' is", full);
        if (*attributes != 'o' && *attributes != 'O')
                return 0;
        return error_set(error, ERROR_OPERATION_INVALID,
                         "The volume '%s' has snapshots: they are deleted first", entry->name);
}

static int logical_delete_volume(const StoragePoolDefinition *pool, const FileEntry *entry,
                                 Error *error) AWAITS
{
        _cleanup_(freep) char *full = g_strconcat(pool->source.name, "/", entry->name, NULL);
        int r = logical_check_delete(pool, entry, error);

        return r < 0 ? r : command_run(&LVM("lvremove", "--yes", "--", full), NULL, error);
}

static int logical_resize_volume(const StoragePoolDefinition *pool, const FileEntry *entry,
                                 uint64_t capacity, Error *error) AWAITS
{
        _cleanup_(freep) char *full = g_strconcat(pool->source.name, "/", entry->name, NULL),
                              *size = g_strdup_printf("%" PRIu64 "b", capacity);

        return command_run(&LVM("lvresize", "--yes", "--force", "--size", size, "--", full), NULL, error);
}

const Backend backend_logical = {
        .build = logical_build,
        .start = logical_start,
        .stop = logical_stop,
        .remove = logical_remove,
        .find_sources = logical_find_sources,
        .list = logical_list,
        .create_volume = logical_create_volume,
        .delete_volume = logical_delete_volume,
        .check_delete = logical_check_delete,
        .resize_volume = logical_resize_volume,
};
