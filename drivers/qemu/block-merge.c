/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While QEMU works on a chain the definition stays as it is, which is right until the end: what is above
 * hides what is below. */

#include "drivers/qemu/block-merge.h"
#include "core/fiber.h"
#include "drivers/qemu/block-copy.h"
#include "drivers/qemu/block-job.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/images.h"
#include "drivers/qemu/owner-files.h"
#include "drivers/qemu/status.h"
#include <string.h>

/* Of BlockPull and BlockRebase, and of BlockCommit. */
enum {
        REBASE_SHALLOW = 1 << 0,
        REBASE_REUSE_EXT = 1 << 1,
        REBASE_COPY_RAW = 1 << 2,
        REBASE_COPY = 1 << 3,
        REBASE_RELATIVE = 1 << 4,
        REBASE_COPY_DEV = 1 << 5,
        REBASE_BANDWIDTH_BYTES = 1 << 6,
        REBASE_OF_COPIES = REBASE_SHALLOW | REBASE_REUSE_EXT | REBASE_COPY_RAW | REBASE_COPY_DEV,
        COMMIT_SHALLOW = 1 << 0,
        COMMIT_DELETE = 1 << 1,
        COMMIT_ACTIVE = 1 << 2,
        COMMIT_RELATIVE = 1 << 3,
        COMMIT_BANDWIDTH_BYTES = 1 << 4,
};

/* The number of the image of that path in the chain. */
static int find_index(const DomainDisk *disk, const char *path, uint32_t *ret_index, Error *error)
{
        const DiskBacking *below = chain_find_below(disk, path);

        if (!below && !chain_is_active(disk, path))
                return error_set(error, ERROR_INVALID_ARGUMENT, "The chain of disk '%s' has no image %s",
                                 disk->target, path);
        *ret_index = below ? below->index : disk->source.index;
        return 0;
}

/* How the image `from` is to name `base` when all in between is gone, by the relative names that they have
 * for each other now; the caller frees. */
static int find_relative(const Domain *domain, const DomainDisk *disk, const char *from, const char *base,
                         char **ret_name, Error *error) AWAITS
{
        _cleanup_(freep) char *at = g_strdup(from), *name = NULL;

        while (strcmp(at, base) != 0) {
                _cleanup_(volume_header_clear) VolumeHeader header = {};
                _cleanup_(freep) char *folder = g_path_get_dirname(at), *so_far = name;
                _cleanup_(freep) char *place = so_far ? g_path_get_dirname(so_far) : g_strdup(".");
                int r = owner_files_header(domain, at, &header, NULL, error);

                name = NULL;
                if (r < 0)
                        return r;
                if (!header.backing_path || g_path_is_absolute(header.backing_path))
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "%s does not name what is below it by a relative path: RELATIVE "
                                         "keeps those only",
                                         at);
                name = strcmp(place, ".") == 0 ? g_strdup(header.backing_path)
                                               : g_build_filename(place, header.backing_path, NULL);
                g_free(at);
                at = g_canonicalize_filename(header.backing_path, folder);
                if (!chain_find_below(disk, at))
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "The chain of disk '%s' has no image %s, which its images name",
                                         disk->target, at);
        }
        *ret_name = TAKE_PTR(name);
        return 0;
}

/* What the header of `from` is to say when `base` is what is below it. */
static int set_backing_file(const Domain *domain, const DomainDisk *disk, const char *from, const char *base,
                            bool is_relative, json_t *arguments, Error *error) AWAITS
{
        _cleanup_(freep) char *name = NULL;
        int r = is_relative && !from
                        ? error_set(error, ERROR_NOT_SUPPORTED,
                                    "RELATIVE: disk '%s' has an image that has no path", disk->target)
                : is_relative ? find_relative(domain, disk, from, base, &name, error)
                              : 0;

        if (r >= 0)
                json_object_set_new(arguments, "backing-file", json_string(name ? name : base));
        return r;
}

static void set_node(json_t *arguments, const char *key, const DomainDisk *disk, uint32_t index)
{
        _cleanup_(freep) char *node = chain_node(disk, index);

        json_object_set_new(arguments, key, json_string(node));
}

static void disk_freep(DomainDisk **disk)
{
        if (*disk)
                (void)struct_free(&domain_disk_type, *disk);
}

