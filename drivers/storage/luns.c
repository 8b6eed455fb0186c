/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/storage/luns.h"
#include "drivers/storage/listed.h"
#include "drivers/storage/look.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEVICES_FOLDER "/sys/bus/scsi/devices"
#define TYPE_DISK      0

int luns_host_number(const char *name, unsigned *ret_host)
{
        unsigned host;
        int end = 0;

        if (!name || sscanf(name, "host%u%n", &host, &end) != 1 || name[end] != '\0')
                return -EINVAL;
        *ret_host = host;
        return 0;
}

static bool is_disk(const char *address)
{
        _cleanup_(freep) char *path = g_build_filename(DEVICES_FOLDER, address, "type", NULL), *text = NULL;

        return g_file_get_contents(path, &text, NULL, NULL) && g_ascii_isdigit(*text) &&
               atoi(text) == TYPE_DISK;
}

/* "sda": the kernel's name of the disk; the caller frees. */
static char *node_of(const char *address)
{
        _cleanup_(freep) char *path = g_build_filename(DEVICES_FOLDER, address, "block", NULL);
        GDir *folder = g_dir_open(path, 0, NULL);
        const char *name = folder ? g_dir_read_name(folder) : NULL;
        char *node = name ? g_build_filename("/dev", name, NULL) : NULL;

        if (folder)
                g_dir_close(folder);
        return node;
}

static void add_unit(const StoragePoolDefinition *pool, const char *address, GPtrArray *entries) AWAITS
{
        _cleanup_(freep) char *node = is_disk(address) ? node_of(address) : NULL, *path = NULL, *name = NULL;

        if (!node || look_stable_path(pool->path, node, &path, NULL) < 0)
                return;
        name = g_strconcat("unit", strchr(address, ':'), NULL);
        listed_add_device(entries, &(Listed){ .name = name, .path = path, .type = S_IFBLK });
}

/* sysfs is memory: reading its folders waits for nothing. The names are read before anything waits. */
static GPtrArray *addresses_of(unsigned host)
{
        GPtrArray *addresses = g_ptr_array_new_with_free_func(g_free);
        GDir *folder = g_dir_open(DEVICES_FOLDER, 0, NULL);
        unsigned numbers[4];
        const char *name;

        while (folder && (name = g_dir_read_name(folder)))
                if (sscanf(name, "%u:%u:%u:%u", &numbers[0], &numbers[1], &numbers[2], &numbers[3]) == 4 &&
                    numbers[0] == host)
                        g_ptr_array_add(addresses, g_strdup(name));
        if (folder)
                g_dir_close(folder);
        return addresses;
}

int luns_list(const StoragePoolDefinition *pool, unsigned host, GPtrArray **ret_entries,
              BackendSizes *ret_sizes, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = listed_new(), *addresses = addresses_of(host);

        (void)error;
        for (unsigned i = 0; i < addresses->len; i++)
                add_unit(pool, addresses->pdata[i], entries);
        *ret_sizes = (BackendSizes){};
        for (unsigned i = 0; i < entries->len; i++)
                ret_sizes->capacity += (uint64_t)((const FileEntry *)entries->pdata[i])->stat.st_size;
        ret_sizes->allocation = ret_sizes->capacity;
        *ret_entries = TAKE_PTR(entries);
        return 0;
}
