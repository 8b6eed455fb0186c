/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The data goes first, then the record: a record of a snapshot whose data is gone in part can be deleted
 * again. What cannot be removed without taking something from another snapshot is refused before anything
 * is changed. */

#include "drivers/qemu/snapshot-delete.h"
#include "core/log.h"
#include "drivers/qemu/chain-merge.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/image-tool.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/save.h"
#include "drivers/qemu/snapshot-recover.h"
#include "drivers/qemu/snapshots.h"
#include <string.h>

/* The image of a disk at the time of the snapshot; NULL: not known. */
static const char *image_of(const DomainSnapshot *snapshot, const char *target)
{
        const DomainDefinition *domain = snapshot->definition->domain;
        const DomainDisk *disk = chain_find_disk(domain, target);

        return disk ? chain_path(&disk->source) : NULL;
}

/* The node of an image that is active in the machine; NULL: it is not. */
static char *active_node(const Domain *domain, const char *target, const char *path)
{
        const DomainDisk *disk = chain_find_disk(domain->live, target);

        return disk && g_strcmp0(chain_path(&disk->source), path) == 0 ? chain_node(disk, disk->source.index)
                                                                       : NULL;
}

static int remove_inside_running(Domain *domain, const DomainSnapshot *snapshot, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *devices = json_array();

        LIST_FOREACH (disk, snapshot->definition->disks) {
                const char *path = image_of(snapshot, disk->name);
                _cleanup_(freep) char *node = NULL;

                if (disk->snapshot != DISK_SNAPSHOT_INTERNAL)
                        continue;
                node = active_node(domain, disk->name, path);
                if (!node)
                        return error_set(error, ERROR_NOT_SUPPORTED,
                                         "The image %s with snapshot '%s' is not the one that the machine "
                                         "writes: it has to be stopped first",
                                         path ? path : disk->name, snapshot->object.name);
                json_array_append_new(devices, json_string(node));
        }
        if (json_array_size(devices) == 0)
                return 0;
        return long_job_run(domain, "snapshot-delete",
                            json_pack("{s:s, s:O}", "tag", snapshot->object.name, "devices", devices),
                            "virtbus-snapshot", error);
}

static int remove_inside_stopped(Domain *domain, const DomainSnapshot *snapshot, Error *error) AWAITS
{
        int r = 0;

        LIST_FOREACH (disk, snapshot->definition->disks) {
                const char *path = image_of(snapshot, disk->name);
                bool exists = true;

                if (disk->snapshot != DISK_SNAPSHOT_INTERNAL || !path)
                        continue;
                r = image_tool_snapshot_exists(domain, path, snapshot->object.name, &exists, error);
                if (r >= 0 && exists)
                        r = image_tool_snapshot_delete(domain, path, snapshot->object.name, error);
                if (r < 0)
                        break;
        }
        return r;
}

static bool has_outside(const DomainSnapshot *snapshot)
{
        LIST_FOREACH (disk, snapshot->definition->disks) {
                if (disk->snapshot == DISK_SNAPSHOT_EXTERNAL)
                        return true;
        }
        return false;
}

/* Nothing that the machine has names the image any more, only what is below it. */
static bool is_out_of_chain(const Domain *domain, const DomainSnapshot *snapshot, const SnapshotDisk *disk)
{
        const char *path = chain_path(&disk->source), *base = image_of(snapshot, disk->name);

        return !chain_is_named(domain->live, disk->name, path) &&
               !chain_is_named(domain->definition, disk->name, path) &&
               chain_is_named(domain_current_definition(domain), disk->name, base);
}

static bool is_of_others(const Domain *domain, const DomainSnapshot *snapshot, const SnapshotDisk *disk)
{
        const char *path = chain_path(&disk->source);

        for (unsigned i = 0; i < domain->snapshots->len; i++) {
                const DomainSnapshot *other = domain->snapshots->pdata[i];

                if (other != snapshot &&
                    (chain_is_named(other->definition->domain, disk->name, path) ||
                     chain_is_named(other->definition->inactive_domain, disk->name, path)))
                        return true;
        }
        return false;
}

