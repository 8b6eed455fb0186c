/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A storage volume: what libvirt's <volume> says, as a structure. */

#include "model/storage-pool.h"

/* virStorageVolType. */
#define VOLUME_TYPES(E)                                                                                     \
        E(VOLUME_TYPE_FILE, "file")                                                                         \
        E(VOLUME_TYPE_BLOCK, "block")                                                                       \
        E(VOLUME_TYPE_DIR, "dir")                                                                           \
        E(VOLUME_TYPE_NETWORK, "network")                                                                   \
        E(VOLUME_TYPE_NETDIR, "netdir")                                                                     \
        E(VOLUME_TYPE_PLOOP, "ploop")
DECLARE_ENUM(VolumeType, volume_type, VOLUME_TYPES)

#define VOLUME_FORMATS(E)                                                                                   \
        E(VOLUME_FORMAT_ABSENT, NULL)                                                                       \
        E(VOLUME_FORMAT_RAW, "raw")                                                                         \
        E(VOLUME_FORMAT_DIR, "dir")                                                                         \
        E(VOLUME_FORMAT_BOCHS, "bochs")                                                                     \
        E(VOLUME_FORMAT_CLOOP, "cloop")                                                                     \
        E(VOLUME_FORMAT_DMG, "dmg")                                                                         \
        E(VOLUME_FORMAT_ISO, "iso")                                                                         \
        E(VOLUME_FORMAT_VPC, "vpc")                                                                         \
        E(VOLUME_FORMAT_VDI, "vdi")                                                                         \
        E(VOLUME_FORMAT_VHDX, "vhdx")                                                                       \
        E(VOLUME_FORMAT_FAT, "fat")                                                                         \
        E(VOLUME_FORMAT_VHD, "vhd")                                                                         \
        E(VOLUME_FORMAT_PLOOP, "ploop")                                                                     \
        E(VOLUME_FORMAT_COW, "cow")                                                                         \
        E(VOLUME_FORMAT_QCOW, "qcow")                                                                       \
        E(VOLUME_FORMAT_QCOW2, "qcow2")                                                                     \
        E(VOLUME_FORMAT_QED, "qed")                                                                         \
        E(VOLUME_FORMAT_VMDK, "vmdk")                                                                       \
        E(VOLUME_FORMAT_LUKS, "luks")                                                                       \
        E(VOLUME_FORMAT_NONE, "none") /* from here on: of partitions */                                     \
        E(VOLUME_FORMAT_LINUX, "linux")                                                                     \
        E(VOLUME_FORMAT_FAT16, "fat16")                                                                     \
        E(VOLUME_FORMAT_FAT32, "fat32")                                                                     \
        E(VOLUME_FORMAT_LINUX_SWAP, "linux-swap")                                                           \
        E(VOLUME_FORMAT_LINUX_LVM, "linux-lvm")                                                             \
        E(VOLUME_FORMAT_LINUX_RAID, "linux-raid")                                                           \
        E(VOLUME_FORMAT_EXTENDED, "extended")
DECLARE_ENUM(VolumeFormat, volume_format, VOLUME_FORMATS)

#define VOLUME_COMPATS(E)                                                                                   \
        E(VOLUME_COMPAT_ABSENT, NULL) E(VOLUME_COMPAT_0_10, "0.10") E(VOLUME_COMPAT_1_1, "1.1")
DECLARE_ENUM(VolumeCompat, volume_compat, VOLUME_COMPATS)

#define VOLUME_PREALLOCATIONS(E)                                                                            \
        E(VOLUME_PREALLOCATION_ABSENT, NULL)                                                                \
        E(VOLUME_PREALLOCATION_OFF, "off")                                                                  \
        E(VOLUME_PREALLOCATION_METADATA, "metadata")                                                        \
        E(VOLUME_PREALLOCATION_FALLOC, "falloc")                                                            \
        E(VOLUME_PREALLOCATION_FULL, "full")
DECLARE_ENUM(VolumePreallocation, volume_preallocation, VOLUME_PREALLOCATIONS)

typedef struct VolumeImage {
        char *path;
        VolumeFormat format;
        StoragePermissions permissions;
        char *atime, *mtime, *ctime, *btime; /* seconds with fraction */
        DiskEncryption *encryption;
        VolumeCompat compat;   /* of qcow2 */
        uint64_t cluster_size; /* bytes; 0: the format's usual */
        bool nocow, has_features, lazy_refcounts, extended_l2, data_file_raw;
        char *data_file; /* of qcow2: where its data is. Of a new one: a volume's name, which is made, too */
        VolumePreallocation preallocation; /* of new ones; ABSENT: as flags and allocation say */
} VolumeImage;

typedef struct StorageVolumeDefinition {
        VolumeType type;
        char *name;
        char *key;
        bool has_capacity, has_allocation, has_physical;
        uint64_t capacity, allocation, physical; /* bytes */
        VolumeImage target;
        VolumeImage *backing;
} StorageVolumeDefinition;

extern const StructType storage_volume_definition_type, volume_image_type;

/* What can be the name of a file in a folder. */
int storage_volume_name_check(const char *name, Error *error);
int storage_volume_definition_parse(const char *xml, size_t size, StorageVolumeDefinition **ret,
                                    Error *error);
char *storage_volume_definition_format(const StorageVolumeDefinition *definition);
StorageVolumeDefinition *storage_volume_definition_free(StorageVolumeDefinition *definition);
DEFINE_CLEANUP(StorageVolumeDefinition, storage_volume_definition_free)
