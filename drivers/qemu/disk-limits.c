/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A disk that had limits at its start has a throttle group of its own below it, which is changed; one that
 * had none is limited where its device meets its images. Names are libvirt's in calls, QEMU's two ways in
 * the monitor. */

#include "drivers/qemu/disk-limits.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/status.h"
#include <string.h>

#define PARAM_STRING (1 << 2) /* VIR_TYPED_PARAM_STRING_OKAY: values may be texts, which they may always */

static const struct {
        const char *key, *group, *device;
        size_t offset;
} limits[] = {
        { "total_bytes_sec", "bps-total", "bps", offsetof(DiskTune, total_bytes_sec) },
        { "read_bytes_sec", "bps-read", "bps_rd", offsetof(DiskTune, read_bytes_sec) },
        { "write_bytes_sec", "bps-write", "bps_wr", offsetof(DiskTune, write_bytes_sec) },
        { "total_iops_sec", "iops-total", "iops", offsetof(DiskTune, total_iops_sec) },
        { "read_iops_sec", "iops-read", "iops_rd", offsetof(DiskTune, read_iops_sec) },
        { "write_iops_sec", "iops-write", "iops_wr", offsetof(DiskTune, write_iops_sec) },
        { "total_bytes_sec_max", "bps-total-max", "bps_max", offsetof(DiskTune, total_bytes_sec_max) },
        { "read_bytes_sec_max", "bps-read-max", "bps_rd_max", offsetof(DiskTune, read_bytes_sec_max) },
        { "write_bytes_sec_max", "bps-write-max", "bps_wr_max", offsetof(DiskTune, write_bytes_sec_max) },
        { "total_iops_sec_max", "iops-total-max", "iops_max", offsetof(DiskTune, total_iops_sec_max) },
        { "read_iops_sec_max", "iops-read-max", "iops_rd_max", offsetof(DiskTune, read_iops_sec_max) },
        { "write_iops_sec_max", "iops-write-max", "iops_wr_max", offsetof(DiskTune, write_iops_sec_max) },
        { "size_iops_sec", "iops-size", "iops_size", offsetof(DiskTune, size_iops_sec) },
        { "total_bytes_sec_max_length", "bps-total-max-length", "bps_max_length",
          offsetof(DiskTune, total_bytes_sec_max_length) },
        { "read_bytes_sec_max_length", "bps-read-max-length", "bps_rd_max_length",
          offsetof(DiskTune, read_bytes_sec_max_length) },
        { "write_bytes_sec_max_length", "bps-write-max-length", "bps_wr_max_length",
          offsetof(DiskTune, write_bytes_sec_max_length) },
        { "total_iops_sec_max_length", "iops-total-max-length", "iops_max_length",
          offsetof(DiskTune, total_iops_sec_max_length) },
        { "read_iops_sec_max_length", "iops-read-max-length", "iops_rd_max_length",
          offsetof(DiskTune, read_iops_sec_max_length) },
        { "write_iops_sec_max_length", "iops-write-max-length", "iops_wr_max_length",
          offsetof(DiskTune, write_iops_sec_max_length) },
};

static uint64_t *limit_at(DiskTune *tune, size_t i)
{
        return (uint64_t *)((char *)tune + limits[i].offset);
}

static DomainDisk *find_disk(const DomainDefinition *definition, const char *name)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                if (strcmp(disk->target, name) == 0 || g_strcmp0(disk->source.file, name) == 0 ||
                    g_strcmp0(disk->source.dev, name) == 0)
                        return disk;
        }
        return NULL;
}

static int check_disk(const Domain *domain, const DomainDefinition *definition, const char *name,
                      Error *error)
{
        return find_disk(definition, name) ? 0
                                           : error_set(error, ERROR_NO_DEVICE, "The %s has no disk '%s'",
                                                       object_describe(&domain->object), name);
}

int qemu_domain_get_block_io_tune(Call *call, Domain *domain, const char *disk, uint32_t flags,
                                  GVariant **ret_limits, Error *error)
{
        const DomainDefinition *definition;
        DiskTune none = {}, *tune = &none;
        GVariantBuilder values;
        int r = impact_choose(domain, "GetBlockIOTune", PARAM_STRING, &flags, error);

        (void)call;
        if (r < 0)
                return r;
        definition = impact_definition(domain, flags);
        if (disk && *disk) {
                r = check_disk(domain, definition, disk, error);
                if (r < 0)
                        return r;
                if (find_disk(definition, disk)->tune)
                        tune = find_disk(definition, disk)->tune;
        }
        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
                g_variant_builder_add(&values, "{sv}", limits[i].key,
                                      g_variant_new_uint64(*limit_at(tune, i)));
        g_variant_builder_add(&values, "{sv}", "group_name",
                              g_variant_new_string(tune->group_name ? tune->group_name : ""));
        *ret_limits = g_variant_ref_sink(g_variant_builder_end(&values));
        return 0;
}

