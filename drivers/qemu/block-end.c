/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* At the end of a merge the images say themselves what they lie over now; of two that are equal QEMU's nodes
 * tell which one the guest has. The definition follows before anybody is told, whichever daemon began the
 * job. */

#include "drivers/qemu/block-end.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/block-copy.h"
#include "drivers/qemu/block-job.h"
#include "drivers/qemu/chain-merge.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/pivot.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/unplug.h"
#include <errno.h>
#include <string.h>

/* Of BlockJobAbort, BlockJobSetSpeed and GetBlockJobInfo. */
enum { ABORT_ASYNC = 1 << 0, ABORT_PIVOT = 1 << 1, SPEED_BYTES = 1 << 0, INFO_BYTES = 1 << 0 };

/* DiskMirror.ready: both are the same; the guest is about to go over, and stands still. */
#define READY    "yes"
#define PIVOTING "pivot"

static bool is_copy(const DomainDisk *disk)
{
        return disk->mirror && g_strcmp0(disk->mirror->job, BLOCK_JOB_MIRROR_COPY) == 0;
}

static BlockJobType type_of(const DomainDisk *disk, json_t *job)
{
        if (disk->mirror)
                return is_copy(disk) ? BLOCK_JOB_COPY : BLOCK_JOB_ACTIVE_COMMIT;
        return g_strcmp0(json_string_value(json_object_get(job, "type")), "stream") == 0 ? BLOCK_JOB_PULL
                                                                                         : BLOCK_JOB_COMMIT;
}

/* What the image of that path lies over, by its header; NULL: nothing. The caller frees. */
static int read_base(const Domain *domain, const char *path, char **ret_base, Error *error) AWAITS
{
        _cleanup_(volume_header_clear) VolumeHeader header = {};
        _cleanup_(freep) char *folder = g_path_get_dirname(path);
        int r = owner_files_header(domain, path, &header, NULL, error);

        if (r >= 0)
                *ret_base =
                        header.backing_path ? g_canonicalize_filename(header.backing_path, folder) : NULL;
        return r;
}

/* The files from `top` to the one above `base` are added to what goes. */
static void note_gone(const DomainDisk *disk, const char *top, const char *base, GPtrArray *gone)
{
        for (const char *path = top; path && g_strcmp0(path, base) != 0; path = chain_next(disk, path))
                g_ptr_array_add(gone, g_strdup(path));
}

/* Takes out of the definitions what the images do not lie over any more. Each round changes the chain or
 * goes down it. */
static int follow_images(Domain *domain, const char *target, GPtrArray *gone, Error *error) AWAITS
{
        const DomainDisk *disk = chain_find_disk(domain->live, target);
        _cleanup_(freep) char *path = disk ? g_strdup(chain_path(&disk->source)) : NULL;

        while (path) {
                _cleanup_(freep) char *base = NULL, *next = NULL;
                int r = read_base(domain, path, &base, error);

                disk = r < 0 ? NULL : chain_find_disk(domain->live, target);
                if (!disk)
                        return r;
                next = g_strdup(chain_next(disk, path));
                if (next && g_strcmp0(next, base) != 0 && (!base || chain_find_below(disk, base))) {
                        note_gone(disk, next, base, gone);
                        r = chain_merge_follow(domain, target, next, base, error);
                        if (r < 0)
                                return r;
                        continue;
                }
                g_free(path);
                path = TAKE_PTR(next);
        }
        return 0;
}

/* Images that were merged into are for reading again, and what is in no chain any more is let go of. */
static void tidy(Domain *domain, const char *target) AWAITS
{
        DomainDisk *disk = chain_find_disk(domain->live, target), *copy;

        if (!disk)
                return;
        copy = struct_copy(&domain_disk_type, disk); /* it may go while we wait */
        for (const DiskBacking *below = copy->backing; below && below->type != DISK_TYPE_ABSENT;
             below = below->backing) {
                _cleanup_(error_clear) Error error = {};

                if (chain_set_writable(domain, copy, below, false, &error) < 0)
                        log_warning(domain->object.path, "an image of disk %s stays open for writing: %s",
                                    target, error.message);
        }
        (void)struct_free(&domain_disk_type, copy);
        unplug_media(domain, target);
}

