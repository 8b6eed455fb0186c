/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/device.h"

#define DISK_TYPES(E)                                                                                       \
        E(DISK_TYPE_ABSENT, NULL)                                                                           \
        E(DISK_TYPE_FILE, "file")                                                                           \
        E(DISK_TYPE_BLOCK, "block")                                                                         \
        E(DISK_TYPE_DIR, "dir")                                                                             \
        E(DISK_TYPE_NETWORK, "network")                                                                     \
        E(DISK_TYPE_VOLUME, "volume")                                                                       \
        E(DISK_TYPE_NVME, "nvme")                                                                           \
        E(DISK_TYPE_VHOSTUSER, "vhostuser")                                                                 \
        E(DISK_TYPE_VHOSTVDPA, "vhostvdpa")
DECLARE_ENUM(DiskType, disk_type, DISK_TYPES)

#define DISK_DEVICES(E)                                                                                     \
        E(DISK_DEVICE_ABSENT, NULL)                                                                         \
        E(DISK_DEVICE_DISK, "disk")                                                                         \
        E(DISK_DEVICE_CDROM, "cdrom")                                                                       \
        E(DISK_DEVICE_FLOPPY, "floppy")                                                                     \
        E(DISK_DEVICE_LUN, "lun")
DECLARE_ENUM(DiskDevice, disk_device, DISK_DEVICES)

#define DISK_BUSES(E)                                                                                       \
        E(DISK_BUS_ABSENT, NULL)                                                                            \
        E(DISK_BUS_IDE, "ide")                                                                              \
        E(DISK_BUS_FDC, "fdc")                                                                              \
        E(DISK_BUS_SCSI, "scsi")                                                                            \
        E(DISK_BUS_VIRTIO, "virtio")                                                                        \
        E(DISK_BUS_XEN, "xen")                                                                              \
        E(DISK_BUS_USB, "usb")                                                                              \
        E(DISK_BUS_UML, "uml")                                                                              \
        E(DISK_BUS_SATA, "sata")                                                                            \
        E(DISK_BUS_SD, "sd")
DECLARE_ENUM(DiskBus, disk_bus, DISK_BUSES)

#define DISK_CACHES(E)                                                                                      \
        E(DISK_CACHE_DEFAULT, "default")                                                                    \
        E(DISK_CACHE_NONE, "none")                                                                          \
        E(DISK_CACHE_WRITETHROUGH, "writethrough")                                                          \
        E(DISK_CACHE_WRITEBACK, "writeback")                                                                \
        E(DISK_CACHE_DIRECTSYNC, "directsync")                                                              \
        E(DISK_CACHE_UNSAFE, "unsafe")
DECLARE_ENUM(DiskCache, disk_cache, DISK_CACHES)

#define DISK_ERROR_POLICIES(E)                                                                              \
        E(DISK_ERROR_POLICY_DEFAULT, NULL)                                                                  \
        E(DISK_ERROR_POLICY_STOP, "stop")                                                                   \
        E(DISK_ERROR_POLICY_REPORT, "report")                                                               \
        E(DISK_ERROR_POLICY_IGNORE, "ignore")                                                               \
        E(DISK_ERROR_POLICY_ENOSPACE, "enospace")
DECLARE_ENUM(DiskErrorPolicy, disk_error_policy, DISK_ERROR_POLICIES)

#define DISK_IOS(E)                                                                                         \
        E(DISK_IO_DEFAULT, NULL)                                                                            \
        E(DISK_IO_NATIVE, "native")                                                                         \
        E(DISK_IO_THREADS, "threads")                                                                       \
        E(DISK_IO_URING, "io_uring")
DECLARE_ENUM(DiskIo, disk_io, DISK_IOS)

#define DISK_DISCARDS(E)                                                                                    \
        E(DISK_DISCARD_DEFAULT, NULL)                                                                       \
        E(DISK_DISCARD_UNMAP, "unmap")                                                                      \
        E(DISK_DISCARD_IGNORE, "ignore")
DECLARE_ENUM(DiskDiscard, disk_discard, DISK_DISCARDS)

#define DISK_DETECT_ZEROES(E)                                                                               \
        E(DISK_DETECT_ZEROES_DEFAULT, NULL)                                                                 \
        E(DISK_DETECT_ZEROES_OFF, "off")                                                                    \
        E(DISK_DETECT_ZEROES_ON, "on")                                                                      \
        E(DISK_DETECT_ZEROES_UNMAP, "unmap")
