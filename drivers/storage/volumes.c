/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A volume is made under another name and gets its own when all of it is on the disk: a crash leaves nothing
 * that looks like a volume. */

#include "drivers/storage/volumes.h"
#include "drivers/storage/contents.h"
#include "drivers/storage/image.h"
#include <string.h>
#include <unistd.h>

#define CLUSTER_USUAL 65536

/* virStorageVolCreateFlags, virStorageVolDeleteFlags, virStorageVolInfoFlags, virStorageVolResizeFlags,
 * virStorageVolWipeAlgorithm. */
enum {
        CREATE_PREALLOC_METADATA = 1 << 0,
        DELETE_ZEROED = 1 << 0,
        DELETE_WITH_SNAPSHOTS = 1 << 1,
        INFO_GET_PHYSICAL = 1 << 0,
        RESIZE_ALLOCATE = 1 << 0,
        RESIZE_DELTA = 1 << 1,
        RESIZE_SHRINK = 1 << 2,
        WIPE_ZERO = 0,
        WIPE_TRIM = 9,
};

static int compare_names(const void *a, const void *b)
{
        const Volume *const *left = a, *const *right = b;

        return strcmp((*left)->volume.object.name, (*right)->volume.object.name);
}

int volumes_list(Call *call, StoragePool *storage_pool, uint32_t flags, GPtrArray **ret_volumes,
                 Error *error)
{
        Pool *pool = pool_of(storage_pool);
        int r = error_check_flags(error, "ListStorageVolumes", flags, 0);
        GHashTableIter at;
        void *volume;

        (void)call;
        if (r >= 0)
                r = contents_read(pool, true, error);
        if (r < 0)
                return r;
        *ret_volumes = g_ptr_array_new_with_free_func(object_release);
        g_hash_table_iter_init(&at, pool->volumes);
        while (g_hash_table_iter_next(&at, NULL, &volume))
                g_ptr_array_add(*ret_volumes, object_ref(volume));
        g_ptr_array_sort(*ret_volumes, compare_names);
        return 0;
}

int volumes_lookup_by_name(Call *call, StoragePool *storage_pool, const char *name,
                           StorageVolume **ret_volume, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        int r = contents_read(pool, true, error);
        Volume *volume;

        (void)call;
        if (r < 0)
                return r;
        volume = g_hash_table_lookup(pool->volumes, name);
        if (!volume)
                return error_set(error, ERROR_NO_STORAGE_VOLUME,
                                 "Storage volume not found: no storage vol with matching name '%s'", name);
        object_ref(&volume->volume.object);
        *ret_volume = &volume->volume;
        return 0;
}

static int make(int fd, const char *part, const StorageVolumeDefinition *definition, uint32_t flags,
                Error *error) AWAITS
{
        const char *format;
        int r = image_format(definition, &format, error);

        if (r < 0)
                return r;
        if (!definition->has_capacity && !definition->backing)
                return error_set(error, ERROR_INVALID_XML, "volume '%s': <capacity> is missing",
                                 definition->name);
        if (strcmp(format, "raw") != 0)
                return image_create(fd, part, definition, flags & CREATE_PREALLOC_METADATA, error);
        if (definition->backing)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "volume '%s': an image of format raw has no <backingStore>",
                                 definition->name);
        return files_make_raw(fd, part, definition->capacity,
                              definition->has_allocation ? definition->allocation : definition->capacity,
                              definition->target.nocow, error);
}

/* What a worker saw becomes what the bus shows, if the pool is still the same. */
static Volume *show(Pool *pool, FileEntry *entry)
{
        if (pool->live)
                return contents_set(pool, entry);
        file_entry_free(entry);
        return NULL;
}

