/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is in a pool that is started: its volumes as objects, as the folder was when it was last looked at.
 */

#include "driver.h"
#include "drivers/storage/backend.h"
#include "drivers/storage/watch.h"
#include "objects/storage.h"

typedef struct Pool {
        StoragePool pool;
        BackendContext context;
        StoragePoolDefinition *definition;
        StoragePoolDefinition *live;    /* with sizes; NULL: not started */
        StoragePoolDefinition *resumed; /* it was started with this before the daemon ended; or NULL */
        int fd;         /* of the folder; of the root if volumes are no files; negative: not started */
        GTree *volumes; /* name -> Volume, in order; borrowed from the table of objects */
        struct timespec changed;        /* the folder's, when it was read; 0: to be read again */
        unsigned generation;            /* counts what we change ourselves */
        unsigned changes;               /* counts volumes that came and went */
        Watch *watch;                   /* of the folder; NULL: it must be looked at */
        bool is_stale;                  /* what the watch says is not enough: to be read again */
        bool is_catching_up, has_fiber; /* one fiber does what the watch says; one more begins it */
        Condition caught_up;
} Pool;

typedef struct Volume {
        StorageVolume volume;
        FileEntry *entry;
} Volume;

static inline Pool *pool_of(StoragePool *pool)
{
        return (Pool *)pool;
}
static inline Volume *volume_of(StorageVolume *volume)
{
        return (Volume *)volume;
}
static inline Pool *volume_pool(const Volume *volume)
{
        return pool_of(volume->volume.pool);
}
static inline const Backend *pool_backend(const Pool *pool)
{
        return backend_of(pool->live ? pool->live->type : pool->definition->type,
                          pool->pool.object.driver->type->is_in_memory);
}
/* One that belongs to the caller, for the pool's backend: it is called with nothing else. */
static inline StoragePoolDefinition *pool_copy_definition(const Pool *pool,
                                                          const StoragePoolDefinition *definition)
{
        StoragePoolDefinition *copy = storage_pool_definition_copy(definition);

        copy->context = &pool->context;
        return copy;
}
static inline VolumeType entry_type(const FileEntry *entry)
{
        return S_ISDIR(entry->stat.st_mode)   ? VOLUME_TYPE_DIR
               : S_ISREG(entry->stat.st_mode) ? VOLUME_TYPE_FILE
               : S_ISBLK(entry->stat.st_mode) ? VOLUME_TYPE_BLOCK
                                              : VOLUME_TYPE_NETWORK;
}
static inline uint64_t entry_allocation(const FileEntry *entry)
{
        return entry->path ? entry->allocation : (uint64_t)entry->stat.st_blocks * 512;
}
static inline bool entry_is_folder(const FileEntry *entry)
{
        return S_ISDIR(entry->stat.st_mode);
}
static inline uint64_t entry_capacity(const FileEntry *entry)
{
        uint64_t size = (uint64_t)entry->stat.st_size;

        return entry->header.has_capacity ? entry->header.capacity
                                          : size - MIN(entry->header.data_offset, size);
}
/* qemu-img's name of what an image is; "raw" for an ISO image. ERROR_NOT_SUPPORTED for what cannot be known
 * and for what has its data elsewhere, as guests may have written that. */
int entry_format(const FileEntry *entry, const char **ret_format, Error *error);

/* ERROR_OPERATION_INVALID if it is not. */
int contents_check_started(const Pool *pool, Error *error);
/* A descriptor of one's own, which stays open when the pool is stopped meanwhile. ERROR_OPERATION_INVALID if
 * it is not started, ERROR_NOT_SUPPORTED for what is in memory. */
int contents_open(const Pool *pool, int *ret_fd, Error *error);
/* Hears of changes in the folder from now on, and takes them in. */
void contents_watch(Pool *pool);
void contents_unwatch(Pool *pool);
/* The signal Refresh. */
void contents_announce(Pool *pool);
/* Reads folder or list, and sizes; with `only_changed` only if, and as far as, the folder was changed. */
int contents_read(Pool *pool, bool only_changed, Error *error) AWAITS;
/* Takes the entry over; gives the volume, new or changed, borrowed; NULL if the pool was stopped or another
 * pool has its path. */
Volume *contents_set(Pool *pool, FileEntry *entry);
void contents_forget(Pool *pool, const char *name);
void contents_clear(Pool *pool);
/* Looks at one again: guests write to it. */
int contents_look(Volume *volume, Error *error) AWAITS;
/* The same when something has changed: whoever was cancelled meanwhile was so too late. */
int contents_look_after(Volume *volume, Error *error) AWAITS;
/* Sizes only. */
int contents_measure(Pool *pool, Error *error) AWAITS;
