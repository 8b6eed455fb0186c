/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While QEMU works on a chain the definition stays as it is, which is right until the end: what is above
 * hides what is below. At the end the images say themselves what they lie over now, and the definition
 * follows before anybody is told. */

#include "drivers/qemu/block-job.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/qemu/chain-merge.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/status.h"
#include <string.h>

#define PREFIX "virtbus-block-"

/* virDomainBlockJobType and virConnectDomainEventBlockJobStatus. */
enum { TYPE_PULL = 1, TYPE_COMMIT = 3, TYPE_ACTIVE_COMMIT = 4 };
enum { STATUS_COMPLETED = 0, STATUS_FAILED = 1, STATUS_CANCELLED = 2, STATUS_READY = 3 };

/* Of BlockPull and BlockRebase, BlockCommit, BlockJobAbort, BlockJobSetSpeed and GetBlockJobInfo. */
enum {
        REBASE_SHALLOW = 1 << 0,
        REBASE_BANDWIDTH_BYTES = 1 << 6,
        COMMIT_SHALLOW = 1 << 0,
        COMMIT_ACTIVE = 1 << 2,
        COMMIT_BANDWIDTH_BYTES = 1 << 4,
        ABORT_ASYNC = 1 << 0,
        ABORT_PIVOT = 1 << 1,
        SPEED_BYTES = 1 << 0,
        INFO_BYTES = 1 << 0,
};

static char *id_of(const DomainDisk *disk)
{
        return g_strconcat(PREFIX, disk->target, NULL);
}

static int call_qemu(const Domain *domain, const char *name, json_t *arguments, Error *error) AWAITS
{
        int r = machine_check_monitor(domain, error);

        if (r < 0) {
                json_decref(arguments);
                return r;
        }
        return qmp_call(machine_of(domain)->qmp, name, arguments, deadline_after_usec(QMP_TIMEOUT_USEC),
                        NULL, error);
}

/* MiB/s, or bytes/s, as bytes/s. */
static int set_speed(json_t *arguments, uint64_t bandwidth, bool is_bytes, Error *error)
{
        if (bandwidth > INT64_MAX / (is_bytes ? 1 : 1024 * 1024))
                return error_set(error, ERROR_INVALID_ARGUMENT, "A bandwidth of %" PRIu64 " is too large",
                                 bandwidth);
        json_object_set_new(arguments, "speed",
                            json_integer((json_int_t)(is_bytes ? bandwidth : bandwidth * 1024 * 1024)));
        return 0;
}

/* A copy of what QEMU knows; NULL if there is no such job. */
static int find(const Domain *domain, const char *id, json_t **ret_job, Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *jobs = NULL;
        json_t *job;
        size_t i;
        int r = machine_check_monitor(domain, error);

        *ret_job = NULL;
        if (r >= 0)
                r = long_job_query(domain, &jobs, error);
        if (r < 0)
                return r;
        json_array_foreach(jobs, i, job)
        {
                if (g_strcmp0(json_string_value(json_object_get(job, "id")), id) == 0)
                        *ret_job = json_incref(job);
        }
        return 0;
}

static int type_of(const DomainDisk *disk, json_t *job)
{
        if (g_strcmp0(json_string_value(json_object_get(job, "type")), "stream") == 0)
                return TYPE_PULL;
        return disk->mirror ? TYPE_ACTIVE_COMMIT : TYPE_COMMIT;
}

