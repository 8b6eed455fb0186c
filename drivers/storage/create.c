/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A volume is made under another name and gets its own when all of it is on the disk: a crash leaves nothing
 * that looks like a volume. */

#include "core/fiber.h"
#include "drivers/secret/secrets.h"
#include "drivers/storage/contents.h"
#include "drivers/storage/encryption.h"
#include "drivers/storage/image.h"
#include "drivers/storage/part.h"
#include "drivers/storage/stream.h"
#include "drivers/storage/volumes.h"
#include <errno.h>
#include <string.h>

/* virStorageVolCreateFlags. */
enum {
        CREATE_PREALLOC_METADATA = 1 << 0,
        CREATE_REFLINK = 1 << 1,
        CREATE_VALIDATE = 1 << 2,
};

typedef struct Source {
        Volume *volume; /* for its passphrase */
        int fd;
        const char *format; /* static */
        uint64_t capacity;
        bool as_file, must_share; /* its file is copied as it is, without copying blocks */
} Source;

/* A volume that is being made. */
typedef struct Making {
        Call *call;
        Pool *pool;
        StorageVolumeDefinition *definition;
        const Source *source; /* NULL: it is empty */
        uint32_t flags;
        const char *format;     /* static */
        char *part, *data_part; /* the latter: of its <dataFile>; NULL: it has none */
        int folder_fd, key_fd;
        Secret *secret; /* made for it; counted */
} Making;

static void making_clear(Making *making)
{
        closep(&making->folder_fd);
        key_close(&making->key_fd);
        g_free(making->part);
        g_free(making->data_part);
        if (making->secret)
                object_unref(&making->secret->object);
}

static Image image_of(const Making *making)
{
        return (Image){ .folder_fd = making->folder_fd,
                        .name = making->part,
                        .format = making->format,
                        .key_fd = making->key_fd,
                        .data_name = making->data_part };
}

static int make(const Making *making, Error *error) AWAITS
{
        const StorageVolumeDefinition *definition = making->definition;
        VolumePreallocation preallocation = definition->target.preallocation;
        Image image = image_of(making);
        _cleanup_(freep) char *data_path = NULL;
        uint64_t allocation = definition->has_allocation ? definition->allocation : definition->capacity;

        if (!definition->has_capacity && !definition->backing)
                return error_set(error, ERROR_INVALID_XML, "volume '%s': a <capacity> above 0 is needed",
                                 definition->name);
        if (making->data_part)
                image.data_path = data_path =
                        g_build_filename(making->pool->live->path, definition->target.data_file, NULL);
        if (strcmp(making->format, "raw") != 0 || preallocation == VOLUME_PREALLOCATION_FULL)
                return image_create(&image, definition, making->flags & CREATE_PREALLOC_METADATA, error);
        if (preallocation != VOLUME_PREALLOCATION_ABSENT)
                allocation = preallocation == VOLUME_PREALLOCATION_OFF ? 0 : definition->capacity;
        return files_make_raw(making->folder_fd, making->part, definition->capacity, allocation,
                              definition->target.nocow, error);
}

static int convert(const Making *making, Error *error) AWAITS
{
        const StorageVolumeDefinition *definition = making->definition;
        const Source *source = making->source;
        Image image = image_of(making), original = { .fd = source->fd, .format = source->format };
        _cleanup_(key_close) int key_fd = 0;
        int r = 0;

        if (definition->backing || definition->target.data_file)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "volume '%s': a copy with a %s of its own is not supported",
                                 definition->name, definition->backing ? "<backingStore>" : "<dataFile>");
        r = encryption_open(source->volume, &key_fd, error);
        if (r < 0)
                return r;
        original.key_fd = key_fd;
        if (making->call->job)
                job_set_progress(making->call->job, 0, source->capacity);
        r = image_convert(&image, definition, making->flags & CREATE_PREALLOC_METADATA, &original,
                          making->call->job, error);
        if (r >= 0 && definition->has_capacity && definition->capacity > source->capacity)
                r = image_resize(&image, definition->capacity, false, false, error);
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

static int copy_file(const Making *making, Error *error) AWAITS
{
        const char *name = making->definition->name;
        const Source *source = making->source;
        _cleanup_(closep) int file = -EBADF;
        Stream stream = { .kind = STREAM_FILE, .fd = source->fd };
        StreamMove move = {
                .name = name, .length = UINT64_MAX, .progress = progress_tell, .data = making->call
        };
        uint64_t count, size;
        int r = part_create(making->folder_fd, making->part, &file, error);

        if (r < 0)
                return r;
        if (source->must_share)
                return part_share(source->fd, file, name, error);
        move.file = file;
        size = stream_rest(&stream);
        if (making->call->job)
                job_set_progress(making->call->job, 0, size);
        r = stream_read_into(&stream, &move, &count, error);
        return r < 0 ? r : part_extend(file, size, name, error);
}

