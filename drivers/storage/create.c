/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A volume is made under another name and gets its own when all of it is on the disk: a crash leaves nothing
 * that looks like a volume. */

#include "drivers/storage/contents.h"
#include "drivers/storage/image.h"
#include "drivers/storage/volumes.h"
#include <string.h>
#include <unistd.h>

/* virStorageVolCreateFlags. */
enum {
        CREATE_PREALLOC_METADATA = 1 << 0,
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

static int create(Pool *pool, StorageVolumeDefinition *definition, const Source *source, uint32_t flags,
                  StorageVolume **ret_volume, Error *error) AWAITS
{
        _cleanup_(freep) char *part =
                g_strdup_printf(FILES_PART_PREFIX "%d-%08x%08x", getpid(), g_random_int(), g_random_int());
        bool preallocate = flags & CREATE_PREALLOC_METADATA;
        _cleanup_(closep) int fd = -EBADF;
        const char *format;
        int r;

        if (pool->live && !pool_backend(pool)->is_folder)
                return create_device(pool, definition, source, flags, ret_volume, error);
        r = image_check(definition, preallocate, &format, error);

        if (r >= 0)
                r = check_new(pool, definition, error);
        if (r >= 0)
                r = contents_open(pool, &fd, error);
        if (r < 0)
                return r;
        r = source ? convert(fd, part, definition, source, format, preallocate, error)
                   : make(fd, part, definition, format, preallocate, error);
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

/* Files that an image names are not followed: a guest may have written what looks like one. */
static int open_source(Volume *volume, Source *ret_source, Error *error) AWAITS
{
        _cleanup_(closep) int fd = -EBADF;
        int r = entry_format(volume->entry, &ret_source->format, error);

        if (r >= 0 && volume->entry->header.backing_path)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The volume '%s' says that it stands on '%s': copies of such images are not "
                              "supported",
                              volume->volume.object.name, volume->entry->header.backing_path);
        if (r < 0)
                return r;
        ret_source->capacity = entry_capacity(volume->entry);
        r = contents_open(volume_pool(volume), &fd, error);
        return r < 0 ? r : files_open_source(fd, file_entry_file(volume->entry), &ret_source->fd, error);
}

static void source_clear(Source *source)
{
        closep(&source->fd);
}

int volumes_copy(Call *call, StoragePool *storage_pool, const char *xml, StorageVolume *original,
                 uint32_t flags, StorageVolume **ret_volume, Error *error)
{
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *definition = NULL;
        _cleanup_(source_clear) Source source = { .fd = -EBADF };
        int r = error_check_flags(error, "StorageVolCreateXMLFrom", flags, CREATE_PREALLOC_METADATA);

        (void)call;
        if (r >= 0)
                r = storage_volume_definition_parse(xml, strlen(xml), &definition, error);
        if (r >= 0)
                r = contents_look(volume_of(original), error);
        if (r >= 0)
                r = open_source(volume_of(original), &source, error);
        return r < 0 ? r : create(pool_of(storage_pool), definition, &source, flags, ret_volume, error);
}
