/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading devices out of /sys on a worker, and hearing of those that come, go and change. */

#include "core/error.h"
#include "core/fiber.h"
#include "model/node-device.h"

typedef struct Found {
        char *path;                       /* in /sys */
        NodeDeviceDefinition *definition; /* NULL: gone, or not shown */
} Found;

/* All devices of the host, "computer" (whose path is "") first; an array that frees its Founds. */
GPtrArray *scan_all(void) AWAITS;
/* Those of the set of paths `paths`. */
GPtrArray *scan_paths(GHashTable *paths) AWAITS;

typedef struct DeviceWatch DeviceWatch;
/* What happened to the device of that path; on the loop. `action` is the kernel's word. */
typedef void (*DeviceWatchTells)(const char *path, const char *action, void *data);
int device_watch_open(DeviceWatchTells tells, void *data, DeviceWatch **ret_watch, Error *error);
DeviceWatch *device_watch_free(DeviceWatch *watch);
