/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/chain.h"
#include "drivers/qemu/launch.h"
#include "drivers/qemu/owner-files.h"
#include <string.h>

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

static int open_passed(const Domain *domain, const char *path, bool is_writable, char **ret_name,
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

static json_t *cache_of(const DomainDisk *disk)
{
        bool is_direct = disk->cache == DISK_CACHE_NONE || disk->cache == DISK_CACHE_DIRECTSYNC;

        return json_pack("{s:b, s:b}", "direct", is_direct, "no-flush", disk->cache == DISK_CACHE_UNSAFE);
}

int chain_add_nodes(const Domain *domain, const DomainDisk *disk, const ChainImage *new, Error *error)
{
        _cleanup_(freep) char *storage = name_of(disk, new->index, "file"),
                              *image = chain_node(disk, new->index), *name = NULL;
        _cleanup_(json_decrefp) json_t *cache = cache_of(disk);
        const char *driver = new->format == DISK_FORMAT_ABSENT ? "raw" : disk_format_to_string(new->format);
        json_int_t set;
        json_t *node;
        int r = open_passed(domain, new->path, true, &name, &set, error);

        if (r < 0)
                return r;
        node = json_pack("{s:s, s:s, s:s, s:s, s:O}", "driver", new->is_device ? "host_device" : "file",
                         "node-name", storage, "filename", name, "discard", "unmap", "cache", cache);
        if (set < 0)
                json_object_set_new(node, "auto-read-only", json_true());
        r = machine_command(domain, "blockdev-add", node, NULL, error);
        if (set >= 0) /* the node has it */
                (void)machine_command(domain, "remove-fd", json_pack("{s:I}", "fdset-id", set), NULL, NULL);
        if (r < 0)
                return r;
        node = json_pack("{s:s, s:s, s:s, s:O}", "driver", driver, "node-name", image, "file", storage,
                         "cache", cache);
        if (disk->discard != DISK_DISCARD_DEFAULT)
                json_object_set_new(node, "discard", json_string(disk_discard_to_string(disk->discard)));
        if (new->below)
                json_object_set_new(node, "backing", json_string(new->below));
        else if (new->format == DISK_FORMAT_QCOW2 || new->format == DISK_FORMAT_QED)
                json_object_set_new(node, "backing", json_null());
        r = machine_command(domain, "blockdev-add", node, NULL, error);
        if (r < 0)
                (void)machine_command(domain, "blockdev-del", json_pack("{s:s}", "node-name", storage), NULL,
                                      NULL);
        return r;
}

void chain_remove_nodes(const Domain *domain, const DomainDisk *disk, uint32_t index)
{
        _cleanup_(freep) char *storage = name_of(disk, index, "file"), *image = chain_node(disk, index);

        /* What is not there, or used, is left; there is nobody to tell. */
        (void)machine_command(domain, "blockdev-del", json_pack("{s:s}", "node-name", image), NULL, NULL);
        (void)machine_command(domain, "blockdev-del", json_pack("{s:s}", "node-name", storage), NULL, NULL);
}

static int list_nodes(const Domain *domain, bool is_flat, json_t **ret_nodes, Error *error) AWAITS
{
        return machine_command(domain, "query-named-block-nodes", json_pack("{s:b}", "flat", (int)is_flat),
                               ret_nodes, error);
}

/* Borrowed; NULL: there is none. */
static json_t *find_node(json_t *nodes, const char *name)
{
        json_t *node;
        size_t i;

        json_array_foreach(nodes, i, node)
        {
                if (g_strcmp0(json_string_value(json_object_get(node, "node-name")), name) == 0)
                        return node;
        }
        return NULL;
}

int chain_has_node(const Domain *domain, const char *node, bool *ret_has, Error *error)
{
        _cleanup_(json_decrefp) json_t *nodes = NULL;
        int r = list_nodes(domain, true, &nodes, error);

        if (r >= 0)
                *ret_has = find_node(nodes, node) != NULL;
        return r;
}

int chain_is_used(const Domain *domain, const char *node, bool *ret_is_used, Error *error)
{
        _cleanup_(json_decrefp) json_t *nodes = NULL;
        int r = list_nodes(domain, false, &nodes, error); /* flat, the depth is not counted */

        if (r >= 0)
                *ret_is_used = json_integer_value(
                                       json_object_get(find_node(nodes, node), "backing_file_depth")) > 0;
        return r;
}

int chain_find_root(const Domain *domain, const DomainDisk *disk, char **ret_node, Error *error)
{
        _cleanup_(freep) char *alias = g_strdup(disk->info.alias), *target = g_strdup(disk->target),
                              *path = g_strdup_printf("/machine/peripheral/%s/", alias);
        _cleanup_(json_decrefp) json_t *drives = NULL;
        json_t *drive;
        size_t i;
        int r = machine_command(domain, "query-block", NULL, &drives, error);

        if (r < 0)
                return r;
        json_array_foreach(drives, i, drive)
        {
                const char *device = json_string_value(json_object_get(drive, "qdev")),
                           *node = json_string_value(
                                   json_object_get(json_object_get(drive, "inserted"), "node-name"));

                if (!device || !node || (strcmp(device, alias) != 0 && !g_str_has_prefix(device, path)))
                        continue;
                *ret_node = g_strdup(node);
                return 0;
        }
        return error_set(error, ERROR_OPERATION_FAILED, "QEMU has no disk '%s'", target);
}

#define FDSET "/dev/fdset/"

/* What was in the set before `keep` goes: a lock stays as long as any copy of its descriptor. */
static int keep_alone(const Domain *domain, json_int_t set, json_int_t keep, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *sets = NULL;
        json_t *one, *fd;
        size_t i, k;
        int r = machine_command(domain, "query-fdsets", NULL, &sets, error);

        if (r < 0)
                return r;
        json_array_foreach(sets, i, one)
        {
                if (json_integer_value(json_object_get(one, "fdset-id")) != set)
                        continue;
                json_array_foreach(json_object_get(one, "fds"), k, fd)
                {
                        json_int_t number = json_integer_value(json_object_get(fd, "fd"));

                        if (r >= 0 && number != keep)
                                r = machine_command(domain, "remove-fd",
                                                    json_pack("{s:I, s:I}", "fdset-id", set, "fd", number),
                                                    NULL, error);
                }
        }
        return r;
}

/* The set has one descriptor of the file, for what is wanted now. */
static int exchange_fd(const Domain *domain, const char *path, json_int_t set, bool is_writable,
                       Error *error) AWAITS
{
        _cleanup_(closep) int fd = owner_files_open(domain, path, is_writable, error);
        _cleanup_(qmp_command_freep) QmpCommand *command = NULL;
        _cleanup_(json_decrefp) json_t *answer = NULL;
        int r = fd < 0 ? fd : machine_check_monitor(domain, error);

        if (r < 0)
                return r;
        command = qmp_send(machine_of(domain)->qmp, "add-fd", json_pack("{s:I}", "fdset-id", set), fd);
        r = qmp_wait(command, deadline_after_usec(QMP_TIMEOUT_USEC), &answer, error);
        return r < 0 ? r : keep_alone(domain, set, json_integer_value(json_object_get(answer, "fd")), error);
}

static int reopen(const Domain *domain, json_t *options, Error *error) AWAITS
{
        return machine_command(domain, "blockdev-reopen", json_pack("{s:[o]}", "options", options), NULL,
                               error);
}

static int reopen_storage(const Domain *domain, const DomainDisk *disk, json_t *node, const char *path,
                          bool is_writable, Error *error) AWAITS
{
        const char *file = json_string_value(json_object_get(node, "file")),
                   *found = file ? strstr(file, FDSET) : NULL;
        json_int_t set = found ? g_ascii_strtoll(found + strlen(FDSET), NULL, 10) : -1;
        json_t *options;
        int r;

        if (!found || json_is_true(json_object_get(node, "ro")) == !is_writable)
                return 0;
        r = exchange_fd(domain, path, set, is_writable, error);
        if (r < 0)
                return r;
        /* Whatever is not said again goes back to what is usual. */
        options = json_pack("{s:O, s:O, s:o, s:b, s:s}", "driver", json_object_get(node, "drv"), "node-name",
                            json_object_get(node, "node-name"), "filename",
                            json_sprintf(FDSET "%" JSON_INTEGER_FORMAT, set), "read-only", (int)!is_writable,
                            "discard", "unmap");
        if (disk->cache != DISK_CACHE_DEFAULT)
                json_object_set_new(options, "cache", cache_of(disk));
        if (disk->io != DISK_IO_DEFAULT)
                json_object_set_new(options, "aio", json_string(disk_io_to_string(disk->io)));
        return reopen(domain, options, error);
}

/* QEMU leaves an image so that an active one was to be merged into, and was not. */
static int seal_format(const Domain *domain, const DomainDisk *disk, json_t *node, const char *storage,
                       const DiskBacking *below, Error *error) AWAITS
{
        _cleanup_(freep) char *backing =
                below && below->type != DISK_TYPE_ABSENT ? chain_node(disk, below->index) : NULL;
        const char *driver = json_string_value(json_object_get(node, "drv"));
        json_t *options;

        if (!driver || json_is_true(json_object_get(node, "ro")))
                return 0;
        options = json_pack("{s:s, s:O, s:s, s:b}", "driver", driver, "node-name",
                            json_object_get(node, "node-name"), "file", storage, "read-only", 1);
        if (strcmp(driver, "qcow2") == 0 || strcmp(driver, "qed") == 0)
                json_object_set_new(options, "backing", backing ? json_string(backing) : json_null());
        if (disk->cache != DISK_CACHE_DEFAULT)
                json_object_set_new(options, "cache", cache_of(disk));
        if (disk->discard != DISK_DISCARD_DEFAULT)
                json_object_set_new(options, "discard", json_string(disk_discard_to_string(disk->discard)));
        return reopen(domain, options, error);
}

int chain_set_writable(const Domain *domain, const DomainDisk *disk, const DiskBacking *image,
                       bool is_writable, Error *error)
{
        _cleanup_(freep) char *storage = chain_storage_node(disk, image->index),
                              *format = chain_node(disk, image->index);
        _cleanup_(json_decrefp) json_t *nodes = NULL;
        json_t *node;
        int r = list_nodes(domain, true, &nodes, error);

        if (r < 0)
                return r;
        node = find_node(nodes, format);
        if (!is_writable && node)
                r = seal_format(domain, disk, node, storage, image->backing, error);
        node = find_node(nodes, storage);
        return r < 0 || !node
                       ? r
                       : reopen_storage(domain, disk, node, chain_path(&image->source), is_writable, error);
}

int chain_set_merge_writable(const Domain *domain, const DomainDisk *disk, const char *top, const char *base,
                             bool is_writable, Error *error)
{
        const char *over = chain_above(disk, top);
        const DiskBacking *image = over ? chain_find_below(disk, over) : NULL; /* the active one is */
        int r = chain_set_writable(domain, disk, chain_find_below(disk, base), is_writable, error);

        return r < 0 || !image ? r : chain_set_writable(domain, disk, image, is_writable, error);
}

int chain_size(const Domain *domain, const DomainDisk *disk, uint64_t *ret_size, Error *error)
{
        _cleanup_(freep) char *wanted = chain_node(disk, disk->source.index);
        _cleanup_(json_decrefp) json_t *nodes = NULL;
        json_int_t size;
        json_t *node;
        int r = list_nodes(domain, true, &nodes, error);

        if (r < 0)
                return r;
        node = find_node(nodes, wanted);
        size = json_integer_value(json_object_get(json_object_get(node, "image"), "virtual-size"));
        if (!node || size < 0)
                return error_set(error, ERROR_OPERATION_FAILED, "QEMU has no node '%s'", wanted);
        *ret_size = (uint64_t)size;
        return 0;
}
