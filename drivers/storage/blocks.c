/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/blocks.h"
#include "drivers/storage/command.h"
#include "drivers/storage/look.h"

int blocks_build(const StoragePoolDefinition *pool, BackendBuild how, const char *tool, const char *purpose,
                 const char *const *words, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *arguments = g_ptr_array_new();

        if (pool->source.devices.count == 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "pool '%s': a <device> in its <source> is needed to build it", pool->name);
        for (const char *const *word = words; *word; word++)
                g_ptr_array_add(arguments, (char *)*word);
        LIST_FOREACH (device, pool->source.devices) {
                int r = look_unused_device(pool->name, device->path, error);

                if (r >= 0 && how != BACKEND_BUILD_OVERWRITE)
                        r = look_empty_device(pool->name, device->path, error);
                if (r < 0)
                        return r;
                g_ptr_array_add(arguments, device->path);
        }
        g_ptr_array_add(arguments, NULL);
        return command_run(&(Command){ .name = tool,
                                       .purpose = purpose,
                                       .arguments = (const char *const *)arguments->pdata },
                           NULL, error);
}

int blocks_check_new(const StorageVolumeDefinition *volume, const char *what, bool has_backing, Error *error)
{
        VolumeFormat format = volume->target.format;

        if (format != VOLUME_FORMAT_ABSENT && format != VOLUME_FORMAT_RAW)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "volume '%s': %s are raw, not '%s'",
                                 volume->name, what, volume_format_to_string(format));
        if (!volume->target.encryption && (has_backing || !volume->backing))
                return 0;
        return error_set(error, ERROR_CONFIG_UNSUPPORTED, "volume '%s': %s have no %s here", volume->name,
                         what, volume->target.encryption ? "<encryption>" : "<backingStore>");
}