static void tell(Domain *domain, const char *target, int type, int status)
{
        notice_raise(domain, "BlockJob", g_variant_new("(sii)", target, type, status));
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

/* The next image below `path` that the definition has; NULL: none. Borrowed. */
static const char *next_of(const DomainDisk *disk, const char *path)
{
        const DiskBacking *below = disk->backing;

        if (g_strcmp0(chain_path(&disk->source), path) != 0) {
                while (below && below->type != DISK_TYPE_ABSENT &&
                       g_strcmp0(chain_path(&below->source), path) != 0)
                        below = below->backing;
                below = below ? below->backing : NULL;
        }
        return below && below->type != DISK_TYPE_ABSENT ? chain_path(&below->source) : NULL;
}

static bool is_below(const DomainDisk *disk, const char *path)
{
        for (const DiskBacking *below = disk->backing; below && below->type != DISK_TYPE_ABSENT;
             below = below->backing)
                if (g_strcmp0(chain_path(&below->source), path) == 0)
                        return true;
        return false;
}

/* Takes out of the definitions what the images do not lie over any more. Each round changes the chain or
 * goes down it. */
static int follow_images(Domain *domain, const char *target, Error *error) AWAITS
{
        const DomainDisk *disk = chain_find_disk(domain->live, target);
        _cleanup_(freep) char *path = disk ? g_strdup(chain_path(&disk->source)) : NULL;

        while (path) {
                _cleanup_(freep) char *base = NULL, *next = NULL;
                int r = read_base(domain, path, &base, error);

                disk = r < 0 || !domain->live ? NULL : chain_find_disk(domain->live, target);
                if (!disk)
                        return r;
                next = g_strdup(next_of(disk, path));
                if (next && g_strcmp0(next, base) != 0 && (!base || is_below(disk, base))) {
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

static int set_mirror(Domain *domain, const char *target, const char *ready, Error *error) AWAITS
{
        DomainDisk *disk = domain->live ? chain_find_disk(domain->live, target) : NULL;

        if (!disk || !disk->mirror)
                return 0;
        if (ready) {
                g_free(disk->mirror->ready);
                disk->mirror->ready = g_strdup(ready);
        } else {
                disk->mirror = struct_free(&disk_mirror_type, disk->mirror);
        }
        return status_save(domain, error);
}

/* A job that has ended by itself or was given up. */
static void end(Domain *domain, const char *target, const char *id, json_t *job) AWAITS
{
        const char *problem = json_string_value(json_object_get(job, "error"));
        const DomainDisk *disk = chain_find_disk(domain->live, target);
        const int type = disk ? type_of(disk, job) : 0;
        _cleanup_(error_clear) Error error = {};
        int status = !problem                                          ? STATUS_COMPLETED
                     : g_str_has_prefix(problem, "Operation canceled") ? STATUS_CANCELLED
                                                                       : STATUS_FAILED;
        int r;

        if (!disk)
                return; /* the run has ended */
        r = status == STATUS_COMPLETED && type != TYPE_ACTIVE_COMMIT
                    ? follow_images(domain, target, &error)
                    : set_mirror(domain, target, NULL, &error);
        if (r < 0)
                log_error(domain->object.path, "the definition of machine %s does not follow disk %s: %s",
                          domain->object.name, target, error.message);
        /* Not before: a daemon that is killed leaves it to the next one. */
        (void)call_qemu(domain, "job-dismiss", json_pack("{s:s}", "id", id),
                        NULL); /* else it goes with QEMU */
        if (type == TYPE_ACTIVE_COMMIT && status == STATUS_COMPLETED)
                status =
                        STATUS_CANCELLED; /* it was given up when both were the same: QEMU calls that well */
        tell(domain, target, type, r < 0 ? STATUS_FAILED : status);
}

typedef struct Change {
        Domain *domain;
        char *id;
} Change;

/* Another operation may have seen to it by the time that it is this one's turn. */
static void change_fiber(void *data)
{
        const Change change = *(Change *)data;
        _cleanup_(domain_unrefp) Domain *domain = change.domain;
        _cleanup_(freep) char *id = change.id;
        _cleanup_(job_releasep) Job *turn = NULL;
        _cleanup_(json_decrefp) json_t *job = NULL;
        const char *target = id + strlen(PREFIX), *status;
        DomainDisk *disk;

        if (job_take(domain->object.jobs, JOB_BLOCK, "BlockJob", (uid_t)-1, DEADLINE_NEVER, &turn, NULL) <
                    0 ||
            !domain->live || find(domain, id, &job, NULL) < 0 || !job || !domain->live)
                return;
        disk = chain_find_disk(domain->live, target);
        status = json_string_value(json_object_get(job, "status"));
        if (!disk || !status)
                return;
        if (strcmp(status, "concluded") == 0) {
                end(domain, target, id, job);
        } else if (strcmp(status, "ready") == 0 && disk->mirror && !disk->mirror->ready) {
                if (set_mirror(domain, target, "yes", NULL) >= 0)
                        tell(domain, target, TYPE_ACTIVE_COMMIT, STATUS_READY);
        }
}

void block_job_changed(Domain *domain, const char *id, const char *status)
{
        Change change = { domain, NULL };

        if (!g_str_has_prefix(id, PREFIX) ||
            (strcmp(status, "ready") != 0 && strcmp(status, "concluded") != 0))
                return;
        change.id = g_strdup(id);
        domain_ref(domain);
        if (fiber_start("block-job", change_fiber, &change) < 0) {
                g_free(change.id);
                domain_unref(domain);
        }
}

/* A merge whose caller is gone with the daemon is given up, or has been done. */
static void end_merge(Domain *domain, const char *id) AWAITS
{
        const char *target = id + strlen(CHAIN_MERGE_PREFIX);
        _cleanup_(error_clear) Error error = {}, problem = {};

        (void)call_qemu(domain, "job-cancel", json_pack("{s:s}", "id", id), NULL); /* it may have ended */
        (void)long_job_wait(domain, id, LONG_JOB_ENDED, &error);                   /* the images tell */
        if (follow_images(domain, target, &problem) < 0)
                log_error(domain->object.path, "the definition of machine %s does not follow disk %s: %s",
                          domain->object.name, target, problem.message);
        log_warning(domain->object.path, "images of disk %s of machine %s were being merged: %s", target,
                    domain->object.name, error.message ? error.message : "that has ended");
}

void block_job_recover(Domain *domain)
{
        _cleanup_(json_decrefp) json_t *jobs = NULL;
        json_t *job;
        size_t i;

        if (long_job_query(domain, &jobs, NULL) < 0)
                return; /* there is nobody to be spoken with */
        json_array_foreach(jobs, i, job)
        {
                const char *id = json_string_value(json_object_get(job, "id"));
                const char *status = json_string_value(json_object_get(job, "status"));

                if (id && status && g_str_has_prefix(id, CHAIN_MERGE_PREFIX))
                        end_merge(domain, id);
                else if (id && status)
                        block_job_changed(domain, id, status);
        }
}

static int find_disk(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error)
{
        int r = machine_check_monitor(domain, error);

        return r < 0 ? r : chain_find_live(domain, name, ret_disk, error);
}

/* The number of the image of that path in the chain. */
static int find_index(const DomainDisk *disk, const char *path, uint32_t *ret_index, Error *error)
{
        if (g_strcmp0(chain_path(&disk->source), path) == 0) {
                *ret_index = disk->source.index;
                return 0;
        }
        for (const DiskBacking *below = disk->backing; below && below->type != DISK_TYPE_ABSENT;
             below = below->backing)
                if (g_strcmp0(chain_path(&below->source), path) == 0) {
                        *ret_index = below->index;
                        return 0;
                }
        return error_set(error, ERROR_INVALID_ARGUMENT, "The chain of disk '%s' has no image %s",
                         disk->target, path);
}

static int start(Domain *domain, const DomainDisk *disk, const char *command, json_t *arguments,
                 Error *error) AWAITS
{
        _cleanup_(freep) char *id = id_of(disk), *node = chain_node(disk, disk->source.index);

        json_object_set_new(arguments, "device", json_string(node));
        json_object_set_new(arguments, "auto-dismiss", json_false());
        return long_job_start(domain, command, arguments, id, error);
}

static int pull(Domain *domain, const char *name, const char *base, uint64_t bandwidth, bool is_bytes,
                Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *arguments = json_object();
        _cleanup_(freep) char *node = NULL;
        DomainDisk *disk = NULL;
        uint32_t index = 0;
        int r = find_disk(domain, name, &disk, error);

        if (r >= 0)
                r = set_speed(arguments, bandwidth, is_bytes, error);
        if (r >= 0 && !next_of(disk, chain_path(&disk->source)))
                r = error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' has no image below the active one",
                              disk->target);
        if (r >= 0 && base)
                r = find_index(disk, base, &index, error);
        if (r < 0)
                return r;
        if (base) {
                node = chain_node(disk, index);
                json_object_set_new(arguments, "base-node", json_string(node));
                json_object_set_new(arguments, "backing-file", json_string(base));
        }
        return start(domain, disk, "block-stream", TAKE_PTR(arguments), error);
}

int qemu_domain_block_pull(Call *call, Domain *domain, const char *disk, uint64_t bandwidth, uint32_t flags,
                           Error *error)
{
        int r = error_check_flags(error, "BlockPull", flags, REBASE_BANDWIDTH_BYTES);

        (void)call;
        return r < 0 ? r : pull(domain, disk, NULL, bandwidth, flags & REBASE_BANDWIDTH_BYTES, error);
}

int qemu_domain_block_rebase(Call *call, Domain *domain, const char *disk, const char *base,
                             uint64_t bandwidth, uint32_t flags, Error *error)
{
        int r;

        (void)call;
        if (flags & (1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5))
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "The QEMU driver does not copy disks: BlockRebase has BANDWIDTH_BYTES (64) only");
        r = error_check_flags(error, "BlockRebase", flags, REBASE_SHALLOW | REBASE_BANDWIDTH_BYTES);
        if (r >= 0 && flags & REBASE_SHALLOW)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "BlockRebase: SHALLOW (1) is for copies");
        return r < 0 ? r : pull(domain, disk, base, bandwidth, flags & REBASE_BANDWIDTH_BYTES, error);
}

static int begin_mirror(Domain *domain, DomainDisk *disk, const char *base, Error *error) AWAITS
{
        DiskFormat format = DISK_FORMAT_ABSENT;

        for (const DiskBacking *below = disk->backing; below && below->type != DISK_TYPE_ABSENT;
             below = below->backing)
                if (g_strcmp0(chain_path(&below->source), base) == 0)
                        format = below->format;
        disk->mirror = struct_new(&disk_mirror_type);
        disk->mirror->type = DISK_TYPE_FILE;
        disk->mirror->job = g_strdup("active-commit");
        disk->mirror->format = format;
        disk->mirror->source.type = DISK_TYPE_FILE;
        disk->mirror->source.file = g_strdup(base);
        return status_save(domain, error);
}

int qemu_domain_block_commit(Call *call, Domain *domain, const char *name, const char *base, const char *top,
                             uint64_t bandwidth, uint32_t flags, Error *error)
{
        _cleanup_(json_decrefp) json_t *arguments = json_object();
        _cleanup_(freep) char *from = NULL, *to = NULL, *top_path = NULL, *base_path = NULL;
        uint32_t top_index = 0, base_index = 0;
        bool is_active;
        DomainDisk *disk = NULL;
        int r = error_check_flags(error, "BlockCommit", flags,
                                  COMMIT_SHALLOW | COMMIT_ACTIVE | COMMIT_BANDWIDTH_BYTES);

        (void)call;
        if (r >= 0)
                r = find_disk(domain, name, &disk, error);
        if (r >= 0)
                r = set_speed(arguments, bandwidth, flags & COMMIT_BANDWIDTH_BYTES, error);
        if (r < 0)
                return r;
        top_path = g_strdup(*top ? top : chain_path(&disk->source));
        is_active = g_strcmp0(top_path, chain_path(&disk->source)) == 0;
        base_path = g_strdup(*base ? base : next_of(disk, top_path));
        while (!*base && !(flags & COMMIT_SHALLOW) && base_path && next_of(disk, base_path)) {
                char *lower = g_strdup(next_of(disk, base_path));

                g_free(base_path);
                base_path = lower;
        }
        if (is_active && !(flags & COMMIT_ACTIVE))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The active image of disk '%s' is merged with flag ACTIVE (4)",
                                 disk->target);
        if (!base_path || !is_below(disk, base_path))
                return error_set(error, ERROR_INVALID_ARGUMENT, "Disk '%s' has no image %s below %s",
                                 disk->target, *base ? base : "at all", top_path);
        r = find_index(disk, top_path, &top_index, error);
        if (r >= 0)
                r = find_index(disk, base_path, &base_index, error);
        if (r < 0)
                return r;
        from = chain_node(disk, top_index);
        to = chain_node(disk, base_index);
        json_object_set_new(arguments, "top-node", json_string(from));
        json_object_set_new(arguments, "base-node", json_string(to));
        if (!is_active)
                json_object_set_new(arguments, "backing-file", json_string(base_path));
        r = start(domain, disk, "block-commit", TAKE_PTR(arguments), error);
        if (r < 0 || !is_active || !domain->live)
                return r;
        disk = chain_find_disk(domain->live, name);
        return disk ? begin_mirror(domain, disk, base_path, error) : 0;
}