/* By an attempt that another disk has ended. */
static bool is_merged(const Domain *domain, const DomainSnapshot *snapshot, const SnapshotDisk *disk)
{
        return is_out_of_chain(domain, snapshot, disk) && !is_of_others(domain, snapshot, disk);
}

/* Nobody but those after it may need what the merge changes: the image below. */
static int check_outside(const Domain *domain, const DomainSnapshot *snapshot, Error *error)
{
        int refused = save_refuse(domain, "merging images", error);

        if (refused < 0)
                return refused;
        LIST_FOREACH (disk, snapshot->definition->disks) {
                const char *base = image_of(snapshot, disk->name), *path = chain_path(&disk->source);
                int r;

                if (disk->snapshot != DISK_SNAPSHOT_EXTERNAL)
                        continue;
                if (!base || !path)
                        return error_set(error, ERROR_NOT_SUPPORTED,
                                         "The images of snapshot '%s' are not known: flag METADATA_ONLY (2) "
                                         "forgets its record",
                                         snapshot->object.name);
                if (is_merged(domain, snapshot, disk))
                        continue;
                r = chain_merge_check(domain, disk->name, path, base, error);
                if (r < 0)
                        return r;
                for (unsigned i = 0; i < domain->snapshots->len; i++) {
                        const DomainSnapshot *other = domain->snapshots->pdata[i];
                        const char *image = other == snapshot ? NULL : image_of(other, disk->name);

                        bool is_outside = has_outside(other);

                        /* A snapshot inside of the lower image stays in it. */
                        if (image && ((is_outside && strcmp(image, base) == 0) ||
                                      (!is_outside && strcmp(image, path) == 0)))
                                return error_set(
                                        error, ERROR_NOT_SUPPORTED,
                                        "Snapshot '%s' needs the image %s as well: '%s' cannot be merged",
                                        other->object.name, image, snapshot->object.name);
                }
        }
        return 0;
}

static void definition_release(void *definition)
{
        snapshot_definition_free(definition);
}

/* The snapshots after it have the image that went in their chains no longer. */
static int forget_image(Domain *domain, const DomainSnapshot *gone, const SnapshotDisk *disk,
                        Error *error) AWAITS
{
        _cleanup_(g_hash_table_unrefp) GHashTable *definitions =
                g_hash_table_new_full(NULL, NULL, NULL, definition_release);
        const char *path = chain_path(&disk->source);

        for (unsigned i = 0; i < domain->snapshots->len; i++) {
                DomainSnapshot *other = domain->snapshots->pdata[i];
                SnapshotDefinition *changed;
                bool is_changed;

                if (other == gone)
                        continue;
                changed = struct_copy(&snapshot_definition_type, other->definition);
                is_changed = chain_remove_image(changed->domain, disk->name, path);
                is_changed |= chain_remove_image(changed->inactive_domain, disk->name, path);
                if (is_changed)
                        g_hash_table_insert(definitions, other, changed);
                else
                        snapshot_definition_free(changed);
        }
        return g_hash_table_size(definitions) == 0
                       ? 0
                       : snapshots_change(domain, &(SnapshotChange){ .definitions = definitions }, error);
}

/* An attempt that ended when an image was merged, and before the snapshots after it said so: they need it no
 * longer if what is below it has the same content. If not they go on from it, and it stays. */