static int finish(Pool *pool, int fd, const char *part, const StorageVolumeDefinition *definition,
                  StorageVolume **ret_volume, Error *error) AWAITS
{
        FileEntry *entry;
        Volume *volume;
        int r = files_commit(fd, part, definition->name, &definition->target.permissions, error);

        pool->generation++;
        if (r >= 0)
                r = files_look(fd, definition->name, &entry, error);
        if (r < 0)
                return r;
        volume = show(pool, entry);
        if (!volume)
                return error_set(
                        error, ERROR_OPERATION_INVALID,
                        "It was made, but pool '%s' was stopped meanwhile or another pool has its path",
                        pool->pool.object.name);
        (void)contents_measure(pool, NULL);
        object_ref(&volume->volume.object);
        *ret_volume = &volume->volume;
        return 0;
}

typedef struct Source {
        int fd;             /* negative: none */
        const char *format; /* static */
        uint64_t capacity;
} Source;

static int convert(int fd, const char *part, StorageVolumeDefinition *definition, const Source *source,
                   uint32_t flags, Error *error) AWAITS
{
        const char *format;
        int r = image_format(definition, &format, error);

        if (r >= 0 && definition->backing)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "volume '%s': a copy with a <backingStore> of its own is not supported",
                              definition->name);
        if (r >= 0)
                r = image_convert(fd, part, definition, flags & CREATE_PREALLOC_METADATA, source->fd,
                                  source->format, error);
        if (r >= 0 && definition->has_capacity && definition->capacity > source->capacity)
                r = image_resize(fd, part, format, definition->capacity, false, false, error);
        return r;
}

static int check_new(Pool *pool, const StorageVolumeDefinition *definition, Error *error)
{
        if (g_str_has_prefix(definition->name, FILES_PART_PREFIX))
                return error_set(error, ERROR_INVALID_XML, "<name>: '%s...' is the daemon's own",
                                 FILES_PART_PREFIX);
        if (g_hash_table_contains(pool->volumes, definition->name))
                return error_set(error, ERROR_EXISTS, "There is a volume '%s' in pool '%s' already",
                                 definition->name, pool->pool.object.name);
        return 0;
}

static int create(Pool *pool, StorageVolumeDefinition *definition, const Source *source, uint32_t flags,
                  StorageVolume **ret_volume, Error *error) AWAITS
{
        _cleanup_(freep) char *part =
                g_strdup_printf(FILES_PART_PREFIX "%d-%08x%08x", getpid(), g_random_int(), g_random_int());
        _cleanup_(closep) int fd = -EBADF;
        int r = check_new(pool, definition, error);

        if (r >= 0)
                r = contents_open(pool, &fd, error);
        if (r < 0)
                return r;
        r = source ? convert(fd, part, definition, source, flags, error)
                   : make(fd, part, definition, flags, error);
        if (r >= 0)
                r = finish(pool, fd, part, definition, ret_volume, error);
        if (r < 0) {
                files_drop(fd, part);
                error_prefix(error, "Cannot make the volume '%s' in pool '%s'", definition->name,
                             pool->pool.object.name);
        }
        return r;
}

int volumes_create(Call *call, StoragePool *storage_pool, const char *xml, uint32_t flags,
                   StorageVolume **ret_volume, Error *error)
{
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *definition = NULL;
        int r = error_check_flags(error, "StorageVolCreateXML", flags, CREATE_PREALLOC_METADATA);

        (void)call;
        if (r >= 0)
                r = storage_volume_definition_parse(xml, strlen(xml), &definition, error);
        return r < 0 ? r : create(pool_of(storage_pool), definition, NULL, flags, ret_volume, error);
}

static bool is_raw(const FileEntry *entry)
{
        return entry->header.format &&
               (strcmp(entry->header.format, "raw") == 0 || strcmp(entry->header.format, "iso") == 0);
}

static uint64_t capacity_of(const FileEntry *entry)
{
        return entry->header.has_capacity ? entry->header.capacity : (uint64_t)entry->stat.st_size;
}

