/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a volume is, and what changes it. */

#include "drivers/storage/volumes.h"
#include "drivers/storage/contents.h"
#include "drivers/storage/encryption.h"
#include "drivers/storage/image.h"
#include "drivers/storage/listed.h"
#include "drivers/storage/wipe.h"
#include <string.h>

#define CLUSTER_USUAL 65536
#define CHAIN_MAX     64

/* virStorageVolDeleteFlags, virStorageVolInfoFlags, virStorageVolResizeFlags. */
enum {
        DELETE_ZEROED = 1 << 0,
        INFO_GET_PHYSICAL = 1 << 0,
        RESIZE_ALLOCATE = 1 << 0,
        RESIZE_DELTA = 1 << 1,
        RESIZE_SHRINK = 1 << 2,
};

int volumes_list(Call *call, StoragePool *storage_pool, GPtrArray **ret_volumes, Error *error)
{
        Pool *pool = pool_of(storage_pool);
        int r = contents_read(pool, true, error);

        (void)call;
        if (r < 0)
                return r;
        *ret_volumes = g_ptr_array_new_full((unsigned)g_tree_nnodes(pool->volumes), object_release);
        for (GTreeNode *node = g_tree_node_first(pool->volumes); node; node = g_tree_node_next(node))
                g_ptr_array_add(*ret_volumes, object_ref(g_tree_node_value(node)));
        return 0;
}

int volumes_find(Call *call, StoragePool *storage_pool, const char *name, StorageVolume **ret_volume,
                 Error *error)
{
        Pool *pool = pool_of(storage_pool);
        int r = contents_read(pool, true, error);
        Volume *volume;

        (void)call;
        if (r < 0)
                return r;
        volume = g_tree_lookup(pool->volumes, name);
        if (volume)
                object_ref(&volume->volume.object);
        *ret_volume = volume ? &volume->volume : NULL;
        return 0;
}

static int wipe(Call *call, const char *file_name, int folder_fd, WipeAlgorithm algorithm,
                Error *error) AWAITS
{
        _cleanup_(freep) char *name = g_strdup(file_name); /* the entry's, which others may replace */
        _cleanup_(closep) int file = -EBADF;
        int r = files_lock(folder_fd, name, true, &file, error);

        return r < 0 ? r : wipe_file(file, name, algorithm, call->job, error);
}

/* What a backend gets: copies, as a refresh may replace the entry, and Destroy stop the pool, while it
 * waits.
 */
typedef struct Device {
        StoragePoolDefinition *pool;
        FileEntry *entry;
        const Backend *backend;
} Device;

static void device_clear(Device *device)
{
        storage_pool_definition_free(device->pool);
        file_entry_free(device->entry);
}

static int device_copy(const Volume *volume, Device *ret_device, Error *error)
{
        const FileEntry *entry = volume->entry;
        const Pool *pool = volume_pool(volume);

        if (!pool->live)
                return error_set(error, ERROR_OPERATION_INVALID, "The storage pool '%s' is not started",
                                 pool->pool.object.name);
        *ret_device = (Device){
                .pool = pool_copy_definition(pool, pool->live),
                .entry = listed_entry(&(Listed){ .name = entry->name,
                                                 .path = entry->path,
                                                 .key = entry->key,
                                                 .type = entry->stat.st_mode,
                                                 .size = (uint64_t)entry->stat.st_size,
                                                 .allocation = entry->allocation }),
                .backend = pool_backend(pool),
        };
        return 0;
}

/* With is_check it is only said whether it could be done. */
static int delete_device(const Volume *volume, bool is_check, Error *error) AWAITS
{
        _cleanup_(device_clear) Device device = {};
        int r = device_copy(volume, &device, error);

        if (r < 0)
                return r;
        if (!device.backend->delete_volume)
                return backend_refuse(device.pool, "way to delete volumes", error);
        if (!is_check)
                return device.backend->delete_volume(device.pool, device.entry, error);
        return device.backend->check_delete ? device.backend->check_delete(device.pool, device.entry, error)
                                            : 0;
}

int volumes_delete(Call *call, StorageVolume *storage_volume, uint32_t flags, Error *error)
{
        Volume *volume = volume_of(storage_volume);
        Pool *pool = volume_pool(volume);
        _cleanup_(freep) char *name = g_strdup(volume->volume.object.name);
        bool is_folder = entry_is_folder(volume->entry), is_file = !volume->entry->path;
        _cleanup_(closep) int fd = -EBADF;
        int r = error_check_flags(error, "Delete", flags, DELETE_ZEROED);

        if (r >= 0 && flags & DELETE_ZEROED && is_folder)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "The volume '%s' is a folder: the flag ZEROED is for files", name);
        if (r >= 0)
                r = contents_check_started(pool, error);
        if (r >= 0 && (is_file || flags & DELETE_ZEROED))
                r = contents_open(pool, &fd, error);
        if (r >= 0 && flags & DELETE_ZEROED && !is_file)
                r = delete_device(volume, true, error);
        if (r >= 0 && flags & DELETE_ZEROED)
                r = wipe(call, file_entry_file(volume->entry), fd, WIPE_ZERO, error);
        if (r >= 0)
                r = is_file ? files_remove(fd, name, is_folder, error) : delete_device(volume, false, error);
        if (r < 0)
                return r;
        pool->generation++;
        contents_forget(pool, name);
        return 0;
}