/* A file gets its name; its volume is borrowed, NULL if the pool does not take it. */
static int commit(const Making *making, const char *part, const char *name, Volume **ret_volume,
                  Error *error) AWAITS
{
        FileEntry *entry;
        int r = files_commit(making->folder_fd, part, name, &making->definition->target.permissions, error);

        making->pool->generation++;
        if (r < 0)
                return r;
        do { /* a Cancel comes too late */
                if (fiber_current())
                        fiber_clear_cancel();
                error_clear(error);
                r = files_look(making->folder_fd, name, &entry, error);
        } while (r == -ECANCELED);
        if (r >= 0)
                *ret_volume = contents_set(making->pool, entry);
        return r;
}

/* The data first: an image without its data is worth nothing. */
static int commit_all(const Making *making, Volume **ret_volume, Error *error) AWAITS
{
        const StorageVolumeDefinition *definition = making->definition;
        const char *data_file = definition->target.data_file;
        Volume *data;
        int r = making->data_part ? commit(making, making->data_part, data_file, &data, error) : 0;

        if (r < 0)
                return r;
        r = commit(making, making->part, definition->name, ret_volume, error);
        if (r < 0 && making->data_part) {
                files_drop(making->folder_fd, data_file);
                contents_forget(making->pool, data_file);
        }
        return r;
}

static int finish(const Making *making, StorageVolume **ret_volume, Error *error) AWAITS
{
        Pool *pool = making->pool;
        Volume *volume;
        int r = commit_all(making, &volume, error);

        if (r < 0)
                return r;
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

static int check_name(Pool *pool, const char *name, Error *error)
{
        if (g_str_has_prefix(name, FILES_PART_PREFIX))
                return error_set(error, ERROR_INVALID_XML, "<name>: '%s': '%s...' is the daemon's own", name,
                                 FILES_PART_PREFIX);
        if (g_tree_lookup(pool->volumes, name))
                return error_set(error, ERROR_EXISTS, "There is a volume '%s' in pool '%s' already", name,
                                 pool->pool.object.name);
        return 0;
}

static int check_new(Pool *pool, const StorageVolumeDefinition *definition, Error *error)
{
        const char *data_file = definition->target.data_file;
        int r = check_name(pool, definition->name, error);

        return r >= 0 && data_file ? check_name(pool, data_file, error) : r;
}

/* What is on the network has none. */
static int permit_device(const FileEntry *entry, const StorageVolumeDefinition *definition,
                         Error *error) AWAITS
{
        const StoragePermissions *permissions = &definition->target.permissions;

        if (!S_ISBLK(entry->stat.st_mode) || entry->path[0] != '/' ||
            (!permissions->has_mode && !permissions->has_owner && !permissions->has_group))
                return 0;
        return files_permit_device(entry->path, permissions, error);
}

/* A volume that is no file. */
static int create_device(Pool *pool, const StorageVolumeDefinition *definition, const Source *source,
                         uint32_t flags, StorageVolume **ret_volume, Error *error) AWAITS
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *live =
                pool_copy_definition(pool, pool->live);
        const Backend *backend = pool_backend(pool);
        FileEntry *entry;
        Volume *volume;
        int r = check_new(pool, definition, error);

        if (r >= 0 && !source && !definition->has_capacity)
                r = error_set(error, ERROR_INVALID_XML, "volume '%s': a <capacity> above 0 is needed",
                              definition->name);
        if (r >= 0 && (!backend->create_volume || (source && !backend->copy_volume) || flags != 0))
                r = backend_refuse(live,
                                   source       ? "copies of volumes"
                                   : flags != 0 ? "PREALLOC_METADATA for volumes"
                                                : "way to make volumes",
                                   error);
        if (r >= 0)
                r = source ? backend->copy_volume(live, definition, source->volume->entry, &entry, error)
                           : backend->create_volume(live, definition, &entry, error);
        if (r >= 0 && !backend->is_memory) {
                r = permit_device(entry, definition, error);
                if (r < 0) {
                        (void)backend->delete_volume(live, entry, NULL); /* `error` says what went wrong */
                        file_entry_free(entry);
                }
        }
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

static int fill(const Making *making, Error *error) AWAITS
{
        if (!making->source)
                return make(making, error);
        return making->source->as_file ? copy_file(making, error) : convert(making, error);
}

static int prepare(Making *making, Error *error) AWAITS
{
        StorageVolumeDefinition *definition = making->definition;
        _cleanup_(freep) char *path = NULL;
        int r = 0;

        if (making->source && making->source->as_file && definition->target.data_file)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "volume '%s': a copy with a <dataFile> of its own is not supported",
                                 definition->name);
        if (!making->source || !making->source->as_file)
                r = image_check(definition, making->flags & CREATE_PREALLOC_METADATA, &making->format,
                                error);
        if (r >= 0)
                r = check_new(making->pool, definition, error);
        if (r >= 0 && definition->target.data_file)
                making->data_part = part_name();
        if (r >= 0)
                r = contents_open(making->pool, &making->folder_fd, error);
        if (r < 0 || !definition->target.encryption || !making->format)
                return r;
        path = g_build_filename(making->pool->live->path, definition->name, NULL);
        return encryption_open_new(making->call, path, definition->target.encryption, &making->key_fd,
                                   &making->secret, error);
}

