/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/chain.h"
#include "drivers/qemu/launch.h"
#include "drivers/qemu/owner-files.h"
#include <string.h>

int chain_find_live(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error)
{
        return chain_find_named(domain->live, name, ret_disk, error);
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