static void erase(const Domain *domain, const GPtrArray *gone) AWAITS
{
        for (unsigned i = 0; i < gone->len; i++) {
                _cleanup_(error_clear) Error error = {};

                if (owner_files_remove(domain, gone->pdata[i], &error) < 0)
                        log_warning(domain->object.path, "an image that was merged stays: %s",
                                    error.message);
        }
}

/* QEMU lets go of a node that nothing uses, and of no other: of a copy that was given up, and of the image
 * that the guest had before it went over to the one below. */
static int find_side(Domain *domain, const DomainDisk *disk, bool *ret_is_over, Error *error) AWAITS
{
        const bool is_of_copy = is_copy(disk);
        _cleanup_(freep) char *node =
                chain_node(disk, is_of_copy ? disk->mirror->source.index : disk->source.index);
        _cleanup_(error_clear) Error said = {};
        bool is_there = false;
        int r = chain_has_node(domain, node, &is_there, error);

        if (r >= 0 && is_there) {
                r = machine_command(domain, "blockdev-del", json_pack("{s:s}", "node-name", node), NULL,
                                    &said);
                is_there = r < 0;
                if (said.code == ERROR_OPERATION_FAILED && machine_has_monitor(machine_of(domain)))
                        r = 0; /* it is in use, says QEMU */
                else if (r < 0)
                        error_move(error, &said);
        }
        if (r >= 0)
                *ret_is_over = is_of_copy ? is_there : !is_there;
        return r;
}

static int set_ready(Domain *domain, const char *target, const char *ready, Error *error) AWAITS
{
        DomainDisk *disk = chain_find_disk(domain->live, target);

        if (!disk || !disk->mirror)
                return 0;
        g_free(disk->mirror->ready);
        disk->mirror->ready = g_strdup(ready);
        return status_save(domain, error);
}

static int follow_side(Domain *domain, const char *target, bool is_over, GPtrArray *gone,
                       Error *error) AWAITS
{
        DomainDisk *disk = chain_find_disk(domain->live, target);
        _cleanup_(freep) char *top = NULL, *base = NULL;

        if (!disk || !disk->mirror)
                return 0;
        if (!is_over)
                return block_job_drop_mirror(domain, target, error);
        if (is_copy(disk))
                return block_copy_follow(domain, target, error);
        top = g_strdup(chain_path(&disk->source));
        base = g_strdup(chain_path(&disk->mirror->source));
        note_gone(disk, top, base, gone);
        return chain_merge_follow(domain, target, top, base, error);
}

/* QEMU's job of a disk with two equal images is gone, or never began: which one the guest has counts.
 * Whoever gives up does so before or after this. */
static int settle(Domain *domain, const char *target, BlockJobStatus otherwise, bool erases,
                  Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *gone = g_ptr_array_new_with_free_func(g_free);
        const DomainDisk *disk;
        BlockJobType type;
        bool is_over = false;
        int r;

        do {
                fiber_clear_cancel();
                error_clear(error);
                disk = chain_find_disk(domain->live, target);
                if (!disk || !disk->mirror)
                        return 0;
                type = type_of(disk, NULL);
                r = find_side(domain, disk, &is_over, error);
        } while (r == -ECANCELED);
        if (r >= 0)
                r = follow_side(domain, target, is_over, gone, error);
        if (r < 0) {
                log_error(domain->object.path, "the definition of machine %s does not follow disk %s: %s",
                          domain->object.name, target, error->message);
                block_job_tell(domain, target, type, BLOCK_JOB_FAILED);
                return r;
        }
        tidy(domain, target);
        if (is_over && erases)
                erase(domain, gone);
        block_job_tell(domain, target, type, is_over ? BLOCK_JOB_COMPLETED : otherwise);
        return 0;
}

