/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job of a disk has a length, the disk's size, and takes as long as its speed says: without a limit none.
 * While it lasts the definition stays as it is; at its end it follows, as it does after QEMU's jobs. */

#include "drivers/test/block-jobs.h"
#include "core/fiber.h"
#include "core/loop.h"
#include "drivers/test/blocks.h"
#include "drivers/test/change.h"
#include "drivers/test/machine.h"
#include "model/disk-chain.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define LOOK_SEC 3600.0

/* virDomainBlockJobType and virConnectDomainEventBlockJobStatus. */
enum { TYPE_PULL = 1, TYPE_COPY = 2, TYPE_COMMIT = 3, TYPE_ACTIVE_COMMIT = 4 };
enum { STATUS_COMPLETED = 0, STATUS_CANCELLED = 2, STATUS_READY = 3 };

/* Of BlockRebase, BlockCommit, BlockCopy, BlockJobAbort, BlockJobSetSpeed and GetBlockJobInfo. */
enum {
        REBASE_SHALLOW = 1 << 0,
        REBASE_REUSE_EXT = 1 << 1,
        REBASE_COPY_RAW = 1 << 2,
        REBASE_COPY = 1 << 3,
        REBASE_COPY_DEV = 1 << 5,
        REBASE_BANDWIDTH_BYTES = 1 << 6,
        COMMIT_SHALLOW = 1 << 0,
        COMMIT_DELETE = 1 << 1,
        COMMIT_ACTIVE = 1 << 2,
        COMMIT_BANDWIDTH_BYTES = 1 << 4,
        COPY_SHALLOW = 1 << 0,
        COPY_ALL = (1 << 4) - 1,
        ABORT_ASYNC = 1 << 0,
        ABORT_PIVOT = 1 << 1,
        SPEED_BYTES = 1 << 0,
        INFO_BYTES = 1 << 0,
};

struct BlockJob {
        Domain *domain; /* counted by the fiber */
        int run;        /* the machine's id: with the run the job ends, and nobody is told */
        char *target;
        int type;
        uint64_t speed, done, total; /* bytes a second, 0: no limit; bytes */
        uint64_t since_usec;         /* when `done` was true */
        char *top, *base;            /* what goes out of the chain: from `top` to the one above `base` */
        DomainDisk *copy;            /* where the disk will be; NULL for other jobs */
        bool is_shallow, is_ready, is_over;
};

static void job_free(BlockJob *job)
{
        domain_unref(job->domain);
        g_free(job->target);
        g_free(job->top);
        g_free(job->base);
        if (job->copy)
                (void)struct_free(&disk_place_type, job->copy);
        g_free(job);
}

static BlockJob *find_job(const Domain *domain, const char *target)
{
        const GPtrArray *jobs = machine_of(domain)->block_jobs;

        for (unsigned i = 0; jobs && i < jobs->len; i++) {
                BlockJob *job = jobs->pdata[i];

                if (!job->is_over && job->run == domain->id && strcmp(job->target, target) == 0)
                        return job;
        }
        return NULL;
}

static void tell(const BlockJob *job, int status)
{
        machine_signal(job->domain, "BlockJob", g_variant_new("(sii)", job->target, job->type, status));
}

static bool has_two_sides(const BlockJob *job)
{
        return job->type == TYPE_COPY || job->type == TYPE_ACTIVE_COMMIT;
}

static void catch_up(BlockJob *job)
{
        uint64_t now_usec = loop_now_usec();
        double bytes = (double)job->speed * (double)(now_usec - job->since_usec) / G_USEC_PER_SEC;

        job->done = job->speed == 0 || bytes >= (double)(job->total - job->done)
                            ? job->total
                            : job->done + (uint64_t)bytes;
        job->since_usec = now_usec;
}

/* The disk is where its copy is. */
static void go_over(DomainDefinition *definition, const BlockJob *job)
{
        DomainDisk *disk = definition ? chain_find_disk(definition, job->target) : NULL;

        if (disk)
                chain_move(disk, job->copy->type, job->copy->format, &job->copy->source, job->is_shallow);
}

static void apply(const BlockJob *job)
{
        Domain *domain = job->domain;
        _cleanup_(change_clear) Change change = { .live = domain_definition_copy(domain->live) };

        if (domain->is_persistent)
                change.kept = domain_definition_copy(domain->definition);
        if (job->copy) {
                go_over(change.live, job);
                go_over(change.kept, job);
        } else {
                (void)chain_remove_range(change.live, job->target, job->top, job->base); /* what is there */
                (void)chain_remove_range(change.kept, job->target, job->top, job->base);
        }
        change_apply(&change, domain, NULL, true);
}

