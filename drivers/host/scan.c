/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/host/scan.h"
#include "core/worker.h"
#include "drivers/host/describe.h"

typedef struct Scan {
        GPtrArray *paths; /* NULL: all */
        GPtrArray *found;
} Scan;

static void found_free(void *data)
{
        Found *found = data;

        g_free(found->path);
        node_device_free(found->definition);
        g_free(found);
}

static void add(Scan *scan, const char *path, NodeDeviceDefinition *definition)
{
        Found *found = g_new0(Found, 1);

        found->path = g_strdup(path);
        found->definition = definition;
        g_ptr_array_add(scan->found, found);
}

static int scan_all_step(void *data)
{
        Scan *scan = data;
        sd_device_enumerator *enumerator;
        int r = sd_device_enumerator_new(&enumerator);

        add(scan, "", describe_computer());
        if (r < 0)
                return r;
        r = sd_device_enumerator_allow_uninitialized(enumerator); /* where no udev runs, all are */
        for (const char *const *name = describe_subsystems; *name && r >= 0; name++)
                r = sd_device_enumerator_add_match_subsystem(enumerator, *name, true);
        for (sd_device *device = r < 0 ? NULL : sd_device_enumerator_get_device_first(enumerator); device;
             device = sd_device_enumerator_get_device_next(enumerator)) {
                NodeDeviceDefinition *definition = describe_device(device);

                if (definition)
                        add(scan, definition->path, definition);
        }
        sd_device_enumerator_unref(enumerator);
        return r;
}

static int scan_paths_step(void *data)
{
        Scan *scan = data;

        for (unsigned i = 0; i < scan->paths->len; i++) {
                sd_device *device = NULL;
                NodeDeviceDefinition *definition = NULL;

                if (sd_device_new_from_syspath(&device, scan->paths->pdata[i]) >= 0)
                        definition = describe_device(device);
                add(scan, scan->paths->pdata[i], definition);
                sd_device_unref(device);
        }
        return 0;
}

GPtrArray *scan_all(void)
{
        Scan scan = { .found = g_ptr_array_new_with_free_func(found_free) };

        (void)worker_finish(scan_all_step, &scan); /* what could be read is there */
        return scan.found;
}

GPtrArray *scan_paths(GHashTable *paths)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *copies = g_ptr_array_new_with_free_func(g_free);
        Scan scan = { .paths = copies, .found = g_ptr_array_new_with_free_func(found_free) };
        GHashTableIter at;
        void *path;

        g_hash_table_iter_init(&at, paths);
        while (g_hash_table_iter_next(&at, &path, NULL))
                g_ptr_array_add(copies, g_strdup(path));
        (void)worker_finish(scan_paths_step, &scan); /* it always succeeds */
        return scan.found;
}