static void dismiss(const Domain *domain, const char *id) AWAITS
{
        (void)machine_command(domain, "job-dismiss", json_pack("{s:s}", "id", id), NULL,
                              NULL); /* else it goes with QEMU */
}

/* A job that has ended by itself or was given up: its error, or that of what follows. */
static int end(Domain *domain, const char *target, const char *id, json_t *job, Error *error) AWAITS
{
        const char *problem = json_string_value(json_object_get(job, "error"));
        _cleanup_(g_ptr_array_unrefp) GPtrArray *gone = g_ptr_array_new_with_free_func(g_free);
        const DomainDisk *disk = chain_find_disk(domain->live, target);
        BlockJobStatus status = !problem || g_str_has_prefix(problem, "Operation canceled")
                                        ? BLOCK_JOB_CANCELLED
                                        : BLOCK_JOB_FAILED;
        BlockJobType type;
        int r = status == BLOCK_JOB_FAILED
                        ? error_set(error, ERROR_OPERATION_FAILED, "Disk '%s': %.1000s", target, problem)
                        : 0;

        if (!disk)
                return 0; /* the run has ended */
        if (disk->mirror) {
                _cleanup_(error_clear) Error problem_after = {};
                int settled;

                dismiss(domain, id); /* a mirror without a job is settled by the next daemon as well */
                settled = settle(domain, target, status, block_job_erases(id), &problem_after);
                if (settled < 0 && r >= 0) {
                        error_move(error, &problem_after);
                        r = settled;
                }
                return r;
        }
        type = type_of(disk, job);
        if (!problem) {
                status = BLOCK_JOB_COMPLETED;
                do {
                        fiber_clear_cancel(); /* it is too late */
                        error_clear(error);
                        r = follow_images(domain, target, gone, error);
                } while (r == -ECANCELED);
                if (r < 0) {
                        status = BLOCK_JOB_FAILED;
                        log_error(domain->object.path,
                                  "the definition of machine %s does not follow disk %s: %s",
                                  domain->object.name, target, error->message);
                }
        }
        dismiss(domain, id); /* not before: a daemon that is killed leaves it to the next one */
        tidy(domain, target);
        if (status == BLOCK_JOB_COMPLETED && block_job_erases(id))
                erase(domain, gone);
        block_job_tell(domain, target, type, status);
        return r;
}

/* Another operation may have seen to it by the time that it is this one's turn. */
static int look(Domain *domain, const char *id, Error *error) AWAITS
{
        _cleanup_(freep) char *target = g_strdup(block_job_target(id)), *found = NULL;
        _cleanup_(json_decrefp) json_t *job = NULL;
        const DomainDisk *disk;
        const char *status;
        BlockJobType type;
        int r = domain->live ? block_job_find(domain, target, &found, &job, error) : 0;

        disk = chain_find_disk(domain->live, target);
        if (r < 0 || !disk)
                return r;
        if (!job) /* it was cut off before or after QEMU had one */
                return settle(domain, target, BLOCK_JOB_FAILED, false, error);
        status = json_string_value(json_object_get(job, "status"));
        type = type_of(disk, job);
        if (g_strcmp0(status, "concluded") == 0)
                return end(domain, target, found, job, error);
        if (g_strcmp0(status, "ready") != 0 || !disk->mirror || disk->mirror->ready)
                return 0;
        r = set_ready(domain, target, READY, error);
        block_job_tell(domain, target, type, BLOCK_JOB_READY); /* it is, whatever is saved */
        return r;
}

