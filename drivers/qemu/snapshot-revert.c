/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Going back: the run ends, the images and the definition become what they were, and a new run begins from
 * the memory if that was saved. All that can be known to fail is looked at before the run is ended. Images
 * that other snapshots are made of are not written: what is outside of the images goes on in a new one. */

#include "drivers/qemu/snapshot-revert.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/end.h"
#include "drivers/qemu/image-tool.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/memory-stream.h"
#include "drivers/qemu/prepare.h"
#include "drivers/qemu/save.h"
#include "drivers/qemu/snapshot-memory.h"
#include "drivers/qemu/snapshot-recover.h"
#include "drivers/qemu/snapshot-variables.h"
#include "drivers/qemu/snapshots.h"
#include "drivers/qemu/start.h"
#include "drivers/qemu/stop.h"
#include <errno.h>
#include <string.h>

/* virDomainSnapshotRevertFlags. */
enum {
        REVERT_RUNNING = 1 << 0,
        REVERT_PAUSED = 1 << 1,
        REVERT_FORCE = 1 << 2,
        REVERT_RESET_NVRAM = 1 << 3,
        REVERT_ALL = (1 << 4) - 1,
        REVERT_NO_START = 1 << 4, /* our own */
};

#define IMAGES_MAX 1000

typedef struct Reverting {
        Call *call;
        Domain *domain;
        DomainSnapshot *snapshot;
        uint32_t flags;
        DomainDefinition *run;      /* what the new run is to be */
        DomainDefinition *kept;     /* what the kept definition is to be */
        SnapshotDefinition *record; /* changed; NULL: it stays */
        GPtrArray *made, *useless;  /* of char *: paths of images */
        int memory_fd;              /* of memory in a file; -EBADF: there is none */
} Reverting;

static void reverting_clear(Reverting *reverting)
{
        domain_definition_free(reverting->run);
        domain_definition_free(reverting->kept);
        snapshot_definition_free(reverting->record);
        g_ptr_array_unref(reverting->made);
        g_ptr_array_unref(reverting->useless);
        closep(&reverting->memory_fd);
}

static bool has_memory(const Reverting *reverting)
{
        return reverting->snapshot->definition->memory > DISK_SNAPSHOT_NO;
}

static const char *image_of(const DomainDefinition *definition, const char *target)
{
        const DomainDisk *disk = chain_find_disk(definition, target);

        return disk ? chain_path(&disk->source) : NULL;
}

/* Another snapshot is what an image holds now: the image must not change. */
static int check_others(const Reverting *reverting, const char *target, const char *path, Error *error)
{
        const GPtrArray *all = reverting->domain->snapshots;

        for (unsigned i = 0; i < all->len; i++) {
                const DomainSnapshot *other = all->pdata[i];

                LIST_FOREACH (disk, other->definition->disks) {
                        if (other == reverting->snapshot || disk->snapshot != DISK_SNAPSHOT_EXTERNAL ||
                            strcmp(disk->name, target) != 0 ||
                            g_strcmp0(image_of(other->definition->domain, target), path) != 0)
                                continue;
                        return error_set(
                                error, ERROR_NOT_SUPPORTED,
                                "Snapshot '%s' needs the image %s as it is: it has to be deleted first",
                                other->object.name, path);
                }
        }
        return 0;
}

static int check_disk(const Reverting *reverting, const SnapshotDisk *disk, Error *error) AWAITS
{
        const char *name = reverting->snapshot->object.name, *path = image_of(reverting->run, disk->name);
        bool exists = false;
        int r;

        if (!path)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The image of disk '%s' is not known to snapshot '%s'", disk->name, name);
        if (disk->snapshot != DISK_SNAPSHOT_INTERNAL)
                return 0;
        if (reverting->memory_fd >= 0)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "Snapshot '%s' has its memory in a file, and disk '%s' inside of its image",
                                 name, disk->name);
        r = check_others(reverting, disk->name, path, error);
        if (r >= 0)
                r = image_tool_snapshot_exists(reverting->domain, path, name, &exists, error);
        if (r >= 0 && !exists)
                r = error_set(error, ERROR_OPERATION_FAILED, "The image %s has no snapshot '%s'", path,
                              name);
        return r;
}