static int set_limit(void *target, const char *key, GVariant *value, Error *error)
{
        DiskTune *tune = target;

        if (strcmp(key, "group_name") == 0 && g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
                g_free(tune->group_name);
                tune->group_name =
                        *g_variant_get_string(value, NULL) ? g_variant_dup_string(value, NULL) : NULL;
                return 0;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
                if (strcmp(limits[i].key, key) != 0)
                        continue;
                if (!g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64) ||
                    g_variant_get_uint64(value) > 1000000000000000)
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "%s is of type t and at most 1000000000000000", key);
                *limit_at(tune, i) = g_variant_get_uint64(value);
                return 0;
        }
        return error_set(error, ERROR_INVALID_ARGUMENT, "There is no limit '%s'", key);
}

/* A total and its parts exclude each other: what is set last, wins. */
static void drop_contradictions(DiskTune *tune, GVariant *values)
{
        static const uint8_t groups[][3] = { { 0, 1, 2 }, { 3, 4, 5 }, { 6, 7, 8 }, { 9, 10, 11 } };

        for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
                const uint8_t *group = groups[i];
                uint64_t total = 0, read = 0, write = 0;

                (void)g_variant_lookup(values, limits[group[0]].key, "t", &total); /* 0 without */
                (void)g_variant_lookup(values, limits[group[1]].key, "t", &read);
                (void)g_variant_lookup(values, limits[group[2]].key, "t", &write);
                if (total && !read && !write)
                        *limit_at(tune, group[1]) = *limit_at(tune, group[2]) = 0;
                if ((read || write) && !total)
                        *limit_at(tune, group[0]) = 0;
        }
        for (size_t i = 0; i < 6; i++) /* a length without its burst means nothing */
                if (*limit_at(tune, 6 + i) == 0)
                        *limit_at(tune, 13 + i) = 0;
}

/* A new set of limits for the disk, checked as one of a definition is. */
static int change(const DomainDisk *disk, GVariant *values, DiskTune **ret_tune, Error *error)
{
        DiskTune *tune = disk->tune ? struct_copy(&disk_tune_type, disk->tune) : struct_new(&disk_tune_type);
        int r = impact_take(values, set_limit, tune, error);

        if (r >= 0)
                drop_contradictions(tune, values);
        if (r >= 0)
                r = disk_tune_type.check(tune, NULL, 0, error);
        if (r < 0)
                struct_free(&disk_tune_type, tune);
        else
                *ret_tune = tune;
        return r;
}

static json_t *group_arguments(const char *target, DiskTune *tune)
{
        _cleanup_(freep) char *path =
                tune->group_name ? g_strdup_printf("/objects/throttle-group-%s", tune->group_name)
                                 : g_strdup_printf("/objects/throttle-%s", target);
        json_t *values = json_object();

        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
                if (*limit_at(tune, i) || i < 13) /* QEMU wants no length of 0 */
                        json_object_set_new(values, limits[i].group,
                                            json_integer((json_int_t)*limit_at(tune, i)));
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

        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
                if (*limit_at(tune, i) || i < 13)
                        json_object_set_new(arguments, limits[i].device,
                                            json_integer((json_int_t)*limit_at(tune, i)));
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
        DomainDisk *disk = find_disk(domain->live, name);
        _cleanup_(freep) char *target = g_strdup(disk->target);
        DiskTune *tune;
        int r = change(disk, values, &tune, error);

        if (r < 0)
                return r;
        r = disk_limits_change(domain, disk, tune,
                               MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)), error);
        disk = r >= 0 && domain->live ? find_disk(domain->live, target) : NULL;
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
        int r = impact_choose(domain, "SetBlockIOTune", PARAM_STRING, &flags, error);

        if (r >= 0 && flags & AFFECT_LIVE)
                r = check_disk(domain, domain->live, name, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = check_disk(domain, domain->definition, name, error);
        if (r >= 0 && flags & AFFECT_CONFIG) {
                DiskTune *tune;
                DomainDisk *disk;

                changed = domain_definition_copy(domain->definition);
                disk = find_disk(changed, name);
                r = change(disk, values, &tune, error);
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
        return changed ? impact_end(domain, &changed, r) : r;
}