/* Of a disk whose active image was merged by nobody's job any more. 1: the guest has the image below. */
static int follow_guest(Domain *domain, const char *target, Error *error) AWAITS
{
        const DomainDisk *disk = chain_find_disk(domain->live, target);
        _cleanup_(freep) char *top = NULL, *base = NULL;
        bool is_over = false;
        int r;

        if (!disk || disk->mirror || !chain_next(disk, chain_path(&disk->source)))
                return 0;
        top = g_strdup(chain_path(&disk->source));
        base = g_strdup(chain_next(disk, top));
        r = find_side(domain, disk, &is_over, error);
        if (r >= 0 && is_over)
                r = chain_merge_follow(domain, target, top, base, error);
        return r < 0 ? r : is_over;
}

static const char *target_of(const char *id)
{
        return g_str_has_prefix(id, CHAIN_MERGE_PREFIX) ? id + strlen(CHAIN_MERGE_PREFIX)
                                                        : block_job_target(id);
}

/* Whether the guest is held for that disk, or may be, or the definition could not follow it. */
static bool is_held_for(const Domain *domain, const char *target)
{
        const Machine *machine = machine_of(domain);

        return machine->held_by ? g_strcmp0(target_of(machine->held_by), target) == 0 : machine->is_held;
}

/* A merge whose caller is gone with the daemon is given up, or has been done; an error, which is in the log,
 * if the definition does not say so. */
static int end_merge(Domain *domain, const char *id, Error *error) AWAITS
{
        const char *target = target_of(id);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *gone = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(error_clear) Error said = {};
        int r;

        (void)machine_command(domain,
                              is_held_for(domain, target)
                                      ? "job-complete" /* the guest is about to go over */
                                      : "job-cancel",
                              json_pack("{s:s}", "id", id), NULL, NULL);
        (void)long_job_wait(domain, id, LONG_JOB_ENDED, &said); /* it may have ended; the images tell */
        do {
                fiber_clear_cancel();
                error_clear(error);
                r = follow_guest(domain, target, error);
                if (r == 0)
                        r = follow_images(domain, target, gone, error);
        } while (r == -ECANCELED);
        if (r < 0)
                log_error(domain->object.path, "the definition of machine %s does not follow disk %s: %s",
                          domain->object.name, target, error->message);
        tidy(domain, target);
        log_warning(domain->object.path, "images of disk %s of machine %s were being merged: %s", target,
                    domain->object.name, said.message ? said.message : "that has ended");
        return MIN(r, 0);
}

/* A disk without a mirror has one image only; nothing is done while QEMU has the job still. */
static void release(Domain *domain, const char *target) AWAITS
{
        _cleanup_(json_decrefp) json_t *job = NULL;
        _cleanup_(freep) char *id = NULL;
        const DomainDisk *disk;

        fiber_clear_cancel();
        if (block_job_find(domain, target, &id, &job, NULL) < 0 || job)
                return;
        disk = chain_find_disk(domain->live, target);
        pivot_release(domain, !disk || !disk->mirror);
}

typedef struct Change {
        Domain *domain;
        char *id;
} Change;

static void change_fiber(void *data)
{
        const Change change = *(Change *)data;
        _cleanup_(domain_unrefp) Domain *domain = change.domain;
        _cleanup_(freep) char *id = change.id;
        _cleanup_(job_releasep) Job *turn = NULL;
        _cleanup_(error_clear) Error error = {};
        const char *target = target_of(id);

        if (job_take(domain->object.jobs, JOB_BLOCK, "BlockJob", (uid_t)-1, DEADLINE_NEVER, &turn, NULL) < 0)
                return;
        if (block_job_target(id)) {
                (void)look(domain, id, &error); /* the job tells */
                if (domain->live && machine_of(domain)->is_held && is_held_for(domain, target))
                        release(domain, target);
        } else if (is_held_for(domain, target)) { /* else whoever merges is there */
                pivot_release(domain, end_merge(domain, id, &error) >= 0);
        }
        job_set_error(turn, &error);
}

