/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type fs: the file system of a block device, mounted at the pool's path. */

#include "drivers/storage/backend.h"
#include "drivers/storage/command.h"
#include "drivers/storage/look.h"
#include "drivers/storage/mount.h"
#include <string.h>

static const char *device_of(const StoragePoolDefinition *pool)
{
        return pool->source.devices.items[0]->path;
}

static bool is_auto(const StoragePoolDefinition *pool)
{
        return strcmp(pool->source.format, "auto") == 0;
}

static int fs_start(const StoragePoolDefinition *pool, bool is_resumed, Error *error) AWAITS
{
        MountSource source = { .source = device_of(pool),
                               .type = is_auto(pool) ? NULL : pool->source.format,
                               .is_device = true };

        return mount_start(pool, &source, is_resumed, error);
}

static int fs_stop(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        return mount_stop(pool, device_of(pool), error);
}

/* How a tool is told to write over what it finds, which was asked for or is not there. */
static const char *force_of(const char *format)
{
        static const struct {
                const char *format, *option;
        } forces[] = {
                { "ext2", "-F" }, { "ext3", "-F" },  { "ext4", "-F" },
                { "xfs", "-f" },  { "btrfs", "-f" }, { "vfat", "-I" },
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(forces); i++)
                if (strcmp(forces[i].format, format) == 0)
                        return forces[i].option;
        return NULL;
}

static int make_file_system(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        _cleanup_(freep) char *tool = g_strconcat("mkfs.", pool->source.format, NULL);
        const char *force = force_of(pool->source.format);
        Command command = { .name = tool,
                            .purpose = "which makes file systems of the pool's format",
                            .arguments = COMMAND_ARGUMENTS(force, device_of(pool)) };

        if (!force)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "pool '%s': file systems of format '%s' are not made here: ext2, ext3, ext4, xfs, "
                        "btrfs and vfat are",
                        pool->name, pool->source.format);
        return command_run(&command, NULL, error);
}

static int fs_build(const StoragePoolDefinition *pool, BackendBuild how, Error *error) AWAITS
{
        int r = 0;

        if (how != BACKEND_BUILD_PLAIN)
                r = look_unused_device(pool->name, device_of(pool), error);
        if (r >= 0 && how == BACKEND_BUILD_NO_OVERWRITE)
                r = look_empty_device(pool->name, device_of(pool), error);
        if (r >= 0)
                r = files_make(pool->path, &pool->permissions, error);
        return r < 0 || how == BACKEND_BUILD_PLAIN ? r : make_file_system(pool, error);
}

static int fs_remove(const StoragePoolDefinition *pool, Error *error) AWAITS
{
        return files_delete(pool->path, error);
}

const Backend backend_fs = {
        .is_folder = true,
        .build = fs_build,
        .start = fs_start,
        .stop = fs_stop,
        .remove = fs_remove,
};
