/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/snapshot-variables.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/snapshots.h"
#include "drivers/qemu/variables.h"
#include <errno.h>
#include <string.h>

#define READS_MAX 10

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

/* As it was at one moment, though QEMU may write to it: two looks in a row that show the same. Firmware
 * writes so that it finds itself again after a loss of power at any moment. */
static int read_still(const Domain *domain, const char *path, char **ret_data, size_t *ret_size,
                      Error *error) AWAITS
{
        _cleanup_(freep) char *last = NULL;
        size_t last_size = 0;

        for (unsigned i = 0; i <= READS_MAX; i++) {
                _cleanup_(freep) char *data = NULL;
                size_t size;
                int r = owner_files_read(domain, path, VARIABLES_MAX, &data, &size, error);

                if (r < 0)
                        return r;
                if (last && size == last_size && memcmp(data, last, size) == 0) {
                        *ret_data = TAKE_PTR(data);
                        *ret_size = size;
                        return 0;
                }
                g_free(last);
                last = TAKE_PTR(data);
                last_size = size;
        }
        return error_set(error, ERROR_OPERATION_FAILED,
                         "The variables of the firmware, %s, are written all the time: try again", path);
}

int snapshot_variables_save(DomainSnapshot *snapshot, const DomainDefinition *definition, Error *error)
{
        const Domain *domain = snapshot->domain;
        _cleanup_(freep) char *path = path_of(domain, definition), *data = NULL;
        _cleanup_(error_clear) Error problem = {};
        size_t size = 0;
        int r;

        if (!path)
                return 0;
        r = variables_take_renamed(domain, definition, error);
        if (r < 0)
                return r;
        r = read_still(domain, path, &data, &size, &problem);
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
