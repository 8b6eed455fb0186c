/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* While an image is merged, all of the chain stays valid: what is above hides what is written below. The one
 * moment that counts is when a guest goes over to the image below (pivot.c): what it wrote from then on
 * would be hidden by the old image. */

#include "drivers/qemu/chain-merge.h"
#include "core/fiber.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/definitions.h"
#include "drivers/qemu/image-tool.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/pivot.h"
#include "drivers/qemu/status.h"
#include "drivers/qemu/unplug.h"
#include <string.h>

int chain_merge_check(const Domain *domain, const char *target, const char *path, const char *base,
                      Error *error)
{
        const DomainDisk *disk = chain_find_disk(domain_current_definition(domain), target);

        if (disk && disk->mirror)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "Disk '%s' has a job: it is merged or copied", target);
        if (disk && g_strcmp0(chain_next(disk, path), base) == 0)
                return 0;
        return error_set(error, ERROR_NOT_SUPPORTED,
                         "Disk '%s' of the %s does not have %s directly over %s: they cannot be merged",
                         target, object_describe(&domain->object), path, base);
}

/* The kept definition first: it is what a later start believes. */
int chain_merge_follow(Domain *domain, const char *target, const char *top, const char *base, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *kept =
                domain->definition ? domain_definition_copy(domain->definition) : NULL;
        _cleanup_(domain_definition_freep) DomainDefinition *live = NULL;
        DomainDisk *disk;
        int r = 0;

        if (chain_remove_range(kept, target, top, base) && domain->is_persistent) {
                r = definitions_save(domain, kept, domain->is_autostart, error);
                if (r < 0)
                        return r;
                domain_definition_free(domain->definition);
                domain->definition = TAKE_PTR(kept);
        }
        if (!domain->live)
                return 0;
        live = domain_definition_copy(domain->live); /* as it is now: devices may have gone meanwhile */
        if (!chain_remove_range(live, target, top, base))
                return 0;
        disk = chain_find_disk(live, target);
        if (disk && disk->mirror)
                disk->mirror = struct_free(&disk_mirror_type, disk->mirror);
        domain_set_live(domain, TAKE_PTR(live));
        return status_save(domain, error);
}

typedef struct Range {
        const char *target, *top, *base;
} Range;

static int range_follow(Domain *domain, const void *data, Error *error) AWAITS
{
        const Range *range = data;

        return chain_merge_follow(domain, range->target, range->top, range->base, error);
}

/* It has failed, or is ready to go over and will not. */
static void give_up(Domain *domain, const char *id) AWAITS
{
        fiber_clear_cancel();
        if (machine_command(domain, "job-cancel", json_pack("{s:s}", "id", id), NULL, NULL) >= 0)
                (void)long_job_wait(domain, id, LONG_JOB_ENDED, NULL); /* as it was */
}

static int merge_running(Domain *domain, const char *target, const char *path, const char *base,
                         Error *error) AWAITS
{
        const DomainDisk *disk = chain_find_disk(domain->live, target);
        const bool is_active = chain_is_active(disk, path);
        const DiskBacking *image = is_active ? NULL : chain_find_below(disk, path),
                          *lower = chain_find_below(disk, base);
        _cleanup_(freep) char *root = NULL,
                              *from = chain_node(disk, image ? image->index : disk->source.index),
                              *to = chain_node(disk, lower->index),
                              *id = g_strconcat(CHAIN_MERGE_PREFIX, target, NULL), *name = g_strdup(target);
        _cleanup_(json_decrefp) json_t *arguments =
                json_pack("{s:s, s:s, s:b, s:b}", "top-node", from, "base-node", to, "auto-dismiss", 0,
                          "auto-finalize", 1);
        DomainDisk *copy = struct_copy(&domain_disk_type, disk); /* it may go while we wait */
        int r;

        if (!is_active) /* QEMU may know the image by the number of a descriptor only */
                json_object_set_new(arguments, "backing-file", json_string(base));
        r = pivot_check(domain, error);
        if (r < 0) {
                (void)struct_free(&domain_disk_type, copy);
                return r;
        }
        r = chain_find_root(domain, copy, &root, error);
        if (r >= 0)
                r = chain_set_merge_writable(domain, copy, path, base, true, error);
        if (r >= 0) {
                json_object_set_new(arguments, "device", json_string(root));
                r = long_job_start(domain, "block-commit", TAKE_PTR(arguments), id, error);
        }
        if (r >= 0)
                r = long_job_wait(domain, id, is_active ? LONG_JOB_READY : LONG_JOB_ENDED, error);
        if (r >= 0)
                r = is_active ? pivot(domain, id, range_follow, &(Range){ name, path, base }, error)
                              : chain_merge_follow(domain, name, path, base, error);
        if (r < 0 && !machine_of(domain)->is_held)
                give_up(domain, id);
        if (!machine_of(domain)->is_held && (r < 0 || !is_active)) /* else it is what the guest writes to */
                (void)chain_set_merge_writable(domain, copy, path, base, false, NULL);
        (void)struct_free(&domain_disk_type, copy);
        if (domain->live)
                unplug_media(domain, name); /* what is in no chain any more */
        return r;
}

static int merge_stopped(Domain *domain, const char *target, const char *path, const char *base,
                         Error *error) AWAITS
{
        const DomainDisk *disk = chain_find_disk(domain->definition, target);
        _cleanup_(freep) char *above = g_strdup(chain_above(disk, path));
        const DiskBacking *lower = chain_find_below(disk, base);
        DiskFormat format = lower->format;
        int r = image_tool_commit(domain, path, base, error);

        if (r >= 0 && above)
                r = image_tool_rebase(domain, above, base, format, error);
        return r < 0 ? r : chain_merge_follow(domain, target, path, base, error);
}

int chain_merge(Domain *domain, const char *target, const char *path, const char *base, const Job *cause,
                Error *error)
{
        _cleanup_(machine_actp) Machine *acting _unused_ = machine_act(domain, cause);
        int r = chain_merge_check(domain, target, path, base, error);

        if (r < 0)
                return r;
        return domain_is_active(domain) ? merge_running(domain, target, path, base, error)
                                        : merge_stopped(domain, target, path, base, error);
}
