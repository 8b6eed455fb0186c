/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <disk>: the device and its driver, and the images that it is a layer over. */

#include "model/domain/disk.h"
#include <string.h>

DEFINE_ENUM(disk_type, DISK_TYPES);
DEFINE_ENUM(disk_device, DISK_DEVICES);
DEFINE_ENUM(disk_bus, DISK_BUSES);
DEFINE_ENUM(disk_cache, DISK_CACHES);
DEFINE_ENUM(disk_error_policy, DISK_ERROR_POLICIES);
DEFINE_ENUM(disk_io, DISK_IOS);
DEFINE_ENUM(disk_discard, DISK_DISCARDS);
DEFINE_ENUM(disk_detect_zeroes, DISK_DETECT_ZEROES);
DEFINE_ENUM(disk_snapshot, DISK_SNAPSHOTS);
DEFINE_ENUM(disk_tray, DISK_TRAYS);
DEFINE_ENUM(disk_model, DISK_MODELS);
DEFINE_ENUM(disk_format, DISK_FORMATS);
DEFINE_ENUM(disk_translation, DISK_TRANSLATIONS);

static int backing_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DiskBacking *backing = object;

        (void)flags;
        if (backing->type == DISK_TYPE_ABSENT)
                return 0;
        if (backing->format == DISK_FORMAT_ABSENT)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <backingStore>: format/@type is missing", node ? node->line : 0);
        if (node && !xml_child(node, "source"))
                return error_set(error, ERROR_INVALID_XML, "line %u: <backingStore>: <source> is missing",
                                 node->line);
        return disk_source_complete(&backing->source, backing->type, node ? node->line : 0, error);
}

/* Without a type it is the end of the chain; with one there is a source, even an empty one. */
static bool backing_is_layer(const void *object, unsigned flags)
{
        const DiskBacking *backing = object;

        (void)flags;
        return backing->type != DISK_TYPE_ABSENT;
}

#define THIS DiskBacking
static const Field disk_backing_fields[] = {
        ENUM("@type", type, disk_type, .flags = FIELD_NO_ABI),
        UNSIGNED("@index", index, .flags = FIELD_LIVE | FIELD_NO_ABI),
        ENUM("format/@type", format, disk_format, .flags = FIELD_NO_ABI),
        SIZE_BYTES("format/metadata_cache/max_size", metadata_cache_max_size, .flags = FIELD_NO_ABI),
        INLINE("source", source, disk_source, .flags = FIELD_KEEP_EMPTY, .shown = backing_is_layer),
        FIELD_(FIELD_STRUCT, "backingStore", backing, .type = &disk_backing_type, .flags = FIELD_NO_ABI),
};
#undef THIS
DEFINE_STRUCT(disk_backing, DiskBacking, .check = backing_check);

static int mirror_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DiskMirror *mirror = object;

        (void)flags;
        return disk_source_complete(&mirror->source, mirror->type, node ? node->line : 0, error);
}

#define THIS DiskMirror
static const Field disk_mirror_fields[] = {
        ENUM("@type", type, disk_type),
        STRING("@job", job),
        STRING("@ready", ready),
        ENUM("format/@type", format, disk_format),
        INLINE("source", source, disk_source),
        STRUCT("backingStore", backing, disk_backing),
};
#undef THIS
DEFINE_STRUCT(disk_mirror, DiskMirror, .check = mirror_check);

#define THIS          DiskTune
#define LIMIT(member) UNSIGNED(#member, member, .flags = FIELD_NO_ABI)
static const Field disk_tune_fields[] = {
        LIMIT(total_bytes_sec),
        LIMIT(read_bytes_sec),
        LIMIT(write_bytes_sec),
        LIMIT(total_iops_sec),
        LIMIT(read_iops_sec),
        LIMIT(write_iops_sec),
        LIMIT(total_bytes_sec_max),
        LIMIT(read_bytes_sec_max),
        LIMIT(write_bytes_sec_max),
        LIMIT(total_iops_sec_max),
        LIMIT(read_iops_sec_max),
        LIMIT(write_iops_sec_max),
        LIMIT(size_iops_sec),
        STRING("group_name", group_name, .flags = FIELD_NO_ABI),
        LIMIT(total_bytes_sec_max_length),
        LIMIT(read_bytes_sec_max_length),
        LIMIT(write_bytes_sec_max_length),
        LIMIT(total_iops_sec_max_length),
        LIMIT(read_iops_sec_max_length),
        LIMIT(write_iops_sec_max_length),
};
#undef THIS

static uint64_t limit_at(const DiskTune *tune, uint32_t offset)
{
        return *(const uint64_t *)((const char *)tune + offset);
}

