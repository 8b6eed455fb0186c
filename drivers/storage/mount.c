/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/mount.h"
#include "core/await.h"
#include "core/fiber.h"
#include "drivers/storage/command.h"
#include "drivers/storage/look.h"
#include <string.h>

#define MOUNT_TIMEOUT_USEC (60 * G_USEC_PER_SEC)
#define READERS_USEC       (G_USEC_PER_SEC / 2)
#define UNMOUNT_PAUSE_USEC (G_USEC_PER_SEC / 10)
#define OPTIONS_ALWAYS     "nosuid,nodev"

/* 1: what is mounted at the path is the source; 0: nothing is; ERROR_OPERATION_INVALID: something else. */
static int look(const StoragePoolDefinition *pool, const char *source, Error *error) AWAITS
{
        _cleanup_(freep) char *present = NULL;
        int r = look_mount(pool->path, &present, error);

        if (r <= 0 || strcmp(present, source) == 0)
                return r;
        if (source[0] == '/' && present[0] == '/') {
                r = look_is_same_device(present, source, error);
                if (r != 0)
                        return r;
        }
        return error_set(error, ERROR_OPERATION_INVALID,
                         "pool '%s': '%s' is mounted at its path '%s' already", pool->name, present,
                         pool->path);
}

/* Ours come last, so that they hold. */
static char *all_options(const StoragePoolDefinition *pool, const char *options)
{
        GString *all = g_string_new(NULL);

        if (options)
                g_string_append_printf(all, "%s,", options);
        for (size_t i = 0; i < pool->mount_options.count; i++)
                g_string_append_printf(all, "%s,", pool->mount_options.items[i]->name);
        g_string_append(all, OPTIONS_ALWAYS);
        return g_string_free(all, FALSE);
}

int mount_start(const StoragePoolDefinition *pool, const MountSource *source, bool is_resumed, Error *error)
{
        _cleanup_(freep) char *options = all_options(pool, source->options);
        Command command = { .name = "mount",
                            .purpose = "which mounts file systems",
                            .arguments = COMMAND_ARGUMENTS("-t", source->type ? source->type : "auto", "-o",
                                                           options, "--", source->source, pool->path),
                            .timeout_usec = MOUNT_TIMEOUT_USEC };
        int r = look(pool, source->source, error);

        if (r > 0 && !is_resumed)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "pool '%s': '%s' is mounted at its path '%s' already, by somebody else",
                                 pool->name, source->source, pool->path);
        if (r != 0)
                return MIN(r, 0);
        if (source->is_device)
                r = look_unused_device(pool->name, source->source, error);
        if (r < 0)
                return r;
        r = command_run(&command, NULL, error);
        if (r < 0) {
                error_prefix(error, "Cannot mount '%s' at '%s'", source->source, pool->path);
                fiber_clear_cancel();
                (void)mount_stop(pool, source->source, NULL); /* one that was cancelled may have done it */
        }
        return r;
}

int mount_stop(const StoragePoolDefinition *pool, const char *source, Error *error)
{
        _cleanup_(error_clear) Error failure = {};
        Command command = { .name = "umount",
                            .purpose = "which lets go of file systems",
                            .arguments = COMMAND_ARGUMENTS("--", pool->path),
                            .timeout_usec = MOUNT_TIMEOUT_USEC };
        uint64_t until_usec = deadline_after_usec(READERS_USEC);
        int r = look(pool, source, &failure);

        if (r <= 0)
                return 0; /* not ours, or gone */
        /* A reader that had begun may hold the folder for a moment. */
        while ((r = command_run(&command, NULL, &failure)) < 0 && loop_now_usec() < until_usec &&
               await_until(deadline_after_usec(UNMOUNT_PAUSE_USEC)) >= 0)
                error_clear(&failure);
        if (r < 0) {
                error_prefix(&failure, "Cannot unmount '%s'", pool->path);
                error_move(error, &failure);
        }
        return r;
}