void block_end_changed(Domain *domain, const char *id, const char *status)
{
        Change change = { domain, NULL };

        if ((!block_job_target(id) && !g_str_has_prefix(id, CHAIN_MERGE_PREFIX)) ||
            (strcmp(status, "ready") != 0 && strcmp(status, "concluded") != 0))
                return;
        change.id = g_strdup(id);
        domain_ref(domain);
        if (fiber_start("block-job", change_fiber, &change) < 0) {
                log_error(domain->object.path,
                          "QEMU's job %s of machine %s is %s, which the next daemon sees to", id,
                          domain->object.name, status);
                g_free(change.id);
                domain_unref(domain);
        }
}

static GPtrArray *list_targets(const Domain *domain)
{
        GPtrArray *targets = g_ptr_array_new_with_free_func(g_free);

        LIST_FOREACH (disk, domain->live->devices.disks)
                g_ptr_array_add(targets, g_strdup(disk->target));
        return targets;
}

/* The guest was about to go over, or had, or the job has never begun. */
static int recover_mirror(Domain *domain, const char *target) AWAITS
{
        _cleanup_(json_decrefp) json_t *job = NULL;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(freep) char *id = NULL;
        const DomainDisk *disk;
        int r = block_job_find(domain, target, &id, &job, NULL);

        disk = chain_find_disk(domain->live, target);
        if (r < 0 || !disk || !disk->mirror)
                return r;
        if (job && g_strcmp0(disk->mirror->ready, PIVOTING) == 0) {
                (void)machine_command(domain, "job-complete", json_pack("{s:s}", "id", id), NULL, NULL);
                (void)long_job_wait(domain, id, LONG_JOB_ENDED, NULL); /* the nodes tell what came of it */
                r = settle(domain, target, BLOCK_JOB_FAILED, block_job_erases(id), &error); /* logged */
        } else if (!job) {
                r = settle(domain, target, BLOCK_JOB_FAILED, false, &error);
        }
        return r;
}

static int recover_disk(Domain *domain, const char *target) AWAITS
{
        const DomainDisk *disk = chain_find_disk(domain->live, target);
        _cleanup_(error_clear) Error error = {};
        int r = 0;

        if (disk && disk->mirror)
                return recover_mirror(domain, target);
        if (is_held_for(domain, target))
                r = follow_guest(domain, target, &error);
        if (r < 0)
                log_error(domain->object.path,
                          "machine %s may write to another image of disk %s than its definition says: %s",
                          domain->object.name, target, error.message);
        return r;
}

void block_end_recover(Domain *domain)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *targets = NULL;
        _cleanup_(json_decrefp) json_t *jobs = NULL;
        bool has_followed = true;
        json_t *job;
        size_t i;

        if (!domain->live || long_job_query(domain, &jobs, NULL) < 0 || !domain->live)
                return; /* there is nobody to be spoken with */
        if (machine_of(domain)->is_held && domain->state == DOMAIN_STATE_RUNNING)
                (void)machine_command(domain, "stop", NULL, NULL, NULL); /* it may not have come so far */
        targets = domain->live ? list_targets(domain) : NULL;
        for (unsigned k = 0; domain->live && k < targets->len; k++) {
                int r = recover_disk(domain, targets->pdata[k]);

                if (r == -ECANCELED)
                        return; /* the next daemon does it */
                has_followed &= r >= 0 || !is_held_for(domain, targets->pdata[k]);
        }
        json_array_foreach(jobs, i, job)
        {
                const char *id = json_string_value(json_object_get(job, "id"));
                _cleanup_(error_clear) Error error = {};

                if (id && domain->live && g_str_has_prefix(id, CHAIN_MERGE_PREFIX))
                        has_followed &=
                                end_merge(domain, id, &error) >= 0 || !is_held_for(domain, target_of(id));
                else if (id && domain->live && block_job_target(id))
                        (void)look(domain, id, &error); /* it is logged, and told to clients */
        }
        if (!fiber_is_cancelled(fiber_current())) /* else the next daemon does it */
                pivot_release(domain, has_followed);
}

