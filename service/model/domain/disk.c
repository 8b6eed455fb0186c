/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <disk>: the device and its driver, where its bytes are, and what is below them. */

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
DEFINE_ENUM(disk_protocol, DISK_PROTOCOLS);
DEFINE_ENUM(disk_transport, DISK_TRANSPORTS);
DEFINE_ENUM(disk_tray, DISK_TRAYS);
DEFINE_ENUM(disk_model, DISK_MODELS);
DEFINE_ENUM(disk_format, DISK_FORMATS);
DEFINE_ENUM(disk_translation, DISK_TRANSLATIONS);
DEFINE_ENUM(secret_type, SECRET_TYPES);
DEFINE_ENUM(encryption_format, ENCRYPTION_FORMATS);
DEFINE_ENUM(encryption_engine, ENCRYPTION_ENGINES);
DEFINE_ENUM(disk_pool_mode, DISK_POOL_MODES);
DEFINE_ENUM(startup_policy, STARTUP_POLICIES);

#define THIS SecretReference
static const Field secret_reference_fields[] = {
        ENUM("@type", type, secret_type, .flags = FIELD_NO_ABI),
        UUID("@uuid", uuid, .flags = FIELD_NO_ABI),
        STRING("@usage", usage, .flags = FIELD_NO_ABI),
};
#undef THIS

static int secret_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const SecretReference *secret = object;

        (void)flags;
        if (!*secret->uuid == !secret->usage)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <secret>: either @uuid or @usage is needed",
                                 node ? node->line : 0);
        return 0;
}

static DEFINE_STRUCT(secret_reference, SecretReference, .check = secret_check);

#define THIS DiskAuth
static const Field disk_auth_fields[] = {
        STRING("@username", username, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_NO_ABI),
        INLINE("secret", secret, secret_reference),
};
#undef THIS

static int auth_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DiskAuth *auth = object;

        (void)flags;
        if (auth->secret.type != SECRET_TYPE_CEPH && auth->secret.type != SECRET_TYPE_ISCSI)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <auth>: a <secret> of type ceph or iscsi is needed",
                                 node ? node->line : 0);
        return 0;
}

DEFINE_STRUCT(disk_auth, DiskAuth, .check = auth_check);

#define THIS DiskEncryption
static const Field disk_encryption_fields[] = {
        ENUM("@format", format, encryption_format, .flags = FIELD_REQUIRED | FIELD_ALWAYS | FIELD_NO_ABI),
        ENUM("@engine", engine, encryption_engine, .flags = FIELD_NO_ABI),
        ITEMS("secret", secrets, secret_reference, .flags = FIELD_NO_ABI),
        STRING("cipher/@name", cipher_name),
        UNSIGNED("cipher/@size", cipher_size),
        STRING("cipher/@mode", cipher_mode),
        STRING("cipher/@hash", cipher_hash),
        STRING("ivgen/@name", ivgen_name),
        STRING("ivgen/@hash", ivgen_hash),
};
#undef THIS
DEFINE_STRUCT(disk_encryption, DiskEncryption);

#define THIS DiskHost
static const Field disk_host_fields[] = {
        ENUM("@transport", transport, disk_transport),
        STRING("@name", name),
        STRING("@port", port),
        STRING("@socket", socket),
};
#undef THIS

static int host_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DiskHost *host = object;

        (void)flags;
        if (host->transport == DISK_TRANSPORT_UNIX ? !host->socket : !host->name)
                return error_set(error, ERROR_INVALID_XML, "line %u: <host>: @%s is missing",
                                 node ? node->line : 0,
                                 host->transport == DISK_TRANSPORT_UNIX ? "socket" : "name");
        if (host->transport != DISK_TRANSPORT_UNIX && host->socket)
                return error_set(error, ERROR_INVALID_XML, "line %u: <host>: @socket needs transport='unix'",
                                 node ? node->line : 0);
        return 0;
}

DEFINE_STRUCT(disk_host, DiskHost, .check = host_check);

#define THIS DiskCookie
static const Field disk_cookie_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        STRING(".", value, .flags = FIELD_SECRET),
};
#undef THIS
static DEFINE_STRUCT(disk_cookie, DiskCookie);

