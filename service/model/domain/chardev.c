/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Serial and parallel ports, consoles, channels, smartcards and redirected devices. */

#include "model/domain/chardev.h"

DEFINE_ENUM(chardev_type, CHARDEV_TYPES);
DEFINE_ENUM(socket_mode, SOCKET_MODES);
DEFINE_ENUM(chardev_protocol, CHARDEV_PROTOCOLS);
DEFINE_ENUM(mouse_mode, MOUSE_MODES);
DEFINE_ENUM(serial_target, SERIAL_TARGETS);
DEFINE_ENUM(serial_model, SERIAL_MODELS);
DEFINE_ENUM(console_target, CONSOLE_TARGETS);
DEFINE_ENUM(channel_target, CHANNEL_TARGETS);
DEFINE_ENUM(channel_state, CHANNEL_STATES);
DEFINE_ENUM(smartcard_mode, SMARTCARD_MODES);

#define NETWORKED (BIT(CHARDEV_TYPE_TCP) | BIT(CHARDEV_TYPE_UNIX))
#define WITH_PATH                                                                                           \
        (BIT(CHARDEV_TYPE_DEV) | BIT(CHARDEV_TYPE_FILE) | BIT(CHARDEV_TYPE_PIPE) | BIT(CHARDEV_TYPE_UNIX))

static int source_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const ChardevSource *source = object;
        const char *missing = NULL;

        (void)flags;
        if (BIT(source->type) & (BIT(CHARDEV_TYPE_DEV) | BIT(CHARDEV_TYPE_FILE) | BIT(CHARDEV_TYPE_PIPE)) &&
            !source->path)
                missing = "path";
        else if (source->type == CHARDEV_TYPE_TCP && !source->host)
                missing = "host";
        else if (source->type == CHARDEV_TYPE_TCP && !source->service)
                missing = "service";
        else if (source->type == CHARDEV_TYPE_UDP && !source->service)
                missing = "service";
        else if ((source->type == CHARDEV_TYPE_SPICEPORT || source->type == CHARDEV_TYPE_DBUS) &&
                 !source->channel)
                missing = "channel";
        if (missing)
                return error_set(error, ERROR_INVALID_XML, "line %u: <%s type='%s'>: source/@%s is missing",
                                 node ? node->line : 0, node ? node->name : "source",
                                 chardev_type_to_string(source->type), missing);
        return 0;
}

#define THIS ChardevSource
static const Field chardev_source_fields[] = {
        ENUM("@type", type, chardev_type),
        STRING("@tty", tty, .flags = FIELD_LIVE | FIELD_NO_ABI),
        ENUM("source/@mode", mode, socket_mode, WHEN(type, NETWORKED)),
        STRING("source/@path", path, WHEN(type, WITH_PATH), .flags = FIELD_NO_ABI),
        STRING("source/@path", path, WHEN(type, BIT(CHARDEV_TYPE_PTY)), .flags = FIELD_LIVE | FIELD_NO_ABI),
        ONOFF("source/@append", append, WHEN(type, BIT(CHARDEV_TYPE_FILE))),
        STRING("source/@host", host, WHEN(type, BIT(CHARDEV_TYPE_TCP))),
        STRING("source/@service", service, WHEN(type, BIT(CHARDEV_TYPE_TCP))),
        YESNO("source/@tls", tls, WHEN(type, BIT(CHARDEV_TYPE_TCP))),
        YESNO("source/reconnect/@enabled", reconnect_enabled, WHEN(type, NETWORKED)),
        UNSIGNED("source/reconnect/@timeout", reconnect_timeout, WHEN(type, NETWORKED)),
        STRING("source[mode=bind]/@host", bind_host, WHEN(type, BIT(CHARDEV_TYPE_UDP))),
        STRING("source[mode=bind]/@service", bind_service, WHEN(type, BIT(CHARDEV_TYPE_UDP))),
        STRING("source[mode=connect]/@host", host, WHEN(type, BIT(CHARDEV_TYPE_UDP))),
        STRING("source[mode=connect]/@service", service, WHEN(type, BIT(CHARDEV_TYPE_UDP))),
        STRING("source/@channel", channel, WHEN(type, BIT(CHARDEV_TYPE_SPICEPORT) | BIT(CHARDEV_TYPE_DBUS))),
        STRING("source/@master", master, WHEN(type, BIT(CHARDEV_TYPE_NMDM))),
        STRING("source/@slave", slave, WHEN(type, BIT(CHARDEV_TYPE_NMDM))),
        YESNO("source/clipboard/@copypaste", clipboard_copypaste,
              WHEN(type, BIT(CHARDEV_TYPE_QEMU_VDAGENT))),
        ENUM("source/mouse/@mode", mouse_mode, mouse_mode, WHEN(type, BIT(CHARDEV_TYPE_QEMU_VDAGENT))),
        ITEMS("source/seclabel", seclabels, security_label, WHEN(type, WITH_PATH)),
        ENUM("protocol/@type", protocol, chardev_protocol, WHEN(type, BIT(CHARDEV_TYPE_TCP)),
             .initial = CHARDEV_PROTOCOL_RAW, .flags = FIELD_ALWAYS),
        STRING("log/@file", log_file),
        ONOFF("log/@append", log_append),
};
#undef THIS
DEFINE_STRUCT(chardev_source, ChardevSource, .check = source_check);

