/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* QEMU is asked how far it got, or the images are. What is complete becomes a snapshot; of anything else the
 * record goes, and images that were made for it, unless who asked for them had them before. */

#include "drivers/qemu/snapshot-recover.h"
#include "core/log.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/image-tool.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/save-file.h"
#include "drivers/qemu/snapshot-memory.h"
#include "drivers/qemu/snapshots.h"
#include "drivers/qemu/status.h"
#include <errno.h>
#include <string.h>

static bool is_outside(const SnapshotDefinition *definition)
{
        LIST_FOREACH (disk, definition->disks) {
                if (disk->snapshot == DISK_SNAPSHOT_EXTERNAL)
                        return true;
        }
        return definition->memory == DISK_SNAPSHOT_EXTERNAL;
}

/* Memory that is not all in its file is no snapshot's. */
static int look_memory(const Domain *domain, const SnapshotDefinition *definition, Error *error) AWAITS
{
        _cleanup_(closep) int fd = -EBADF;
        int r = definition->memory == DISK_SNAPSHOT_EXTERNAL
                        ? snapshot_memory_open(domain, definition, &fd, error)
                        : 0;

        return r >= 0 ? 1 : r == -ENOENT || r == SAVE_FILE_WRONG ? 0 : r;
}

/* 1: it is complete. */
static int look_outside(const Domain *domain, const SnapshotDefinition *definition, Error *error) AWAITS
{
        LIST_FOREACH (request, definition->disks) {
                const DomainDisk *was = chain_find_disk(definition->domain, request->name);
                const DomainDisk *live = chain_find_disk(domain->live, request->name);
                bool is_used = false;
                int r = 0;

                if (request->snapshot != DISK_SNAPSHOT_EXTERNAL)
                        continue;
                if (!was || (domain->live && !live))
                        return 0;
                if (!domain->live) {
                        r = image_tool_check_base(domain, request->source.file, chain_path(&was->source),
                                                  error);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (g_strcmp0(chain_path(&live->source), request->source.file) == 0)
                        continue;
                _cleanup_(freep) char *node = chain_node(live, chain_free_index(live));

                r = chain_is_used(domain, node, &is_used, error);
                if (r < 0 || !is_used)
                        return r;
        }
        return 1;
}

static int look_inside(Domain *domain, const SnapshotDefinition *definition, Error *error) AWAITS
{
        _cleanup_(error_clear) Error unknown = {};

        if (domain->live)
                (void)long_job_wait(domain, "virtbus-snapshot", LONG_JOB_ENDED,
                                    &unknown); /* the images tell */
        LIST_FOREACH (request, definition->disks) {
                const DomainDisk *disk = chain_find_disk(definition->domain, request->name);
                bool exists = false;
                int r;

                if (request->snapshot != DISK_SNAPSHOT_INTERNAL)
                        continue;
                if (!disk)
                        return 0;
                r = image_tool_snapshot_exists(domain, chain_path(&disk->source), definition->name, &exists,
                                               error);
                if (r < 0 || !exists)
                        return r;
        }
        return 1;
}

/* Puts the images of the snapshot on top of a definition's chains, or takes them off. */
static bool set_images(DomainDefinition *definition, const SnapshotDefinition *snapshot, bool is_live,
                       bool is_on)
{
        bool is_changed = false;

        LIST_FOREACH (request, snapshot->disks) {
                DomainDisk *disk = chain_find_disk(definition, request->name);
                const DomainDisk *was = chain_find_disk(snapshot->domain, request->name);
                bool has_it = disk && g_strcmp0(chain_path(&disk->source), request->source.file) == 0;

                if (!disk || !was || request->snapshot != DISK_SNAPSHOT_EXTERNAL || has_it == is_on)
                        continue;
                if (is_on && !chain_is_same(disk, was))
                        continue; /* the definition was changed to another image */
                if (is_on)
                        chain_push(disk, request->source.file, is_live ? chain_free_index(disk) : 0);
                else
                        (void)chain_pop(disk);
                is_changed = true;
        }
        return is_changed;
}

static int follow(Domain *domain, const SnapshotDefinition *snapshot, bool is_on, Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *kept =
                domain_definition_copy(domain->definition);
        _cleanup_(domain_definition_freep) DomainDefinition *live = NULL;
        int r = 0;

        if (set_images(kept, snapshot, false, is_on)) {
                r = definitions_save(domain, kept, domain->is_autostart, error);
                if (r < 0)
                        return r;
                domain_definition_free(domain->definition);
                domain->definition = TAKE_PTR(kept);
        }
        if (domain->live && is_on) /* as it is now: devices may have gone meanwhile */
                live = domain_definition_copy(domain->live);
        if (!set_images(live, snapshot, true, true))
                return 0;
        domain_set_live(domain, TAKE_PTR(live));
        return status_save(domain, error);
}

/* What QEMU has of images that no disk went over to, and the files if they were made for the snapshot. */
static void drop_images(Domain *domain, const SnapshotDefinition *snapshot) AWAITS
{
        LIST_FOREACH (request, snapshot->disks) {
                const DomainDisk *live = chain_find_disk(domain->live, request->name);
                _cleanup_(error_clear) Error error = {};

                if (request->snapshot != DISK_SNAPSHOT_EXTERNAL ||
                    chain_is_named(domain->definition, NULL, request->source.file) ||
                    chain_is_named(domain->live, NULL, request->source.file))
                        continue;
                if (live && machine_of(domain)->qmp)
                        chain_remove_nodes(domain, live, chain_free_index(live));
                if (machine_of(domain)->pending_images_made &&
                    owner_files_remove(domain, request->source.file, &error) < 0)
                        log_warning(domain->object.path, "%s", error.message);
        }
}

static int end_taking(Domain *domain, DomainSnapshot *snapshot, Error *ret_error) AWAITS
{
        _cleanup_(error_clear) Error error = {};
        int r, images, complete;

        images = is_outside(snapshot->definition) ? look_outside(domain, snapshot->definition, &error)
                                                  : look_inside(domain, snapshot->definition, &error);
        complete = images > 0 ? look_memory(domain, snapshot->definition, &error) : images;
        if (complete < 0) { /* the definition is right as it is: see snapshot-take.c */
                log_error(domain->object.path,
                          "what became of snapshot '%s' of machine %s cannot be found out: %s",
                          snapshot->object.name, domain->object.name, error.message);
                error_move(ret_error, &error);
                return complete;
        }
        r = is_outside(snapshot->definition) && domain->definition && (complete > 0 || domain->live)
                    ? follow(domain, snapshot->definition, images > 0, &error)
                    : 0;
        if (r >= 0 && complete == 0 && (images == 0 || !domain->live))
                drop_images(domain, snapshot->definition);
        if (r >= 0)
                r = snapshots_change(domain,
                                     complete > 0 ? &(SnapshotChange){ .add = snapshot,
                                                                       .sets_current = true,
                                                                       .current = snapshot }
                                                  : &(SnapshotChange){},
                                     &error);
        if (r < 0) {
                log_error(domain->object.path,
                          "snapshot '%s' of machine %s was not ended, and cannot be: %s",
                          snapshot->object.name, domain->object.name, error.message);
                error_move(ret_error, &error);
                return r;
        }
        log_warning(domain->object.path,
                    "snapshot '%s' of machine %s was being taken when the daemon ended: %s%s%s",
                    snapshot->object.name, domain->object.name,
                    complete > 0 ? "it is complete" : "there is none", error.message ? ": " : "",
                    error.message ? error.message : "");
        return 0;
}

int snapshot_recover(Domain *domain, Error *error)
{
        Machine *machine = machine_of(domain);
        _cleanup_(snapshot_unrefp) DomainSnapshot *snapshot = TAKE_PTR(machine->pending_snapshot);
        int r = snapshot ? end_taking(domain, snapshot, error) : 0;

        if (r >= 0)
                return r;
        error_prefix(error, "Snapshot '%s' was being taken when the daemon ended", snapshot->object.name);
        machine->pending_snapshot = TAKE_PTR(snapshot); /* its record stays for the next attempt */
        return r;
}