#define THIS DiskSlice
static const Field disk_slice_fields[] = {
        STRING("@type", type, .flags = FIELD_REQUIRED),
        UNSIGNED("@offset", offset, .flags = FIELD_REQUIRED | FIELD_ALWAYS),
        UNSIGNED("@size", size, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(disk_slice, DiskSlice);

#define THIS DiskSource
static const Field disk_source_fields[] = {
        ENUM("@protocol", protocol, disk_protocol),
        STRING("@file", file, .flags = FIELD_NO_ABI),
        STRING("@dev", dev, .flags = FIELD_NO_ABI),
        STRING("@dir", dir, .flags = FIELD_NO_ABI),
        STRING("@type", nvme_type, .flags = FIELD_NO_ABI),
        STRING("@type", vhost_type, .flags = FIELD_NO_ABI),
        STRING("@dev", vdpa_dev, .flags = FIELD_NO_ABI),
        YESNO("@managed", managed, .flags = FIELD_NO_ABI),
        UNSIGNED("@namespace", namespace_id, .flags = FIELD_NO_ABI),
        STRING("@path", vhost_path, .flags = FIELD_NO_ABI),
        STRING("@name", name, .flags = FIELD_NO_ABI),
        STRING("@query", query, .flags = FIELD_NO_ABI),
        STRING("@pool", pool, .flags = FIELD_NO_ABI),
        STRING("@volume", volume, .flags = FIELD_NO_ABI),
        ENUM("@mode", pool_mode, disk_pool_mode, .flags = FIELD_NO_ABI),
        YESNO("@tls", tls, .flags = FIELD_NO_ABI),
        STRING("@tlsHostname", tls_hostname, .flags = FIELD_NO_ABI),
        STRING("@fdgroup", fd_group, .flags = FIELD_NO_ABI),
        ENUM("@startupPolicy", startup_policy, startup_policy, .flags = FIELD_NO_ABI),
        UNSIGNED("@index", index, .flags = FIELD_LIVE | FIELD_NO_ABI),
        INLINE("address", address, host_pci_address),
        ITEMS("host", hosts, disk_host, .flags = FIELD_NO_ABI),
        STRING("snapshot/@name", snapshot_name),
        STRING("config/@file", config_file),
        STRING("initiator/iqn/@name", initiator_iqn),
        YESNO("ssl/@verify", ssl_verify),
        ITEMS("cookies/cookie", cookies, disk_cookie),
        FIELD_(FIELD_UNSIGNED, "readahead/@size", readahead),
        UNSIGNED("timeout/@seconds", timeout_seconds, .has_offset = offsetof(THIS, has_timeout)),
        YESNO("reconnect/@enabled", reconnect_enabled),
        UNSIGNED("reconnect/@timeout", reconnect_timeout),
        STRING("identity/@username", ssh_username),
        STRING("identity/@keyfile", ssh_keyfile),
        STRING("identity/@agentsock", ssh_agent_sock),
        STRING("knownHosts/@path", ssh_known_hosts),
        STRING("identity/@user", identity_user),
        STRING("identity/@group", identity_group),
        ITEMS("slices/slice", slices, disk_slice),
        STRUCT("auth", auth, disk_auth),
        STRING("reservations/@type", reservations_type),
        YESNO("reservations/@managed", reservations_managed),
        STRING("reservations/source/@type", reservations_type, .flags = FIELD_NO_NATIVE),
        STRING("reservations/source/@path", reservations_path),
        STRING("reservations/source/@mode", reservations_mode),
        STRUCT("encryption", encryption, disk_encryption),
        ITEMS("seclabel", seclabels, security_label, .flags = FIELD_NO_ABI),
};
#undef THIS
DEFINE_STRUCT(disk_source, DiskSource);

bool disk_source_is_empty(const DiskSource *source)
{
        return !source->file && !source->dev && !source->dir && !source->name && !source->volume &&
               source->hosts.count == 0 && !source->vhost_path && !source->vdpa_dev && !source->nvme_type &&
               !source->fd_group;
}

/* What the members of a source that have a name in common mean is the disk's type to say. */
static int source_complete(DiskSource *source, DiskType type, unsigned line, Error *error)
{
        source->type = type;
        g_clear_pointer(type == DISK_TYPE_VHOSTUSER ? &source->nvme_type : &source->vhost_type, g_free);
        g_clear_pointer(type == DISK_TYPE_VHOSTVDPA ? &source->dev : &source->vdpa_dev, g_free);
        if (type == DISK_TYPE_NETWORK && source->protocol == DISK_PROTOCOL_NONE &&
            !disk_source_is_empty(source))
                return error_set(error, ERROR_INVALID_XML, "line %u: <source>: @protocol is missing", line);
        if (type == DISK_TYPE_VOLUME && !source->pool != !source->volume)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <source>: @pool and @volume go together", line);
        if (type == DISK_TYPE_NVME && source->nvme_type && source->namespace_id == 0)
                return error_set(error, ERROR_INVALID_XML, "line %u: <source>: @namespace is at least 1",
                                 line);
        return 0;
}

static int backing_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DiskBacking *backing = object;

        (void)flags;
        if (backing->type == DISK_TYPE_ABSENT)
                return 0;
        return source_complete(&backing->source, backing->type, node ? node->line : 0, error);
}

#define THIS DiskBacking
static const Field disk_backing_fields[] = {
        ENUM("@type", type, disk_type, .flags = FIELD_NO_ABI),
        UNSIGNED("@index", index, .flags = FIELD_LIVE | FIELD_NO_ABI),
        ENUM("format/@type", format, disk_format, .flags = FIELD_NO_ABI),
        SIZE_BYTES("format/metadata_cache/max_size", metadata_cache_max_size, .flags = FIELD_NO_ABI),
        INLINE("source", source, disk_source),
        FIELD_(FIELD_STRUCT, "backingStore", backing, .type = &disk_backing_type, .flags = FIELD_NO_ABI),
};
#undef THIS
DEFINE_STRUCT(disk_backing, DiskBacking, .check = backing_check);

static int mirror_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DiskMirror *mirror = object;

        (void)flags;
        return source_complete(&mirror->source, mirror->type, node ? node->line : 0, error);
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
static DEFINE_STRUCT(disk_mirror, DiskMirror, .check = mirror_check);

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

static int tune_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DiskTune *tune = object;
        const char *what = NULL;

        (void)flags;
        if (tune->total_bytes_sec && (tune->read_bytes_sec || tune->write_bytes_sec))
                what = "bytes_sec";
        else if (tune->total_iops_sec && (tune->read_iops_sec || tune->write_iops_sec))
                what = "iops_sec";
        else if (tune->total_bytes_sec_max && (tune->read_bytes_sec_max || tune->write_bytes_sec_max))
                what = "bytes_sec_max";
        else if (tune->total_iops_sec_max && (tune->read_iops_sec_max || tune->write_iops_sec_max))
                what = "iops_sec_max";
        if (what)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <iotune>: total_%s excludes read_%s and write_%s",
                                 node ? node->line : 0, what, what, what);
        return 0;
}

