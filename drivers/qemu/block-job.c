/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/block-job.h"
#include "drivers/qemu/chain.h"
#include "drivers/qemu/long-job.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/pivot.h"
#include "drivers/qemu/status.h"
#include <errno.h>
#include <string.h>

#define PREFIX       "virtbus-block-"
#define ERASE_PREFIX "virtbus-erase-"

bool block_job_erases(const char *id)
{
        return g_str_has_prefix(id, ERASE_PREFIX);
}

const char *block_job_target(const char *id)
{
        if (block_job_erases(id))
                return id + strlen(ERASE_PREFIX);
        return g_str_has_prefix(id, PREFIX) ? id + strlen(PREFIX) : NULL;
}

int block_job_set_speed(json_t *arguments, uint64_t bandwidth, bool is_bytes, Error *error)
{
        if (bandwidth > INT64_MAX / (is_bytes ? 1 : 1024 * 1024))
                return error_set(error, ERROR_INVALID_ARGUMENT, "A bandwidth of %" PRIu64 " is too large",
                                 bandwidth);
        json_object_set_new(arguments, "speed",
                            json_integer((json_int_t)(is_bytes ? bandwidth : bandwidth * 1024 * 1024)));
        return 0;
}

int block_job_find(const Domain *domain, const char *target, char **ret_id, json_t **ret_job, Error *error)
{
        _cleanup_(json_decrefp) json_t *jobs = NULL;
        json_t *job;
        size_t i;
        int r = machine_check_monitor(domain, error);

        *ret_id = NULL;
        *ret_job = NULL;
        if (r >= 0)
                r = long_job_query(domain, &jobs, error);
        if (r < 0)
                return r;
        json_array_foreach(jobs, i, job)
        {
                const char *id = json_string_value(json_object_get(job, "id"));

                if (*ret_job || !id || g_strcmp0(block_job_target(id), target) != 0)
                        continue;
                *ret_id = g_strdup(id);
                *ret_job = json_incref(job);
        }
        return 0;
}

int block_job_find_disk(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error)
{
        int r = machine_check_monitor(domain, error);

        return r < 0 ? r : chain_find_named(domain->live, name, ret_disk, error);
}

int block_job_find_idle(const Domain *domain, const char *name, DomainDisk **ret_disk, Error *error)
{
        _cleanup_(json_decrefp) json_t *job = NULL;
        _cleanup_(freep) char *id = NULL, *target = NULL;
        int r = block_job_find_disk(domain, name, ret_disk, error);

        if (r >= 0)
                r = pivot_check(domain, error); /* the definition may be wrong */
        if (r < 0)
                return r;
        target = g_strdup((*ret_disk)->target);
        r = block_job_find(domain, target, &id, &job, error);
        if (r >= 0)
                r = block_job_find_disk(domain, target, ret_disk, error);
        if (r >= 0 && (job || (*ret_disk)->mirror))
                r = error_set(error, ERROR_OPERATION_INVALID, "Disk '%s' has a job already", target);
        return r;
}

int block_job_start(Domain *domain, const char *target, const char *command, json_t *arguments, bool erases,
                    Error *error)
{
        _cleanup_(freep) char *id = g_strconcat(erases ? ERASE_PREFIX : PREFIX, target, NULL);
        int r;

        json_object_set_new(arguments, "auto-dismiss", json_false());
        r = long_job_start(domain, command, arguments, id, error);
        if (r == -ECANCELED) { /* it was sent: in a moment is looked what became of it */
                error_clear(error);
                qemu_driver_of(domain)->job_changed(domain, id, "concluded");
                r = 0;
        }
        return r;
}

int block_job_drop_mirror(Domain *domain, const char *target, Error *error)
{
        DomainDisk *disk = chain_find_disk(domain->live, target);

        if (!disk || !disk->mirror)
                return 0;
        disk->mirror = struct_free(&disk_mirror_type, disk->mirror);
        return status_save(domain, error);
}

void block_job_tell(Domain *domain, const char *target, BlockJobType type, BlockJobStatus status)
{
        notice_raise(domain, "BlockJob", g_variant_new("(sii)", target, (int)type, (int)status));
}
