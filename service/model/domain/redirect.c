/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes to the machine from elsewhere over a character device: smartcards and USB devices. */

#include "model/domain/chardev.h"
#include <stdlib.h>
#include <string.h>

DEFINE_ENUM(smartcard_mode, SMARTCARD_MODES);

static int smartcard_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DomainSmartcard *smartcard = object;
        unsigned line = node ? node->line : 0;

        (void)flags;
        if (smartcard->mode == SMARTCARD_HOST_CERTIFICATES &&
            (!smartcard->certificates || g_strv_length(smartcard->certificates) != 3))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <smartcard>: three <certificate> are needed", line);
        if (smartcard->database && *smartcard->database != '/')
                return error_set(error, ERROR_INVALID_XML, "line %u: <database>: '%s' is no absolute path",
                                 line, smartcard->database);
        if (smartcard->mode == SMARTCARD_PASSTHROUGH && smartcard->source.type == CHARDEV_TYPE_ABSENT)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <smartcard mode='passthrough'>: @type is missing", line);
        if (smartcard->source.type == CHARDEV_TYPE_UNIX && !smartcard->source.path)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <smartcard type='unix'>: source/@path is missing", line);
        if (smartcard->info.address.type != ADDRESS_NONE && smartcard->info.address.type != ADDRESS_CCID)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <smartcard>: an address of type 'ccid' is expected, not '%s'",
                                 line, address_type_to_string(smartcard->info.address.type));
        return 0;
}

#define THIS DomainSmartcard
static const Field domain_smartcard_fields[] = {
        ENUM("@mode", mode, smartcard_mode, .flags = FIELD_REQUIRED),
        INLINE("", source, chardev_source, WHEN(mode, BIT(SMARTCARD_PASSTHROUGH))),
        STRINGS("certificate", certificates, WHEN(mode, BIT(SMARTCARD_HOST_CERTIFICATES))),
        STRING("database", database, WHEN(mode, BIT(SMARTCARD_HOST_CERTIFICATES))),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_smartcard, DomainSmartcard, .check = smartcard_check);

static int redirdev_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DomainRedirdev *redirdev = object;
        unsigned line = node ? node->line : 0;

        (void)flags;
        if (!redirdev->bus)
                redirdev->bus = g_strdup("usb");
        if (!g_str_equal(redirdev->bus, "usb"))
                return error_set(error, ERROR_INVALID_XML, "line %u: <redirdev>: bus='%s': usb is expected",
                                 line, redirdev->bus);
        if (redirdev->source.type == CHARDEV_TYPE_ABSENT)
                return error_set(error, ERROR_INVALID_XML, "line %u: <redirdev>: @type is missing", line);
        if (redirdev->source.type == CHARDEV_TYPE_UNIX && !redirdev->source.path)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <redirdev type='unix'>: source/@path is missing", line);
        return 0;
}

#define THIS DomainRedirdev
static const Field domain_redirdev_fields[] = {
        STRING("@bus", bus),
        INLINE("", source, chardev_source),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_redirdev, DomainRedirdev, .check = redirdev_check);

#define ANY_OR_HEX .flags = FIELD_HEX | FIELD_UPPER | FIELD_ANY_BASE | FIELD_MINUS_ONE
#define THIS       RedirfilterUsbdev
static const Field redirfilter_usbdev_fields[] = {
        OPTIONAL_UNSIGNED("@class", usb_class, .width = 2, ANY_OR_HEX),
        OPTIONAL_UNSIGNED("@vendor", vendor, .width = 4, ANY_OR_HEX),
        OPTIONAL_UNSIGNED("@product", product, .width = 4, ANY_OR_HEX),
        STRING("@version", version),
        YESNO("@allow", allow, .flags = FIELD_REQUIRED),
};
#undef THIS

/* Major and minor number of at most two digits; written with both digits of the minor one. */
static int complete_version(char **version, unsigned line, Error *error)
{
        const char *dot = strchr(*version, '.');
        size_t major = dot ? (size_t)(dot - *version) : 0, minor = dot ? strlen(dot + 1) : 0;

        if (major < 1 || major > 2 || minor < 1 || minor > 2 || strspn(*version, G_CSET_DIGITS) != major ||
            strspn(dot + 1, G_CSET_DIGITS) != minor)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <usbdev>: version='%s': a version of USB as 1.10 is expected",
                                 line, *version);
        char *text = g_strdup_printf("%d.%s%s", atoi(*version), dot + 1, minor == 1 ? "0" : "");
        g_free(*version);
        *version = text;
        return 0;
}

static int usbdev_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        RedirfilterUsbdev *usbdev = object;
        unsigned line = node ? node->line : 0;

        (void)flags;
        if (usbdev->usb_class > 0xff || usbdev->vendor > 0xffff || usbdev->product > 0xffff)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <usbdev>: @class goes up to 0xFF, @vendor and @product to 0xFFFF",
                                 line);
        if (g_strcmp0(usbdev->version, "-1") == 0) /* any */
                g_clear_pointer(&usbdev->version, g_free);
        return usbdev->version ? complete_version(&usbdev->version, line, error) : 0;
}

static DEFINE_STRUCT(redirfilter_usbdev, RedirfilterUsbdev, .check = usbdev_check);

#define THIS DomainRedirfilter
static const Field domain_redirfilter_fields[] = { ITEMS("usbdev", usbdevs, redirfilter_usbdev) };
#undef THIS
DEFINE_STRUCT(domain_redirfilter, DomainRedirfilter);
