/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The definition keeps the names: what they stand for is looked up at each start. A guest writes to its
 * volumes, and so chooses what their headers say: a format that only the header says is taken, but what such
 * an image would stand on is not opened. */

#include "drivers/qemu/volume-disks.h"
#include "drivers/storage/contents.h"
#include "drivers/storage/volumes.h"
#include <stdio.h>
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

/* QEMU asks the pool's servers itself, for `name`, which is taken over, as the pool does: by the same name
 * and secret. The machine's owner is the pool's. */
static void set_network(const StoragePoolDefinition *pool, DiskProtocol protocol, char *name,
                        DiskSource *source)
{
        source->type = DISK_TYPE_NETWORK;
        source->protocol = protocol;
        source->name = name;
        LIST_FOREACH (host, pool->source.hosts) {
                DiskHost *own = g_new0(DiskHost, 1);

                own->name = g_strdup(host->name);
                own->port = host->port > 0 ? g_strdup_printf("%u", host->port) : NULL;
                list_append(&source->hosts, own);
        }
        if (pool->source.initiator)
                source->initiator_iqn = g_strdup(pool->source.initiator);
        if (pool->source.auth) {
                source->auth = struct_new(&disk_auth_type);
                source->auth->username = g_strdup(pool->source.auth->username);
                source->auth->secret = (SecretReference){
                        .type = protocol == DISK_PROTOCOL_ISCSI ? SECRET_TYPE_ISCSI : SECRET_TYPE_CEPH,
                        .usage = g_strdup(pool->source.auth->secret.usage),
                };
                g_strlcpy(source->auth->secret.uuid, pool->source.auth->secret.uuid,
                          sizeof source->auth->secret.uuid);
        }
}

/* The volume "unit:0:0:LUN" of a target. */
static int set_iscsi_unit(const Volume *volume, const StoragePoolDefinition *pool, DiskSource *source,
                          Error *error)
{
        unsigned lun;

        if (sscanf(volume->volume.object.name, "unit:%*u:%*u:%u", &lun) != 1)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The volume '%s' says no number of a unit: mode='direct' needs one",
                                 volume->volume.object.name);
        set_network(pool, DISK_PROTOCOL_ISCSI,
                    g_strdup_printf("%s/%u", pool->source.devices.items[0]->path, lun), source);
        return 0;
}

static int set_source(const Volume *volume, DiskSource *source, Error *error)
{
        const StoragePoolDefinition *pool = volume_pool(volume)->live;
        const VolumeType type = entry_type(volume->entry);

        if (!pool)
                return error_set(error, ERROR_OPERATION_INVALID, "The storage pool '%s' is not started",
                                 volume->volume.pool->object.name);
        if (source->pool_mode != DISK_POOL_MODE_DEFAULT && pool->type != POOL_TYPE_ISCSI)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The pool '%s' is of type '%s': mode='%s' is for type 'iscsi'", pool->name,
                                 pool_type_to_string(pool->type),
                                 disk_pool_mode_to_string(source->pool_mode));
        if (source->pool_mode == DISK_POOL_DIRECT || pool->type == POOL_TYPE_ISCSI_DIRECT)
                return set_iscsi_unit(volume, pool, source, error);
        if (type == VOLUME_TYPE_NETWORK && pool->type == POOL_TYPE_RBD) {
                set_network(pool, DISK_PROTOCOL_RBD, g_strdup(volume->volume.path), source);
        } else if (type == VOLUME_TYPE_FILE) {
                source->type = DISK_TYPE_FILE;
                source->file = g_strdup(volume->volume.path);
        } else if (type == VOLUME_TYPE_BLOCK) {
                source->type = DISK_TYPE_BLOCK;
                source->dev = g_strdup(volume->volume.path);
        } else {
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The volume '%s' is neither a file, a block device nor one that QEMU asks "
                                 "a server for",
                                 volume->volume.object.name);
        }
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
        if (r >= 0)
                r = set_source(volume, source, error);
        if (r >= 0)
                *type = source->type;
        return r;
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
        volume = g_tree_lookup(pool_of((StoragePool *)pool)->volumes, source->volume);
        /* What is on the network has a name and no path. */
        return volume && volume->volume.path[0] == '/' ? g_strdup(volume->volume.path) : NULL;
}
