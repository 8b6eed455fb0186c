/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A volume is made under another name and gets its own when all of it is on the disk: a crash leaves nothing
 * that looks like a volume. */

#include "drivers/storage/contents.h"
#include "drivers/storage/image.h"
#include "drivers/storage/part.h"
#include "drivers/storage/stream.h"
#include "drivers/storage/volumes.h"
#include <string.h>

/* virStorageVolCreateFlags. */
enum {
        CREATE_PREALLOC_METADATA = 1 << 0,
        CREATE_REFLINK = 1 << 1,
};

static int make(int fd, const char *part, const StorageVolumeDefinition *definition, const char *format,
                bool preallocate, Error *error) AWAITS
{
        if (!definition->has_capacity && !definition->backing)
                return error_set(error, ERROR_INVALID_XML, "volume '%s': <capacity> is missing",
                                 definition->name);
        if (strcmp(format, "raw") != 0)
                return image_create(fd, part, definition, format, preallocate, error);
        return files_make_raw(fd, part, definition->capacity,
                              definition->has_allocation ? definition->allocation : definition->capacity,
                              definition->target.nocow, error);
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
        volume = contents_set(pool, entry);
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
        bool as_file, must_share; /* its file is copied as it is, without copying blocks */
} Source;

static int convert(int fd, const char *part, StorageVolumeDefinition *definition, const Source *source,
                   const char *format, bool preallocate, Error *error) AWAITS
{
        int r = 0;

        if (definition->backing)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "volume '%s': a copy with a <backingStore> of its own is not supported",
                              definition->name);
        if (r >= 0)
                r = image_convert(fd, part, definition, format, preallocate, source->fd, source->format,
                                  error);
        if (r >= 0 && definition->has_capacity && definition->capacity > source->capacity)
                r = image_resize(fd, part, format, definition->capacity, false, false, error);
        return r;
}

static void progress_tell(uint64_t count, void *data)
{
        const Call *call = data;
        uint64_t done, total;

        if (!call->job)
                return;
        job_get_progress(call->job, &done, &total);
        job_set_progress(call->job, count, total);
}

static int copy_file(Call *call, int fd, const char *part, const StorageVolumeDefinition *definition,
                     const Source *source, Error *error) AWAITS
{
        _cleanup_(closep) int file = -EBADF;
        Stream stream = { .kind = STREAM_FILE, .fd = source->fd };
        StreamMove move = {
                .name = definition->name, .length = UINT64_MAX, .progress = progress_tell, .data = call
        };
        uint64_t count, size;
        int r = part_create(fd, part, &file, error);

        if (r < 0)
                return r;
        if (source->must_share)
                return part_share(source->fd, file, definition->name, error);
        move.file = file;
        size = stream_rest(&stream);
        if (call->job)
                job_set_progress(call->job, 0, size);
        r = stream_read_into(&stream, &move, &count, error);
        return r < 0 ? r : part_extend(file, size, definition->name, error);
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

/* A volume that is no file. */
static int create_device(Pool *pool, const StorageVolumeDefinition *definition, const Source *source,
                         uint32_t flags, StorageVolume **ret_volume, Error *error) AWAITS
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *live =
                storage_pool_definition_copy(pool->live);
        const Backend *backend = pool_backend(pool);
        FileEntry *entry;
        Volume *volume;
        int r = check_new(pool, definition, error);

        if (r >= 0 && (!backend->create_volume || source || flags != 0))
                r = backend_refuse(live,
                                   source       ? "copies of volumes"
                                   : flags != 0 ? "PREALLOC_METADATA for volumes"
                                                : "way to make volumes",
                                   error);
        if (r >= 0)
                r = backend->create_volume(live, definition, &entry, error);
        if (r < 0)
                return r;
        pool->generation++;
        volume = contents_set(pool, entry);
        if (!volume)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "It was made, but pool '%s' was stopped meanwhile", pool->pool.object.name);
        object_ref(&volume->volume.object);
        *ret_volume = &volume->volume;
        (void)contents_read(pool, false, NULL); /* the sizes; the volume is there */
        return 0;
}

