/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* QEMU is asked how far it got, or the images are. What is complete becomes a snapshot; of anything else the
 * record goes, and images that were made for it are left: who asked for them may have had them before. */

#include "drivers/qemu/snapshot-recover.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/image-tool.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/snapshot-memory.h"
#include "drivers/qemu/snapshot-revert.h"
#include "drivers/qemu/snapshots.h"
#include "drivers/qemu/status.h"
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

        return definition->memory != DISK_SNAPSHOT_EXTERNAL ||
               snapshot_memory_open(domain, definition, &fd, error) >= 0;
}

/* 1: it is complete. */
static int look_outside(const Domain *domain, const SnapshotDefinition *definition, Error *error) AWAITS
{
        LIST_FOREACH (request, definition->disks) {
                const DomainDisk *was =
                        definition->domain ? chain_find_disk(definition->domain, request->name) : NULL;
                const DomainDisk *live = domain->live ? chain_find_disk(domain->live, request->name) : NULL;
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
                const DomainDisk *disk =
                        definition->domain ? chain_find_disk(definition->domain, request->name) : NULL;
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
                DomainDisk *disk = definition ? chain_find_disk(definition, request->name) : NULL;
                const DomainDisk *was =
                        snapshot->domain ? chain_find_disk(snapshot->domain, request->name) : NULL;
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
        _cleanup_(domain_definition_freep) DomainDefinition *live =
                domain->live && is_on ? domain_definition_copy(domain->live) : NULL;
        int r = 0;

        if (set_images(kept, snapshot, false, is_on)) {
                r = definitions_save(domain, kept, domain->is_autostart, error);
                if (r < 0)
                        return r;
                domain_definition_free(domain->definition);
                domain->definition = TAKE_PTR(kept);
        }
        if (!set_images(live, snapshot, true, true))
                return 0;
        domain_set_live(domain, TAKE_PTR(live));
        return status_save(domain, error);
}

static void end_taking(Domain *domain) AWAITS
{
        Machine *machine = machine_of(domain);
        _cleanup_(snapshot_unrefp) DomainSnapshot *snapshot = snapshots_pending(domain);
        _cleanup_(error_clear) Error error = {};
        int r, images, complete;

        if (!snapshot)
                return;
        images = is_outside(snapshot->definition) ? look_outside(domain, snapshot->definition, &error)
                                                  : look_inside(domain, snapshot->definition, &error);
        complete = images > 0 ? look_memory(domain, snapshot->definition, &error) : images;
        if (complete < 0) { /* the definition is right as it is: see snapshot-take.c */
                log_error(domain->object.path,
                          "what became of snapshot '%s' of machine %s cannot be found out: %s",
                          snapshot->object.name, domain->object.name, error.message);
                (void)TAKE_PTR(snapshot); /* for the next daemon */
                return;
        }
        if (complete == 0 && snapshot->definition->memory == DISK_SNAPSHOT_EXTERNAL)
                snapshot_memory_give_up(domain, snapshot->definition);
        r = is_outside(snapshot->definition) && domain->definition && (complete > 0 || domain->live)
                    ? follow(domain, snapshot->definition, images > 0, &error)
                    : 0;
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
                (void)TAKE_PTR(snapshot); /* for the next daemon */
                return;
        }
        log_warning(domain->object.path,
                    "snapshot '%s' of machine %s was being taken when the daemon ended: %s%s%s",
                    snapshot->object.name, domain->object.name,
                    complete > 0 ? "it is complete" : "there is none", error.message ? ": " : "",
                    error.message ? error.message : "");
        machine->pending_snapshot = NULL;
}