int block_end_follow(Domain *domain, Error *error)
{
        if (machine_of(domain)->is_held)
                return pivot_check(domain, error);

        const char *id = machine_of(domain)->held_by;
        _cleanup_(freep) char *target = id ? g_strdup(target_of(id)) : NULL;
        const DomainDisk *disk = target ? chain_find_disk(domain->live, target) : NULL;
        int r = !disk          ? 0
                : disk->mirror ? settle(domain, target, BLOCK_JOB_FAILED, false, error)
                               : follow_guest(domain, target, error);

        if (r >= 0)
                pivot_release(domain, true);
        return MIN(r, 0);
}

/* The disk's job, of which there must be one. */
static int find_job(const Domain *domain, const char *name, DomainDisk **ret_disk, char **ret_id,
                    json_t **ret_job, Error *error) AWAITS
{
        _cleanup_(freep) char *target = NULL;
        int r = block_job_find_disk(domain, name, ret_disk, error);

        if (r < 0)
                return r;
        target = g_strdup((*ret_disk)->target);
        r = block_job_find(domain, target, ret_id, ret_job, error);
        if (r < 0)
                return r;
        *ret_disk = chain_find_disk(domain->live, target);
        return *ret_disk ? 0 : error_set(error, ERROR_OPERATION_INVALID, "The machine has ended");
}

static int no_job(const char *name, Error *error)
{
        return error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' has no job", name);
}

typedef struct Going {
        const char *target;
        GPtrArray *gone;
} Going;

static int going_follow(Domain *domain, const void *data, Error *error) AWAITS
{
        const Going *going = data;

        return follow_side(domain, going->target, true, going->gone, error);
}

static int go_over(Domain *domain, const char *target, const char *id, json_t *job, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *gone = g_ptr_array_new_with_free_func(g_free);
        _cleanup_(json_decrefp) json_t *left = NULL;
        _cleanup_(freep) char *left_id = NULL;
        DomainDisk *disk = chain_find_disk(domain->live, target);
        BlockJobType type;
        int r = pivot_check(domain, error);

        if (r < 0)
                return r;
        if (!disk->mirror || g_strcmp0(json_string_value(json_object_get(job, "status")), "ready") != 0)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The job of disk '%s' is not ready to be gone over to", target);
        type = type_of(disk, job);
        g_free(disk->mirror->ready);
        disk->mirror->ready = g_strdup(PIVOTING); /* in the status before the guest stands still */
        r = pivot(domain, id, going_follow, &(Going){ target, gone }, error);
        if (!domain->live || machine_of(domain)->is_held)
                return r; /* QEMU will say how it went */
        disk = chain_find_disk(domain->live, target);
        if (r < 0 && disk && disk->mirror) {
                _cleanup_(error_clear) Error problem = {};

                if (block_job_find(domain, target, &left_id, &left, NULL) >= 0 && !left)
                        (void)settle(domain, target, BLOCK_JOB_FAILED, block_job_erases(id), &problem);
                else
                        (void)set_ready(domain, target, READY, NULL); /* it goes on as before */
                return r;
        }
        tidy(domain, target);
        if (block_job_erases(id))
                erase(domain, gone);
        block_job_tell(domain, target, type, BLOCK_JOB_COMPLETED);
        return r; /* the guest may not have gone on */
}

static int wait_for_end(const Call *call, Domain *domain, const char *target, Error *error) AWAITS
{
        for (;;) {
                const unsigned n_changes = machine_of(domain)->n_job_changes;
                _cleanup_(json_decrefp) json_t *job = NULL;
                _cleanup_(freep) char *id = NULL;
                int r = block_job_find(domain, target, &id, &job, error);

                if (r < 0 || !job)
                        return r;
                if (g_strcmp0(json_string_value(json_object_get(job, "status")), "concluded") == 0)
                        return end(domain, target, id, job, error);
                r = machine_wait_for_job(domain, n_changes, call->deadline_usec);
                if (r == -ECANCELED)
                        return error_set(error, ERROR_CANCELLED,
                                         "Waiting for the end of the job of disk '%s' was cancelled",
                                         target);
                if (r < 0)
                        return error_set(error, ERROR_TIMED_OUT, "The job of disk '%s' does not end in time",
                                         target);
        }
}