static DEFINE_STRUCT(disk_tune, DiskTune, .check = tune_check);

#define THIS DomainDisk
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
        INLINE("source", source, disk_source),
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
        STRING("target/@dev", target, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        ENUM("target/@bus", bus, disk_bus),
        ENUM("target/@tray", tray, disk_tray, .flags = FIELD_NO_ABI),
        ONOFF("target/@removable", removable),
        UNSIGNED("target/@rotation_rate", rotation_rate),
        STRUCT("iotune", tune, disk_tune, .flags = FIELD_NO_ABI),
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
        DomainDisk *disk = object;
        unsigned line = node ? node->line : 0;
        int r;

        (void)flags;
        if (disk->backing && disk->backing->type == DISK_TYPE_ABSENT)
                disk->backing = struct_free(&disk_backing_type, disk->backing);
        if (disk->backing)
                disk->backing_ends = false;
        r = device_check(disk, line, error);
        if (r >= 0)
                r = source_complete(&disk->source, disk->type, line, error);
        if (r < 0)
                return r;
        if (disk->device == DISK_DEVICE_CDROM)
                disk->readonly = true;
        if (disk_source_is_empty(&disk->source) && disk->device != DISK_DEVICE_CDROM &&
            disk->device != DISK_DEVICE_FLOPPY)
                return error_set(error, ERROR_INVALID_XML, "line %u: <disk>: '%s' has no <source>", line,
                                 disk->target);
        return 0;
}

DEFINE_STRUCT(domain_disk, DomainDisk, .check = disk_check);
