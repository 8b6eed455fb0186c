/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <filesystem>: a tree of the host that the guest mounts, by 9p or virtiofs; in containers, any mount. */

#include "model/domain/misc.h"
#include "model/table-private.h"

DEFINE_ENUM(filesystem_type, FILESYSTEM_TYPES);
DEFINE_ENUM(filesystem_access, FILESYSTEM_ACCESSES);
DEFINE_ENUM(filesystem_driver, FILESYSTEM_DRIVERS);
DEFINE_ENUM(filesystem_multidevs, FILESYSTEM_MULTIDEVS);
DEFINE_ENUM(filesystem_cache, FILESYSTEM_CACHES);
DEFINE_ENUM(filesystem_sandbox, FILESYSTEM_SANDBOXES);
DEFINE_ENUM(filesystem_wrpolicy, FILESYSTEM_WRPOLICIES);

#define MOUNT    BIT(FILESYSTEM_MOUNT)
#define RAM      BIT(FILESYSTEM_RAM)
#define VIRTIOFS BIT(FILESYSTEM_DRIVER_VIRTIOFS)

#define THIS DomainFilesystem
static const Field domain_filesystem_fields[] = {
        ENUM("@type", type, filesystem_type, .initial = FILESYSTEM_MOUNT, .flags = FIELD_ALWAYS),
        ENUM("@accessmode", access, filesystem_access),
        ENUM("@model", model, virtio_model),
        ENUM("@multidevs", multidevs, filesystem_multidevs),
        OPTIONAL_UNSIGNED("@fmode", fmode, .flags = FIELD_OCTAL, .width = 4),
        OPTIONAL_UNSIGNED("@dmode", dmode, .flags = FIELD_OCTAL, .width = 4),
        ENUM("driver/@type", driver, filesystem_driver),
        ENUM("driver/@format", format, disk_format),
        ENUM("driver/@wrpolicy", wrpolicy, filesystem_wrpolicy),
        UNSIGNED("driver/@queue", queue_size),
        INLINE("driver", virtio, virtio_options),
        STRING("binary/@path", binary, WHEN(driver, VIRTIOFS), .flags = FIELD_NO_ABI),
        ONOFF("binary/@xattr", xattr, WHEN(driver, VIRTIOFS), .flags = FIELD_NO_ABI),
        ENUM("binary/cache/@mode", cache, filesystem_cache, WHEN(driver, VIRTIOFS), .flags = FIELD_NO_ABI),
        ENUM("binary/sandbox/@mode", sandbox, filesystem_sandbox, WHEN(driver, VIRTIOFS),
             .flags = FIELD_NO_ABI),
        ONOFF("binary/lock/@posix", posix_lock, WHEN(driver, VIRTIOFS), .flags = FIELD_NO_ABI),
        ONOFF("binary/lock/@flock", flock, WHEN(driver, VIRTIOFS), .flags = FIELD_NO_ABI),
        UNSIGNED("binary/thread_pool/@size", thread_pool_size, WHEN(driver, VIRTIOFS),
                 .flags = FIELD_NO_ABI),
        STRING("source/@dir", source_dir, WHEN(type, MOUNT | BIT(FILESYSTEM_BIND)), .flags = FIELD_NO_ABI),
        STRING("source/@socket", source_socket, WHEN(type, MOUNT), .flags = FIELD_NO_ABI),
        STRING("source/@dev", source_dev, WHEN(type, BIT(FILESYSTEM_BLOCK)), .flags = FIELD_NO_ABI),
        STRING("source/@file", source_file, WHEN(type, BIT(FILESYSTEM_FILE)), .flags = FIELD_NO_ABI),
        STRING("source/@name", source_name, WHEN(type, BIT(FILESYSTEM_TEMPLATE)), .flags = FIELD_NO_ABI),
        UNSIGNED("source/@usage", source_usage_kib, WHEN(type, RAM)),
        STRING("source/@units", source_units, .flags = FIELD_NO_NATIVE, WHEN(type, RAM)),
        STRING("source/@pool", source_pool, WHEN(type, BIT(FILESYSTEM_VOLUME))),
        STRING("source/@volume", source_volume, WHEN(type, BIT(FILESYSTEM_VOLUME))),
        STRING("target/@dir", target),
        FLAG("readonly", readonly),
        SIZE_BYTES("space_hard_limit", space_hard_limit_bytes),
        SIZE_BYTES("space_soft_limit", space_soft_limit_bytes),
        INLINE("", info, device_info),
};
#undef THIS

