/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One disk against what QEMU can do with its bus, its image format and its source. */

#include "model/board.h"
#include "model/complete.h"

static int check_address(const DomainDisk *disk, Error *error)
{
        AddressType type = disk->info.address.type;
        bool is_drive = disk->bus == DISK_BUS_IDE || disk->bus == DISK_BUS_FDC ||
                        disk->bus == DISK_BUS_SCSI || disk->bus == DISK_BUS_SATA;

        if (type == ADDRESS_NONE)
                return 0;
        if (is_drive && type == ADDRESS_DRIVE)
                return 0;
        if (disk->bus == DISK_BUS_USB && type == ADDRESS_USB)
                return 0;
        if (!is_drive && disk->bus != DISK_BUS_USB && type != ADDRESS_DRIVE && type != ADDRESS_USB)
                return 0;
        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                         "Disk '%s' at the bus '%s' cannot have an address '%s'", disk->target,
                         disk_bus_to_string(disk->bus), address_type_to_string(type));
}

static int check_format(const DomainDisk *disk, Error *error)
{
        bool is_encrypted = disk->encryption || disk->source.encryption;

        if (disk->format == DISK_FORMAT_DIR)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': QEMU has no format 'dir', but disks of type 'dir'",
                                 disk->target);
        if (disk->shareable && disk->format != DISK_FORMAT_RAW && disk->format != DISK_FORMAT_ABSENT)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': only the storage format 'raw' can be shared", disk->target);
        if (is_encrypted && disk->format != DISK_FORMAT_RAW && disk->format != DISK_FORMAT_QCOW2 &&
            disk->format != DISK_FORMAT_ABSENT)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': encryption needs the image format 'raw' or 'qcow2'",
                                 disk->target);
        return 0;
}

static int check_source(const DomainDisk *disk, Error *error)
{
        const DiskAuth *auth = disk->auth ?: disk->source.auth;
        SecretType wanted;

        if (disk->auth && disk->source.auth)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': <auth> stands both at the disk and in its source",
                                 disk->target);
        if (disk->encryption && disk->source.encryption)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': <encryption> stands both at the disk and in its source",
                                 disk->target);
        if (!auth || disk->type != DISK_TYPE_NETWORK || auth->secret.type == SECRET_TYPE_ABSENT)
                return 0;
        if (disk->source.protocol == DISK_PROTOCOL_ISCSI)
                wanted = SECRET_TYPE_ISCSI;
        else if (disk->source.protocol == DISK_PROTOCOL_RBD)
                wanted = SECRET_TYPE_CEPH;
        else
                return 0;
        if (auth->secret.type != wanted)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': its source needs a secret of type '%s', not '%s'", disk->target,
                                 secret_type_to_string(wanted), secret_type_to_string(auth->secret.type));
        return 0;
}

/* Options of virtio's device, and what the guest can be told of others. */
static int check_options(const DomainDisk *disk, Error *error)
{
        const VirtioOptions *virtio = &disk->virtio;
        const char *what = NULL;

        if (disk->bus == DISK_BUS_VIRTIO)
                return 0;
        if (disk->has_queues || disk->queue_size)
                what = "queues";
        else if (disk->ioeventfd || disk->event_idx)
                what = "ioeventfd and event_idx";
        else if (disk->iothread)
                what = "iothread";
        else if (disk->model)
                what = "model";
        else if (virtio->iommu || virtio->ats || virtio->packed || virtio->page_per_vq)
                what = "iommu, ats, packed and page_per_vq";
        if (!what)
                return 0;
        return error_set(error, ERROR_CONFIG_UNSUPPORTED, "Disk '%s': %s need the bus 'virtio', not '%s'",
                         disk->target, what, disk_bus_to_string(disk->bus));
}

static int check_identity(const DomainDisk *disk, Error *error)
{
        bool is_named = disk->vendor || disk->product, is_lun = disk->device == DISK_DEVICE_LUN;

        if (is_named && disk->bus != DISK_BUS_SCSI)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': vendor and product need the bus 'scsi'", disk->target);
        if (is_lun && (is_named || disk->wwn))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': a lun has vendor, product and wwn of its own", disk->target);
        if (is_lun && disk->bus != DISK_BUS_SCSI && disk->bus != DISK_BUS_VIRTIO)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s': device='lun' needs the bus 'scsi' or 'virtio', not '%s'",
                                 disk->target, disk_bus_to_string(disk->bus));
        if (disk->copy_on_read == ON && disk->readonly)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Disk '%s' is read-only: copy_on_read would write to it", disk->target);
        return 0;
}

int domain_definition_validate_disks(const DomainDefinition *definition, Error *error)
{
        static int (*const checks[])(const DomainDisk *, Error *) = {
                check_address, check_format, check_source, check_options, check_identity,
        };

        if (!board_is_qemu(definition))
                return 0;
        LIST_FOREACH (disk, definition->devices.disks)
                for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
                        int r = checks[i](disk, error);
                        if (r < 0)
                                return r;
                }
        return 0;
}
