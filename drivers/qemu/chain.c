/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/chain.h"
#include "drivers/qemu/launch.h"
#include "drivers/qemu/owner-files.h"
#include <string.h>

DomainDisk *chain_find_disk(const DomainDefinition *definition, const char *target)
{
        if (!definition)
                return NULL;
        LIST_FOREACH (disk, definition->devices.disks) {
                if (g_strcmp0(disk->target, target) == 0)
                        return disk;
        }
        return NULL;
}

int chain_find_named(const DomainDefinition *definition, const char *name, DomainDisk **ret_disk,
                     Error *error)
{
        DomainDisk *found = chain_find_disk(definition, name);

        LIST_FOREACH (disk, definition->devices.disks) {
                if (!found && g_strcmp0(chain_path(&disk->source), name) == 0)
                        found = disk;
        }
        if (!found)
                return error_set(error, ERROR_INVALID_ARGUMENT, "The domain %s has no disk '%s'",
                                 definition->name, name);
        if (disk_source_is_empty(&found->source))
                return error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' of the domain %s has no medium",
                                 found->target, definition->name);
        *ret_disk = found;
        return 0;
}

int chain_find_live(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error)
{
        return chain_find_named(domain->live, name, ret_disk, error);
}

const char *chain_path(const DiskSource *source)
{
        return source->file ? source->file : source->dev;
}

static char *name_of(const DomainDisk *disk, uint32_t index, const char *what)
{
        return index > 0 ? g_strdup_printf("%s-%u-%s", disk->target, index, what)
                         : g_strdup_printf("%s-%s", disk->target, what);
}

char *chain_node(const DomainDisk *disk, uint32_t index)
{
        return name_of(disk, index, "image");
}

char *chain_storage_node(const DomainDisk *disk, uint32_t index)
{
        return name_of(disk, index, "file");
}

uint32_t chain_free_index(const DomainDisk *disk)
{
        uint32_t index = disk->source.index;

        for (const DiskBacking *below = disk->backing; below; below = below->backing)
                index = MAX(index, below->index);
        return index + 1;
}

void chain_number(DomainDefinition *live)
{
        LIST_FOREACH (disk, live->devices.disks) {
                uint32_t index = 0;

                disk->source.index = 0;
                for (DiskBacking *below = disk->backing; below && below->type != DISK_TYPE_ABSENT;
                     below = below->backing)
                        below->index = ++index;
        }
}

void chain_push(DomainDisk *disk, const char *path, uint32_t index)
{
        DiskBacking *below = struct_new(&disk_backing_type);

        below->type = disk->type;
        below->format = disk->format == DISK_FORMAT_ABSENT ? DISK_FORMAT_RAW : disk->format;
        below->index = disk->source.index;
        below->metadata_cache_max_size = disk->metadata_cache_max_size;
        below->source = disk->source;
        below->source.index = 0;
        below->backing = disk->backing;
        if (disk->backing_ends) {
                below->backing = struct_new(&disk_backing_type);
                below->backing->type = DISK_TYPE_ABSENT;
        }
        disk->backing = below;
        disk->backing_ends = false;
        disk->type = DISK_TYPE_FILE;
        disk->format = DISK_FORMAT_QCOW2;
        disk->metadata_cache_max_size = 0;
        disk->source = (DiskSource){ .type = DISK_TYPE_FILE, .file = g_strdup(path), .index = index };
}

bool chain_pop(DomainDisk *disk)
{
        DiskBacking *below = disk->backing;
        void *old;

        if (!below || below->type == DISK_TYPE_ABSENT)
                return false;
        old = g_memdup2(&disk->source, sizeof disk->source);
        (void)struct_free(&disk_source_type, old);
        disk->source = below->source;
        disk->source.type = below->type;
        disk->source.index = below->index;
        disk->type = below->type;
        disk->format = below->format;
        disk->metadata_cache_max_size = below->metadata_cache_max_size;
        disk->backing = below->backing;
        below->source = (DiskSource){};
        below->backing = NULL;
        (void)struct_free(&disk_backing_type, below);
        if (disk->backing && disk->backing->type == DISK_TYPE_ABSENT) {
                disk->backing = struct_free(&disk_backing_type, disk->backing);
                disk->backing_ends = true;
        }
        return true;
}

bool chain_remove_image(DomainDefinition *definition, const char *target, const char *path)
{
        DomainDisk *disk = definition ? chain_find_disk(definition, target) : NULL;

        if (!disk)
                return false;
        if (g_strcmp0(chain_path(&disk->source), path) == 0)
                return chain_pop(disk);
        for (DiskBacking **at = &disk->backing; *at; at = &(*at)->backing) {
                DiskBacking *image = *at;

                if (g_strcmp0(chain_path(&image->source), path) != 0)
                        continue;
                *at = image->backing;
                image->backing = NULL;
                (void)struct_free(&disk_backing_type, image);
                return true;
        }
        return false;
}

bool chain_is_same(const DomainDisk *a, const DomainDisk *b)
{
        return a && b && chain_path(&a->source) &&
               g_strcmp0(chain_path(&a->source), chain_path(&b->source)) == 0;
}