DECLARE_ENUM(DiskDetectZeroes, disk_detect_zeroes, DISK_DETECT_ZEROES)

#define DISK_SNAPSHOTS(E)                                                                                   \
        E(DISK_SNAPSHOT_DEFAULT, NULL)                                                                      \
        E(DISK_SNAPSHOT_NO, "no")                                                                           \
        E(DISK_SNAPSHOT_INTERNAL, "internal")                                                               \
        E(DISK_SNAPSHOT_EXTERNAL, "external")                                                               \
        E(DISK_SNAPSHOT_MANUAL, "manual")
DECLARE_ENUM(DiskSnapshot, disk_snapshot, DISK_SNAPSHOTS)

#define DISK_PROTOCOLS(E)                                                                                   \
        E(DISK_PROTOCOL_NONE, "none")                                                                       \
        E(DISK_PROTOCOL_NBD, "nbd")                                                                         \
        E(DISK_PROTOCOL_RBD, "rbd")                                                                         \
        E(DISK_PROTOCOL_SHEEPDOG, "sheepdog")                                                               \
        E(DISK_PROTOCOL_GLUSTER, "gluster")                                                                 \
        E(DISK_PROTOCOL_ISCSI, "iscsi")                                                                     \
        E(DISK_PROTOCOL_HTTP, "http")                                                                       \
        E(DISK_PROTOCOL_HTTPS, "https")                                                                     \
        E(DISK_PROTOCOL_FTP, "ftp")                                                                         \
        E(DISK_PROTOCOL_FTPS, "ftps")                                                                       \
        E(DISK_PROTOCOL_TFTP, "tftp")                                                                       \
        E(DISK_PROTOCOL_SSH, "ssh")                                                                         \
        E(DISK_PROTOCOL_VXHS, "vxhs")                                                                       \
        E(DISK_PROTOCOL_NFS, "nfs")
DECLARE_ENUM(DiskProtocol, disk_protocol, DISK_PROTOCOLS)

#define DISK_TRANSPORTS(E)                                                                                  \
        E(DISK_TRANSPORT_ABSENT, NULL)                                                                      \
        E(DISK_TRANSPORT_TCP, "tcp")                                                                        \
        E(DISK_TRANSPORT_UNIX, "unix")                                                                      \
        E(DISK_TRANSPORT_RDMA, "rdma")
DECLARE_ENUM(DiskTransport, disk_transport, DISK_TRANSPORTS)

#define DISK_TRAYS(E) E(DISK_TRAY_CLOSED, "closed") E(DISK_TRAY_OPEN, "open")
DECLARE_ENUM(DiskTray, disk_tray, DISK_TRAYS)

#define DISK_MODELS(E)                                                                                      \
        E(DISK_MODEL_ABSENT, NULL)                                                                          \
        E(DISK_MODEL_VIRTIO, "virtio")                                                                      \
        E(DISK_MODEL_VIRTIO_TRANSITIONAL, "virtio-transitional")                                            \
        E(DISK_MODEL_VIRTIO_NON_TRANSITIONAL, "virtio-non-transitional")
DECLARE_ENUM(DiskModel, disk_model, DISK_MODELS)

#define DISK_FORMATS(E)                                                                                     \
        E(DISK_FORMAT_ABSENT, NULL)                                                                         \
        E(DISK_FORMAT_RAW, "raw")                                                                           \
        E(DISK_FORMAT_DIR, "dir")                                                                           \
        E(DISK_FORMAT_BOCHS, "bochs")                                                                       \
        E(DISK_FORMAT_CLOOP, "cloop")                                                                       \
        E(DISK_FORMAT_DMG, "dmg")                                                                           \
        E(DISK_FORMAT_ISO, "iso")                                                                           \
        E(DISK_FORMAT_VPC, "vpc")                                                                           \
        E(DISK_FORMAT_VDI, "vdi")                                                                           \
        E(DISK_FORMAT_FAT, "fat")                                                                           \
        E(DISK_FORMAT_VHD, "vhd")                                                                           \
        E(DISK_FORMAT_PLOOP, "ploop")                                                                       \
        E(DISK_FORMAT_COW, "cow")                                                                           \
        E(DISK_FORMAT_QCOW, "qcow")                                                                         \
        E(DISK_FORMAT_QCOW2, "qcow2")                                                                       \
        E(DISK_FORMAT_QED, "qed")                                                                           \
        E(DISK_FORMAT_VMDK, "vmdk")