/* qemu-img's name of what an image is; refuses what cannot be known. */
static int format_of(const Volume *volume, const char **ret_format, Error *error)
{
        const FileEntry *entry = volume->entry;

        if (S_ISDIR(entry->stat.st_mode))
                return error_set(error, ERROR_NOT_SUPPORTED, "The volume '%s' is a folder", entry->name);
        if (!entry->header.format || entry->header.encrypted)
                return error_set(error, ERROR_NOT_SUPPORTED, "The volume '%s' is %s", entry->name,
                                 entry->header.format ? "encrypted, which is not supported" : "damaged");
        *ret_format = is_raw(entry) ? "raw" : entry->header.format;
        return 0;
}

/* A volume of the same owner in any pool of the driver. */
static Volume *find_source(const Call *call, const char *key, uid_t owner)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *volumes =
                object_table_list(call->driver->objects, OBJECT_STORAGE_VOLUME);

        for (unsigned i = 0; i < volumes->len; i++) {
                Volume *volume = volumes->pdata[i];

                if (volume->volume.object.owner == owner && strcmp(volume->volume.key, key) == 0)
                        return volume;
        }
        return NULL;
}

static int open_source(Volume *volume, Source *ret_source, Error *error) AWAITS
{
        _cleanup_(closep) int fd = -EBADF;
        int r = format_of(volume, &ret_source->format, error);

        ret_source->capacity = capacity_of(volume->entry);
        if (r >= 0)
                r = contents_open(volume->pool, &fd, error);
        return r < 0 ? r : files_open_source(fd, volume->volume.object.name, &ret_source->fd, error);
}

static void source_clear(Source *source)
{
        closep(&source->fd);
}

int volumes_create_from(Call *call, StoragePool *storage_pool, const char *xml, const char *key,
                        uint32_t flags, StorageVolume **ret_volume, Error *error)
{
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *definition = NULL;
        _cleanup_(source_clear) Source source = { .fd = -EBADF };
        _cleanup_(object_unrefp) Object *held = NULL;
        Volume *volume;
        int r = error_check_flags(error, "StorageVolCreateXMLFrom", flags, CREATE_PREALLOC_METADATA);

        if (r >= 0)
                r = storage_volume_definition_parse(xml, strlen(xml), &definition, error);
        if (r < 0)
                return r;
        volume = find_source(call, key, storage_pool->object.owner);
        if (!volume)
                return error_set(error, ERROR_NO_STORAGE_VOLUME,
                                 "Storage volume not found: no storage vol with matching key '%s'", key);
        held = object_ref(&volume->volume.object);
        r = open_source(volume, &source, error);
        return r < 0 ? r : create(pool_of(storage_pool), definition, &source, flags, ret_volume, error);
}

/* How it is now: guests write to it. */
static int look_again(Volume *volume, Error *error) AWAITS
{
        _cleanup_(closep) int fd = -EBADF;
        FileEntry *entry;
        int r = contents_open(volume->pool, &fd, error);

        if (r >= 0)
                r = files_look(fd, volume->volume.object.name, &entry, error);
        if (r < 0)
                return r;
        if (volume->volume.object.is_gone) {
                file_entry_free(volume->entry);
                volume->entry = entry;
                return 0;
        }
        (void)show(volume->pool, entry);
        return 0;
}

static int zero_all(Volume *volume, int fd, Error *error) AWAITS
{
        uint64_t offset = 0;
        int r;

        do
                r = files_zero(fd, volume->volume.object.name, &offset, error);
        while (r > 0);
        return r;
}

int volumes_delete(Call *call, StorageVolume *storage_volume, uint32_t flags, Error *error)
{
        Volume *volume = volume_of(storage_volume);
        _cleanup_(freep) char *name = g_strdup(volume->volume.object.name);
        bool is_folder = S_ISDIR(volume->entry->stat.st_mode);
        _cleanup_(closep) int fd = -EBADF;
        int r = error_check_flags(error, "Delete", flags, DELETE_ZEROED | DELETE_WITH_SNAPSHOTS);

        (void)call;
        if (r >= 0)
                r = contents_open(volume->pool, &fd, error);
        if (r >= 0 && flags & DELETE_ZEROED && !is_folder)
                r = zero_all(volume, fd, error);
        if (r >= 0)
                r = files_remove(fd, name, is_folder, error);
        if (r < 0)
                return r;
        volume->pool->generation++;
        contents_forget(volume->pool, name);
        return 0;
}

