/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools of type mpath: all disks of the host that are reached by more than one path. */

#include "drivers/storage/backend.h"
#include "drivers/storage/command.h"
#include "drivers/storage/listed.h"
#include <stdio.h>
#include <string.h>

/* A line is "NAME<tab>(MAJOR:MINOR)", of older tools "(MAJOR, MINOR)"; without any there is one sentence
 * instead. Volumes are named as the kernel names the devices. */
static int mpath_list(const StoragePoolDefinition *pool, GPtrArray **ret_entries, BackendSizes *ret_sizes,
                      Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *entries = listed_new();
        _cleanup_(freep) char *output = NULL;
        _cleanup_(strvp) char **lines = NULL;
        int r = command_run(&(Command){ .name = "dmsetup",
                                        .purpose = "which lists the device mapper's devices",
                                        .arguments = COMMAND_ARGUMENTS("ls", "--target", "multipath") },
                            &output, error);

        (void)pool;
        if (r < 0)
                return r;
        *ret_sizes = (BackendSizes){};
        lines = g_strsplit(output, "\n", -1);
        for (char **line = lines; *line; line++) {
                char *end = strchr(*line, '\t');
                _cleanup_(freep) char *path = NULL, *name = NULL;
                unsigned minor;

                if (!end ||
                    (sscanf(end, "\t(%*u:%u)", &minor) != 1 && sscanf(end, "\t(%*u, %u)", &minor) != 1))
                        continue;
                *end = '\0';
                path = g_build_filename("/dev/mapper", *line, NULL);
                name = g_strdup_printf("dm-%u", minor);
                listed_add_device(entries, &(Listed){ .name = name, .path = path, .type = S_IFBLK });
        }
        for (unsigned i = 0; i < entries->len; i++)
                ret_sizes->capacity += (uint64_t)((const FileEntry *)entries->pdata[i])->stat.st_size;
        ret_sizes->allocation = ret_sizes->capacity;
        *ret_entries = TAKE_PTR(entries);
        return 0;
}

const Backend backend_mpath = { .list = mpath_list };
