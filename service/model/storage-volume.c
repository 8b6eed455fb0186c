/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <volume>. */

#include "model/storage-volume.h"
#include <string.h>

#define NAME_LENGTH_MAX 255

DEFINE_ENUM(volume_type, VOLUME_TYPES);
DEFINE_ENUM(volume_format, VOLUME_FORMATS);
DEFINE_ENUM(volume_compat, VOLUME_COMPATS);
DEFINE_ENUM(volume_preallocation, VOLUME_PREALLOCATIONS);

#define THIS VolumeImage
static const Field volume_image_fields[] = {
        STRING("path", path),
        ENUM("format/@type", format, volume_format),
        INLINE("permissions", permissions, storage_permissions),
        STRING("timestamps/atime", atime),
        STRING("timestamps/mtime", mtime),
        STRING("timestamps/ctime", ctime),
        STRING("timestamps/btime", btime),
        STRUCT("encryption", encryption, disk_encryption),
        ENUM("compat", compat, volume_compat),
        SIZE_BYTES("clusterSize", cluster_size),
        FLAG("nocow", nocow),
        FLAG("features", has_features),
        FLAG("features/lazy_refcounts", lazy_refcounts),
        FLAG("features/extended_l2", extended_l2),
        FLAG("features/data_file_raw", data_file_raw),
        STRING("dataFile", data_file),
        ENUM("preallocation", preallocation, volume_preallocation),
};
#undef THIS

static int image_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        VolumeImage *image = object;
        uint64_t cluster = image->cluster_size;
        unsigned line = node ? node->line : 0;

        (void)flags;
        if (image->path && image->path[0] != '/')
                return error_set(error, ERROR_INVALID_XML, "line %u: <path>: '%s' is not absolute", line,
                                 image->path);
        if ((image->lazy_refcounts || image->extended_l2 || image->data_file) &&
            image->compat == VOLUME_COMPAT_0_10)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <features> and <dataFile> need <compat> 1.1", line);
        if (cluster != 0 && (cluster & (cluster - 1) || cluster < 512 || cluster > 2 * 1024 * 1024))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <clusterSize>: a power of two from 512 bytes to 2 MiB is expected", line);
        return 0;
}
DEFINE_STRUCT(volume_image, VolumeImage, .check = image_check);

int storage_volume_name_check(const char *name, Error *error)
{
        _cleanup_(freep) char *shown = NULL;
        size_t length = strlen(name);

        if (length > NAME_LENGTH_MAX)
                return error_set(error, ERROR_INVALID_XML,
                                 "<name>: '%.40s...' has %zu bytes, at most %d are possible", name, length,
                                 NAME_LENGTH_MAX);
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return error_set(error, ERROR_INVALID_XML, "<name>: '%s' is a folder's, no volume's", name);
        for (const char *c = name; *c; c++)
                if ((unsigned char)*c < ' ' || *c == '/' || *c == 0x7f) {
                        shown = g_strescape(name, NULL);
                        return error_set(
                                error, ERROR_INVALID_XML,
                                "<name>: '%s': a volume's name has no '/' and no control characters", shown);
                }
        return 0;
}

static int volume_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const StorageVolumeDefinition *volume = object;
        const char *name = volume->name;
        int r = storage_volume_name_check(name, error);

        (void)node, (void)flags;
        if (r < 0)
                return r;
        if (volume->capacity > INT64_MAX || volume->allocation > INT64_MAX)
                return error_set(error, ERROR_INVALID_XML,
                                 "volume '%s': capacity and allocation are less than 8 EiB", name);
        return 0;
}

#define THIS StorageVolumeDefinition
static const Field storage_volume_definition_fields[] = {
        ENUM("@type", type, volume_type, .flags = FIELD_ALWAYS),
        STRING("name", name, .flags = FIELD_REQUIRED),
        STRING("key", key),
        SIZE_BYTES("capacity", capacity, .has_offset = offsetof(THIS, has_capacity)),
        SIZE_BYTES("allocation", allocation, .has_offset = offsetof(THIS, has_allocation)),
        SIZE_BYTES("physical", physical, .has_offset = offsetof(THIS, has_physical)),
        INLINE("target", target, volume_image),
        STRUCT("backingStore", backing, volume_image),
};
#undef THIS
DEFINE_STRUCT(storage_volume_definition, StorageVolumeDefinition, .check = volume_check);

int storage_volume_definition_parse(const char *xml, size_t size, StorageVolumeDefinition **ret,
                                    Error *error)
{
        void *definition;
        int r = struct_parse_document(&storage_volume_definition_type, "volume", xml, size,
                                      DEFINITION_INACTIVE, &definition, error);

        if (r >= 0)
                *ret = definition;
        return r;
}

char *storage_volume_definition_format(const StorageVolumeDefinition *definition)
{
        return struct_to_xml(&storage_volume_definition_type, definition, "volume", 0);
}

StorageVolumeDefinition *storage_volume_definition_free(StorageVolumeDefinition *definition)
{
        return struct_free(&storage_volume_definition_type, definition);
}