int volumes_get_info(Call *call, StorageVolume *storage_volume, uint32_t flags, GVariant **ret_info,
                     Error *error)
{
        Volume *volume = volume_of(storage_volume);
        const FileEntry *entry;
        int r = error_check_flags(error, "GetInfo", flags, INFO_GET_PHYSICAL);

        (void)call;
        if (r >= 0)
                r = contents_look(volume, error);
        if (r < 0)
                return r;
        entry = volume->entry;
        *ret_info = g_variant_ref_sink(g_variant_new(
                "(itt)", (int)entry_type(entry), entry_capacity(entry),
                flags & INFO_GET_PHYSICAL ? (uint64_t)entry->stat.st_size : entry_allocation(entry)));
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
                .label = g_strdup(entry->label),
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
                image->data_file = g_strdup(header->data_file);
                image->data_file_raw = header->data_file_raw;
        }
        image->cluster_size = header->cluster_size != CLUSTER_USUAL ? header->cluster_size : 0;
}

static char *backing_path(const Volume *volume)
{
        _cleanup_(freep) char *folder = g_path_get_dirname(volume->volume.path);
        const char *path = volume->entry->header.backing_path;

        return g_path_is_absolute(path) ? g_strdup(path) : g_build_filename(folder, path, NULL);
}

/* NULL if it is no volume of the same pool. */
static Volume *backing_volume(const Volume *volume)
{
        _cleanup_(freep) char *folder = g_path_get_dirname(volume->volume.path),
                              *path = backing_path(volume);

        if (!g_str_has_prefix(path, folder) || path[strlen(folder)] != '/')
                return NULL;
        return g_tree_lookup(volume_pool(volume)->volumes, path + strlen(folder) + 1);
}

/* As the image says it; what an image does not say about the format is not guessed. */
static VolumeImage *describe_backing(const Volume *volume)
{
        const VolumeHeader *header = &volume->entry->header;
        const Volume *backing;
        VolumeImage *image;
        int format;

        if (!header->backing_path)
                return NULL;
        backing = backing_volume(volume);
        image = struct_new(&volume_image_type);
        image->path = backing_path(volume);
        format =
                header->backing_format ? enum_from_string(&volume_format_table, header->backing_format) : -1;
        if (format >= 0)
                image->format = (VolumeFormat)format;
        if (backing)
                describe_file(image, backing->entry);
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
                r = contents_look(volume, error);
        if (r < 0)
                return r;
        entry = volume->entry;
        is_folder = entry_is_folder(entry);
        definition = struct_new(&storage_volume_definition_type);
        definition->type = entry_type(entry);
        definition->name = g_strdup(volume->volume.object.name);
        definition->key = g_strdup(volume->volume.key);
        definition->has_capacity = definition->has_allocation = definition->has_physical = true;
        definition->capacity = entry_capacity(entry);
        definition->allocation = entry_allocation(entry);
        definition->physical = (uint64_t)entry->stat.st_size;
        definition->target.path = g_strdup(volume->volume.path);
        describe_header(&definition->target, &entry->header);
        if (is_folder)
                definition->target.format = VOLUME_FORMAT_DIR;
        definition->target.encryption = encryption_describe(volume);
        describe_file(&definition->target, entry);
        definition->backing = describe_backing(volume);
        *ret_xml = storage_volume_definition_format(definition);
        return 0;
}

