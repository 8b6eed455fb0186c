/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Storage pools and their volumes, as far as the bus shows them for every driver. A driver embeds them as
 * the first member of what it needs to know besides. */

#include "objects/object.h"

typedef struct StoragePool {
        Object object;
        bool is_active, is_persistent, is_autostart;
        const char *type;                         /* static */
        char *target;                             /* of what is started, or will be; NULL: none */
        uint64_t capacity, allocation, available; /* bytes, at the last look */
} StoragePool;

typedef struct StorageVolume {
        Object object;
        StoragePool *pool; /* counted */
        char *key, *path;
        const char *format;            /* static; "" if it contradicts itself */
        uint64_t capacity, allocation; /* bytes */
        char *backing_path;            /* as the image says it; NULL: none */
        bool is_encrypted;
} StorageVolume;