static int fill(Call *call, int fd, const char *part, StorageVolumeDefinition *definition,
                const Source *source, const char *format, bool preallocate, Error *error) AWAITS
{
        if (!source)
                return make(fd, part, definition, format, preallocate, error);
        return source->as_file ? copy_file(call, fd, part, definition, source, error)
                               : convert(fd, part, definition, source, format, preallocate, error);
}

static int create(Call *call, Pool *pool, StorageVolumeDefinition *definition, const Source *source,
                  uint32_t flags, StorageVolume **ret_volume, Error *error) AWAITS
{
        _cleanup_(freep) char *part = part_name();
        bool preallocate = flags & CREATE_PREALLOC_METADATA;
        _cleanup_(closep) int fd = -EBADF;
        const char *format = NULL;
        int r = 0;

        if (pool->live && !pool_backend(pool)->is_folder)
                return create_device(pool, definition, source, flags, ret_volume, error);
        if (!source || !source->as_file)
                r = image_check(definition, preallocate, &format, error);

        if (r >= 0)
                r = check_new(pool, definition, error);
        if (r >= 0)
                r = contents_open(pool, &fd, error);
        if (r < 0)
                return r;
        r = fill(call, fd, part, definition, source, format, preallocate, error);
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

        if (r >= 0)
                r = storage_volume_definition_parse(xml, strlen(xml), &definition, error);
        return r < 0 ? r : create(call, pool_of(storage_pool), definition, NULL, flags, ret_volume, error);
}

/* Files that an image names are not followed: a guest may have written what looks like one. A file that is
 * copied as it is names what it named before. */
static int open_source(Volume *volume, bool as_file, Source *ret_source, Error *error) AWAITS
{
        _cleanup_(closep) int fd = -EBADF;
        int r = entry_format(volume->entry, &ret_source->format, error);

        if (r >= 0 && volume->entry->header.backing_path && !as_file)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The volume '%s' says that it stands on '%s': copies of such images are not "
                              "supported",
                              volume->volume.object.name, volume->entry->header.backing_path);
        if (r < 0)
                return r;
        ret_source->as_file = as_file;
        ret_source->capacity = entry_capacity(volume->entry);
        r = contents_open(volume_pool(volume), &fd, error);
        return r < 0 ? r : files_lock(fd, file_entry_file(volume->entry), false, &ret_source->fd, error);
}

static void source_clear(Source *source)
{
        closep(&source->fd);
}

static int copy(Call *call, Pool *pool, const char *xml, Volume *original, bool as_file, uint32_t flags,
                StorageVolume **ret_volume, Error *error) AWAITS
{
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *definition = NULL;
        _cleanup_(source_clear) Source source = { .fd = -EBADF };
        int r = storage_volume_definition_parse(xml, strlen(xml), &definition, error);

        if (r >= 0)
                r = contents_look(original, error);
        if (r >= 0)
                r = open_source(original, as_file, &source, error);
        source.must_share = flags & CREATE_REFLINK;
        return r < 0 ? r : create(call, pool, definition, &source, flags, ret_volume, error);
}

int volumes_copy(Call *call, StoragePool *pool, const char *xml, StorageVolume *original, uint32_t flags,
                 StorageVolume **ret_volume, Error *error)
{
        int r = error_check_flags(error, "StorageVolCreateXMLFrom", flags,
                                  CREATE_PREALLOC_METADATA | CREATE_REFLINK);

        if (r >= 0 && flags == (CREATE_PREALLOC_METADATA | CREATE_REFLINK))
                r = error_set(
                        error, ERROR_INVALID_ARGUMENT,
                        "StorageVolCreateXMLFrom: the flags PREALLOC_METADATA and REFLINK exclude each "
                        "other: blocks are shared as they are");
        return r < 0 ? r
                     : copy(call, pool_of(pool), xml, volume_of(original), flags & CREATE_REFLINK, flags,
                            ret_volume, error);
}

int volumes_clone(Call *call, StoragePool *pool, const char *xml, StorageVolume *original, bool must_share,
                  StorageVolume **ret_volume, Error *error)
{
        return copy(call, pool_of(pool), xml, volume_of(original), true, must_share ? CREATE_REFLINK : 0,
                    ret_volume, error);
}