int chain_open(const Domain *domain, const char *path, bool is_writable, char **ret_name,
               json_int_t *ret_set, Error *error)
{
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(json_decrefp) json_t *answer = NULL;
        int r;

        *ret_set = -1;
        if (!launch_passes_files(domain->object.driver, domain->object.owner)) {
                *ret_name = g_strdup(path);
                return 0;
        }
        fd = owner_files_open(domain, path, is_writable, error);
        if (fd < 0)
                return fd;
        r = machine_check_monitor(domain, error);
        if (r < 0)
                return r;
        QmpCommand *command = qmp_send(machine_of(domain)->qmp, "add-fd", NULL, fd);
        r = qmp_wait(command, deadline_after_usec(QMP_TIMEOUT_USEC), &answer, error);
        qmp_command_free(command);
        if (r < 0)
                return r;
        *ret_set = json_integer_value(json_object_get(answer, "fdset-id"));
        *ret_name = g_strdup_printf("/dev/fdset/%" JSON_INTEGER_FORMAT, *ret_set);
        return 0;
}

static int call(const Domain *domain, const char *command, json_t *arguments, Error *error) AWAITS
{
        int r = machine_check_monitor(domain, error);

        if (r < 0) {
                json_decref(arguments);
                return r;
        }
        return qmp_call(machine_of(domain)->qmp, command, arguments, deadline_after_usec(QMP_TIMEOUT_USEC),
                        NULL, error);
}

static json_t *cache_of(const DomainDisk *disk)
{
        bool is_direct = disk->cache == DISK_CACHE_NONE || disk->cache == DISK_CACHE_DIRECTSYNC;

        return json_pack("{s:b, s:b}", "direct", is_direct, "no-flush", disk->cache == DISK_CACHE_UNSAFE);
}

int chain_add_nodes(const Domain *domain, const DomainDisk *disk, const char *path, DiskFormat format,
                    uint32_t index, Error *error)
{
        _cleanup_(freep) char *storage = name_of(disk, index, "file"), *image = chain_node(disk, index),
                              *name = NULL;
        _cleanup_(json_decrefp) json_t *cache = cache_of(disk);
        const char *driver = format == DISK_FORMAT_ABSENT ? "raw" : disk_format_to_string(format);
        json_int_t set;
        json_t *node;
        int r = chain_open(domain, path, true, &name, &set, error);

        if (r < 0)
                return r;
        node = json_pack("{s:s, s:s, s:s, s:s, s:O}", "driver", "file", "node-name", storage, "filename",
                         name, "discard", "unmap", "cache", cache);
        if (set < 0)
                json_object_set_new(node, "auto-read-only", json_true());
        r = call(domain, "blockdev-add", node, error);
        if (set >= 0) /* the node has it */
                (void)call(domain, "remove-fd", json_pack("{s:I}", "fdset-id", set), NULL);
        if (r < 0)
                return r;
        node = json_pack("{s:s, s:s, s:s, s:O}", "driver", driver, "node-name", image, "file", storage,
                         "cache", cache);
        if (format == DISK_FORMAT_QCOW2 || format == DISK_FORMAT_QED)
                json_object_set_new(node, "backing", json_null());
        r = call(domain, "blockdev-add", node, error);
        if (r < 0)
                (void)call(domain, "blockdev-del", json_pack("{s:s}", "node-name", storage), NULL);
        return r;
}

void chain_remove_nodes(const Domain *domain, const DomainDisk *disk, uint32_t index)
{
        _cleanup_(freep) char *storage = name_of(disk, index, "file"), *image = chain_node(disk, index);

        /* What is not there, or used, is left; there is nobody to tell. */
        (void)call(domain, "blockdev-del", json_pack("{s:s}", "node-name", image), NULL);
        (void)call(domain, "blockdev-del", json_pack("{s:s}", "node-name", storage), NULL);
}

int chain_is_used(const Domain *domain, const char *node, bool *ret_is_used, Error *error)
{
        _cleanup_(json_decrefp) json_t *nodes = NULL;
        json_t *one;
        size_t i;
        int r = machine_check_monitor(domain, error);

        if (r >= 0) /* not "flat": then the depth is not counted */
                r = qmp_call(machine_of(domain)->qmp, "query-named-block-nodes", NULL,
                             deadline_after_usec(QMP_TIMEOUT_USEC), &nodes, error);
        if (r < 0)
                return r;
        *ret_is_used = false;
        json_array_foreach(nodes, i, one)
        {
                const char *name = json_string_value(json_object_get(one, "node-name"));

                if (name && strcmp(name, node) == 0)
                        *ret_is_used = json_integer_value(json_object_get(one, "backing_file_depth")) > 0;
        }
        return 0;
}

int chain_size(const Domain *domain, const DomainDisk *disk, uint64_t *ret_size, Error *error)
{
        _cleanup_(freep) char *wanted = chain_node(disk, disk->source.index);
        _cleanup_(json_decrefp) json_t *nodes = NULL;
        json_t *node;
        size_t i;
        int r = machine_check_monitor(domain, error);

        if (r >= 0)
                r = qmp_call(machine_of(domain)->qmp, "query-named-block-nodes",
                             json_pack("{s:b}", "flat", 1), deadline_after_usec(QMP_TIMEOUT_USEC), &nodes,
                             error);
        if (r < 0)
                return r;
        json_array_foreach(nodes, i, node)
        {
                const char *name = json_string_value(json_object_get(node, "node-name"));
                json_int_t size =
                        json_integer_value(json_object_get(json_object_get(node, "image"), "virtual-size"));

                if (!name || strcmp(name, wanted) != 0 || size < 0)
                        continue;
                *ret_size = (uint64_t)size;
                return 0;
        }
        return error_set(error, ERROR_OPERATION_FAILED, "QEMU has no node '%s'", wanted);
}
