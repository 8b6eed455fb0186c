/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of every type for drivers in memory (DriverType.is_in_memory): a volume is a size, a format and a
 * name. What would be on the disk is in a table of the driver, by the pools' UUIDs: like a disk it survives
 * that a pool is stopped, and it goes with the pool. No file is ever opened. */

#include "drivers/storage/backend.h"
#include "drivers/storage/listed.h"
#include <inttypes.h>
#include <string.h>

#define POOL_CAPACITY (100ull << 30) /* libvirt's test driver's */

GHashTable *backend_memory_new(void)
{
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
}

static GPtrArray *entries_of(const StoragePoolDefinition *pool)
{
        GHashTable *pools = pool->context->memory;
        GPtrArray *entries = g_hash_table_lookup(pools, pool->uuid);

        if (!entries) {
                entries = listed_new();
                g_hash_table_insert(pools, g_strdup(pool->uuid), entries);
        }
        return entries;
}

static FileEntry *entry_copy(const FileEntry *entry)
{
        FileEntry *copy = g_memdup2(entry, sizeof(*entry));

        copy->name = g_strdup(entry->name);
        copy->label = g_strdup(entry->label);
        copy->path = g_strdup(entry->path);
        copy->key = g_strdup(entry->key);
        copy->header.backing_path = g_strdup(entry->header.backing_path);
        copy->header.backing_format = g_strdup(entry->header.backing_format);
        copy->header.data_file = g_strdup(entry->header.data_file);
        return copy;
}

static uint64_t allocated(const StoragePoolDefinition *pool)
{
        const GPtrArray *entries = entries_of(pool);
        uint64_t sum = 0;

        for (unsigned i = 0; i < entries->len; i++)
                sum += ((const FileEntry *)entries->pdata[i])->allocation;
        return sum;
}

static int check_room(const StoragePoolDefinition *pool, uint64_t more, Error *error)
{
        uint64_t available = POOL_CAPACITY - allocated(pool);

        return more <= available
                       ? 0
                       : error_set(error, ERROR_NO_SPACE,
                                   "The storage pool '%s' has %" PRIu64 " bytes left, not %" PRIu64,
                                   pool->name, available, more);
}

static mode_t file_type(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume)
{
        switch (pool->type) {
        case POOL_TYPE_LOGICAL:
        case POOL_TYPE_DISK:
        case POOL_TYPE_ISCSI:
        case POOL_TYPE_SCSI:
        case POOL_TYPE_MPATH:
        case POOL_TYPE_ZFS:
                return S_IFBLK;
        case POOL_TYPE_RBD:
                return 0;
        default:
                return volume->target.format == VOLUME_FORMAT_DIR ? S_IFDIR : S_IFREG;
        }
}

static FileEntry *entry_new(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume)
{
        const StoragePermissions *permissions = &volume->target.permissions;
        _cleanup_(freep) char *path =
                g_build_filename(pool->path ? pool->path : pool->name, volume->name, NULL);
        FileEntry *entry = listed_entry(
                &(Listed){ .name = volume->name,
                           .path = path,
                           .type = file_type(pool, volume),
                           .size = volume->capacity,
                           .allocation = volume->has_allocation ? volume->allocation : volume->capacity });

        entry->stat.st_mode |= permissions->has_mode ? permissions->mode : 0600;
        entry->stat.st_uid = permissions->has_owner ? permissions->owner : getuid();
        entry->stat.st_gid = permissions->has_group ? permissions->group : getgid();
        entry->label = g_strdup(permissions->label);
        (void)clock_gettime(CLOCK_REALTIME, &entry->stat.st_mtim); /* this clock is always there */
        entry->stat.st_atim = entry->stat.st_ctim = entry->stat.st_mtim;
        entry->header.has_capacity = true;
        entry->header.capacity = volume->capacity;
        if (volume->target.format != VOLUME_FORMAT_ABSENT)
                entry->header.format = volume_format_to_string(volume->target.format);
        entry->header.data_file = g_strdup(volume->target.data_file);
        if (volume->backing) {
                entry->header.backing_path = g_strdup(volume->backing->path);
                entry->header.backing_format =
                        volume->backing->format == VOLUME_FORMAT_ABSENT
                                ? NULL
                                : g_strdup(volume_format_to_string(volume->backing->format));
        }
        return entry;
}