static int new_capacity(const Volume *volume, uint64_t capacity, uint32_t flags, uint64_t *ret, Error *error)
{
        uint64_t present = entry_capacity(volume->entry);

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

static int refuse_chain(const Volume *volume, const char *path, Error *error)
{
        return error_set(
                error, ERROR_NOT_SUPPORTED,
                "The volume '%s' stands on '%s': this is supported if all images under it are volumes "
                "of its pool, whose formats the images name, and at most %d",
                volume->volume.object.name, path, CHAIN_MAX);
}

/* One step down: 1 with the next volume, which is counted; 0 where the chain ends. */
static int chain_step(const Volume *top, const Volume *volume, Volume **ret_next, Error *error) AWAITS
{
        const VolumeHeader *header = &volume->entry->header;
        _cleanup_(freep) char *expected = g_strdup(header->backing_format);
        _cleanup_(freep) char *path = header->backing_path ? backing_path(volume) : NULL;
        _cleanup_(object_unrefp) Object *next = NULL;
        const char *format;
        Volume *backing;
        int r;

        if (!path)
                return 0;
        backing = backing_volume(volume);
        if (!backing || !expected)
                return refuse_chain(top, path, error);
        next = object_ref(&backing->volume.object);
        r = contents_look((Volume *)next, error);
        if (r >= 0)
                r = entry_format(((Volume *)next)->entry, &format, error);
        if (r < 0)
                return r;
        if (strcmp(expected, "raw") == 0)
                return 0;
        if (strcmp(format, expected) != 0)
                return refuse_chain(top, path, error);
        *ret_next = (Volume *)TAKE_PTR(next);
        return 1;
}

/* qemu-img opens all that an image stands on, and a guest may have written the names. */
static int check_chain(const Volume *top, Error *error) AWAITS
{
        _cleanup_(object_unrefp) Object *held = NULL;
        const Volume *volume = top;
        Volume *next = NULL;
        int r;

        for (unsigned n = 0; (r = chain_step(top, volume, &next, error)) > 0; n++) {
                object_unref(held);
                held = &next->volume.object;
                volume = next;
                if (n == CHAIN_MAX)
                        return refuse_chain(top, volume->volume.path, error);
        }
        return r;
}

static int resize_image(const Volume *volume, int folder_fd, const char *format, uint64_t capacity,
                        uint32_t flags, Error *error) AWAITS
{
        _cleanup_(freep) char *name = g_strdup(volume->volume.object.name);
        _cleanup_(key_close) int key_fd = 0;
        int r = encryption_open(volume, &key_fd, error);

        return r < 0 ? r
                     : image_resize(&(Image){ .folder_fd = folder_fd,
                                              .name = name,
                                              .format = format,
                                              .key_fd = key_fd },
                                    capacity, flags & RESIZE_SHRINK, flags & RESIZE_ALLOCATE, error);
}

/* The tools would shrink a device under a running machine: none may begin before they are done. */
static int lock_device(const Device *device, int *ret_fd, Error *error) AWAITS
{
        if (device->backend->is_memory || !S_ISBLK(device->entry->stat.st_mode))
                return 0;
        return files_lock(-EBADF, device->entry->path, true, ret_fd, error);
}

static int resize_device(const Volume *volume, uint64_t capacity, Error *error) AWAITS
{
        _cleanup_(device_clear) Device device = {};
        _cleanup_(closep) int file = -EBADF;
        int r = device_copy(volume, &device, error);

        if (r >= 0 && capacity < (uint64_t)device.entry->stat.st_size && device.backend->resize_volume)
                r = lock_device(&device, &file, error);
        if (r >= 0)
                r = device.backend->resize_volume
                            ? device.backend->resize_volume(device.pool, device.entry, capacity, error)
                            : backend_refuse(device.pool, "way to resize volumes", error);
        return r < 0 ? r : contents_read(volume_pool(volume), false, error);
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
                r = contents_look(volume, error);
        if (r >= 0)
                r = entry_format(volume->entry, &format, error);
        if (r >= 0)
                r = check_chain(volume, error);
        if (r >= 0)
                r = new_capacity(volume, capacity, flags, &capacity, error);
        if (r >= 0 && volume->entry->path)
                return resize_device(volume, capacity, error);
        if (r >= 0)
                r = contents_open(volume_pool(volume), &fd, error);
        if (r < 0)
                return r;
        if (strcmp(format, "raw") == 0)
                r = files_resize_raw(fd, volume->volume.object.name, (uint64_t)volume->entry->stat.st_size,
                                     capacity, flags & RESIZE_ALLOCATE, error);
        else
                r = resize_image(volume, fd, format, capacity, flags, error);
        return r < 0 ? r : contents_look_after(volume, error);
}

int volumes_wipe(Call *call, StorageVolume *storage_volume, uint32_t pattern, uint32_t flags, Error *error)
{
        Volume *volume = volume_of(storage_volume);
        _cleanup_(freep) char *name = g_strdup(storage_volume->object.name);
        _cleanup_(closep) int fd = -EBADF;
        int r = error_check_flags(error, "Wipe", flags, 0);

        if (r >= 0 && pattern >= _WIPE_MAX)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "Wipe: there is no algorithm %u, only 0 to %d",
                              pattern, _WIPE_MAX - 1);
        if (r >= 0 && entry_is_folder(volume->entry))
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The volume '%s' is a folder: only files are wiped", name);
        if (r >= 0)
                r = contents_open(volume_pool(volume), &fd, error);
        if (r >= 0)
                r = wipe(call, file_entry_file(volume->entry), fd, (WipeAlgorithm)pattern, error);
        return r < 0 ? r : contents_look_after(volume, error);
}