static int pull(Domain *domain, const char *name, const char *base, uint64_t bandwidth, uint32_t flags,
                Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *arguments = json_object();
        _cleanup_(disk_freep) DomainDisk *disk = NULL;
        DomainDisk *found;
        uint32_t index = 0;
        int r = block_job_find_idle(domain, name, &found, error);

        if (r >= 0)
                r = block_job_set_speed(arguments, bandwidth, flags & REBASE_BANDWIDTH_BYTES, error);
        if (r >= 0 && flags & REBASE_RELATIVE && !base)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "BlockRebase: RELATIVE (16) needs a base");
        if (r >= 0 && base)
                r = find_index(found, base, &index, error);
        if (r < 0)
                return r;
        disk = struct_copy(&domain_disk_type, found); /* it may go while we wait */
        set_node(arguments, "device", disk, disk->source.index);
        if (base) {
                set_node(arguments, "base-node", disk, index);
                r = set_backing_file(domain, disk, chain_path(&disk->source), base, flags & REBASE_RELATIVE,
                                     arguments, error);
        }
        return r < 0 ? r
                     : block_job_start(domain, disk->target, "block-stream", TAKE_PTR(arguments), false,
                                       error);
}

int qemu_domain_block_pull(Call *call, Domain *domain, const char *disk, uint64_t bandwidth, uint32_t flags,
                           Error *error)
{
        int r = error_check_flags(error, "BlockPull", flags, REBASE_BANDWIDTH_BYTES);

        (void)call;
        return r < 0 ? r : pull(domain, disk, NULL, bandwidth, flags, error);
}

/* BlockRebase with COPY is BlockCopy in older words. */
static int copy_to(Domain *domain, const char *disk, const char *path, uint64_t bandwidth, uint32_t flags,
                   Error *error) AWAITS
{
        _cleanup_(json_decrefp) json_t *arguments = json_object();
        DomainDisk *place;
        int r = block_job_set_speed(arguments, bandwidth, flags & REBASE_BANDWIDTH_BYTES, error);

        if (r >= 0 && !path)
                r = error_set(error, ERROR_INVALID_ARGUMENT, "BlockRebase: COPY (8) needs a place");
        if (r < 0)
                return r;
        place = struct_new(&disk_place_type);
        place->type = place->source.type = flags & REBASE_COPY_DEV ? DISK_TYPE_BLOCK : DISK_TYPE_FILE;
        *(flags & REBASE_COPY_DEV ? &place->source.dev : &place->source.file) = g_strdup(path);
        if (flags & REBASE_COPY_RAW)
                place->format = DISK_FORMAT_RAW;
        return block_copy_begin(domain, disk, place, TAKE_PTR(arguments), flags & REBASE_SHALLOW,
                                flags & REBASE_REUSE_EXT, error);
}

int qemu_domain_block_rebase(Call *call, Domain *domain, const char *disk, const char *base,
                             uint64_t bandwidth, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "BlockRebase", flags,
                                  REBASE_OF_COPIES | REBASE_COPY | REBASE_RELATIVE | REBASE_BANDWIDTH_BYTES);

        (void)call;
        if (r >= 0 && flags & REBASE_OF_COPIES && !(flags & REBASE_COPY))
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "BlockRebase: SHALLOW (1), REUSE_EXT (2), COPY_RAW (4) and COPY_DEV (32) need "
                              "COPY (8)");
        if (r >= 0 && flags & REBASE_COPY && flags & REBASE_RELATIVE)
                r = error_set(error, ERROR_INVALID_ARGUMENT,
                              "BlockRebase: RELATIVE (16) excludes COPY (8), which changes no chain");
        if (r < 0)
                return r;
        return flags & REBASE_COPY ? copy_to(domain, disk, base, bandwidth, flags, error)
                                   : pull(domain, disk, base, bandwidth, flags, error);
}

typedef struct Commit {
        DomainDisk *disk; /* a copy */
        char *top, *base;
        bool is_active;
        uint32_t flags;
} Commit;

static void commit_clear(Commit *commit)
{
        disk_freep(&commit->disk);
        g_free(commit->top);
        g_free(commit->base);
}

/* Which image is merged into which. */
static int choose(Commit *commit, const char *base, const char *top, Error *error)
{
        const DomainDisk *disk = commit->disk;
        const char *next, *lower;
        uint32_t index;
        int r;

        commit->top = g_strdup(*top ? top : chain_path(&disk->source));
        commit->is_active = chain_is_active(disk, commit->top);
        r = find_index(disk, commit->top, &index, error);
        if (r < 0)
                return r;
        if (commit->is_active && !(commit->flags & COMMIT_ACTIVE))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "The active image of disk '%s' is merged with flag ACTIVE (4)",
                                 disk->target);
        next = lower = chain_next(disk, commit->top);
        while (lower && (*base ? strcmp(lower, base) != 0
                               : !(commit->flags & COMMIT_SHALLOW) && chain_next(disk, lower)))
                lower = chain_next(disk, lower);
        if (!lower)
                return error_set(error, ERROR_INVALID_ARGUMENT, "Disk '%s' has no image %s below %s",
                                 disk->target, *base ? base : "at all", commit->top);
        if (commit->flags & COMMIT_SHALLOW && lower != next)
                return error_set(error, ERROR_INVALID_ARGUMENT, "%s is not directly below %s", base,
                                 commit->top);
        commit->base = g_strdup(lower);
        return 0;
}