/* What only files have. */
static int check_device(const StorageVolumeDefinition *definition, Error *error)
{
        const VolumeImage *target = &definition->target;
        const char *what = target->permissions.label                              ? "<label>"
                           : target->data_file                                    ? "<dataFile>"
                           : target->preallocation != VOLUME_PREALLOCATION_ABSENT ? "<preallocation>"
                           : target->cluster_size > 0                             ? "<clusterSize>"
                           : target->compat != VOLUME_COMPAT_ABSENT               ? "<compat>"
                                                                                  : NULL;

        return what ? error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                "volume '%s': volumes of this type of pool have nothing that %s could mean",
                                definition->name, what)
                    : 0;
}

static int create(Call *call, Pool *pool, StorageVolumeDefinition *definition, const Source *source,
                  uint32_t flags, StorageVolume **ret_volume, Error *error) AWAITS
{
        _cleanup_(making_clear) Making making = { .call = call,
                                                  .pool = pool,
                                                  .definition = definition,
                                                  .source = source,
                                                  .flags = flags,
                                                  .part = part_name(),
                                                  .folder_fd = -EBADF };
        int r;

        if (definition->capacity == 0 && (source || definition->backing))
                definition->has_capacity = false; /* the other one's is meant */
        if (definition->has_capacity && definition->capacity == 0)
                return error_set(error, ERROR_INVALID_XML, "volume '%s': a <capacity> above 0 is needed",
                                 definition->name);
        if (pool->live && !pool_backend(pool)->is_folder) {
                r = pool_backend(pool)->is_memory ? 0 : check_device(definition, error);
                return r < 0 ? r : create_device(pool, definition, source, flags, ret_volume, error);
        }
        r = prepare(&making, error);
        if (r < 0)
                return r;
        r = fill(&making, error);
        if (r >= 0 && making.secret)
                r = secrets_keep(call, making.secret, error);
        if (r >= 0)
                r = finish(&making, ret_volume, error);
        if (r < 0) {
                files_drop(making.folder_fd, making.part);
                if (making.data_part)
                        files_drop(making.folder_fd, making.data_part);
                if (making.secret)
                        (void)secrets_undefine(call, making.secret, NULL);
                error_prefix(error, "Cannot make the volume '%s' in pool '%s'", definition->name,
                             pool->pool.object.name);
        }
        return r;
}

int volumes_create(Call *call, StoragePool *storage_pool, const char *xml, uint32_t flags,
                   StorageVolume **ret_volume, Error *error)
{
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *definition = NULL;
        int r = error_refuse_flag(error, "StorageVolCreateXML", flags, CREATE_REFLINK, "REFLINK (2)");

        if (r >= 0)
                r = error_refuse_flag(error, "StorageVolCreateXML", flags, CREATE_VALIDATE, "VALIDATE (4)");
        if (r >= 0)
                r = error_check_flags(error, "StorageVolCreateXML", flags, CREATE_PREALLOC_METADATA);
        if (r >= 0)
                r = storage_volume_definition_parse(xml, strlen(xml), &definition, error);
        return r < 0 ? r : create(call, pool_of(storage_pool), definition, NULL, flags, ret_volume, error);
}

/* Files that an image names are not followed: a guest may have written what looks like one. A file that is
 * copied as it is names what it named before. */
static int open_source(Volume *volume, bool as_file, Source *ret_source, Error *error) AWAITS
{
        _cleanup_(freep) char *name = NULL; /* a refresh may replace the entry */
        _cleanup_(closep) int fd = -EBADF;
        int r = entry_format(volume->entry, &ret_source->format, error);

        if (r >= 0 && volume->entry->header.backing_path && !as_file)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The volume '%s' says that it stands on '%s': copies of such images are not "
                              "supported",
                              volume->volume.object.name, volume->entry->header.backing_path);
        if (r < 0)
                return r;
        ret_source->volume = volume;
        ret_source->as_file = as_file;
        ret_source->capacity = entry_capacity(volume->entry);
        r = contents_open(volume_pool(volume), &fd, error);
        name = g_strdup(file_entry_file(volume->entry));
        return r < 0 ? r : files_lock(fd, name, false, &ret_source->fd, error);
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
        if (pool_backend(pool)->copy_volume)
                source.volume = original;
        else if (r >= 0)
                r = open_source(original, as_file, &source, error);
        source.must_share = flags & CREATE_REFLINK;
        return r < 0 ? r : create(call, pool, definition, &source, flags, ret_volume, error);
}

int volumes_copy(Call *call, StoragePool *pool, const char *xml, StorageVolume *original, uint32_t flags,
                 StorageVolume **ret_volume, Error *error)
{
        int r = error_refuse_flag(error, "StorageVolCreateXMLFrom", flags, CREATE_VALIDATE, "VALIDATE (4)");

        if (r >= 0)
                r = error_check_flags(error, "StorageVolCreateXMLFrom", flags,
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