/* A limit for all excludes those for reading and writing; how long more may pass needs how much. */
static const struct {
        const char *what;
        uint32_t total, read, write;
} tune_groups[] = {
        { "bytes_sec", offsetof(DiskTune, total_bytes_sec), offsetof(DiskTune, read_bytes_sec),
          offsetof(DiskTune, write_bytes_sec) },
        { "iops_sec", offsetof(DiskTune, total_iops_sec), offsetof(DiskTune, read_iops_sec),
          offsetof(DiskTune, write_iops_sec) },
        { "bytes_sec_max", offsetof(DiskTune, total_bytes_sec_max), offsetof(DiskTune, read_bytes_sec_max),
          offsetof(DiskTune, write_bytes_sec_max) },
        { "iops_sec_max", offsetof(DiskTune, total_iops_sec_max), offsetof(DiskTune, read_iops_sec_max),
          offsetof(DiskTune, write_iops_sec_max) },
};

static int tune_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DiskTune *tune = object;
        const uint64_t lengths[] = {
                tune->total_bytes_sec_max_length, tune->read_bytes_sec_max_length,
                tune->write_bytes_sec_max_length, tune->total_iops_sec_max_length,
                tune->read_iops_sec_max_length,   tune->write_iops_sec_max_length,
        };
        const uint64_t limits[] = {
                tune->total_bytes_sec_max, tune->read_bytes_sec_max, tune->write_bytes_sec_max,
                tune->total_iops_sec_max,  tune->read_iops_sec_max,  tune->write_iops_sec_max,
        };

        (void)flags;
        for (unsigned i = 0; i < G_N_ELEMENTS(tune_groups); i++) {
                const char *what = tune_groups[i].what;

                if (limit_at(tune, tune_groups[i].total) &&
                    (limit_at(tune, tune_groups[i].read) || limit_at(tune, tune_groups[i].write)))
                        return error_set(error, ERROR_INVALID_XML,
                                         "line %u: <iotune>: total_%s excludes read_%s and write_%s",
                                         node ? node->line : 0, what, what, what);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++)
                if (lengths[i] > 0 && limits[i] == 0)
                        return error_set(error, ERROR_INVALID_XML,
                                         "line %u: <iotune>: a max_length needs the max that it is of",
                                         node ? node->line : 0);
        return 0;
}

DEFINE_STRUCT(disk_tune, DiskTune, .check = tune_check);

