/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions of networks, pools, volumes, secrets, filters, snapshots, checkpoints and backups: whatever is
 * accepted is written so that it is accepted again and says the same. */

#include "model/backup.h"
#include "model/checkpoint.h"
#include "model/network.h"
#include "model/nwfilter.h"
#include "model/secret.h"
#include "model/snapshot.h"
#include "model/storage-volume.h"
#include <stdlib.h>
#include <string.h>

typedef char *(*Once)(const char *text, size_t size, Error *error);

static char *network_once(const char *text, size_t size, Error *error)
{
        _cleanup_(network_definition_freep) NetworkDefinition *network = NULL;

        return network_definition_parse(text, size, DEFINITION_INACTIVE, &network, error) < 0
                       ? NULL
                       : network_definition_format(network, DEFINITION_INACTIVE);
}

static char *pool_once(const char *text, size_t size, Error *error)
{
        _cleanup_(storage_pool_definition_freep) StoragePoolDefinition *pool = NULL;

        return storage_pool_definition_parse(text, size, DEFINITION_INACTIVE, &pool, error) < 0
                       ? NULL
                       : storage_pool_definition_format(pool);
}

static char *volume_once(const char *text, size_t size, Error *error)
{
        _cleanup_(storage_volume_definition_freep) StorageVolumeDefinition *volume = NULL;

        return storage_volume_definition_parse(text, size, &volume, error) < 0
                       ? NULL
                       : storage_volume_definition_format(volume);
}

static char *secret_once(const char *text, size_t size, Error *error)
{
        _cleanup_(secret_definition_freep) SecretDefinition *secret = NULL;

        return secret_definition_parse(text, size, DEFINITION_INACTIVE, &secret, error) < 0
                       ? NULL
                       : secret_definition_format(secret);
}

static char *filter_once(const char *text, size_t size, Error *error)
{
        _cleanup_(filter_definition_freep) FilterDefinition *filter = NULL;

        return filter_definition_parse(text, size, &filter, error) < 0 ? NULL
                                                                       : filter_definition_format(filter);
}

static char *snapshot_once(const char *text, size_t size, Error *error)
{
        _cleanup_(snapshot_definition_freep) SnapshotDefinition *snapshot = NULL;

        return snapshot_definition_parse(text, size, true, &snapshot, error) < 0
                       ? NULL
                       : snapshot_definition_format(snapshot, 0);
}

static char *snapshot_request_once(const char *text, size_t size, Error *error)
{
        _cleanup_(snapshot_definition_freep) SnapshotDefinition *snapshot = NULL;

        return snapshot_definition_parse(text, size, false, &snapshot, error) < 0
                       ? NULL
                       : snapshot_definition_format(snapshot, 0);
}

static char *checkpoint_once(const char *text, size_t size, Error *error)
{
        _cleanup_(checkpoint_definition_freep) CheckpointDefinition *checkpoint = NULL;

        return checkpoint_definition_parse(text, size, true, &checkpoint, error) < 0
                       ? NULL
                       : checkpoint_definition_format(checkpoint, 0);
}

static char *backup_once(const char *text, size_t size, Error *error)
{
        _cleanup_(backup_definition_freep) BackupDefinition *backup = NULL;

        return backup_definition_parse(text, size, &backup, error) < 0 ? NULL
                                                                       : backup_definition_format(backup);
}

static void check(Once once, const char *text, size_t size)
{
        _cleanup_(error_clear) Error refused = {}, error = {};
        _cleanup_(freep) char *first = once(text, size, &refused), *second = NULL;

        if (!first && !error_is_set(&refused))
                abort(); /* refused without a word */
        if (!first)
                return;
        second = once(first, strlen(first), &error);
        if (!second || strcmp(first, second) != 0) {
                g_printerr("--- first\n%s--- second\n%s\n", first, second ? second : error.message);
                abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const Once kinds[] = { network_once,          pool_once,       volume_once,
                                      secret_once,           filter_once,     snapshot_once,
                                      snapshot_request_once, checkpoint_once, backup_once };

        for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
                check(kinds[i], (const char *)data, size);
        return 0;
}
