/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/disk-tune.h"
#include "model/values.h"
#include <string.h>

static const struct {
        const char *key;
        size_t offset;
} disk_tune_limits[DISK_TUNE_LIMITS] = {
        { "total_bytes_sec", offsetof(DiskTune, total_bytes_sec) },
        { "read_bytes_sec", offsetof(DiskTune, read_bytes_sec) },
        { "write_bytes_sec", offsetof(DiskTune, write_bytes_sec) },
        { "total_iops_sec", offsetof(DiskTune, total_iops_sec) },
        { "read_iops_sec", offsetof(DiskTune, read_iops_sec) },
        { "write_iops_sec", offsetof(DiskTune, write_iops_sec) },
        { "total_bytes_sec_max", offsetof(DiskTune, total_bytes_sec_max) },
        { "read_bytes_sec_max", offsetof(DiskTune, read_bytes_sec_max) },
        { "write_bytes_sec_max", offsetof(DiskTune, write_bytes_sec_max) },
        { "total_iops_sec_max", offsetof(DiskTune, total_iops_sec_max) },
        { "read_iops_sec_max", offsetof(DiskTune, read_iops_sec_max) },
        { "write_iops_sec_max", offsetof(DiskTune, write_iops_sec_max) },
        { "size_iops_sec", offsetof(DiskTune, size_iops_sec) },
        { "total_bytes_sec_max_length", offsetof(DiskTune, total_bytes_sec_max_length) },
        { "read_bytes_sec_max_length", offsetof(DiskTune, read_bytes_sec_max_length) },
        { "write_bytes_sec_max_length", offsetof(DiskTune, write_bytes_sec_max_length) },
        { "total_iops_sec_max_length", offsetof(DiskTune, total_iops_sec_max_length) },
        { "read_iops_sec_max_length", offsetof(DiskTune, read_iops_sec_max_length) },
        { "write_iops_sec_max_length", offsetof(DiskTune, write_iops_sec_max_length) },
};

uint64_t *disk_tune_limit(DiskTune *tune, size_t i)
{
        return (uint64_t *)((char *)tune + disk_tune_limits[i].offset);
}

DomainDisk *disk_tune_find(const DomainDefinition *definition, const char *name)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                if (strcmp(disk->target, name) == 0 || g_strcmp0(disk->source.file, name) == 0 ||
                    g_strcmp0(disk->source.dev, name) == 0)
                        return disk;
        }
        return NULL;
}

GVariant *disk_tune_tell(const DiskTune *tune)
{
        DiskTune none = {};
        GVariantBuilder values;

        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        for (size_t i = 0; i < DISK_TUNE_LIMITS; i++)
                g_variant_builder_add(
                        &values, "{sv}", disk_tune_limits[i].key,
                        g_variant_new_uint64(*disk_tune_limit(tune ? (DiskTune *)tune : &none, i)));
        g_variant_builder_add(&values, "{sv}", "group_name",
                              g_variant_new_string(tune && tune->group_name ? tune->group_name : ""));
        return g_variant_builder_end(&values);
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
        for (size_t i = 0; i < DISK_TUNE_LIMITS; i++) {
                if (strcmp(disk_tune_limits[i].key, key) != 0)
                        continue;
                if (!g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64) ||
                    g_variant_get_uint64(value) > 1000000000000000)
                        return error_set(error, ERROR_INVALID_ARGUMENT,
                                         "%s is of type t and at most 1000000000000000", key);
                *disk_tune_limit(tune, i) = g_variant_get_uint64(value);
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

                (void)g_variant_lookup(values, disk_tune_limits[group[0]].key, "t", &total); /* 0 without */
                (void)g_variant_lookup(values, disk_tune_limits[group[1]].key, "t", &read);
                (void)g_variant_lookup(values, disk_tune_limits[group[2]].key, "t", &write);
                if (total && !read && !write)
                        *disk_tune_limit(tune, group[1]) = *disk_tune_limit(tune, group[2]) = 0;
                if ((read || write) && !total)
                        *disk_tune_limit(tune, group[0]) = 0;
        }
        for (size_t i = 0; i < 6; i++) /* a length without its burst means nothing */
                if (*disk_tune_limit(tune, 6 + i) == 0)
                        *disk_tune_limit(tune, 13 + i) = 0;
}

int disk_tune_take(const DomainDisk *disk, GVariant *values, DiskTune **ret_tune, Error *error)
{
        DiskTune *tune = disk->tune ? struct_copy(&disk_tune_type, disk->tune) : struct_new(&disk_tune_type);
        int r = values_take(values, set_limit, tune, error);

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