#define THIS      DomainDisk
#define REMOVABLE (BIT(DISK_DEVICE_CDROM) | BIT(DISK_DEVICE_FLOPPY))
static const Field domain_disk_fields[] = {
        ENUM("@type", type, disk_type, .initial = DISK_TYPE_FILE, .flags = FIELD_ALWAYS | FIELD_NO_ABI),
        ENUM("@device", device, disk_device, .initial = DISK_DEVICE_DISK, .flags = FIELD_ALWAYS),
        ENUM("@model", model, disk_model),
        YESNO("@rawio", rawio),
        STRING("@sgio", sgio),
        ENUM("@snapshot", snapshot, disk_snapshot, .flags = FIELD_NO_ABI),
        STRING("driver/@name", driver_name, .flags = FIELD_NO_ABI),
        ENUM("driver/@type", format, disk_format, .flags = FIELD_NO_ABI),
        ENUM("driver/@cache", cache, disk_cache, .flags = FIELD_NO_ABI),
        ENUM("driver/@error_policy", error_policy, disk_error_policy, .flags = FIELD_NO_ABI),
        ENUM("driver/@rerror_policy", rerror_policy, disk_error_policy, .flags = FIELD_NO_ABI),
        ENUM("driver/@io", io, disk_io, .flags = FIELD_NO_ABI),
        ONOFF("driver/@ioeventfd", ioeventfd),
        ONOFF("driver/@event_idx", event_idx),
        ONOFF("driver/@copy_on_read", copy_on_read, .flags = FIELD_NO_ABI),
        ENUM("driver/@discard", discard, disk_discard, .flags = FIELD_NO_ABI),
        UNSIGNED("driver/@iothread", iothread, .flags = FIELD_NO_ABI),
        ENUM("driver/@detect_zeroes", detect_zeroes, disk_detect_zeroes, .flags = FIELD_NO_ABI),
        UNSIGNED("driver/@queues", queues, .has_offset = offsetof(THIS, has_queues)),
        UNSIGNED("driver/@queue_size", queue_size),
        INLINE("driver", virtio, virtio_options),
        ONOFF("driver/@discard_no_unref", discard_no_unref, .flags = FIELD_NO_ABI),
        SIZE_BYTES("driver/metadata_cache/max_size", metadata_cache_max_size, .flags = FIELD_NO_ABI),
        STRUCT("auth", auth, disk_auth),
        /* The media of a drive can be changed, a disk itself cannot. */
        INLINE("source", source, disk_source, WHEN(device, REMOVABLE), .flags = FIELD_TUNABLE),
        INLINE("source", source, disk_source, WHEN(device, ~REMOVABLE)),
        FLAG("backingStore", backing_ends, .flags = FIELD_NO_ABI),
        FIELD_(FIELD_STRUCT, "backingStore", backing, .type = &disk_backing_type, .flags = FIELD_NO_ABI),
        UNSIGNED("geometry/@cyls", cylinders),
        UNSIGNED("geometry/@heads", heads),
        UNSIGNED("geometry/@secs", sectors),
        ENUM("geometry/@trans", translation, disk_translation),
        UNSIGNED("blockio/@logical_block_size", logical_block_size),
        UNSIGNED("blockio/@physical_block_size", physical_block_size),
        UNSIGNED("blockio/@discard_granularity", discard_granularity),
        STRUCT("mirror", mirror, disk_mirror, .flags = FIELD_LIVE | FIELD_NO_ABI),
        STRING("target/@dev", target, .flags = FIELD_IDENTITY | FIELD_REQUIRED | FIELD_NOT_EMPTY),
        ENUM("target/@bus", bus, disk_bus),
        ENUM("target/@tray", tray, disk_tray, .flags = FIELD_NO_ABI),
        ONOFF("target/@removable", removable),
        UNSIGNED("target/@rotation_rate", rotation_rate),
        STRUCT("iotune", tune, disk_tune, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        FLAG("readonly", readonly),
        FLAG("shareable", shareable),
        FLAG("transient", transient),
        YESNO("transient/@shareBacking", transient_share_backing),
        STRING("serial", serial),
        STRING("wwn", wwn),
        STRING("vendor", vendor),
        STRING("product", product),
        STRUCT("encryption", encryption, disk_encryption),
        INLINE("", info, device_info),
};
#undef THIS

DiskBus disk_usual_bus(const DomainDisk *disk)
{
        static const struct {
                const char *prefix;
                DiskBus bus;
        } buses[] = {
                { "fd", DISK_BUS_FDC },    { "hd", DISK_BUS_IDE },  { "sd", DISK_BUS_SCSI },
                { "vd", DISK_BUS_VIRTIO }, { "xvd", DISK_BUS_XEN }, { "ubd", DISK_BUS_UML },
        };

        if (disk->device == DISK_DEVICE_FLOPPY)
                return DISK_BUS_FDC;
        for (unsigned i = 0; i < G_N_ELEMENTS(buses); i++)
                if (g_str_has_prefix(disk->target, buses[i].prefix))
                        return buses[i].bus;
        return DISK_BUS_IDE;
}

/* The name that a guest may give it says what it is. */
static int target_check(const DomainDisk *disk, unsigned line, Error *error)
{
        static const char *const prefixes[] = { "hd", "sd", "vd", "xvd", "ubd" };
        bool is_floppy = disk->device == DISK_DEVICE_FLOPPY, is_known = disk->device == DISK_DEVICE_CDROM;
        DiskBus bus = disk->bus != DISK_BUS_ABSENT ? disk->bus : disk_usual_bus(disk);

        if (is_floppy)
                is_known = g_str_has_prefix(disk->target, "fd");
        for (unsigned i = 0; !is_floppy && i < G_N_ELEMENTS(prefixes); i++)
                is_known = is_known || g_str_has_prefix(disk->target, prefixes[i]);
        if (!is_known)
                return error_set(error, ERROR_INVALID_XML, "line %u: <target>: dev='%s' is no name of a %s",
                                 line, disk->target, disk_device_to_string(disk->device));
        if (is_floppy != (bus == DISK_BUS_FDC))
                return error_set(error, ERROR_INVALID_XML, "line %u: <target>: bus='%s' is none of a %s",
                                 line, disk_bus_to_string(bus), disk_device_to_string(disk->device));
        if (disk->removable != ON_OFF_ABSENT && bus != DISK_BUS_USB && bus != DISK_BUS_SCSI)
                return error_set(error, ERROR_INVALID_XML, "line %u: <target>: @removable needs bus='usb'",
                                 line);
        return 0;
}

static int policy_check(const DomainDisk *disk, unsigned line, Error *error)
{
        bool has_tray = disk->device == DISK_DEVICE_CDROM || disk->device == DISK_DEVICE_FLOPPY;

        if (disk->rerror_policy == DISK_ERROR_POLICY_ENOSPACE)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <driver>: rerror_policy='enospace': reading needs no space",
                                 line);
        if (disk->source.startup_policy == STARTUP_POLICY_DEFAULT)
                return 0;
        if (disk->type == DISK_TYPE_NETWORK)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <source>: type='network' has no @startupPolicy", line);
        if (disk->source.startup_policy == STARTUP_POLICY_REQUISITE && !has_tray)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <source>: startupPolicy='requisite' needs a cdrom or floppy",
                                 line);
        return 0;
}