#define THIS DomainSerial
static const Field domain_serial_fields[] = {
        INLINE("", source, chardev_source),      ENUM("target/@type", target, serial_target),
        OPTIONAL_UNSIGNED("target/@port", port), ENUM("target/model/@name", model, serial_model),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_serial, DomainSerial);

#define THIS DomainParallel
static const Field domain_parallel_fields[] = {
        INLINE("", source, chardev_source),
        OPTIONAL_UNSIGNED("target/@port", port),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_parallel, DomainParallel);

#define THIS DomainConsole
static const Field domain_console_fields[] = {
        INLINE("", source, chardev_source),
        ENUM("target/@type", target, console_target),
        OPTIONAL_UNSIGNED("target/@port", port),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_console, DomainConsole);

/* A socket that libvirt once made for a machine on its own: such a path says nothing about what was
 * wanted. */
static bool path_is_generated(const DomainChannel *channel)
{
        _cleanup_(freep) char *folder = NULL, *parent = NULL, *file = NULL;

        if (channel->source.type != CHARDEV_TYPE_UNIX || channel->target != CHANNEL_TARGET_VIRTIO ||
            !channel->source.path || !channel->name)
                return false;
        if (g_str_has_prefix(channel->source.path, "/var/lib/libvirt/qemu/channel/"))
                return true;
        file = g_path_get_basename(channel->source.path);
        folder = g_path_get_dirname(channel->source.path);
        parent = g_path_get_basename(folder);
        return g_str_equal(file, channel->name) && g_str_has_prefix(parent, "domain-");
}

static int channel_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DomainChannel *channel = object;

        if (flags & DEFINITION_INACTIVE && !(flags & DEFINITION_STATUS) && path_is_generated(channel)) {
                g_clear_pointer(&channel->source.path, g_free);
                channel->source.mode = SOCKET_MODE_ABSENT;
                channel->source.reconnect_enabled = YES_NO_ABSENT; /* how to reach the socket went with it */
                channel->source.reconnect_timeout = 0;
        }
        if (channel->source.reconnect_enabled == YES && channel->source.mode != SOCKET_CONNECT)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <channel>: only sockets of mode 'connect' can reconnect",
                                 node ? node->line : 0);
        if (channel->target == CHANNEL_TARGET_ABSENT)
                return error_set(error, ERROR_INVALID_XML, "line %u: <channel>: target/@type is missing",
                                 node ? node->line : 0);
        if (channel->target == CHANNEL_TARGET_GUESTFWD && (!channel->address || !channel->port))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <channel>: guestfwd needs target/@address and @port",
                                 node ? node->line : 0);
        return 0;
}

#define THIS DomainChannel
static const Field domain_channel_fields[] = {
        INLINE("", source, chardev_source),
        ENUM("target/@type", target, channel_target),
        STRING("target/@name", name, WHEN(target, BIT(CHANNEL_TARGET_VIRTIO) | BIT(CHANNEL_TARGET_XEN))),
        ENUM("target/@state", state, channel_state, .flags = FIELD_LIVE | FIELD_NO_ABI),
        STRING("target/@address", address, WHEN(target, BIT(CHANNEL_TARGET_GUESTFWD))),
        STRING("target/@port", port, WHEN(target, BIT(CHANNEL_TARGET_GUESTFWD))),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_channel, DomainChannel, .check = channel_check);

static int smartcard_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const DomainSmartcard *smartcard = object;

        (void)flags;
        if (smartcard->mode == SMARTCARD_HOST_CERTIFICATES &&
            (!smartcard->certificates || g_strv_length(smartcard->certificates) != 3))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <smartcard>: three <certificate> are needed",
                                 node ? node->line : 0);
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

#define THIS DomainRedirdev
static const Field domain_redirdev_fields[] = {
        STRING("@bus", bus),
        INLINE("", source, chardev_source),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_redirdev, DomainRedirdev);

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

static int usbdev_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        RedirfilterUsbdev *usbdev = object;

        (void)node;
        (void)flags;
        (void)error;
        if (g_strcmp0(usbdev->version, "-1") == 0) /* any */
                g_clear_pointer(&usbdev->version, g_free);
        return 0;
}
static DEFINE_STRUCT(redirfilter_usbdev, RedirfilterUsbdev, .check = usbdev_check);

#define THIS DomainRedirfilter
static const Field domain_redirfilter_fields[] = { ITEMS("usbdev", usbdevs, redirfilter_usbdev) };
#undef THIS
DEFINE_STRUCT(domain_redirfilter, DomainRedirfilter);