DECLARE_ENUM(DiskFormat, disk_format, DISK_FORMATS)

typedef struct DiskHost {
        DiskTransport transport;
        char *name, *port, *socket;
} DiskHost;

#define SECRET_TYPES(E)                                                                                     \
        E(SECRET_TYPE_ABSENT, NULL)                                                                         \
        E(SECRET_TYPE_PASSPHRASE, "passphrase")                                                             \
        E(SECRET_TYPE_CEPH, "ceph")                                                                         \
        E(SECRET_TYPE_ISCSI, "iscsi")                                                                       \
        E(SECRET_TYPE_VOLUME, "volume")                                                                     \
        E(SECRET_TYPE_TLS, "tls")                                                                           \
        E(SECRET_TYPE_VTPM, "vtpm")
DECLARE_ENUM(SecretType, secret_type, SECRET_TYPES)

/* A secret that is defined elsewhere, by uuid or usage. */
typedef struct SecretReference {
        SecretType type;
        char uuid[37];
        char *usage;
} SecretReference;

typedef struct DiskAuth {
        char *username;
        SecretReference secret;
} DiskAuth;
extern const StructType disk_auth_type;

#define ENCRYPTION_FORMATS(E)                                                                               \
        E(ENCRYPTION_FORMAT_DEFAULT, "default")                                                             \
        E(ENCRYPTION_FORMAT_QCOW, "qcow")                                                                   \
        E(ENCRYPTION_FORMAT_LUKS, "luks")                                                                   \
        E(ENCRYPTION_FORMAT_LUKS2, "luks2")                                                                 \
        E(ENCRYPTION_FORMAT_LUKS_ANY, "luks-any")
DECLARE_ENUM(EncryptionFormat, encryption_format, ENCRYPTION_FORMATS)

#define ENCRYPTION_ENGINES(E)                                                                               \
        E(ENCRYPTION_ENGINE_DEFAULT, "default")                                                             \
        E(ENCRYPTION_ENGINE_QEMU, "qemu")                                                                   \
        E(ENCRYPTION_ENGINE_LIBRBD, "librbd")
DECLARE_ENUM(EncryptionEngine, encryption_engine, ENCRYPTION_ENGINES)

typedef struct DiskEncryption {
        EncryptionFormat format;
        EncryptionEngine engine;
        LIST(SecretReference) secrets;
        uint32_t cipher_size;
        char *cipher_name, *cipher_mode, *cipher_hash, *ivgen_name, *ivgen_hash;
} DiskEncryption;
extern const StructType disk_encryption_type;

typedef struct DiskCookie {
        char *name, *value;
} DiskCookie;

typedef struct DiskSlice {
        char *type;
        uint64_t offset, size;
} DiskSlice;

#define DISK_POOL_MODES(E)                                                                                  \
        E(DISK_POOL_MODE_DEFAULT, NULL) E(DISK_POOL_HOST, "host") E(DISK_POOL_DIRECT, "direct")
DECLARE_ENUM(DiskPoolMode, disk_pool_mode, DISK_POOL_MODES)

#define STARTUP_POLICIES(E)                                                                                 \
        E(STARTUP_POLICY_DEFAULT, NULL)                                                                     \
        E(STARTUP_POLICY_MANDATORY, "mandatory")                                                            \
        E(STARTUP_POLICY_REQUISITE, "requisite")                                                            \
        E(STARTUP_POLICY_OPTIONAL, "optional")
DECLARE_ENUM(StartupPolicy, startup_policy, STARTUP_POLICIES)

/* Where the bytes are. Which members count depends on the type of the disk (DiskSource.type is set from it).
 */
typedef struct DiskSource {
        DiskType type;
        DiskProtocol protocol;
        DiskPoolMode pool_mode;
        StartupPolicy startup_policy;
        YesNo tls, managed, ssl_verify, reconnect_enabled, reservations_managed;
        bool has_timeout;
        char *file, *dev, *dir;
        char *name; /* network: image, export, pool/volume ... */
        char *query, *tls_hostname;
        char *pool, *volume;
        char *nvme_type, *vhost_type, *vhost_path, *vdpa_dev;
        uint64_t namespace_id;                              /* nvme */
        DeviceAddress *address;                             /* nvme */
        uint32_t index, reconnect_timeout, reconnect_delay; /* delay: nbd, in seconds */
        uint64_t timeout_seconds, readahead;
        LIST(DiskHost) hosts;
        LIST(DiskCookie) cookies;
        LIST(DiskSlice) slices;
        LIST(SecurityLabel) seclabels;
        char *identity_user, *identity_group; /* nfs */
        char *ssh_username, *ssh_known_hosts, *ssh_keyfile, *ssh_agent_sock;
        char *initiator_iqn, *snapshot_name, *config_file;
        DiskAuth *auth;
        DiskEncryption *encryption;
        char *reservations_type, *reservations_path, *reservations_mode;
        char *fd_group;
} DiskSource;
extern const StructType disk_source_type;

