/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A folder is watched, so that only the names that came, went or were written are looked at again. Where
 * there is no watch, and where other hosts may change it, its time of modification says when it must be read
 * again. What the daemon itself changed while a worker looked is newer than what the worker saw, which is
 * then dropped.
 */

#include "drivers/storage/contents.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include <fcntl.h>
#include <string.h>

#define TURN_VOLUMES 128
#define LOOKS_MAX    16

static void volume_free(Object *object)
{
        Volume *volume = (Volume *)object;

        file_entry_free(volume->entry);
        object_unref(&volume->volume.pool->object);
        g_free(volume->volume.key);
        g_free(volume->volume.path);
        g_free(volume->volume.backing_path);
        object_done(object);
        g_free(volume);
}

/* Takes the entry over. */
static Volume *volume_new(Pool *pool, FileEntry *entry)
{
        const Object *object = &pool->pool.object;
        Volume *volume = g_new0(Volume, 1);

        volume->entry = entry;
        volume->volume.pool = &pool->pool;
        object_ref(&pool->pool.object);
        volume->volume.path =
                entry->path ? g_strdup(entry->path) : g_build_filename(pool->live->path, entry->name, NULL);
        volume->volume.key = g_strdup(entry->key ? entry->key : volume->volume.path);
        object_init(&volume->volume.object, OBJECT_STORAGE_VOLUME, object->driver, volume->volume.key,
                    entry->name, NULL, object->owner, volume_free);
        return volume;
}

/* What is new is told as a whole. */
static void tell(Object *object, const char *property)
{
        if (object_table_by_path(object->driver->objects, object->path) == object)
                object_changed(object, property);
}

static void set_number(Object *object, uint64_t *number, uint64_t value, const char *property)
{
        if (*number == value)
                return;
        *number = value;
        tell(object, property);
}

/* What the bus shows of the entry. */
static void show(StorageVolume *volume, const FileEntry *entry)
{
        const VolumeHeader *header = &entry->header;
        const char *format = entry_is_folder(entry) ? "dir" : header->format ? header->format : "";

        set_number(&volume->object, &volume->capacity, entry_capacity(entry), "Capacity");
        set_number(&volume->object, &volume->allocation, entry_allocation(entry), "Allocation");
        if (g_strcmp0(volume->format, format) != 0) {
                volume->format = format;
                tell(&volume->object, "Format");
        }
        if (g_strcmp0(volume->backing_path, header->backing_path) != 0) {
                g_free(volume->backing_path);
                volume->backing_path = g_strdup(header->backing_path);
                tell(&volume->object, "BackingPath");
        }
        if (volume->is_encrypted != header->encrypted) {
                volume->is_encrypted = header->encrypted;
                tell(&volume->object, "Encrypted");
        }
}

int contents_check_started(const Pool *pool, Error *error)
{
        if (pool->live && (pool->fd >= 0 || pool_backend(pool)->is_memory))
                return 0;
        return error_set(error, ERROR_OPERATION_INVALID, "The storage pool '%s' is not started",
                         pool->pool.object.name);
}