/* What will be removed is nobody else's, and a file. */
static int check_delete(const Domain *domain, const Commit *commit, Error *error) AWAITS
{
        for (const char *path = commit->top; path && strcmp(path, commit->base) != 0;
             path = chain_next(commit->disk, path)) {
                const DiskBacking *below = chain_find_below(commit->disk, path);
                DomainDisk place = { .type = below ? below->type : commit->disk->type,
                                     .target = commit->disk->target };
                int r;

                place.source = below ? below->source : commit->disk->source;
                if (place.type != DISK_TYPE_FILE)
                        return error_set(error, ERROR_NOT_SUPPORTED,
                                         "BlockCommit: DELETE (2) removes files, and %s is none", path);
                place.source.type = place.type;
                r = images_check_copy(domain, &place, true, deadline_after_usec(QMP_TIMEOUT_USEC), error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* From now on there is a second image that the guest can go over to. */
static int begin_mirror(Domain *domain, const Commit *commit, Error *error) AWAITS
{
        const DiskBacking *base = chain_find_below(commit->disk, commit->base);
        DomainDisk *disk = chain_find_disk(domain->live, commit->disk->target);

        if (!disk)
                return 0;
        disk->mirror = struct_new(&disk_mirror_type);
        disk->mirror->type = base->type;
        disk->mirror->job = g_strdup(BLOCK_JOB_MIRROR_COMMIT);
        disk->mirror->format = base->format;
        chain_copy_source(&disk->mirror->source, base->type, &base->source, base->index);
        return status_save(domain, error);
}

static int begin_commit(Domain *domain, const Commit *commit, json_t *arguments, Error *error) AWAITS
{
        const DomainDisk *disk = commit->disk;
        _cleanup_(freep) char *root = NULL;
        uint32_t top = 0, base = 0;
        int r = find_index(disk, commit->top, &top, error);

        if (r >= 0)
                r = find_index(disk, commit->base, &base, error);
        if (r >= 0 && commit->flags & COMMIT_DELETE)
                r = check_delete(domain, commit, error);
        if (r >= 0 && !commit->is_active)
                r = set_backing_file(domain, disk, chain_above(disk, commit->top), commit->base,
                                     commit->flags & COMMIT_RELATIVE, arguments, error);
        if (r >= 0)
                r = chain_find_root(domain, disk, &root, error);
        if (r < 0) {
                json_decref(arguments);
                return r;
        }
        r = chain_set_merge_writable(domain, disk, commit->top, commit->base, true, error);
        if (r >= 0 && commit->is_active)
                r = begin_mirror(domain, commit, error);
        json_object_set_new(arguments, "device", json_string(root));
        set_node(arguments, "top-node", disk, top);
        set_node(arguments, "base-node", disk, base);
        if (r >= 0)
                r = block_job_start(domain, disk->target, "block-commit", json_incref(arguments),
                                    commit->flags & COMMIT_DELETE, error);
        json_decref(arguments);
        if (r < 0) {
                fiber_clear_cancel();
                (void)block_job_drop_mirror(domain, disk->target, NULL);
                (void)chain_set_merge_writable(domain, disk, commit->top, commit->base, false, NULL);
        }
        return r;
}

int qemu_domain_block_commit(Call *call, Domain *domain, const char *name, const char *base, const char *top,
                             uint64_t bandwidth, uint32_t flags, Error *error)
{
        _cleanup_(json_decrefp) json_t *arguments = json_object();
        _cleanup_(commit_clear) Commit commit = { .flags = flags };
        DomainDisk *disk;
        int r = error_check_flags(error, "BlockCommit", flags,
                                  COMMIT_SHALLOW | COMMIT_DELETE | COMMIT_ACTIVE | COMMIT_RELATIVE |
                                          COMMIT_BANDWIDTH_BYTES);

        (void)call;
        if (r >= 0)
                r = block_job_set_speed(arguments, bandwidth, flags & COMMIT_BANDWIDTH_BYTES, error);
        if (r >= 0)
                r = block_job_find_idle(domain, name, &disk, error);
        if (r < 0)
                return r;
        commit.disk = struct_copy(&domain_disk_type, disk); /* it may go while we wait */
        r = choose(&commit, base, top, error);
        return r < 0 ? r : begin_commit(domain, &commit, TAKE_PTR(arguments), error);
}
