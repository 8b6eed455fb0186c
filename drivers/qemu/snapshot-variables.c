/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/snapshot-variables.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/snapshots.h"
#include "drivers/qemu/variables.h"
#include <errno.h>

#define VARIABLES_MAX (64u * 1024 * 1024)

/* NULL: there are none. */
static char *path_of(const Domain *domain, const DomainDefinition *definition)
{
        const OsNvram *nvram = definition->os.nvram;

        if (nvram && nvram->source)
                return g_strdup(nvram->type == DISK_TYPE_FILE ? nvram->source->file : NULL);
        if (nvram && nvram->path)
                return g_strdup(nvram->path);
        return variables_are_possible(domain) ? variables_path(domain->object.driver, definition) : NULL;
}

int snapshot_variables_save(DomainSnapshot *snapshot, const DomainDefinition *definition, Error *error)
{
        const Domain *domain = snapshot->domain;
        _cleanup_(freep) char *path = path_of(domain, definition), *data = NULL;
        _cleanup_(error_clear) Error problem = {};
        size_t size;
        int r;

        if (!path)
                return 0;
        r = owner_files_read(domain, path, VARIABLES_MAX, &data, &size, &problem);
        if (r == -ENOENT)
                return 0; /* it has never been started */
        if (r < 0) {
                error_move(error, &problem);
                return r;
        }
        return snapshots_save_nvram(snapshot, data, size, error);
}

int snapshot_variables_restore(const DomainSnapshot *snapshot, const DomainDefinition *definition,
                               Error *error)
{
        const Domain *domain = snapshot->domain;
        _cleanup_(freep) char *path = path_of(domain, definition), *data = NULL;
        size_t size;
        int r;

        if (!path || !snapshot->nvram_file)
                return 0;
        r = snapshots_read_nvram(snapshot, &data, &size, error);
        return r < 0 ? r : owner_files_replace(domain, path, data, size, error);
}