int contents_open(const Pool *pool, int *ret_fd, Error *error)
{
        int r = contents_check_started(pool, error), fd;

        if (r >= 0 && pool_backend(pool)->is_memory)
                r = error_set(error, ERROR_NOT_SUPPORTED,
                              "The volumes of pool '%s' are in memory and have no content",
                              pool->pool.object.name);
        if (r < 0)
                return r;
        fd = fcntl(pool->fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return error_set_errno(error, errno, "Cannot use the storage pool '%s'",
                                       pool->pool.object.name);
        *ret_fd = fd;
        return 0;
}

/* A file has the path that its name says; another device under the old name is another volume. */
static bool is_same_volume(const Volume *volume, const FileEntry *entry)
{
        return !entry->path || (strcmp(volume->volume.path, entry->path) == 0 &&
                                strcmp(volume->volume.key, entry->key) == 0);
}

Volume *contents_set(Pool *pool, FileEntry *entry)
{
        Volume *volume = g_tree_lookup(pool->volumes, entry->name);

        if (!pool->live) {
                file_entry_free(entry);
                return NULL;
        }
        if (volume && !is_same_volume(volume, entry)) {
                contents_forget(pool, entry->name);
                volume = NULL;
        }
        if (!volume) {
                volume = volume_new(pool, entry);
                show(&volume->volume, entry);
                if (object_table_add(pool->pool.object.driver->objects, &volume->volume.object) < 0) {
                        object_unref(&volume->volume.object); /* another pool has the same folder */
                        return NULL;
                }
                pool->changes++;
                g_tree_insert(pool->volumes, volume->volume.object.name, volume);
                object_unref(&volume->volume.object);
        } else {
                file_entry_free(volume->entry);
                volume->entry = entry;
                show(&volume->volume, entry);
        }
        return volume;
}

void contents_forget(Pool *pool, const char *name)
{
        Volume *volume = g_tree_lookup(pool->volumes, name);

        if (!volume)
                return;
        pool->changes++;
        g_tree_remove(pool->volumes, name);
        object_table_remove(pool->pool.object.driver->objects, &volume->volume.object);
}

/* Copies: volumes go while one looks at their names. */
static GPtrArray *names_of(const Pool *pool)
{
        GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

        for (GTreeNode *node = g_tree_node_first(pool->volumes); node; node = g_tree_node_next(node))
                g_ptr_array_add(names, g_strdup(g_tree_node_key(node)));
        return names;
}

void contents_clear(Pool *pool)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = names_of(pool);

        for (unsigned i = 0; i < names->len; i++)
                contents_forget(pool, names->pdata[i]);
}

/* Gives others their turn; false if what a worker saw is no longer what there is. */
static bool go_on(const Pool *pool, unsigned generation, unsigned i) AWAITS
{
        if (i % TURN_VOLUMES != TURN_VOLUMES - 1 || !fiber_current())
                return true;
        return await_turn() >= 0 && pool->live && pool->generation == generation;
}

/* What is left of the entries is theirs to free. */
static bool merge(Pool *pool, GPtrArray *entries) AWAITS
{
        _cleanup_(g_hash_table_unrefp) GHashTable *seen =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = NULL;
        unsigned generation = pool->generation, n = entries->len;

        for (unsigned i = 0; i < n; i++) {
                FileEntry *entry = g_ptr_array_steal_index_fast(entries, entries->len - 1);

                g_hash_table_add(seen, g_strdup(entry->name));
                (void)contents_set(pool, entry);
                if (!go_on(pool, generation, i))
                        return false;
        }
        names = names_of(pool);
        for (unsigned i = 0; i < names->len; i++) {
                if (!g_hash_table_contains(seen, names->pdata[i]))
                        contents_forget(pool, names->pdata[i]);
                if (!go_on(pool, generation, i))
                        return false;
        }
        return true;
}

int entry_format(const FileEntry *entry, const char **ret_format, Error *error)
{
        const VolumeHeader *header = &entry->header;
        const char *what = entry_is_folder(entry)  ? "a folder"
                           : !header->format       ? "damaged"
                           : header->has_data_file ? "an image with a file of its own for data"
                           : g_strcmp0(header->format, "vmdk") == 0
                                   ? "a vmdk image, which may name other files"
                                   : NULL;

        if (what)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The volume '%s' is %s: this is not supported for it", entry->name, what);
        *ret_format = strcmp(header->format, "iso") == 0 ? "raw" : header->format;
        return 0;
}

static int look_device(const Volume *volume, FileEntry **ret_entry, Error *error) AWAITS
{
        _cleanup_(freep) char *path = g_strdup(volume->volume.path), *key = g_strdup(volume->volume.key),
                              *name = g_strdup(volume->volume.object.name);
        uint64_t allocation = volume->entry->allocation;
        int r = files_look_device(path, name, key, ret_entry, error);

        if (r >= 0)
                (*ret_entry)->allocation = MIN(allocation, (uint64_t)(*ret_entry)->stat.st_size);
        return r;
}