int volumes_get_info(Call *call, StorageVolume *storage_volume, uint32_t flags, GVariant **ret_info,
                     Error *error)
{
        Volume *volume = volume_of(storage_volume);
        const struct stat *stat;
        int r = error_check_flags(error, "GetInfo", flags, INFO_GET_PHYSICAL);

        (void)call;
        if (r >= 0)
                r = look_again(volume, error);
        if (r < 0)
                return r;
        stat = &volume->entry->stat;
        *ret_info = g_variant_ref_sink(g_variant_new(
                "(itt)", (int)(S_ISDIR(stat->st_mode) ? VOLUME_TYPE_DIR : VOLUME_TYPE_FILE),
                capacity_of(volume->entry),
                flags & INFO_GET_PHYSICAL ? (uint64_t)stat->st_size : (uint64_t)stat->st_blocks * 512));
        return 0;
}

static char *time_text(struct timespec time)
{
        return g_strdup_printf("%lld.%09ld", (long long)time.tv_sec, time.tv_nsec);
}

static void describe_file(VolumeImage *image, const FileEntry *entry)
{
        image->permissions = (StoragePermissions){
                .has_mode = true,
                .has_owner = true,
                .has_group = true,
                .mode = entry->stat.st_mode & 07777,
                .owner = entry->stat.st_uid,
                .group = entry->stat.st_gid,
        };
        image->atime = time_text(entry->stat.st_atim);
        image->mtime = time_text(entry->stat.st_mtim);
        image->ctime = time_text(entry->stat.st_ctim);
        image->btime = g_strdup("0");
}

static void describe_header(VolumeImage *image, const VolumeHeader *header)
{
        int format = header->format ? enum_from_string(&volume_format_table, header->format) : -1;

        if (format >= 0)
                image->format = (VolumeFormat)format;
        if (header->is_compat_1_1) {
                image->compat = VOLUME_COMPAT_1_1;
                image->has_features = true;
                image->lazy_refcounts = header->lazy_refcounts;
                image->extended_l2 = header->extended_l2;
        }
        image->cluster_size = header->cluster_size != CLUSTER_USUAL ? header->cluster_size : 0;
}

/* As the image says it; what an image does not say about the format is not guessed. */
static VolumeImage *describe_backing(const Volume *volume)
{
        const VolumeHeader *header = &volume->entry->header;
        _cleanup_(freep) char *folder = g_path_get_dirname(volume->volume.path);
        const Volume *backing;
        VolumeImage *image;
        int format;

        if (!header->backing_path)
                return NULL;
        image = struct_new(&volume_image_type);
        image->path = g_path_is_absolute(header->backing_path)
                              ? g_strdup(header->backing_path)
                              : g_build_filename(folder, header->backing_path, NULL);
        format =
                header->backing_format ? enum_from_string(&volume_format_table, header->backing_format) : -1;
        if (format >= 0)
                image->format = (VolumeFormat)format;
        if (g_str_has_prefix(image->path, folder) && image->path[strlen(folder)] == '/') {
                backing = g_hash_table_lookup(volume->pool->volumes, image->path + strlen(folder) + 1);
                if (backing)
                        describe_file(image, backing->entry);
        }
        return image;
}

