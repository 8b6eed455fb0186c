/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The definition keeps the names: what they stand for is looked up at each start. A guest writes to its
 * volumes, and so chooses what their headers say: a format that only the header says is taken, but what such
 * an image would stand on is not opened. */

#include "drivers/qemu/volume-disks.h"
#include "drivers/storage/contents.h"
#include "drivers/storage/volumes.h"
#include <string.h>

static int find_volume(const Driver *driver, const DiskSource *source, uid_t owner, Volume **ret_volume,
                       Error *error) AWAITS
{
        _cleanup_(object_unrefp) Object *pool = NULL;
        Call call = { .driver = (Driver *)driver, .uid = owner, .owner = owner };
        StorageVolume *volume = NULL;
        int r;

        pool = object_table_owned(driver->objects, OBJECT_STORAGE_POOL, source->pool, owner);
        if (!pool)
                return error_set(error, ERROR_NO_STORAGE_POOL,
                                 "There is no storage pool '%s' of the machine's owner", source->pool);
        (void)object_ref(pool);
        r = volumes_find(&call, (StoragePool *)pool, source->volume, &volume, error);
        if (r >= 0 && !volume)
                r = error_set(error, ERROR_NO_STORAGE_VOLUME, "The storage pool '%s' has no volume '%s'",
                              source->pool, source->volume);
        if (r >= 0)
                *ret_volume = volume_of(volume);
        return r;
}

/* "luks" and "iso" are raw to QEMU; <encryption> says the rest. */
static int format_of(const Volume *volume, DiskFormat *ret_format, Error *error)
{
        const VolumeHeader *header = &volume->entry->header;
        const char *name = volume->volume.object.name;
        int format;

        if (header->backing_path || header->has_data_file)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "The volume '%s' says that it stands on other files: <driver type> must name "
                        "its format if that is to be believed",
                        name);
        if (!header->format)
                return error_set(error, ERROR_OPERATION_FAILED, "The volume '%s' is damaged", name);
        format = g_strcmp0(header->format, "luks") == 0
                         ? (int)DISK_FORMAT_RAW
                         : enum_from_string(&disk_format_table, header->format);
        if (format < 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The volume '%s' has the format '%s', which no disk can have", name,
                                 header->format);
        *ret_format = (DiskFormat)format;
        return 0;
}

static int resolve(const Driver *driver, uid_t owner, DiskType *type, DiskFormat *format, DiskSource *source,
                   bool *ret_is_guessed, Error *error) AWAITS
{
        _cleanup_(object_unrefp) Object *held = NULL;
        Volume *volume = NULL;
        int r = find_volume(driver, source, owner, &volume, error);

        if (r < 0)
                return r;
        held = &volume->volume.object;
        *ret_is_guessed = *format == DISK_FORMAT_ABSENT;
        if (*ret_is_guessed)
                r = format_of(volume, format, error);
        if (r < 0)
                return r;
        switch (entry_type(volume->entry)) {
        case VOLUME_TYPE_FILE:
                *type = source->type = DISK_TYPE_FILE;
                source->file = g_strdup(volume->volume.path);
                return 0;
        case VOLUME_TYPE_BLOCK:
                *type = source->type = DISK_TYPE_BLOCK;
                source->dev = g_strdup(volume->volume.path);
                return 0;
        default:
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The volume '%s' is neither a file nor a block device", held->name);
        }
}

static int resolve_disk(const Driver *driver, uid_t owner, DomainDisk *disk, Error *error) AWAITS
{
        bool is_guessed = false;
        int r = 0;

        if (disk->type == DISK_TYPE_VOLUME)
                r = resolve(driver, owner, &disk->type, &disk->format, &disk->source, &is_guessed, error);
        if (r >= 0 && is_guessed && !disk->backing)
                disk->backing_ends = true;
        for (DiskBacking *backing = disk->backing; r >= 0 && backing; backing = backing->backing)
                if (backing->type == DISK_TYPE_VOLUME)
                        r = resolve(driver, owner, &backing->type, &backing->format, &backing->source,
                                    &is_guessed, error);
        if (r < 0)
                error_prefix(error, "The disk %s", disk->target);
        return r;
}

static bool names_volumes(const DomainDisk *disk)
{
        if (disk->type == DISK_TYPE_VOLUME && disk->source.pool && disk->source.volume)
                return true;
        for (const DiskBacking *backing = disk->backing; backing; backing = backing->backing)
                if (backing->type == DISK_TYPE_VOLUME)
                        return true;
        return false;
}

int volume_disks_resolve(const Driver *driver, const DomainDefinition *live, uid_t owner,
                         DomainDefinition **ret_resolved, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *resolved = NULL;
        bool is_wanted = false;

        LIST_FOREACH (disk, live->devices.disks)
                is_wanted |= names_volumes(disk);
        *ret_resolved = NULL;
        if (!is_wanted)
                return 0;
        resolved = domain_definition_copy(live);
        LIST_FOREACH (disk, resolved->devices.disks) {
                int r = names_volumes(disk) ? resolve_disk(driver, owner, disk, error) : 0;

                if (r < 0)
                        return r;
        }
        *ret_resolved = TAKE_PTR(resolved);
        return 0;
}

char *volume_disks_path(const Driver *driver, const DiskSource *source, uid_t owner)
{
        const Object *pool;
        const Volume *volume;

        if (source->type != DISK_TYPE_VOLUME)
                return g_strdup(source->file ? source->file : source->dev);
        pool = source->pool && source->volume
                       ? object_table_owned(driver->objects, OBJECT_STORAGE_POOL, source->pool, owner)
                       : NULL;
        if (!pool)
                return NULL;
        volume = g_hash_table_lookup(pool_of((StoragePool *)pool)->volumes, source->volume);
        return volume ? g_strdup(volume->volume.path) : NULL;
}
