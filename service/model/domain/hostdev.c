/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <hostdev>: a device of the host in the guest's hands. <source> names it in as many ways as there are
 * types; the element's own <address> is where the guest sees it. */

#include "model/domain/misc.h"

DEFINE_ENUM(hostdev_mode, HOSTDEV_MODES);
DEFINE_ENUM(hostdev_type, HOSTDEV_TYPES);
DEFINE_ENUM(hostdev_model, HOSTDEV_MODELS);

#define THIS DiskHost
static const Field hostdev_host_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED),
        STRING("@port", port),
};
#undef THIS
static DEFINE_STRUCT(hostdev_host, DiskHost);

static bool is_subsystem(const void *object, unsigned flags _unused_)
{
        return ((const DomainHostdev *)object)->mode == HOSTDEV_SUBSYSTEM;
}

/* Where a device is that was asked for by what it is: another time it may be elsewhere. */
static bool has_lasting_address(const void *object, unsigned flags)
{
        return !(flags & DEFINITION_INACTIVE) || ((const DomainHostdev *)object)->found_address != YES;
}

static bool in_status(const void *object _unused_, unsigned flags)
{
        return flags & DEFINITION_STATUS;
}

static bool has_adapter(const void *object, unsigned flags _unused_)
{
        return ((const DomainHostdev *)object)->adapter;
}

#define USB       BIT(HOSTDEV_USB)
#define PCI       BIT(HOSTDEV_PCI)
#define SCSI      BIT(HOSTDEV_SCSI)
#define SCSI_HOST BIT(HOSTDEV_SCSI_HOST)
#define MDEV      BIT(HOSTDEV_MDEV)

#define THIS DomainHostdev
static const Field domain_hostdev_fields[] = {
        ENUM("@mode", mode, hostdev_mode, .initial = HOSTDEV_SUBSYSTEM, .flags = FIELD_ALWAYS),
        ENUM("@type", type, hostdev_type, .flags = FIELD_REQUIRED),
        YESNO("@managed", managed, .shown = is_subsystem),
        STRING("@sgio", sgio, WHEN(type, SCSI)),
        STRING("@rawio", rawio, WHEN(type, SCSI)),
        ENUM("@model", model, hostdev_model, WHEN(type, MDEV | SCSI_HOST)),
        ONOFF("@display", display, WHEN(type, MDEV)),
        ONOFF("@ramfb", ramfb, WHEN(type, MDEV)),
        STRING("driver/@name", driver, WHEN(type, PCI)),
        ENUM("source/@startupPolicy", startup_policy, startup_policy, WHEN(type, USB)),
        STRING("source/@guestReset", guest_reset, WHEN(type, USB)),
        YESNO("source/@missing", missing, .flags = FIELD_LIVE, WHEN(type, USB)),
        YESNO("source/@foundAddress", found_address, .flags = FIELD_LIVE | FIELD_NO_NATIVE,
              .shown = in_status, WHEN(type, USB)),
        YESNO("source/@writeFiltering", write_filtering, WHEN(type, PCI)),
        STRING("source/@protocol", protocol, WHEN(type, SCSI | SCSI_HOST)),
        STRING("source/@name", source_name, WHEN(type, SCSI)),
        STRING("source/@wwpn", wwpn, WHEN(type, SCSI_HOST)),
        OPTIONAL_UNSIGNED("source/vendor/@id", vendor, WHEN(type, USB), .width = 4,
                          .flags = FIELD_HEX | FIELD_ANY_BASE),
        OPTIONAL_UNSIGNED("source/product/@id", product, WHEN(type, USB), .width = 4,
                          .flags = FIELD_HEX | FIELD_ANY_BASE),
        OPTIONAL_UNSIGNED("source/address/@bus", usb_bus, WHEN(type, USB),
                          .flags = FIELD_ANY_BASE | FIELD_NO_ABI, .shown = has_lasting_address),
        OPTIONAL_UNSIGNED("source/address/@device", usb_device, WHEN(type, USB),
                          .flags = FIELD_ANY_BASE | FIELD_NO_ABI, .shown = has_lasting_address),
        INLINE("source/address", source_address, host_pci_address, WHEN(type, PCI), .flags = FIELD_REQUIRED),
        UUID("source/address/@uuid", mdev_uuid, WHEN(type, MDEV)),
        STRING("source/adapter/@name", adapter, WHEN(type, SCSI)),
        UNSIGNED("source/address/@bus", scsi_bus, WHEN(type, SCSI), .flags = FIELD_ALWAYS,
                 .shown = has_adapter),
        UNSIGNED("source/address/@target", scsi_target, WHEN(type, SCSI), .flags = FIELD_ALWAYS,
                 .shown = has_adapter),
        UNSIGNED("source/address/@unit", scsi_unit, WHEN(type, SCSI), .flags = FIELD_ALWAYS,
                 .shown = has_adapter),
        ITEMS("source/host", hosts, hostdev_host, WHEN(type, SCSI)),
        STRUCT("source/auth", auth, disk_auth, WHEN(type, SCSI)),
        STRING("source/initiator/iqn/@name", initiator_iqn, WHEN(type, SCSI)),
        STRING("source/block", block, WHEN(type, BIT(HOSTDEV_STORAGE))),
        STRING("source/char", character, WHEN(type, BIT(HOSTDEV_MISC))),
        STRING("source/interface", net_interface, WHEN(type, BIT(HOSTDEV_NET))),
        FLAG("readonly", readonly, WHEN(type, SCSI)),
        FLAG("shareable", shareable, WHEN(type, SCSI)),
        INLINE("", info, device_info),
};
#undef THIS