static int forget_merged(Domain *domain, const DomainSnapshot *snapshot, Error *error) AWAITS
{
        int r = 0;

        LIST_FOREACH (disk, snapshot->definition->disks) {
                const DomainDisk *was = chain_find_disk(snapshot->definition->domain, disk->name),
                                 *live = chain_find_disk(domain->live, disk->name);
                const char *path = chain_path(&disk->source), *base = image_of(snapshot, disk->name);

                if (r < 0 || disk->snapshot != DISK_SNAPSHOT_EXTERNAL || !path || !base ||
                    !is_out_of_chain(domain, snapshot, disk) || !is_of_others(domain, snapshot, disk) ||
                    (live && chain_is_active(live, base))) /* the guest writes to it */
                        continue;
                if (image_tool_is_same(domain, path, base, was->format))
                        r = forget_image(domain, snapshot, disk, error);
        }
        return r;
}

static void remove_file(const Domain *domain, const char *path) AWAITS
{
        _cleanup_(error_clear) Error error = {};

        if (owner_files_remove(domain, path, &error) < 0)
                log_warning(domain->object.path, "%s", error.message);
}

/* What is there may be somebody else's by now. */
static void note_left(const Domain *domain, const char *path) AWAITS
{
        _cleanup_(closep) int fd = owner_files_open(domain, path, false, NULL);

        if (fd >= 0)
                log_warning(domain->object.path,
                            "an earlier attempt has merged %s, which no disk or snapshot of machine %s has "
                            "any more: the file is left behind",
                            path, domain->object.name);
}

/* One disk after the other, each to its end: the next attempt goes on where this one fails. */
static int remove_outside(Call *call, Domain *domain, const DomainSnapshot *snapshot, Error *error) AWAITS
{
        LIST_FOREACH (disk, snapshot->definition->disks) {
                const char *path = chain_path(&disk->source);
                int r;

                if (disk->snapshot != DISK_SNAPSHOT_EXTERNAL)
                        continue;
                if (is_merged(domain, snapshot, disk)) {
                        note_left(domain, path);
                        continue;
                }
                r = chain_merge(domain, disk->name, path, image_of(snapshot, disk->name), call->job, error);
                if (r >= 0)
                        r = forget_image(domain, snapshot, disk, error);
                if (r < 0)
                        return r;
                remove_file(domain, path); /* no record says that it is needed */
        }
        return 0;
}

static int remove_one(Call *call, Domain *domain, DomainSnapshot *snapshot, bool is_record_only,
                      Error *error) AWAITS
{
        _cleanup_(snapshot_unrefp) DomainSnapshot *held _unused_ = snapshot_ref(snapshot);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *removed = g_ptr_array_new();
        bool is_outside = has_outside(snapshot);
        int r = 0;

        g_ptr_array_add(removed, snapshot);
        if (!is_record_only && is_outside) {
                r = forget_merged(domain, snapshot, error);
                if (r >= 0)
                        r = check_outside(domain, snapshot, error);
                if (r >= 0)
                        r = remove_outside(call, domain, snapshot, error);
        } else if (!is_record_only) {
                r = domain_is_active(domain) ? remove_inside_running(domain, snapshot, error)
                                             : remove_inside_stopped(domain, snapshot, error);
        }
        if (r >= 0)
                r = snapshots_change(domain, &(SnapshotChange){ .removed = removed }, error);
        if (r >= 0 && !is_record_only && snapshot->definition->memory_file)
                remove_file(domain, snapshot->definition->memory_file);
        return r;
}

int qemu_snapshot_delete(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error)
{
        _cleanup_(domain_unrefp) Domain *domain = domain_ref(snapshot->domain);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *list = NULL;
        int r = flags & DELETE_METADATA_ONLY ? 0 : snapshot_recover(domain, error);

        if (r >= 0)
                r = forest_collect(snapshot, flags, &list, error);
        if (r >= 0 && !(flags & DELETE_METADATA_ONLY) && domain_is_active(domain))
                r = machine_check_monitor(domain, error);
        if (r < 0)
                return r;
        for (unsigned i = list->len; r >= 0 && i > 0; i--)
                r = remove_one(call, domain, list->pdata[i - 1], flags & DELETE_METADATA_ONLY, error);
        return r;
}