static int check(Reverting *reverting, Error *error) AWAITS
{
        const SnapshotDefinition *definition = reverting->snapshot->definition;
        const DomainDefinition *next =
                definition->inactive_domain ? definition->inactive_domain : definition->domain;
        const Domain *domain = reverting->domain;
        int r = 0;

        if (!domain->is_persistent)
                return error_set(error, ERROR_OPERATION_INVALID, "The %s is transient: it would be gone",
                                 object_describe(&domain->object));
        if (!definition->domain)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The record of snapshot '%s' does not have the machine's definition",
                                 definition->name);
        if (definition->memory == DISK_SNAPSHOT_EXTERNAL)
                r = snapshot_memory_open(domain, definition, &reverting->memory_fd, error);
        if (r < 0)
                return r;
        reverting->run = domain_definition_copy(definition->domain);
        reverting->kept = domain_definition_copy(next);
        for (int i = 0; i < 2; i++) {
                DomainDefinition *one = i == 0 ? reverting->run : reverting->kept;

                g_free(one->name);
                one->name = g_strdup(domain->object.name);
                if (r >= 0)
                        r = prepare_definition(domain->object.driver, one, domain->object.owner, error);
        }
        LIST_FOREACH (disk, definition->disks) {
                if (r >= 0 && disk->snapshot > DISK_SNAPSHOT_NO)
                        r = check_disk(reverting, disk, error);
        }
        return r;
}

/* An empty image over the one that holds the snapshot, under a name that is free. */
static int make_image(Reverting *reverting, const DomainDisk *disk, Error *error) AWAITS
{
        const char *base = chain_path(&disk->source), *dot = strrchr(base, '.');
        const int length = (int)(dot && !strchr(dot, '/') ? dot - base : (ptrdiff_t)strlen(base));

        for (unsigned n = 1; n < IMAGES_MAX; n++) {
                _cleanup_(freep) char *path =
                        g_strdup_printf("%.*s.%s-%u", length, base, reverting->snapshot->object.name, n);
                _cleanup_(error_clear) Error problem = {};
                int r = image_tool_create_overlay(reverting->domain, path, base, disk->format, 0, &problem);

                if (r >= 0) {
                        g_ptr_array_add(reverting->made, TAKE_PTR(path));
                        return 0;
                }
                if (problem.code != ERROR_EXISTS) {
                        error_move(error, &problem);
                        return r;
                }
        }
        return error_set(error, ERROR_EXISTS, "There are too many images beside %s", base);
}

static bool is_used_by_others(const Reverting *reverting, const char *target, const char *path)
{
        const GPtrArray *all = reverting->domain->snapshots;

        for (unsigned i = 0; i < all->len; i++) {
                const DomainSnapshot *other = all->pdata[i];
                DomainDefinition *copy;
                bool is_used;

                if (other == reverting->snapshot || !other->definition->domain)
                        continue;
                copy = domain_definition_copy(other->definition->domain);
                is_used = chain_remove_image(copy, target, path);
                is_used |= g_strcmp0(image_of(other->definition->domain, target), path) == 0;
                domain_definition_free(copy);
                if (is_used)
                        return true;
        }
        return false;
}

/* Goes on in a new image; what was written since the snapshot is of no use if nothing else has it. */
static int renew_image(Reverting *reverting, const SnapshotDisk *request, Error *error) AWAITS
{
        DomainDisk *run = chain_find_disk(reverting->run, request->name);
        DomainDisk *kept = chain_find_disk(reverting->kept, request->name);
        const char *path, *old = chain_path(&request->source);
        bool is_same = kept && chain_is_same(run, kept);
        int r = make_image(reverting, run, error);

        if (r < 0)
                return r;
        path = g_ptr_array_index(reverting->made, reverting->made->len - 1);
        chain_push(run, path, 0);
        if (is_same)
                chain_push(kept, path, 0);
        if (!old || g_strcmp0(image_of(reverting->domain->definition, request->name), old) != 0 ||
            is_used_by_others(reverting, request->name, old))
                return 0;
        g_ptr_array_add(reverting->useless, g_strdup(old));
        if (!reverting->record)
                reverting->record = struct_copy(&snapshot_definition_type, reverting->snapshot->definition);
        LIST_FOREACH (disk, reverting->record->disks) {
                if (strcmp(disk->name, request->name) != 0)
                        continue;
                g_free(disk->source.file);
                disk->source.file = g_strdup(path);
        }
        return 0;
}

/* The present contents are gone then. One that was begun is ended, whoever gives up. */
static int apply_inside(const Reverting *reverting, const SnapshotDisk *disk, Error *error) AWAITS
{
        const char *path = image_of(reverting->run, disk->name), *name = reverting->snapshot->object.name;
        int r = image_tool_snapshot_apply(reverting->domain, path, name, error);

        if (r < 0 && fiber_is_cancelled(fiber_current())) {
                fiber_clear_cancel();
                error_clear(error);
                r = image_tool_snapshot_apply(reverting->domain, path, name, error);
        }
        return r;
}

/* On the disk before the first image changes: all of them change then, whatever happens to the daemon. */
static int mark(const Reverting *reverting, bool is_begun, Error *error) AWAITS
{
        return snapshots_change(reverting->domain,
                                &(SnapshotChange){ .reverting = is_begun ? reverting->snapshot : NULL,
                                                   .ends_reverting = !is_begun },
                                error);
}