int contents_look(Volume *volume, Error *error)
{
        Pool *pool = volume_pool(volume);
        _cleanup_(closep) int fd = -EBADF;
        FileEntry *entry;
        int r = contents_check_started(pool, error);

        if (r < 0 || pool_backend(pool)->is_memory) /* a state is what it is */
                return r;
        r = contents_open(pool, &fd, error);
        if (r < 0)
                return r;
        switch (entry_type(volume->entry)) {
        case VOLUME_TYPE_NETWORK: /* as it was listed */
                return 0;
        case VOLUME_TYPE_BLOCK:
                r = look_device(volume, &entry, error);
                break;
        default:
                r = files_look(fd, volume->volume.object.name, &entry, error);
        }
        if (r < 0)
                return r;
        if (!volume->volume.object.is_gone) {
                (void)contents_set(pool, entry);
                return 0;
        }
        file_entry_free(volume->entry);
        volume->entry = entry;
        return 0;
}

int contents_look_after(Volume *volume, Error *error)
{
        int r;

        do {
                if (contents_check_started(volume_pool(volume), NULL) < 0)
                        return 0; /* it was stopped meanwhile: nothing is shown any longer */
                if (fiber_current())
                        fiber_clear_cancel();
                error_clear(error);
                r = contents_look(volume, error);
        } while (r == -ECANCELED);
        return r;
}

static void set_sizes(Pool *pool, const BackendSizes *sizes)
{
        StoragePool *shown = &pool->pool;

        pool->live->capacity = sizes->capacity;
        pool->live->allocation = sizes->allocation;
        pool->live->available = sizes->available;
        set_number(&shown->object, &shown->capacity, sizes->capacity, "Capacity");
        set_number(&shown->object, &shown->allocation, sizes->allocation, "Allocation");
        set_number(&shown->object, &shown->available, sizes->available, "Available");
}

int contents_measure(Pool *pool, Error *error)
{
        _cleanup_(closep) int fd = -EBADF;
        uint64_t capacity, available;
        int r = contents_check_started(pool, error);

        if (r >= 0 && !pool_backend(pool)->is_folder)
                return 0; /* as they were listed */
        if (r >= 0)
                r = contents_open(pool, &fd, error);
        if (r >= 0)
                r = files_size(fd, &capacity, &available, error);
        if (r < 0 || !pool->live)
                return r;
        set_sizes(pool, &(BackendSizes){ capacity, capacity - available, available });
        return 0;
}

static void sizes_clear(BackendSizes *sizes)
{
        g_clear_pointer(&sizes->free_extents, g_array_unref);
}

/* What a kind lists by itself. */
static int read_listed(Pool *pool, Error *error) AWAITS
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *definition =
                pool_copy_definition(pool, pool->live);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = NULL;
        unsigned generation = pool->generation;
        _cleanup_(sizes_clear) BackendSizes sizes = {};
        int r = pool_backend(pool)->list(definition, &entries, &sizes, error);

        if (r < 0 || generation != pool->generation || !pool->live)
                return r;
        set_sizes(pool, &sizes);
        if (sizes.free_extents)
                storage_pool_set_free_extents(pool->live, (const PoolExtent *)sizes.free_extents->data,
                                              sizes.free_extents->len);
        if (merge(pool, entries))
                pool->generation++;
        return 0;
}

static int read_folder(Pool *pool, struct timespec changed, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = NULL;
        _cleanup_(closep) int fd = -EBADF;
        unsigned generation = pool->generation;
        int r = contents_open(pool, &fd, error);

        if (r >= 0)
                r = files_list(fd, &changed, &entries, error);
        if (r < 0 || !entries || generation != pool->generation)
                return r;
        if (!merge(pool, entries))
                return 0;   /* the next one reads it again */
        pool->generation++; /* a reader that began earlier saw less */
        pool->changed = changed;
        pool->is_stale = false;
        return contents_measure(pool, error);
}

/* Looks again while the daemon itself changes something. */
static int read_name(Pool *pool, int fd, const char *name) AWAITS
{
        for (unsigned n = 0; n < LOOKS_MAX; n++) {
                unsigned generation = pool->generation;
                FileEntry *entry;
                int r = files_look(fd, name, &entry, NULL);

                if (pool->live && generation == pool->generation) {
                        if (r >= 0)
                                (void)contents_set(pool, entry);
                        else if (r == -ENOENT)
                                contents_forget(pool, name);
                        return r == -ENOENT ? 0 : r;
                }
                if (r >= 0)
                        file_entry_free(entry);
                if (!pool->live)
                        return 0;
        }
        return -EAGAIN;
}