/* The device and what it can be. */
static int device_check(const DomainDisk *disk, unsigned line, Error *error)
{
        bool is_lun = disk->device == DISK_DEVICE_LUN;

        if ((disk->rawio != YES_NO_ABSENT || disk->sgio) && !is_lun)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: rawio and sgio need device='lun'", line);
        if (is_lun && disk->type != DISK_TYPE_BLOCK && disk->type != DISK_TYPE_NETWORK &&
            disk->type != DISK_TYPE_VOLUME)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: device='lun' needs type block, network or volume", line);
        if (disk->sgio && !g_str_equal(disk->sgio, "filtered") && !g_str_equal(disk->sgio, "unfiltered"))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: sgio='%s': filtered or unfiltered is expected", line,
                                 disk->sgio);
        if (disk->source.reservations_managed != YES_NO_ABSENT && !is_lun)
                return error_set(error, ERROR_INVALID_XML, "line %u: <reservations>: device='lun' is needed",
                                 line);
        if (disk->tray == DISK_TRAY_OPEN && disk->device != DISK_DEVICE_CDROM &&
            disk->device != DISK_DEVICE_FLOPPY)
                return error_set(error, ERROR_INVALID_XML, "line %u: <disk>: a %s has no tray", line,
                                 disk_device_to_string(disk->device));
        if (disk->serial &&
            strlen(disk->serial) !=
                    strspn(disk->serial, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-,"
                                         ". +/:"))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: serial='%s' has characters a disk cannot have", line,
                                 disk->serial);
        if (disk->vendor && strlen(disk->vendor) > 8)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: vendor='%s' is longer than 8 characters", line,
                                 disk->vendor);
        if (disk->product && strlen(disk->product) > 16)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: product='%s' is longer than 16 characters", line,
                                 disk->product);
        const char *digits = disk->wwn && g_str_has_prefix(disk->wwn, "0x") ? disk->wwn + 2 : disk->wwn;
        if (digits && (strlen(digits) != 16 || strspn(digits, "0123456789abcdefABCDEF") != 16))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <disk>: wwn='%s': 16 hexadecimal digits are expected", line,
                                 disk->wwn);
        return 0;
}

static int disk_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        static const DiskTune no_tune;
        DomainDisk *disk = object;
        unsigned line = node ? node->line : 0;
        int r;

        if (disk->backing && disk->backing->type == DISK_TYPE_ABSENT)
                disk->backing = struct_free(&disk_backing_type, disk->backing);
        if (disk->backing)
                disk->backing_ends = false;
        if (disk->tune && memcmp(disk->tune, &no_tune, sizeof(no_tune)) == 0)
                disk->tune = struct_free(&disk_tune_type, disk->tune);
        r = device_check(disk, line, error);
        if (r >= 0)
                r = target_check(disk, line, error);
        if (r >= 0)
                r = policy_check(disk, line, error);
        if (r >= 0)
                r = disk_source_complete(&disk->source, disk->type, line, error);
        if (r < 0)
                return r;
        if (disk->device == DISK_DEVICE_CDROM)
                disk->readonly = true;
        if (!(flags & DEFINITION_WANTED) && disk_source_is_empty(&disk->source) &&
            disk->device != DISK_DEVICE_CDROM && disk->device != DISK_DEVICE_FLOPPY)
                return error_set(error, ERROR_INVALID_XML, "line %u: <disk>: '%s' has no <source>", line,
                                 disk->target);
        return 0;
}

DEFINE_STRUCT(domain_disk, DomainDisk, .check = disk_check);

#define THIS DomainDisk
static const Field disk_place_fields[] = {
        ENUM("@type", type, disk_type, .initial = DISK_TYPE_FILE),
        ENUM("driver/@type", format, disk_format),
        INLINE("source", source, disk_source),
};
#undef THIS

static int disk_place_check(void *object, const XmlNode *node, unsigned flags _unused_, Error *error)
{
        DomainDisk *disk = object;
        unsigned line = node ? node->line : 0;
        int r = disk_source_complete(&disk->source, disk->type, line, error);

        return r >= 0 && disk_source_is_empty(&disk->source)
                       ? error_set(error, ERROR_INVALID_XML, "line %u: <disk> has no <source>", line)
                       : r;
}
DEFINE_STRUCT(disk_place, DomainDisk, .check = disk_place_check);