static int memory_create_volume(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                                FileEntry **ret_entry, Error *error) AWAITS
{
        uint64_t allocation = volume->has_allocation ? volume->allocation : volume->capacity;
        int r = 0;

        if (!volume->has_capacity || volume->capacity == 0)
                r = error_set(error, ERROR_INVALID_XML, "volume '%s': a <capacity> above 0 is needed",
                              volume->name);
        else if (volume->target.encryption)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "volume '%s': a volume in memory has nothing that could be encrypted",
                              volume->name);
        else
                r = check_room(pool, allocation, error);
        if (r < 0)
                return r;
        *ret_entry = entry_new(pool, volume);
        g_ptr_array_add(entries_of(pool), entry_copy(*ret_entry));
        return 0;
}

/* A copy is as large as the original at least, and of its format unless another one is said. */
static int memory_copy_volume(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                              const FileEntry *original, FileEntry **ret_entry, Error *error) AWAITS
{
        StorageVolumeDefinition copy = *volume; /* borrows all that it points to */
        int format = enum_from_string(&volume_format_table, original->header.format);

        copy.capacity = MAX(volume->has_capacity ? volume->capacity : 0, original->header.capacity);
        copy.has_capacity = true;
        if (copy.target.format == VOLUME_FORMAT_ABSENT && format >= 0)
                copy.target.format = (VolumeFormat)format;
        return memory_create_volume(pool, &copy, ret_entry, error);
}

static int find(const StoragePoolDefinition *pool, const char *name, Error *error)
{
        const GPtrArray *entries = entries_of(pool);

        for (unsigned i = 0; i < entries->len; i++)
                if (strcmp(((const FileEntry *)entries->pdata[i])->name, name) == 0)
                        return (int)i;
        return error_set(error, ERROR_NO_STORAGE_VOLUME, "There is no volume '%s' in pool '%s'", name,
                         pool->name);
}

static int memory_delete_volume(const StoragePoolDefinition *pool, const FileEntry *entry,
                                Error *error) AWAITS
{
        int i = find(pool, entry->name, error);

        if (i >= 0)
                g_ptr_array_remove_index(entries_of(pool), (unsigned)i);
        return MIN(i, 0);
}

static int memory_resize_volume(const StoragePoolDefinition *pool, const FileEntry *entry, uint64_t capacity,
                                Error *error) AWAITS
{
        int i = find(pool, entry->name, error), r;
        FileEntry *kept;

        if (i < 0)
                return i;
        kept = entries_of(pool)->pdata[i];
        r = capacity > kept->allocation ? check_room(pool, capacity - kept->allocation, error) : 0;
        if (r < 0)
                return r;
        kept->header.capacity = kept->allocation = capacity;
        kept->stat.st_size = (off_t)capacity;
        return 0;
}

static int memory_list(const StoragePoolDefinition *pool, GPtrArray **ret_entries, BackendSizes *ret_sizes,
                       Error *error) AWAITS
{
        const GPtrArray *entries = entries_of(pool);

        (void)error;
        *ret_entries = listed_new();
        for (unsigned i = 0; i < entries->len; i++)
                g_ptr_array_add(*ret_entries, entry_copy(entries->pdata[i]));
        ret_sizes->capacity = POOL_CAPACITY;
        ret_sizes->allocation = allocated(pool);
        ret_sizes->available = POOL_CAPACITY - ret_sizes->allocation;
        return 0;
}

/* An empty pool needs nothing to stand on; what is in it would be in the way. */
static int check_empty(const StoragePoolDefinition *pool, const char *what, Error *error)
{
        unsigned count = entries_of(pool)->len;

        return count == 0 ? 0
                          : error_set(error, ERROR_OPERATION_FAILED,
                                      "The storage pool '%s' has %u volumes: it is not %s", pool->name,
                                      count, what);
}

static int memory_build(const StoragePoolDefinition *pool, BackendBuild how, Error *error) AWAITS
{
        if (how == BACKEND_BUILD_OVERWRITE)
                g_ptr_array_set_size(entries_of(pool), 0);
        return how == BACKEND_BUILD_NO_OVERWRITE ? check_empty(pool, "built over them", error) : 0;
}

static int memory_remove(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        return check_empty(pool, "deleted", error);
}

static void memory_forget(const StoragePoolDefinition *pool)
{
        (void)g_hash_table_remove(pool->context->memory, pool->uuid); /* if it is there */
}

/* There is nothing in memory that a pool could stand on. */
static int memory_find_sources(const PoolSource *where, GPtrArray *sources, Error *error) AWAITS
{
        (void)where, (void)sources, (void)error;
        return 0;
}

const Backend backend_memory = {
        .is_memory = true,
        .has_auth = true,
        .build = memory_build,
        .remove = memory_remove,
        .forget = memory_forget,
        .find_sources = memory_find_sources,
        .list = memory_list,
        .create_volume = memory_create_volume,
        .copy_volume = memory_copy_volume,
        .delete_volume = memory_delete_volume,
        .resize_volume = memory_resize_volume,
};