/* Images as they were, for a machine that is off. */
static int change_images(Reverting *reverting, Error *error) AWAITS
{
        const SnapshotDefinition *definition = reverting->snapshot->definition;
        int r = 0;

        LIST_FOREACH (disk, definition->disks) {
                if (r >= 0 && disk->snapshot == DISK_SNAPSHOT_EXTERNAL)
                        r = renew_image(reverting, disk, error);
        }
        LIST_FOREACH (disk, definition->disks) {
                if (r >= 0 && disk->snapshot == DISK_SNAPSHOT_INTERNAL && !has_memory(reverting))
                        r = apply_inside(reverting, disk, error);
        }
        if (r >= 0 && !has_memory(reverting) && !(reverting->flags & REVERT_RESET_NVRAM))
                r = snapshot_variables_restore(reverting->snapshot, reverting->run, error);
        return r;
}

static int change_definition(Reverting *reverting, Error *error) AWAITS
{
        Domain *domain = reverting->domain;
        int r = definitions_save(domain, reverting->kept, domain->is_autostart, error);

        if (r < 0)
                return r;
        domain_set_definition(domain, TAKE_PTR(reverting->kept));
        domain_lifecycle(domain, DOMAIN_EVENT_DEFINED, DEFINED_FROM_SNAPSHOT, reverting->call->job);
        return 0;
}

static int change_record(Reverting *reverting, Error *error) AWAITS
{
        _cleanup_(g_hash_table_unrefp) GHashTable *definitions = g_hash_table_new(NULL, NULL);
        SnapshotDefinition *record = reverting->record;
        int r;

        if (record)
                g_hash_table_insert(definitions, reverting->snapshot, record);
        r = snapshots_change(reverting->domain,
                             &(SnapshotChange){ .ends_reverting = true,
                                                .sets_current = true,
                                                .current = reverting->snapshot,
                                                .definitions = definitions },
                             error);
        if (r >= 0)
                reverting->record = NULL; /* the snapshot has it */
        return r;
}

/* Before the guest runs: QEMU takes memory and disks from the images. */
static int load(Domain *domain, const void *data, Error *error) AWAITS
{
        const DomainSnapshot *snapshot = data;
        const DomainDefinition *pending = machine_of(domain)->pending;
        _cleanup_(json_decrefp) json_t *devices = json_array();
        json_t *arguments;

        LIST_FOREACH (disk, snapshot->definition->disks) {
                const DomainDisk *of = chain_find_disk(pending, disk->name);
                _cleanup_(freep) char *node = of ? chain_node(of, of->source.index) : NULL;

                if (disk->snapshot == DISK_SNAPSHOT_INTERNAL && node)
                        json_array_append_new(devices, json_string(node));
        }
        arguments = json_pack("{s:s, s:O, s:O}", "tag", snapshot->object.name, "vmstate",
                              json_array_get(devices, 0), "devices", devices);
        return long_job_run(domain, "snapshot-load", arguments, "virtbus-snapshot", error);
}

static int load_file(Domain *domain, const void *data, Error *error) AWAITS
{
        return memory_stream_in(domain, *(const int *)data, error);
}

static int start(Reverting *reverting, Error *error) AWAITS
{
        const bool is_file = reverting->memory_fd >= 0;
        const MachineOrigin origin = {
                .running_reason = RUNNING_REASON_FROM_SNAPSHOT,
                .paused_reason = PAUSED_REASON_FROM_SNAPSHOT,
                .started_detail = STARTED_FROM_SNAPSHOT,
                .suspended_detail = SUSPENDED_FROM_SNAPSHOT,
                .is_incoming = is_file,
                .load = is_file                 ? load_file
                        : has_memory(reverting) ? load
                                                : NULL,
                .data = is_file ? (const void *)&reverting->memory_fd : reverting->snapshot,
        };
        const SnapshotState state = reverting->snapshot->definition->state;
        bool is_paused =
                reverting->flags & REVERT_PAUSED ||
                (state != SNAPSHOT_RUNNING && has_memory(reverting) && !(reverting->flags & REVERT_RUNNING));
        uint32_t flags = (is_paused ? START_PAUSED : 0) |
                         (reverting->flags & REVERT_RESET_NVRAM ? START_RESET_NVRAM : 0);
        int r;

        if (reverting->flags & REVERT_NO_START)
                return 0;
        if (!has_memory(reverting) && !(reverting->flags & (REVERT_RUNNING | REVERT_PAUSED)))
                return 0;
        machine_of(reverting->domain)->origin = &origin;
        r = start_machine(reverting->domain, reverting->run, flags, reverting->call->job, DEADLINE_NEVER,
                          error);
        machine_of(reverting->domain)->origin = NULL;
        return r;
}

