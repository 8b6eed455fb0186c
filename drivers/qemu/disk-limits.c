/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A disk that had limits at its start has a throttle group of its own below it, which is changed; one that
 * had none is limited where its device meets its images. Names are libvirt's in calls, QEMU's two ways in
 * the monitor. */

#include "drivers/qemu/disk-limits.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/notices.h"
#include "drivers/qemu/status.h"
#include "model/disk-tune.h"
#include "model/tunable.h"
#include <string.h>

#define PARAM_STRING (1 << 2) /* VIR_TYPED_PARAM_STRING_OKAY: values may be texts, which they may always */

static const struct {
        const char *group, *device;
} names[DISK_TUNE_LIMITS] = {
        { "bps-total", "bps" },
        { "bps-read", "bps_rd" },
        { "bps-write", "bps_wr" },
        { "iops-total", "iops" },
        { "iops-read", "iops_rd" },
        { "iops-write", "iops_wr" },
        { "bps-total-max", "bps_max" },
        { "bps-read-max", "bps_rd_max" },
        { "bps-write-max", "bps_wr_max" },
        { "iops-total-max", "iops_max" },
        { "iops-read-max", "iops_rd_max" },
        { "iops-write-max", "iops_wr_max" },
        { "iops-size", "iops_size" },
        { "bps-total-max-length", "bps_max_length" },
        { "bps-read-max-length", "bps_rd_max_length" },
        { "bps-write-max-length", "bps_wr_max_length" },
        { "iops-total-max-length", "iops_max_length" },
        { "iops-read-max-length", "iops_rd_max_length" },
        { "iops-write-max-length", "iops_wr_max_length" },
};

static int check_disk(const Domain *domain, const DomainDefinition *definition, const char *name,
                      Error *error)
{
        return disk_tune_find(definition, name)
                       ? 0
                       : error_set(error, ERROR_NO_DEVICE, "The %s has no disk '%s'",
                                   object_describe(&domain->object), name);
}

int qemu_domain_get_block_io_tune(Call *call, Domain *domain, const char *disk, uint32_t flags,
                                  GVariant **ret_limits, Error *error)
{
        const DomainDefinition *definition;
        const DiskTune *tune = NULL;
        int r = impact_choose(domain, "GetBlockIOTune", PARAM_STRING, &flags, error);

        (void)call;
        if (r < 0)
                return r;
        definition = impact_definition(domain, flags);
        if (disk && *disk) {
                r = check_disk(domain, definition, disk, error);
                if (r < 0)
                        return r;
                tune = disk_tune_find(definition, disk)->tune;
        }
        *ret_limits = g_variant_ref_sink(disk_tune_tell(tune));
        return 0;
}

static json_t *group_arguments(const char *target, DiskTune *tune)
{
        _cleanup_(freep) char *path =
                tune->group_name ? g_strdup_printf("/objects/throttle-group-%s", tune->group_name)
                                 : g_strdup_printf("/objects/throttle-%s", target);
        json_t *values = json_object();

        for (size_t i = 0; i < DISK_TUNE_LIMITS; i++)
                if (*disk_tune_limit(tune, i) || i < DISK_TUNE_LENGTHS) /* QEMU wants no length of 0 */
                        json_object_set_new(values, names[i].group,
                                            json_integer((json_int_t)*disk_tune_limit(tune, i)));
        return json_pack("{s:s, s:s, s:o}", "path", path, "property", "limits", "value", values);
}

/* How QEMU finds what is behind the disk's device; NULL: it has none. */
static char *backend_name(const DomainDisk *disk)
{
        if (!disk->info.alias)
                return NULL;
        return disk->bus == DISK_BUS_VIRTIO
                       ? g_strdup_printf("/machine/peripheral/%s/virtio-backend", disk->info.alias)
                       : g_strdup(disk->info.alias);
}

static json_t *device_arguments(const char *alias, DiskTune *tune)
{
        json_t *arguments = json_pack("{s:s}", "id", alias);

        for (size_t i = 0; i < DISK_TUNE_LIMITS; i++)
                if (*disk_tune_limit(tune, i) || i < DISK_TUNE_LENGTHS)
                        json_object_set_new(arguments, names[i].device,
                                            json_integer((json_int_t)*disk_tune_limit(tune, i)));
        if (tune->group_name)
                json_object_set_new(arguments, "group", json_string(tune->group_name));
        return arguments;
}

int disk_limits_change(Domain *domain, const DomainDisk *disk, const DiskTune *wanted,
                       uint64_t deadline_usec, Error *error)
{
        _cleanup_(freep) char *target = g_strdup(disk->target), *alias = backend_name(disk);
        DiskTune none = {}, *tune = wanted ? (DiskTune *)wanted : &none;
        bool had_limits = disk->tune != NULL;
        int r = machine_check_monitor(domain, error);

        if (r < 0)
                return r;
        r = had_limits ? qmp_call(machine_of(domain)->qmp, "qom-set", group_arguments(target, tune),
                                  deadline_usec, NULL, NULL)
                       : -ENOENT;
        /* There is no such group, for the limits came later. */
        if (r < 0)
                r = alias && machine_check_monitor(domain, error) >= 0
                            ? qmp_call(machine_of(domain)->qmp, "block_set_io_throttle",
                                       device_arguments(alias, tune), deadline_usec, NULL, error)
                            : error_set(error, ERROR_OPERATION_FAILED, "The disk '%s' is gone", target);
        return r;
}

static int change_live(Call *call, Domain *domain, const char *name, GVariant *values, Error *error) AWAITS
{
        _cleanup_(freep) char *target = NULL;
        DomainDisk *disk;
        DiskTune *tune;
        int r = domain_check_active(domain, error);

        if (r >= 0)
                r = check_disk(domain, domain->live, name, error);
        if (r < 0)
                return r;
        disk = disk_tune_find(domain->live, name);
        target = g_strdup(disk->target);
        r = disk_tune_take(disk, values, &tune, error);
        if (r < 0)
                return r;
        r = disk_limits_change(domain, disk, tune,
                               MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)), error);
        disk = r >= 0 && domain->live ? disk_tune_find(domain->live, target) : NULL;
        if (!disk) {
                struct_free(&disk_tune_type, tune);
                return r;
        }
        struct_free(&disk_tune_type, disk->tune);
        disk->tune = tune;
        return status_save(domain, error);
}

int qemu_domain_set_block_io_tune(Call *call, Domain *domain, const char *name, GVariant *values,
                                  uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *changed = NULL;
        DomainDisk *disk;
        int r = impact_choose(domain, "SetBlockIOTune", PARAM_STRING, &flags, error);

        if (r >= 0 && flags & AFFECT_LIVE)
                r = check_disk(domain, domain->live, name, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = check_disk(domain, domain->definition, name, error);
        if (r >= 0 && flags & AFFECT_CONFIG) {
                DiskTune *tune;

                changed = domain_definition_copy(domain->definition);
                disk = disk_tune_find(changed, name);
                r = disk_tune_take(disk, values, &tune, error);
                if (r >= 0) {
                        struct_free(&disk_tune_type, disk->tune);
                        disk->tune = tune;
                }
        }
        if (r >= 0 && changed)
                r = impact_begin(domain, changed, error);
        if (r < 0)
                return r;
        if (flags & AFFECT_LIVE)
                r = change_live(call, domain, name, values, error);
        if (changed)
                r = impact_end(domain, &changed, r);
        disk = r >= 0 && flags & AFFECT_LIVE && domain->live ? disk_tune_find(domain->live, name) : NULL;
        if (disk)
                notice_raise(domain, "Tunable", tunable_of_disk(disk, values));
        return r;
}