static int check_usb(const DomainHostdev *hostdev, Error *error)
{
        if (hostdev->has_vendor != hostdev->has_product)
                return error_set(error, ERROR_INVALID_XML,
                                 "A USB device is named by both vendor and product");
        if (hostdev->has_usb_bus != hostdev->has_usb_device)
                return error_set(error, ERROR_INVALID_XML, "A USB address has both a bus and a device");
        if (!hostdev->has_vendor && !hostdev->has_usb_bus)
                return error_set(error, ERROR_INVALID_XML,
                                 "A USB device is named by vendor and product, or by an address");
        if (hostdev->has_vendor && (hostdev->vendor == 0 || hostdev->product == 0))
                return error_set(error, ERROR_INVALID_XML,
                                 "The vendor and the product of a USB device are not 0");
        if (hostdev->vendor > UINT16_MAX || hostdev->product > UINT16_MAX)
                return error_set(error, ERROR_INVALID_XML, "USB vendors and products have four digits");
        if (hostdev->guest_reset && !g_str_equal(hostdev->guest_reset, "off") &&
            !g_str_equal(hostdev->guest_reset, "on") && !g_str_equal(hostdev->guest_reset, "uninitialized"))
                return error_set(error, ERROR_INVALID_XML, "A USB device knows no guestReset '%s'",
                                 hostdev->guest_reset);
        return 0;
}

static int check_scsi(DomainHostdev *hostdev, Error *error)
{
        if (hostdev->protocol && !g_str_equal(hostdev->protocol, "iscsi") &&
            !g_str_equal(hostdev->protocol, "adapter"))
                return error_set(error, ERROR_INVALID_XML,
                                 "A SCSI device of the host knows no protocol '%s'", hostdev->protocol);
        if (g_strcmp0(hostdev->protocol, "iscsi") != 0) {
                if (!hostdev->adapter)
                        return error_set(
                                error, ERROR_INVALID_XML,
                                "A SCSI device of the host needs source/adapter and source/address");
                return 0;
        }
        if (!hostdev->source_name)
                return error_set(error, ERROR_INVALID_XML, "A SCSI device behind iSCSI needs source/@name");
        if (hostdev->hosts.count != 1)
                return error_set(error, ERROR_INVALID_XML,
                                 "A SCSI device behind iSCSI has exactly one host");
        /* The unit is part of the name. */
        if (!strchr(hostdev->source_name, '/')) {
                char *name = g_strconcat(hostdev->source_name, "/0", NULL);
                g_free(hostdev->source_name);
                hostdev->source_name = name;
        }
        return 0;
}

static int check_mdev(const DomainHostdev *hostdev, Error *error)
{
        if (hostdev->model == HOSTDEV_MODEL_ABSENT)
                return error_set(error, ERROR_INVALID_XML, "A mediated device needs a model");
        if (hostdev->mdev_uuid[0] == '\0')
                return error_set(error, ERROR_INVALID_XML,
                                 "A mediated device is named by source/address/@uuid");
        if (hostdev->managed == YES)
                return error_set(error, ERROR_INVALID_XML, "A mediated device cannot be managed");
        if (hostdev->display != ON_OFF_ABSENT && hostdev->model != HOSTDEV_VFIO_PCI)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Only mediated devices of model 'vfio-pci' have a display");
        return 0;
}

static int check_capability(const DomainHostdev *hostdev, Error *error)
{
        if ((hostdev->type == HOSTDEV_STORAGE && !hostdev->block) ||
            (hostdev->type == HOSTDEV_MISC && !hostdev->character) ||
            (hostdev->type == HOSTDEV_NET && !hostdev->net_interface))
                return error_set(error, ERROR_INVALID_XML, "A host device of type '%s' lacks its source",
                                 hostdev_type_to_string(hostdev->type));
        return 0;
}

static int check_hostdev(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        DomainHostdev *hostdev = object;
        bool is_capability = hostdev->type >= HOSTDEV_STORAGE;

        if (is_capability != (hostdev->mode == HOSTDEV_CAPABILITIES))
                return error_set(
                        error, ERROR_INVALID_XML, "There are no host devices of mode '%s' and type '%s'",
                        hostdev_mode_to_string(hostdev->mode), hostdev_type_to_string(hostdev->type));
        if (hostdev->mode == HOSTDEV_SUBSYSTEM && hostdev->managed == YES_NO_ABSENT)
                hostdev->managed = NO;

        switch (hostdev->type) {
        case HOSTDEV_USB:
                return check_usb(hostdev, error);
        case HOSTDEV_SCSI:
                return check_scsi(hostdev, error);
        case HOSTDEV_MDEV:
                return check_mdev(hostdev, error);
        case HOSTDEV_SCSI_HOST:
                if (g_strcmp0(hostdev->protocol, "vhost") != 0 || !hostdev->wwpn)
                        return error_set(error, ERROR_INVALID_XML,
                                         "A SCSI host is passed by protocol 'vhost' and its wwpn");
                if (!g_str_has_prefix(hostdev->wwpn, "naa."))
                        return error_set(error, ERROR_INVALID_XML,
                                         "The wwpn '%s' does not begin with 'naa.'", hostdev->wwpn);
                return 0;
        default:
                return check_capability(hostdev, error);
        }
}
DEFINE_STRUCT(domain_hostdev, DomainHostdev, .check = check_hostdev);
