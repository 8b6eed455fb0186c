/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/host/describe.h"
#include "drivers/host/sysfs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-hwdb.h>

const char *describe_path(sd_device *device)
{
        const char *path;

        return sd_device_get_syspath(device, &path) < 0 ? "" : path;
}

char *describe_from_database(sd_device *device, const char *property)
{
        _cleanup_(freep) char *modalias = NULL;
        const char *value;
        char *copy = NULL;
        sd_hwdb *database;

        if (sd_device_get_property_value(device, property, &value) >= 0)
                return g_strdup(value);
        modalias = sysfs_read(describe_path(device), "modalias");
        if (!modalias || sd_hwdb_new(&database) < 0)
                return NULL;
        if (sd_hwdb_get(database, modalias, property, &value) >= 0)
                copy = g_strdup(value);
        sd_hwdb_unref(database);
        return copy;
}

NodeFeature *describe_add_feature(NodeCapability *capability, NodeFeatureType type)
{
        NodeFeature *feature = g_new0(NodeFeature, 1);

        feature->type = type;
        list_append(&capability->features, feature);
        return feature;
}

bool describe_read_address(const char *text, DeviceAddress *ret_address)
{
        unsigned domain, bus, slot, function;
        char after;

        if (sscanf(text, "%x:%x:%x.%x%c", &domain, &bus, &slot, &function, &after) != 4 ||
            domain > UINT16_MAX)
                return false;
        *ret_address = (DeviceAddress){ .type = ADDRESS_PCI,
                                        .domain = (uint16_t)domain,
                                        .bus = bus,
                                        .slot = slot,
                                        .has_slot = true,
                                        .has_bus = true,
                                        .function = function };
        return true;
}

static int compare_texts(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder, in order; empty if there is none. */
static GPtrArray *names_in(const char *path)
{
        GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
        GDir *folder = g_dir_open(path, 0, NULL);
        const char *name;

        if (!folder)
                return names;
        while ((name = g_dir_read_name(folder)))
                g_ptr_array_add(names, g_strdup(name));
        g_dir_close(folder);
        g_ptr_array_sort(names, compare_texts);
        return names;
}

IommuGroup *describe_iommu_group(sd_device *device)
{
        _cleanup_(freep) char *number = sysfs_read_link_name(describe_path(device), "iommu_group");
        _cleanup_(freep) char *path = NULL;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = NULL;
        IommuGroup *group;

        if (!number)
                return NULL;
        group = g_new0(IommuGroup, 1);
        group->number = (uint32_t)g_ascii_strtoull(number, NULL, 10);
        path = g_build_filename(describe_path(device), "iommu_group/devices", NULL);
        names = names_in(path);
        for (unsigned i = 0; i < names->len; i++) {
                DeviceAddress address;

                if (describe_read_address(names->pdata[i], &address))
                        list_append(&group->addresses, g_memdup2(&address, sizeof address));
        }
        return group;
}

void describe_mdev_types(sd_device *device, NodeCapability *capability)
{
        _cleanup_(freep) char *path = g_build_filename(describe_path(device), "mdev_supported_types", NULL);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = names_in(path);
        NodeFeature *feature;

        if (names->len == 0)
                return;
        feature = describe_add_feature(capability, FEATURE_MDEV_TYPES);
        for (unsigned i = 0; i < names->len; i++) {
                _cleanup_(freep) char *folder = g_build_filename(path, names->pdata[i], NULL);
                MdevType *type = g_new0(MdevType, 1);
                uint64_t available = 0;

                type->id = g_strdup(names->pdata[i]);
                type->name = sysfs_read(folder, "name");
                type->device_api = sysfs_read(folder, "device_api");
                (void)sysfs_read_number(folder, "available_instances", 10, &available); /* 0 without */
                type->available = (uint32_t)available;
                list_append(&feature->mdev_types, type);
        }
}
