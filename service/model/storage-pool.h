/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A storage pool's definition: what libvirt's <pool> says, as a structure. */

#include "model/domain/disk.h"

#define POOL_TYPES(E)                                                                                       \
        E(POOL_TYPE_DIR, "dir")                                                                             \
        E(POOL_TYPE_FS, "fs")                                                                               \
        E(POOL_TYPE_NETFS, "netfs")                                                                         \
        E(POOL_TYPE_LOGICAL, "logical")                                                                     \
        E(POOL_TYPE_DISK, "disk")                                                                           \
        E(POOL_TYPE_ISCSI, "iscsi")                                                                         \
        E(POOL_TYPE_SCSI, "scsi")                                                                           \
        E(POOL_TYPE_MPATH, "mpath")                                                                         \
        E(POOL_TYPE_RBD, "rbd")                                                                             \
        E(POOL_TYPE_SHEEPDOG, "sheepdog")                                                                   \
        E(POOL_TYPE_GLUSTER, "gluster")                                                                     \
        E(POOL_TYPE_ZFS, "zfs")                                                                             \
        E(POOL_TYPE_VSTORAGE, "vstorage")                                                                   \
        E(POOL_TYPE_ISCSI_DIRECT, "iscsi-direct")
DECLARE_ENUM(PoolType, pool_type, POOL_TYPES)

#define POOL_AUTH_TYPES(E) E(POOL_AUTH_NONE, NULL) E(POOL_AUTH_CHAP, "chap") E(POOL_AUTH_CEPH, "ceph")
DECLARE_ENUM(PoolAuthType, pool_auth_type, POOL_AUTH_TYPES)

#define POOL_ADAPTERS(E)                                                                                    \
        E(POOL_ADAPTER_DEFAULT, NULL)                                                                       \
        E(POOL_ADAPTER_SCSI_HOST, "scsi_host") E(POOL_ADAPTER_FC_HOST, "fc_host")
DECLARE_ENUM(PoolAdapterType, pool_adapter_type, POOL_ADAPTERS)

#define POOL_REFRESHES(E)                                                                                   \
        E(POOL_REFRESH_ABSENT, NULL)                                                                        \
        E(POOL_REFRESH_DEFAULT, "default")                                                                  \
        E(POOL_REFRESH_CAPACITY, "capacit"                                                                  \
                                 "y")
DECLARE_ENUM(PoolRefresh, pool_refresh, POOL_REFRESHES)

/* Of a folder, a volume. What is not there is left as the host makes it. */
typedef struct StoragePermissions {
        uint32_t mode, owner, group;
        bool has_mode, has_owner, has_group;
        char *label;
} StoragePermissions;
extern const StructType storage_permissions_type;

typedef struct PoolHost {
        char *name;
        uint16_t port; /* 0: the protocol's own */
} PoolHost;

/* Bytes of a device where a volume could be made: from `start` up to and without `end`. */
typedef struct PoolExtent {
        uint64_t start, end;
} PoolExtent;

typedef struct PoolDevice {
        char *path;
        YesNo part_separator;
        LIST(PoolExtent) free_extents; /* of a disk that is started */
} PoolDevice;

typedef struct PoolParentAddress {
        uint32_t unique_id;
        uint16_t domain, bus, slot, function; /* PCI */
} PoolParentAddress;

typedef struct PoolAdapter {
        PoolAdapterType type;
        char *name, *parent, *parent_wwnn, *parent_wwpn, *parent_fabric_wwn, *wwnn, *wwpn;
        YesNo managed;
        PoolParentAddress *parent_address;
} PoolAdapter;

typedef struct PoolAuth {
        PoolAuthType type;
        char *username;
        SecretReference secret;
} PoolAuth;

typedef struct PoolSource {
        LIST(PoolHost) hosts;
        LIST(PoolDevice) devices;
        char *dir;
        PoolAdapter *adapter;
        char *name;
        char *initiator; /* iSCSI's qualified name */
        char *format;    /* of the type's own: "ext4", "nfs", "lvm2", "gpt" ... */
        PoolAuth *auth;
        char *protocol_version; /* of NFS */
        char *vendor, *product;
} PoolSource;

typedef struct PoolOption {
        char *name, *value;
} PoolOption;

typedef struct StoragePoolDefinition {
        PoolType type;
        char *name;
        char uuid[37];
        uint64_t capacity, allocation, available; /* bytes; 0 while it is not started */
        YesNo copy_on_write;
        PoolSource source;
        char *path; /* target; absolute, without "//" and a slash at the end; NULL for what is on the network
                     */
        StoragePermissions permissions;
        PoolRefresh refresh;
        LIST(PoolOption) mount_options, rbd_options;
        const struct BackendContext *context; /* of whoever runs it; no part of the definition, not copied */
} StoragePoolDefinition;

extern const StructType storage_pool_definition_type;

int storage_pool_definition_parse(const char *xml, size_t size, unsigned flags, StoragePoolDefinition **ret,
                                  Error *error);
char *storage_pool_definition_format(const StoragePoolDefinition *definition);
/* Values as DefineStoragePool takes them. */
int storage_pool_definition_from_variant(GVariant *variant, StoragePoolDefinition **ret, Error *error);
StoragePoolDefinition *storage_pool_definition_copy(const StoragePoolDefinition *definition);
StoragePoolDefinition *storage_pool_definition_free(StoragePoolDefinition *definition);
DEFINE_CLEANUP(StoragePoolDefinition, storage_pool_definition_free)

/* A <source> element. */
int storage_source_parse(const char *xml, size_t size, PoolSource **ret, Error *error);
PoolSource *storage_source_new(const char *format);
PoolSource *storage_source_free(PoolSource *source);
DEFINE_CLEANUP(PoolSource, storage_source_free)
/* Of the pool's first device, instead of those that it had. */
void storage_pool_set_free_extents(StoragePoolDefinition *pool, const PoolExtent *extents, size_t count);
void storage_source_add_device(PoolSource *source, const char *path);
void storage_source_add_host(PoolSource *source, const char *name);
/* An array that frees its sources, and the <sources> element of one. */
GPtrArray *storage_sources_new(void);
char *storage_sources_format(const GPtrArray *sources);

/* Gives it a UUID. */
void storage_pool_definition_complete(StoragePoolDefinition *definition);

/* The path without what says nothing: "//var///a/" -> "/var/a". The caller frees. */
char *storage_path_clean(const char *path);
