/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a type of pool is: a table of functions, one file a kind. They are called with the pool's job taken
 * (list() also without), get definitions that belong to the call, and know neither pools nor volumes as
 * objects. What a kind leaves out it does not have: pools.c, contents.c, create.c and volumes.c say so. */

#include "driver.h"
#include "drivers/storage/files.h"
#include "model/storage-volume.h"

typedef enum BackendBuild {
        BACKEND_BUILD_PLAIN, /* nothing is said about what is there: it is kept */
        BACKEND_BUILD_NO_OVERWRITE,
        BACKEND_BUILD_OVERWRITE,
} BackendBuild;

typedef struct BackendSizes {
        uint64_t capacity, allocation, available; /* bytes */
        GArray *free_extents; /* of PoolExtent; NULL: the type has none. The caller's to free */
} BackendSizes;

/* What a backend needs besides the definition, whose `context` it is while a function of a backend runs. */
typedef struct BackendContext {
        const Driver *driver;
        uid_t owner;        /* of the pool: the secrets that it names are theirs */
        GHashTable *memory; /* of backend_memory: what the driver's pools have, by UUID */
} BackendContext;

typedef struct Backend {
        /* Volumes are the files of the folder at the definition's path, and the functions from list() on are
         * left out. Otherwise list() is there. */
        bool is_folder;
        /* Other hosts may change it as well, of which the kernel tells nothing. */
        bool is_shared;
        /* Volumes are states without content: nothing is ever opened for them. */
        bool is_memory;
        /* It knows what to do with an <auth>: pool_key_find(). */
        bool has_auth;

        /* Makes what the pool stands on. */
        int (*build)(const StoragePoolDefinition *pool, BackendBuild how, Error *error) AWAITS;
        /* Brings it up; what a daemon that is gone had brought up is taken over: such a pool is_resumed. */
        int (*start)(const StoragePoolDefinition *pool, bool is_resumed, Error *error) AWAITS;
        /* Takes it down again, as far as it is up. */
        int (*stop)(const StoragePoolDefinition *pool, Error *error) AWAITS;
        /* Destroys what build() makes. */
        int (*remove)(const StoragePoolDefinition *pool, Error *error) AWAITS;
        /* Drops what the backend itself keeps of a pool: that one is gone. */
        void (*forget)(const StoragePoolDefinition *pool);
        /* Adds what pools of the type could stand on to an array of storage_sources_new(); `where` may be
         * NULL. */
        int (*find_sources)(const PoolSource *where, GPtrArray *sources, Error *error) AWAITS;

        /* An array of FileEntry with paths, which frees them, and the sizes. */
        int (*list)(const StoragePoolDefinition *pool, GPtrArray **ret_entries, BackendSizes *ret_sizes,
                    Error *error) AWAITS;
        /* The new volume is not formatted: what was on the device may still be there. */
        int (*create_volume)(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                             FileEntry **ret_entry, Error *error) AWAITS;
        /* A new one like `original`, which is of this backend, too. What has no such function copies files.
         */
        int (*copy_volume)(const StoragePoolDefinition *pool, const StorageVolumeDefinition *volume,
                           const FileEntry *original, FileEntry **ret_entry, Error *error) AWAITS;
        int (*delete_volume)(const StoragePoolDefinition *pool, const FileEntry *entry, Error *error) AWAITS;
        /* What delete_volume() refuses, for those who destroy the content before. */
        int (*check_delete)(const StoragePoolDefinition *pool, const FileEntry *entry, Error *error) AWAITS;
        int (*resize_volume)(const StoragePoolDefinition *pool, const FileEntry *entry, uint64_t capacity,
                             Error *error) AWAITS;
} Backend;

/* Never NULL: a type that nothing serves has an empty table. For drivers in memory there is one that serves
 * all. */
const Backend *backend_of(PoolType type, bool is_in_memory);
/* ERROR_NOT_SUPPORTED: pools of the type have no `what` ("start", "volumes of another size" ...). */
int backend_refuse(const StoragePoolDefinition *pool, const char *what, Error *error);

/* The table of BackendContext. */
GHashTable *backend_memory_new(void);

extern const Backend backend_dir, backend_disk, backend_fs, backend_iscsi, backend_iscsi_direct,
        backend_logical, backend_memory, backend_mpath, backend_netfs, backend_rbd, backend_scsi,
        backend_zfs;