int volumes_get_xml_desc(Call *call, StorageVolume *storage_volume, uint32_t flags, char **ret_xml,
                         Error *error)
{
        Volume *volume = volume_of(storage_volume);
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *definition = NULL;
        const FileEntry *entry;
        bool is_folder;
        int r = error_check_flags(error, "GetXMLDesc", flags, 0);

        (void)call;
        if (r >= 0)
                r = look_again(volume, error);
        if (r < 0)
                return r;
        entry = volume->entry;
        is_folder = S_ISDIR(entry->stat.st_mode);
        definition = struct_new(&storage_volume_definition_type);
        definition->type = is_folder ? VOLUME_TYPE_DIR : VOLUME_TYPE_FILE;
        definition->name = g_strdup(volume->volume.object.name);
        definition->key = g_strdup(volume->volume.key);
        definition->has_capacity = definition->has_allocation = definition->has_physical = true;
        definition->capacity = capacity_of(entry);
        definition->allocation = (uint64_t)entry->stat.st_blocks * 512;
        definition->physical = (uint64_t)entry->stat.st_size;
        definition->target.path = g_strdup(volume->volume.path);
        describe_header(&definition->target, &entry->header);
        if (is_folder)
                definition->target.format = VOLUME_FORMAT_DIR;
        describe_file(&definition->target, entry);
        definition->backing = describe_backing(volume);
        *ret_xml = storage_volume_definition_format(definition);
        return 0;
}

static int new_capacity(const Volume *volume, uint64_t capacity, uint32_t flags, uint64_t *ret, Error *error)
{
        uint64_t present = capacity_of(volume->entry);

        if (flags & RESIZE_DELTA && flags & RESIZE_SHRINK)
                capacity = capacity > present ? 0 : present - capacity;
        else if (flags & RESIZE_DELTA)
                capacity = capacity > INT64_MAX - present ? UINT64_MAX : present + capacity;
        if (capacity == 0 || capacity > INT64_MAX)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The volume '%s' of %" PRIu64
                                 " bytes: the new capacity is not in 1 ... 2^63 - 1",
                                 volume->volume.object.name, present);
        if (capacity < present && !(flags & RESIZE_SHRINK))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The volume '%s' has %" PRIu64 " bytes: the flag SHRINK allows %" PRIu64,
                                 volume->volume.object.name, present, capacity);
        *ret = capacity;
        return 0;
}

int volumes_resize(Call *call, StorageVolume *storage_volume, uint64_t capacity, uint32_t flags,
                   Error *error)
{
        Volume *volume = volume_of(storage_volume);
        _cleanup_(closep) int fd = -EBADF;
        const char *format;
        int r = error_check_flags(error, "Resize", flags, RESIZE_ALLOCATE | RESIZE_DELTA | RESIZE_SHRINK);

        (void)call;
        if (r >= 0)
                r = look_again(volume, error);
        if (r >= 0)
                r = format_of(volume, &format, error);
        if (r >= 0)
                r = new_capacity(volume, capacity, flags, &capacity, error);
        if (r >= 0)
                r = contents_open(volume->pool, &fd, error);
        if (r < 0)
                return r;
        if (is_raw(volume->entry))
                r = files_resize_raw(fd, volume->volume.object.name, capacity, flags & RESIZE_ALLOCATE,
                                     error);
        else
                r = image_resize(fd, volume->volume.object.name, format, capacity, flags & RESIZE_SHRINK,
                                 flags & RESIZE_ALLOCATE, error);
        return r < 0 ? r : look_again(volume, error);
}

int volumes_wipe(Call *call, StorageVolume *storage_volume, uint32_t pattern, uint32_t flags, Error *error)
{
        Volume *volume = volume_of(storage_volume);
        _cleanup_(closep) int fd = -EBADF;
        int r = error_check_flags(error, "Wipe", flags, 0);

        (void)call;
        if (r >= 0 && pattern != WIPE_ZERO && pattern != WIPE_TRIM)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "Wipe: pattern %u is not supported, 0 (zeroes) and 9 (trim) are", pattern);
        if (r >= 0 && S_ISDIR(volume->entry->stat.st_mode))
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The volume '%s' is a folder: only files are wiped",
                              volume->volume.object.name);
        if (r >= 0)
                r = contents_open(volume->pool, &fd, error);
        if (r >= 0)
                r = pattern == WIPE_TRIM ? files_trim(fd, volume->volume.object.name, error)
                                         : zero_all(volume, fd, error);
        return r < 0 ? r : look_again(volume, error);
}