/* The machine knows nothing of it from now on. */
static void finish(BlockJob *job, int status)
{
        job->is_over = true;
        if (status == STATUS_COMPLETED)
                apply(job);
        tell(job, status);
        condition_wake_all(&job->domain->object.condition);
}

/* Until it is looked at again: it may take longer than a number of microseconds can say. */
static uint64_t left_usec(const BlockJob *job)
{
        double seconds = (double)(job->total - job->done) / (double)job->speed;

        return (uint64_t)(MIN(seconds, LOOK_SEC) * G_USEC_PER_SEC) + 1;
}

/* What there is to do now. Returns until when there is nothing. */
static uint64_t step(BlockJob *job)
{
        catch_up(job);
        if (job->done < job->total)
                return job->since_usec + left_usec(job);
        if (!has_two_sides(job)) {
                finish(job, STATUS_COMPLETED);
        } else if (!job->is_ready) {
                job->is_ready = true;
                tell(job, STATUS_READY);
        }
        return DEADLINE_NEVER;
}

static void job_fiber(void *data)
{
        BlockJob *job = *(BlockJob **)data;
        int r = await_turn(); /* who began it gets the answer first */

        while (r != -ECANCELED && !job->is_over && job->domain->id == job->run) {
                uint64_t deadline_usec = step(job);

                if (!job->is_over)
                        r = condition_wait(&job->domain->object.condition, deadline_usec);
        }
        (void)g_ptr_array_remove(machine_of(job->domain)->block_jobs, job); /* it is there */
        job_free(job);
}

/* MiB/s, or bytes/s, as bytes/s. */
static int read_speed(uint64_t bandwidth, bool is_bytes, uint64_t *ret_speed, Error *error)
{
        if (bandwidth > INT64_MAX / (is_bytes ? 1 : 1024 * 1024))
                return error_set(error, ERROR_INVALID_ARGUMENT, "A bandwidth of %" PRIu64 " is too large",
                                 bandwidth);
        *ret_speed = is_bytes ? bandwidth : bandwidth * 1024 * 1024;
        return 0;
}

/* The disk of a machine that runs, which has no job. */
static int find_idle(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error)
{
        int r = domain_check_active(domain, error);

        if (r >= 0)
                r = chain_find_named(domain->live, name, ret_disk, error);
        if (r >= 0 && find_job(domain, (*ret_disk)->target))
                r = error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' has a job already",
                              (*ret_disk)->target);
        return r;
}

/* Takes the job over, of which domain, target, total and time are not filled in. */
static int start(Domain *domain, const DomainDisk *disk, const BlockJob *template, Error *error)
{
        Machine *machine = machine_of(domain);
        BlockJob *job = g_memdup2(template, sizeof *template);

        job->domain = domain_ref(domain);
        job->run = domain->id;
        job->target = g_strdup(disk->target);
        job->total = blocks_size(domain, disk->target);
        job->since_usec = loop_now_usec();
        if (!machine->block_jobs)
                machine->block_jobs = g_ptr_array_new();
        g_ptr_array_add(machine->block_jobs, job);
        if (fiber_start("block-job", job_fiber, &job) >= 0)
                return 0;
        (void)g_ptr_array_remove(machine->block_jobs, job); /* it is there */
        job_free(job);
        return error_set(error, ERROR_LIMITS_EXCEEDED, "Too much goes on for another job");
}

static bool has_below(const DomainDisk *disk)
{
        return disk->backing && disk->backing->type != DISK_TYPE_ABSENT;
}

static int pull(Domain *domain, const char *name, const char *base, uint64_t bandwidth, bool is_bytes,
                Error *error)
{
        BlockJob job = { .type = TYPE_PULL };
        DomainDisk *disk;
        int r = find_idle(domain, name, &disk, error);

        if (r >= 0)
                r = read_speed(bandwidth, is_bytes, &job.speed, error);
        if (r >= 0 && !has_below(disk))
                r = error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' has no image below the active one",
                              disk->target);
        if (r >= 0 && base && !chain_find_below(disk, base))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "The chain of disk '%s' has no image %s",
                              disk->target, base);
        if (r < 0)
                return r;
        job.top = g_strdup(chain_path(&disk->backing->source));
        job.base = g_strdup(base);
        return start(domain, disk, &job, error);
}