static int take_news(Pool *pool, Error *error) AWAITS
{
        _cleanup_(g_hash_table_unrefp) GHashTable *names = NULL;
        _cleanup_(closep) int fd = -EBADF;
        GHashTableIter at;
        bool is_all;
        void *name;
        int r;

        names = watch_take(pool->watch, &is_all);
        if (is_all)
                pool->is_stale = true;
        if (pool->is_stale)
                return read_folder(pool, (struct timespec){}, error);
        r = names ? contents_open(pool, &fd, error) : 0;
        if (r < 0 || !names)
                return r;
        g_hash_table_iter_init(&at, names); /* of our own: nobody else changes it */
        while (g_hash_table_iter_next(&at, &name, NULL))
                if (read_name(pool, fd, name) < 0)
                        pool->is_stale = true; /* the next one reads all */
        return 0;
}

/* All that happened before this was called is known when it returns. */
static int catch_up(Pool *pool, Error *error) AWAITS
{
        int r = 0;

        while (pool->is_catching_up && r >= 0)
                r = condition_wait(&pool->caught_up, DEADLINE_NEVER);
        if (r < 0)
                return error_set_errno(error, r, "Stopped waiting for the storage pool '%s'",
                                       pool->pool.object.name);
        if (!pool->watch)
                return 0; /* stopped meanwhile */
        pool->is_catching_up = true;
        r = take_news(pool, error);
        pool->is_catching_up = false;
        condition_wake_all(&pool->caught_up);
        return r;
}

void contents_announce(Pool *pool)
{
        event_raise(pool->pool.object.driver->events, EVENT_RESOURCE_SIGNAL,
                    &(ResourceEvent){ .object = &pool->pool.object, .member = "Refresh" });
}

/* By itself: whoever listens hears of what came and went. */
static void catch_up_fiber(void *data)
{
        Pool *pool = data;
        _cleanup_(error_clear) Error error = {};
        unsigned changes = pool->changes;
        int r;

        do
                r = catch_up(pool, &error);
        while (r >= 0 && pool->watch &&
               watch_has_news(pool->watch)); /* it came while others were looked at */
        pool->has_fiber = false;
        if (r < 0) {
                log_warning(pool->pool.object.path, "what changed in storage pool %s was not seen: %s",
                            pool->pool.object.name, error.message);
        } else if (changes != pool->changes && pool->pool.is_active) {
                (void)contents_measure(pool, NULL); /* what it says is asked for again when it is read */
                contents_announce(pool);
        }
        object_unref(&pool->pool.object);
}

static void folder_changed(void *data)
{
        Pool *pool = data;

        if (pool->has_fiber)
                return;
        pool->has_fiber = true;
        object_ref(&pool->pool.object);
        if (fiber_start("storage watch", catch_up_fiber, pool) >= 0)
                return;
        pool->has_fiber = false; /* too many fibers: the next reader sees it */
        object_unref(&pool->pool.object);
}

void contents_watch(Pool *pool)
{
        int r = watch_new(pool->fd, folder_changed, pool, &pool->watch);

        pool->is_stale = true;
        if (r < 0)
                log_warning(pool->pool.object.path, "the folder of storage pool %s cannot be watched: %s",
                            pool->pool.object.name, g_strerror(-r));
}

void contents_unwatch(Pool *pool)
{
        pool->watch = watch_free(pool->watch);
}

int contents_read(Pool *pool, bool only_changed, Error *error)
{
        const Backend *backend = pool_backend(pool);

        if (pool->live && !backend->is_folder)
                return only_changed ? 0 : read_listed(pool, error);
        if (only_changed && pool->watch && !backend->is_shared)
                return catch_up(pool, error);
        return read_folder(pool, only_changed ? pool->changed : (struct timespec){}, error);
}
