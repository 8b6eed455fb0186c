/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The objects beside machines, as far as the bus shows them for every driver. A driver embeds them as the
 * first member of what it needs to know besides. */

#include "objects/object.h"

typedef struct Network {
        Object object;
        bool is_active, is_persistent, is_autostart;
} Network;

typedef struct HostInterface {
        Object object;
        char *mac;
        bool is_active;
} HostInterface;

typedef struct NodeDevice {
        Object object;
        char *parent; /* the name of another; NULL for the root */
} NodeDevice;

typedef struct Secret {
        Object object;
        int usage_type; /* virSecretUsageType */
        char *usage_id;
        bool is_ephemeral, is_private;
} Secret;

typedef struct StoragePool {
        Object object;
        bool is_active, is_persistent, is_autostart;
} StoragePool;

typedef struct StorageVolume {
        Object object;
        char *key, *path;
} StorageVolume;