int test_domain_block_pull(Call *call, Domain *domain, const char *disk, uint64_t bandwidth, uint32_t flags,
                           Error *error)
{
        int r = error_check_flags(error, "BlockPull", flags, REBASE_BANDWIDTH_BYTES);

        (void)call;
        return r < 0 ? r : pull(domain, disk, NULL, bandwidth, flags & REBASE_BANDWIDTH_BYTES, error);
}

/* Takes the copy over. */
static int copy(Domain *domain, const char *name, DomainDisk *target, bool is_shallow, uint64_t speed,
                Error *error)
{
        BlockJob job = { .type = TYPE_COPY, .copy = target, .is_shallow = is_shallow, .speed = speed };
        DomainDisk *disk;
        int r = find_idle(domain, name, &disk, error);

        if (r < 0) {
                (void)struct_free(&disk_place_type, target);
                return r;
        }
        if (target->format == DISK_FORMAT_ABSENT)
                target->format = disk->format;
        return start(domain, disk, &job, error);
}

int test_domain_block_rebase(Call *call, Domain *domain, const char *disk, const char *base,
                             uint64_t bandwidth, uint32_t flags, Error *error)
{
        const uint32_t of_copies = REBASE_SHALLOW | REBASE_REUSE_EXT | REBASE_COPY_RAW | REBASE_COPY_DEV;
        DomainDisk *target;
        uint64_t speed = 0;
        int r = error_check_flags(error, "BlockRebase", flags,
                                  of_copies | REBASE_COPY | REBASE_BANDWIDTH_BYTES);

        (void)call;
        if (r >= 0 && flags & of_copies && !(flags & REBASE_COPY))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "BlockRebase: SHALLOW (1), REUSE_EXT (2), COPY_RAW (4) and COPY_DEV (32) need "
                              "COPY (8)");
        if (r >= 0 && flags & REBASE_COPY && !base)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "BlockRebase: COPY (8) needs a place");
        if (r >= 0)
                r = read_speed(bandwidth, flags & REBASE_BANDWIDTH_BYTES, &speed, error);
        if (r < 0)
                return r;
        if (!(flags & REBASE_COPY))
                return pull(domain, disk, base, bandwidth, flags & REBASE_BANDWIDTH_BYTES, error);
        target = struct_new(&disk_place_type);
        target->type = target->source.type = flags & REBASE_COPY_DEV ? DISK_TYPE_BLOCK : DISK_TYPE_FILE;
        *(flags & REBASE_COPY_DEV ? &target->source.dev : &target->source.file) = g_strdup(base);
        if (flags & REBASE_COPY_RAW)
                target->format = DISK_FORMAT_RAW;
        return copy(domain, disk, target, flags & REBASE_SHALLOW, speed, error);
}

int test_domain_block_copy(Call *call, Domain *domain, const char *disk, const char *xml, GVariant *params,
                           uint32_t flags, Error *error)
{
        CopyParameters parameters;
        DomainDisk *place;
        int r = error_check_flags(error, "BlockCopy", flags, COPY_ALL);

        (void)call;
        if (r >= 0)
                r = chain_read_copy_parameters(params, &parameters, error);
        if (r >= 0)
                r = chain_read_place(xml, &place, error);
        return r < 0 ? r : copy(domain, disk, place, flags & COPY_SHALLOW, parameters.bandwidth, error);
}

/* What is merged into what: paths of the disk's chain, borrowed. */
static int choose_commit(const DomainDisk *disk, const char *top, const char *base, uint32_t flags,
                         const char **ret_top, const char **ret_base, Error *error)
{
        const char *active = chain_path(&disk->source);
        const DiskBacking *below = disk->backing, *lower;

        if (top && g_strcmp0(top, active) != 0) {
                const DiskBacking *image = chain_find_below(disk, top);

                if (!image)
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "The chain of disk '%s' has no image %s", disk->target, top);
                below = image->backing;
        } else if (!(flags & COMMIT_ACTIVE)) {
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "Merging the active image of disk '%s' needs ACTIVE (4)", disk->target);
        }
        lower = below;
        while (lower && lower->type != DISK_TYPE_ABSENT &&
               (base ? g_strcmp0(chain_path(&lower->source), base) != 0
                     : !(flags & COMMIT_SHALLOW) && lower->backing &&
                                lower->backing->type != DISK_TYPE_ABSENT))
                lower = lower->backing;
        if (!lower || lower->type == DISK_TYPE_ABSENT)
                return error_set(error, ERROR_INVALID_ARGUMENT, "%s has no image %s below it",
                                 top ? top : active, base ? base : "at all");
        if (flags & COMMIT_SHALLOW && lower != below)
                return error_set(error, ERROR_INVALID_ARGUMENT, "%s is not directly below %s", base,
                                 top ? top : active);
        *ret_top = top ? top : active;
        *ret_base = chain_path(&lower->source);
        return 0;
}