int qemu_domain_block_job_abort(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error)
{
        _cleanup_(machine_actp) Machine *acting _unused_ = machine_act(domain, call->job);
        _cleanup_(json_decrefp) json_t *job = NULL;
        _cleanup_(freep) char *id = NULL, *target = NULL;
        DomainDisk *disk;
        int r = error_check_flags(error, "BlockJobAbort", flags, ABORT_ASYNC | ABORT_PIVOT);

        if (r >= 0)
                r = find_job(domain, name, &disk, &id, &job, error);
        if (r < 0)
                return r;
        target = g_strdup(disk->target);
        if (!job && disk->mirror) /* what its end could not be written down for is tried again */
                return settle(domain, target, BLOCK_JOB_CANCELLED, false, error);
        if (!job)
                return no_job(target, error);
        if (flags & ABORT_PIVOT)
                return go_over(domain, target, id, job, error);
        /* A copy that is ready is whole when it is let go of. */
        r = is_copy(disk) ? machine_command(domain, "block-job-cancel",
                                            json_pack("{s:s, s:b}", "device", id, "force", 0), NULL, error)
                          : machine_command(domain, "job-cancel", json_pack("{s:s}", "id", id), NULL, error);
        return r < 0 || flags & ABORT_ASYNC ? r : wait_for_end(call, domain, target, error);
}

int qemu_domain_block_job_set_speed(Call *call, Domain *domain, const char *name, uint64_t bandwidth,
                                    uint32_t flags, Error *error)
{
        _cleanup_(json_decrefp) json_t *job = NULL, *arguments = json_object();
        _cleanup_(freep) char *id = NULL;
        DomainDisk *disk;
        int r = error_check_flags(error, "BlockJobSetSpeed", flags, SPEED_BYTES);

        (void)call;
        if (r >= 0)
                r = block_job_set_speed(arguments, bandwidth, flags & SPEED_BYTES, error);
        if (r >= 0)
                r = find_job(domain, name, &disk, &id, &job, error);
        if (r >= 0 && !job)
                r = no_job(name, error);
        if (r < 0)
                return r;
        json_object_set_new(arguments, "device", json_string(id));
        return machine_command(domain, "block-job-set-speed", TAKE_PTR(arguments), NULL, error);
}

int qemu_domain_get_block_job_info(Call *call, Domain *domain, const char *name, uint32_t flags,
                                   GVariant **ret_info, Error *error)
{
        _cleanup_(json_decrefp) json_t *job = NULL, *jobs = NULL;
        _cleanup_(freep) char *id = NULL;
        json_int_t speed = 0, done = 0, total = 0;
        DomainDisk *disk;
        json_t *one;
        size_t i;
        int type, r = error_check_flags(error, "GetBlockJobInfo", flags, INFO_BYTES);

        (void)call;
        if (r >= 0)
                r = find_job(domain, name, &disk, &id, &job, error);
        if (r < 0)
                return r;
        type = job ? (int)type_of(disk, job) : 0;
        r = machine_command(domain, "query-block-jobs", NULL, &jobs, error);
        if (r < 0)
                return r;
        json_array_foreach(jobs, i, one)
        {
                if (!id || g_strcmp0(json_string_value(json_object_get(one, "device")), id) != 0)
                        continue;
                speed = MAX(json_integer_value(json_object_get(one, "speed")), 0);
                done = MAX(json_integer_value(json_object_get(one, "offset")), 0);
                total = MAX(json_integer_value(json_object_get(one, "len")), 0);
        }
        *ret_info = g_variant_ref_sink(
                g_variant_new("(ittt)", type, (uint64_t)(flags & INFO_BYTES ? speed : speed / (1024 * 1024)),
                              (uint64_t)done, (uint64_t)total));
        return 0;
}