/* The node that a device reads, by the device's alias; the caller frees, NULL: not known. */
static char *active_node(json_t *devices, const char *alias)
{
        json_t *device;
        size_t i;

        json_array_foreach(devices, i, device)
        {
                const char *path = json_string_value(json_object_get(device, "qdev"));
                const char *node =
                        json_string_value(json_object_get(json_object_get(device, "inserted"), "node-name"));
                _cleanup_(strvp) char **parts = path ? g_strsplit(path, "/", -1) : NULL;

                if (node && parts &&
                    (g_strcmp0(path, alias) == 0 || g_strv_contains((const char *const *)parts, alias)))
                        return g_strdup(node);
        }
        return NULL;
}

/* A disk that has gone over to the image below, without the definitions knowing of it. */
static void end_merging(Domain *domain) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *live = domain_definition_copy(domain->live);
        _cleanup_(domain_definition_freep) DomainDefinition *kept =
                domain->definition ? domain_definition_copy(domain->definition) : NULL;
        _cleanup_(json_decrefp) json_t *devices = NULL;
        _cleanup_(error_clear) Error error = {};
        bool is_changed = false;
        int r = qmp_call(machine_of(domain)->qmp, "query-block", NULL, deadline_after_usec(QMP_TIMEOUT_USEC),
                         &devices, &error);

        if (r < 0 || !domain->live)
                return;
        LIST_FOREACH (disk, domain->live->devices.disks) {
                _cleanup_(freep) char *now =
                        disk->info.alias ? active_node(devices, disk->info.alias) : NULL;
                _cleanup_(freep) char *below = disk->backing && disk->backing->type != DISK_TYPE_ABSENT
                                                       ? chain_node(disk, disk->backing->index)
                                                       : NULL;

                if (!now || g_strcmp0(now, below) != 0)
                        continue;
                is_changed = true;
                if (kept)
                        (void)chain_remove_image(kept, disk->target, chain_path(&disk->source));
                (void)chain_remove_image(live, disk->target, chain_path(&disk->source));
        }
        if (!is_changed)
                return;
        r = kept ? definitions_save(domain, kept, domain->is_autostart, &error) : 0;
        if (r >= 0 && kept) {
                domain_definition_free(domain->definition);
                domain->definition = TAKE_PTR(kept);
        }
        if (r >= 0) {
                domain_set_live(domain, TAKE_PTR(live));
                r = status_save(domain, &error);
        }
        if (r < 0)
                log_error(domain->object.path,
                          "machine %s writes to other images than its definition says: %s",
                          domain->object.name, error.message);
}

void snapshot_recover(Domain *domain)
{
        if (domain->live && machine_of(domain)->qmp)
                end_merging(domain);
        if (domain->live && machine_of(domain)->qmp)
                end_taking(domain);
}

/* Some of the images may be what they were and some not: all of them are made so, again. */
static void end_reverting(Domain *domain, Job *job) AWAITS
{
        DomainSnapshot *snapshot = snapshots_reverting(domain);
        _cleanup_(error_clear) Error error = {};

        if (!snapshot)
                return;
        log_warning(domain->object.path, "machine %s was going back to snapshot '%s' when the daemon ended",
                    domain->object.name, snapshot->object.name);
        if (snapshot_revert_again(snapshot, job, &error) < 0)
                log_error(domain->object.path, "machine %s is not back at snapshot '%s': %s",
                          domain->object.name, snapshot->object.name, error.message);
}

static void stopped_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        _cleanup_(job_releasep) Job *job = NULL;

        if (job_take(domain->object.jobs, JOB_SNAPSHOT, "Recover", (uid_t)-1, DEADLINE_NEVER, &job, NULL) >=
                    0 &&
            !domain_is_active(domain)) {
                end_taking(domain);
                end_reverting(domain, job);
        }
}

void snapshot_recover_stopped(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);

        for (unsigned i = 0; i < domains->len; i++) {
                Domain *domain = domains->pdata[i];

                if (domain_is_active(domain) || (!snapshots_pending(domain) && !snapshots_reverting(domain)))
                        continue;
                domain_ref(domain);
                if (fiber_start("snapshot-recover", stopped_fiber, domain) < 0)
                        domain_unref(domain);
        }
}