int test_domain_block_commit(Call *call, Domain *domain, const char *name, const char *base, const char *top,
                             uint64_t bandwidth, uint32_t flags, Error *error)
{
        BlockJob job = {};
        DomainDisk *disk;
        int r = error_check_flags(error, "BlockCommit", flags,
                                  COMMIT_SHALLOW | COMMIT_DELETE | COMMIT_ACTIVE | COMMIT_BANDWIDTH_BYTES);

        (void)call;
        if (r >= 0)
                r = read_speed(bandwidth, flags & COMMIT_BANDWIDTH_BYTES, &job.speed, error);
        if (r >= 0)
                r = find_idle(domain, name, &disk, error);
        if (r >= 0)
                r = choose_commit(disk, *top ? top : NULL, *base ? base : NULL, flags, &top, &base, error);
        if (r < 0)
                return r;
        job.type = g_strcmp0(top, chain_path(&disk->source)) == 0 ? TYPE_ACTIVE_COMMIT : TYPE_COMMIT;
        job.top = g_strdup(top);
        job.base = g_strdup(base);
        return start(domain, disk, &job, error);
}

/* NULL if the disk has none. */
static int look(const Domain *domain, const char *name, BlockJob **ret_job, Error *error)
{
        DomainDisk *disk;
        int r = domain_check_active(domain, error);

        if (r >= 0)
                r = chain_find_named(domain->live, name, &disk, error);
        if (r < 0)
                return r;
        *ret_job = find_job(domain, disk->target);
        if (*ret_job)
                catch_up(*ret_job);
        return 0;
}

static int look_for(const Domain *domain, const char *name, BlockJob **ret_job, Error *error)
{
        int r = look(domain, name, ret_job, error);

        return r < 0 || *ret_job ? r
                                 : error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' has no job", name);
}

int test_domain_block_job_abort(Call *call, Domain *domain, const char *name, uint32_t flags, Error *error)
{
        BlockJob *job;
        int r = error_check_flags(error, "BlockJobAbort", flags, ABORT_ASYNC | ABORT_PIVOT);

        (void)call;
        if (r >= 0)
                r = look_for(domain, name, &job, error);
        if (r >= 0 && flags & ABORT_PIVOT && !job->is_ready)
                r = error_set(error, ERROR_OPERATION_INVALID,
                              "The job of disk '%s' is not ready to be gone over to", job->target);
        if (r >= 0)
                finish(job, flags & ABORT_PIVOT ? STATUS_COMPLETED : STATUS_CANCELLED);
        return r;
}

int test_domain_block_job_set_speed(Call *call, Domain *domain, const char *name, uint64_t bandwidth,
                                    uint32_t flags, Error *error)
{
        uint64_t speed = 0;
        BlockJob *job;
        int r = error_check_flags(error, "BlockJobSetSpeed", flags, SPEED_BYTES);

        (void)call;
        if (r >= 0)
                r = read_speed(bandwidth, flags & SPEED_BYTES, &speed, error);
        if (r >= 0)
                r = look_for(domain, name, &job, error);
        if (r < 0)
                return r;
        job->speed = speed;
        condition_wake_all(&domain->object.condition);
        return 0;
}

int test_domain_get_block_job_info(Call *call, Domain *domain, const char *name, uint32_t flags,
                                   GVariant **ret_info, Error *error)
{
        static const BlockJob none;
        BlockJob *found = NULL;
        const BlockJob *job;
        int r = error_check_flags(error, "GetBlockJobInfo", flags, INFO_BYTES);

        (void)call;
        if (r >= 0)
                r = look(domain, name, &found, error);
        if (r < 0)
                return r;
        job = found ? found : &none;
        *ret_info = g_variant_ref_sink(g_variant_new("(ittt)", job->type,
                                                     flags & INFO_BYTES ? job->speed : job->speed >> 20,
                                                     job->done, job->total));
        return 0;
}