static int find_job(const Domain *domain, const char *name, DomainDisk **ret_disk, char **ret_id,
                    json_t **ret_job, Error *error) AWAITS
{
        _cleanup_(freep) char *target = NULL;
        int r = find_disk(domain, name, ret_disk, error);

        if (r < 0)
                return r;
        target = g_strdup((*ret_disk)->target);
        *ret_id = id_of(*ret_disk);
        r = find(domain, *ret_id, ret_job, error);
        if (r < 0)
                return r;
        *ret_disk = domain->live ? chain_find_disk(domain->live, target) : NULL;
        return *ret_disk ? 0 : error_set(error, ERROR_OPERATION_INVALID, "The machine has ended");
}

int qemu_domain_block_job_abort(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error)
{
        _cleanup_(machine_actp) Machine *machine = machine_act(domain, call->job);
        _cleanup_(json_decrefp) json_t *job = NULL;
        _cleanup_(freep) char *id = NULL, *target = NULL, *top = NULL, *base = NULL;
        DomainDisk *disk;
        int r = error_check_flags(error, "BlockJobAbort", flags, ABORT_ASYNC | ABORT_PIVOT);

        if (r >= 0)
                r = find_job(domain, name, &disk, &id, &job, error);
        if (r >= 0 && !job)
                r = error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' has no job", name);
        if (r < 0)
                return r;
        target = g_strdup(disk->target);
        if (flags & ABORT_PIVOT) {
                if (!disk->mirror ||
                    g_strcmp0(json_string_value(json_object_get(job, "status")), "ready") != 0)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "The job of disk '%s' is not ready to be gone over to", target);
                top = g_strdup(chain_path(&disk->source));
                base = g_strdup(chain_path(&disk->mirror->source));
                r = chain_merge_pivot(domain, target, top, base, id, error);
                if (r >= 0 && domain->live)
                        tell(domain, target, TYPE_ACTIVE_COMMIT, STATUS_COMPLETED);
                return r;
        }
        r = call_qemu(domain, "job-cancel", json_pack("{s:s}", "id", id), error);
        while (r >= 0 && !(flags & ABORT_ASYNC)) {
                const unsigned n_changes = machine->n_job_changes;

                json_decref(job);
                job = NULL;
                r = find(domain, id, &job, error);
                if (r < 0 || !job)
                        return r;
                if (g_strcmp0(json_string_value(json_object_get(job, "status")), "concluded") == 0) {
                        end(domain, target, id, job);
                        return 0;
                }
                while (r >= 0 && n_changes == machine->n_job_changes && !machine->is_hung_up)
                        if (condition_wait(&machine->changed, call->deadline_usec) < 0)
                                r = error_set(error, ERROR_TIMED_OUT,
                                              "The job of disk '%s' does not end in time", target);
        }
        return r;
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
                r = set_speed(arguments, bandwidth, flags & SPEED_BYTES, error);
        if (r >= 0)
                r = find_job(domain, name, &disk, &id, &job, error);
        if (r >= 0 && !job)
                r = error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' has no job", name);
        if (r < 0)
                return r;
        json_object_set_new(arguments, "device", json_string(id));
        return call_qemu(domain, "block-job-set-speed", TAKE_PTR(arguments), error);
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
        type = job ? type_of(disk, job) : 0;
        r = qmp_call(machine_of(domain)->qmp, "query-block-jobs", NULL,
                     deadline_after_usec(QMP_TIMEOUT_USEC), &jobs, error);
        if (r < 0)
                return r;
        json_array_foreach(jobs, i, one)
        {
                if (g_strcmp0(json_string_value(json_object_get(one, "device")), id) != 0)
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