/* An element of the chain below a disk; `is_end` says that the chain ends here, by <backingStore/>. */
typedef struct DiskBacking DiskBacking;
struct DiskBacking {
        DiskType type;
        DiskFormat format;
        uint32_t index;
        uint64_t metadata_cache_max_size;
        DiskSource source;
        DiskBacking *backing;
};
extern const StructType disk_backing_type, disk_tune_type;

typedef struct DiskMirror {
        DiskType type;
        DiskFormat format;
        char *job, *ready;
        DiskSource source;
        DiskBacking *backing;
} DiskMirror;
extern const StructType disk_mirror_type;

typedef struct DiskTune { /* 0: no limit */
        uint64_t total_bytes_sec, read_bytes_sec, write_bytes_sec;
        uint64_t total_iops_sec, read_iops_sec, write_iops_sec;
        uint64_t total_bytes_sec_max, read_bytes_sec_max, write_bytes_sec_max;
        uint64_t total_iops_sec_max, read_iops_sec_max, write_iops_sec_max;
        uint64_t size_iops_sec;
        char *group_name;
        uint64_t total_bytes_sec_max_length, read_bytes_sec_max_length, write_bytes_sec_max_length;
        uint64_t total_iops_sec_max_length, read_iops_sec_max_length, write_iops_sec_max_length;
} DiskTune;

#define DISK_TRANSLATIONS(E)                                                                                \
        E(DISK_TRANSLATION_DEFAULT, NULL)                                                                   \
        E(DISK_TRANSLATION_NONE, "none")                                                                    \
        E(DISK_TRANSLATION_AUTO, "auto")                                                                    \
        E(DISK_TRANSLATION_LBA, "lba")
DECLARE_ENUM(DiskTranslation, disk_translation, DISK_TRANSLATIONS)

typedef struct DomainDisk {
        DiskType type;
        DiskDevice device;
        DiskModel model;
        DiskSnapshot snapshot;
        YesNo rawio;
        DiskFormat format; /* driver/@type */
        DiskCache cache;
        DiskErrorPolicy error_policy, rerror_policy;
        DiskIo io;
        OnOff ioeventfd, event_idx, copy_on_read;
        DiskDiscard discard;
        OnOff discard_no_unref;
        DiskDetectZeroes detect_zeroes;
        bool has_queues;
        bool backing_ends; /* <backingStore/>: there is none */
        DiskBus bus;
        DiskTray tray;
        OnOff removable;
        DiskTranslation translation;
        bool readonly, shareable, transient;
        YesNo transient_share_backing;
        VirtioOptions virtio;
        uint32_t queues, queue_size, iothread;
        uint32_t rotation_rate;
        uint32_t cylinders, heads, sectors;
        uint32_t logical_block_size, physical_block_size, discard_granularity;
        char *sgio;
        char *driver_name;
        uint64_t metadata_cache_max_size;
        DiskAuth *auth; /* the old place, outside of source */
        DiskSource source;
        DiskBacking *backing; /* NULL: to be found out by the image */
        DiskMirror *mirror;
        char *target; /* "vda" */
        DiskTune *tune;
        char *serial, *wwn, *vendor, *product;
        DiskEncryption *encryption; /* the old place, outside of source */
        DeviceInfo info;
} DomainDisk;
extern const StructType domain_disk_type;
/* Where a disk is to be, and in which format: as little of a <disk> as says that. */
extern const StructType disk_place_type;

/* Sets the type, drops what this type does not have, adds the usual ports, and checks the rest. */
int disk_source_complete(DiskSource *source, DiskType type, unsigned line, Error *error);

/* The bus that the target's name stands for. */
DiskBus disk_usual_bus(const DomainDisk *disk);

/* Whether it names something that can be opened: an empty drive does not. */
bool disk_source_is_empty(const DiskSource *source);