static void remove_images(const Domain *domain, const GPtrArray *paths) AWAITS
{
        for (unsigned i = 0; i < paths->len; i++) {
                _cleanup_(error_clear) Error error = {};

                if (owner_files_remove(domain, paths->pdata[i], &error) < 0)
                        log_warning(domain->object.path, "%s", error.message);
        }
}

static int revert(Reverting *reverting, Error *error) AWAITS
{
        /* By a daemon that was killed: some images are back already, and nobody was told of a failure. */
        const bool was_begun = snapshots_reverting(reverting->domain) != NULL;
        int r = 0;

        if (domain_is_active(reverting->domain))
                r = stop_process(reverting->domain, MACHINE_END_SNAPSHOT, reverting->call, error);
        if (r >= 0)
                r = mark(reverting, true, error);
        if (r >= 0) /* it is part of what is left, and goes on from other images */
                r = save_remove(reverting->domain, error);
        if (r >= 0)
                r = change_images(reverting, error);
        if (r >= 0)
                r = change_definition(reverting, error);
        if (r < 0) {
                _cleanup_(error_clear) Error problem = {};

                fiber_clear_cancel();
                /* Else the next daemon would do it at some later time. */
                if (!was_begun && mark(reverting, false, &problem) < 0)
                        log_error(reverting->domain->object.path, "%s", problem.message);
                remove_images(reverting->domain, reverting->made);
                return r;
        }
        r = change_record(reverting, error);
        if (r < 0)
                return r;
        remove_images(reverting->domain, reverting->useless);
        domain_set_state(reverting->domain, DOMAIN_STATE_SHUTOFF, SHUTOFF_REASON_FROM_SNAPSHOT);
        log_info(reverting->domain->object.path, "machine %s is back at snapshot '%s'",
                 reverting->domain->object.name, reverting->snapshot->object.name);
        return start(reverting, error);
}

static int check_and_revert(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error) AWAITS
{
        _cleanup_(domain_unrefp) Domain *domain = domain_ref(snapshot->domain);
        _cleanup_(snapshot_unrefp) DomainSnapshot *held _unused_ = snapshot_ref(snapshot);
        _cleanup_(reverting_clear) Reverting reverting = {
                .call = call,
                .domain = domain,
                .snapshot = snapshot,
                .flags = flags,
                .made = g_ptr_array_new_with_free_func(g_free),
                .useless = g_ptr_array_new_with_free_func(g_free),
                .memory_fd = -EBADF,
        };
        int r = snapshot_recover(domain, error);

        if (r >= 0)
                r = check(&reverting, error);
        return r < 0 ? r : revert(&reverting, error);
}

/* Some of the images may be what they were and some not: all of them are made so, again. */
static int end_reverting(Domain *domain, Job *job, Error *error) AWAITS
{
        DomainSnapshot *snapshot = snapshots_reverting(domain);
        Call call = { .driver = domain->object.driver, .job = job, .deadline_usec = DEADLINE_NEVER };
        int r;

        if (!snapshot)
                return 0;
        log_warning(domain->object.path, "machine %s was going back to snapshot '%s' when the daemon ended",
                    domain->object.name, snapshot->object.name);
        r = check_and_revert(&call, snapshot, REVERT_NO_START, error);
        if (r < 0)
                log_error(domain->object.path, "machine %s is not back at snapshot '%s': %s",
                          domain->object.name, snapshot->object.name, error->message);
        return r;
}

void snapshot_revert_recover(Domain *domain, Job *job)
{
        _cleanup_(error_clear) Error error = {};
        int r;

        if (domain_is_active(domain))
                return;
        r = snapshot_recover(domain, &error);
        if (r >= 0)
                (void)end_reverting(domain, job, &error); /* the job tells */
        job_set_error(job, &error);
}

static void stopped_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        _cleanup_(job_releasep) Job *job = NULL;
        int r = job_take(domain->object.jobs, JOB_SNAPSHOT, "Recover", (uid_t)-1, DEADLINE_NEVER, &job,
                         NULL);

        if (r >= 0)
                snapshot_revert_recover(domain, job);
}

void snapshot_revert_recover_all(Driver *driver)
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

int qemu_snapshot_revert(Call *call, DomainSnapshot *snapshot, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "Revert", flags, REVERT_ALL);

        if (r >= 0 && flags & REVERT_RUNNING && flags & REVERT_PAUSED)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "Revert: RUNNING (1) excludes PAUSED (2)");
        return r < 0 ? r : check_and_revert(call, snapshot, flags, error);
}
