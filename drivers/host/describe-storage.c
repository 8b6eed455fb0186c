/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/host/describe.h"
#include "drivers/host/sysfs.h"
#include <stdio.h>
#include <string.h>

#define SECTOR 512 /* the unit of "size", whatever the device's own is */

/* A world wide name as 16 digits. */
static char *wwn_read(const char *folder, const char *name)
{
        _cleanup_(freep) char *text = sysfs_read(folder, name);

        return text && *text ? g_strdup(g_str_has_prefix(text, "0x") ? text + 2 : text) : NULL;
}

static void describe_fibre(const char *folder, NodeCapability *capability)
{
        _cleanup_(freep) char *create = g_build_filename(folder, "vport_create", NULL);
        NodeFeature *feature = describe_add_feature(capability, FEATURE_FC_HOST);
        uint64_t value = 0;

        feature->wwnn = wwn_read(folder, "node_name");
        feature->wwpn = wwn_read(folder, "port_name");
        feature->fabric_wwn = wwn_read(folder, "fabric_name");
        if (access(create, F_OK) < 0)
                return;
        feature = describe_add_feature(capability, FEATURE_VPORT_OPS);
        feature->has_vports = true;
        (void)sysfs_read_number(folder, "max_npiv_vports", 10, &value); /* 0 without */
        feature->max_vports = (uint32_t)value;
        value = 0;
        (void)sysfs_read_number(folder, "npiv_vports_inuse", 10, &value);
        feature->vports = (uint32_t)value;
}

void describe_scsi_host(sd_device *device, NodeCapability *capability)
{
        const char *name = "host0";
        _cleanup_(freep) char *folder = NULL, *fibre = NULL;
        uint64_t value = 0;

        (void)sd_device_get_sysname(device, &name); /* every device has one */
        folder = g_build_filename(describe_path(device), "scsi_host", name, NULL);
        fibre = g_build_filename(describe_path(device), "fc_host", name, NULL);
        capability->host = (uint32_t)g_ascii_strtoull(name + strlen("host"), NULL, 10);
        capability->has_unique_id = sysfs_read_number(folder, "unique_id", 10, &value);
        capability->unique_id = (uint32_t)value;
        if (access(fibre, F_OK) >= 0)
                describe_fibre(fibre, capability);
}

void describe_scsi_target(sd_device *device, NodeCapability *capability)
{
        const char *name = "", *port;
        sd_device *parent;

        (void)sd_device_get_sysname(device, &name);
        capability->target_name = g_strdup(name);
        for (parent = device; sd_device_get_parent(parent, &parent) >= 0;) {
                _cleanup_(freep) char *folder = NULL;
                NodeFeature *feature;

                if (sd_device_get_sysname(parent, &port) < 0 || !g_str_has_prefix(port, "rport-"))
                        continue;
                folder = g_build_filename(describe_path(parent), "fc_remote_ports", port, NULL);
                feature = describe_add_feature(capability, FEATURE_FC_REMOTE_PORT);
                feature->rport = g_strdup(port);
                feature->wwpn = sysfs_read(folder, "port_name");
                return;
        }
}

void describe_scsi(sd_device *device, NodeCapability *capability)
{
        /* Of SCSI's peripheral device types. */
        static const char *const types[] = {
                [0] = "disk",    [1] = "tape",           [2] = "printer", [3] = "processor",
                [4] = "worm",    [5] = "cdrom",          [6] = "scanner", [7] = "mod",
                [8] = "changer", [9] = "communications", [12] = "raid",   [13] = "enclosure",
                [14] = "disk"
        };
        const char *name = "";
        uint64_t type;

        (void)sd_device_get_sysname(device, &name);
        (void)sscanf(name, "%u:%u:%u:%u", &capability->host, &capability->scsi_bus, &capability->target,
                     &capability->lun); /* what it has not is 0 */
        if (sysfs_read_number(describe_path(device), "type", 10, &type) && type < G_N_ELEMENTS(types))
                capability->scsi_type = g_strdup(types[type]);
}