static bool has_source(const DomainFilesystem *filesystem)
{
        switch (filesystem->type) {
        case FILESYSTEM_MOUNT:
                return filesystem->source_dir || filesystem->source_socket;
        case FILESYSTEM_BIND:
                return filesystem->source_dir;
        case FILESYSTEM_BLOCK:
                return filesystem->source_dev;
        case FILESYSTEM_FILE:
                return filesystem->source_file;
        case FILESYSTEM_TEMPLATE:
                return filesystem->source_name;
        case FILESYSTEM_VOLUME:
                return filesystem->source_pool && filesystem->source_volume;
        default:
                return true;
        }
}

/* The one size whose unit stands in an attribute of another name. */
static int settle_usage(DomainFilesystem *filesystem, Error *error)
{
        uint64_t unit = filesystem->source_units ? unit_from_text(filesystem->source_units) : 1024;

        if (unit == 0 || filesystem->source_usage_kib > UINT64_MAX / unit)
                return error_set(error, ERROR_INVALID_XML, "The size of a filesystem has no unit '%s'",
                                 filesystem->source_units);
        filesystem->source_usage_kib = filesystem->source_usage_kib * unit / 1024;
        g_free(filesystem->source_units);
        filesystem->source_units = g_strdup("KiB");
        return filesystem->source_usage_kib > 0
                       ? 0
                       : error_set(error, ERROR_INVALID_XML,
                                   "A filesystem of type 'ram' needs source/@usage");
}

static int check_filesystem(void *object, const XmlNode *node _unused_, unsigned flags _unused_,
                            Error *error)
{
        DomainFilesystem *filesystem = object;

        if (!has_source(filesystem))
                return error_set(error, ERROR_INVALID_XML, "A filesystem of type '%s' lacks its source",
                                 filesystem_type_to_string(filesystem->type));
        /* A server that others run tells the mount's name itself. */
        if (!filesystem->target && !filesystem->source_socket)
                return error_set(error, ERROR_INVALID_XML, "A filesystem needs target/@dir");
        if (filesystem->type == FILESYSTEM_RAM) {
                int r = settle_usage(filesystem, error);
                if (r < 0)
                        return r;
        }
        if (filesystem->driver == FILESYSTEM_DRIVER_VIRTIOFS && filesystem->readonly)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "virtiofs has no read-only mode");
        if (filesystem->source_socket && filesystem->driver != FILESYSTEM_DRIVER_VIRTIOFS)
                return error_set(error, ERROR_INVALID_XML, "Only virtiofs is served by a socket");
        if ((filesystem->has_fmode && filesystem->fmode > 0777) ||
            (filesystem->has_dmode && filesystem->dmode > 0777))
                return error_set(error, ERROR_INVALID_XML,
                                 "fmode and dmode of a filesystem are at most 0777");
        if ((filesystem->has_fmode || filesystem->has_dmode) && filesystem->access != FILESYSTEM_MAPPED &&
            filesystem->access != FILESYSTEM_SQUASH)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "fmode and dmode of a filesystem need accessmode 'mapped'");
        if (filesystem->access == FILESYSTEM_ACCESS_DEFAULT)
                filesystem->access = FILESYSTEM_PASSTHROUGH;
        return 0;
}
DEFINE_STRUCT(domain_filesystem, DomainFilesystem, .check = check_filesystem);