bool describe_is_storage(sd_device *device)
{
        _cleanup_(freep) char *behind = g_build_filename(describe_path(device), "device", NULL);

        return access(behind, F_OK) >= 0;
}

static char *property(sd_device *device, const char *name)
{
        const char *value;

        return sd_device_get_property_value(device, name, &value) < 0 ? NULL : g_strdup(value);
}

/* Of the device or, where udev does not run, of the file that says the same. */
static char *property_or_file(sd_device *device, const char *name, const char *file)
{
        char *text = property(device, name);

        if (!text)
                text = sysfs_read(describe_path(device), file);
        if (text && !*g_strstrip(text)) {
                g_free(text);
                return NULL;
        }
        return text;
}

char *describe_serial(sd_device *device)
{
        char *serial = property_or_file(device, "ID_SERIAL", "serial");

        return serial ? serial : property_or_file(device, "ID_SERIAL", "device/serial");
}

static char *bus_of(sd_device *device)
{
        static const char *const known[] = { "usb", "virtio", "nvme", "mmc", "xen", "ide", "scsi" };
        char *bus = property(device, "ID_BUS");
        bool has[G_N_ELEMENTS(known)] = {};

        if (bus)
                return bus;
        for (sd_device *parent = device; sd_device_get_parent(parent, &parent) >= 0;) {
                const char *subsystem;

                if (sd_device_get_subsystem(parent, &subsystem) < 0)
                        continue;
                for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
                        has[i] = has[i] || strcmp(subsystem, known[i]) == 0;
        }
        for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
                if (has[i])
                        return g_strdup(known[i]);
        return NULL;
}

static char *drive_type_of(sd_device *device)
{
        char *type = property(device, "ID_TYPE");
        const char *name = "";

        if (type)
                return type;
        (void)sd_device_get_sysname(device, &name);
        return g_strdup(g_str_has_prefix(name, "sr")       ? "cd"
                        : g_str_has_prefix(name, "fd")     ? "floppy"
                        : g_str_has_prefix(name, "mmcblk") ? "sd"
                                                           : "disk");
}

void describe_storage(sd_device *device, NodeCapability *capability)
{
        const char *path = describe_path(device), *node;
        uint64_t sectors = 0, block_size = SECTOR, is_removable = 0;

        if (sd_device_get_devname(device, &node) >= 0)
                capability->block = g_strdup(node);
        capability->storage_bus = bus_of(device);
        capability->drive_type = drive_type_of(device);
        if (strcmp(capability->drive_type, "cd") == 0) {
                g_free(capability->drive_type);
                capability->drive_type = g_strdup("cdrom");
        }
        capability->model = property_or_file(device, "ID_MODEL", "device/model");
        capability->vendor = property_or_file(device, "ID_VENDOR", "device/vendor");
        if (capability->vendor && g_str_has_prefix(capability->vendor, "0x"))
                g_clear_pointer(&capability->vendor, g_free); /* a number of virtio's, nobody's name */
        capability->serial = describe_serial(device);
        (void)sysfs_read_number(path, "size", 10, &sectors);                        /* 0 without */
        (void)sysfs_read_number(path, "queue/logical_block_size", 10, &block_size); /* 512 without */
        (void)sysfs_read_number(path, "removable", 10, &is_removable);              /* no without */
        block_size = block_size > 0 ? block_size : SECTOR;
        if (is_removable) {
                NodeFeature *feature = describe_add_feature(capability, FEATURE_REMOVABLE);

                feature->has_media = true;
                feature->media_available = sectors > 0;
                feature->media_size = sectors * SECTOR;
                feature->media_label = property(device, "ID_FS_LABEL");
                feature->logical_block_size = sectors > 0 ? block_size : 0;
                feature->num_blocks = sectors * SECTOR / block_size;
        } else {
                capability->size = sectors * SECTOR;
                capability->logical_block_size = block_size;
                capability->num_blocks = sectors * SECTOR / block_size;
        }
}
