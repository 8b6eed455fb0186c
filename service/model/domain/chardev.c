/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Serial and parallel ports, consoles and channels. The far end is one structure for all of them. */

#include "model/domain/chardev.h"
#include "model/domain/interface.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

DEFINE_ENUM(chardev_type, CHARDEV_TYPES);
DEFINE_ENUM(socket_mode, SOCKET_MODES);
DEFINE_ENUM(chardev_protocol, CHARDEV_PROTOCOLS);
DEFINE_ENUM(mouse_mode, MOUSE_MODES);
DEFINE_ENUM(serial_target, SERIAL_TARGETS);
DEFINE_ENUM(serial_model, SERIAL_MODELS);
DEFINE_ENUM(console_target, CONSOLE_TARGETS);
DEFINE_ENUM(channel_target, CHANNEL_TARGETS);
DEFINE_ENUM(channel_state, CHANNEL_STATES);

#define NETWORKED (BIT(CHARDEV_TYPE_TCP) | BIT(CHARDEV_TYPE_UNIX))
#define WITH_PATH                                                                                           \
        (BIT(CHARDEV_TYPE_DEV) | BIT(CHARDEV_TYPE_FILE) | BIT(CHARDEV_TYPE_PIPE) | BIT(CHARDEV_TYPE_UNIX))

/* UDP has a source for each direction, everything else one. */
static int count_check(const ChardevSource *source, const XmlNode *node, Error *error)
{
        static const char *const names[] = { "source", "protocol", "log" };

        for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
                unsigned count = 0, most = i == 0 && source->type == CHARDEV_TYPE_UDP ? 2 : 1;

                for (const XmlNode *child = xml_child(node, names[i]); child; child = xml_next(child))
                        count++;
                if (count > most)
                        return error_set(error, ERROR_INVALID_XML,
                                         "line %u: <%s>: at most %u <%s> %s possible", node->line,
                                         node->name, most, names[i], most == 1 ? "is" : "are");
        }
        return 0;
}

static void take(char **member, const XmlNode *node, const char *name)
{
        const char *value = xml_attribute(node, name);

        if (!*member && value && *value)
                *member = g_strdup(value);
}

/* What no row can say: a source without @mode connects. */
static int udp_complete(ChardevSource *source, const XmlNode *node, Error *error)
{
        for (const XmlNode *child = xml_child(node, "source"); child; child = xml_next(child)) {
                const char *mode = xml_attribute(child, "mode");

                if (mode && enum_from_string(&socket_mode_table, mode) < 0)
                        return error_set(error, ERROR_INVALID_XML,
                                         "line %u: <source>: mode='%s': connect or bind is expected",
                                         child->line, mode);
                if (!mode) {
                        take(&source->host, child, "host");
                        take(&source->service, child, "service");
                }
        }
        return 0;
}

static int reconnect_check(const ChardevSource *source, unsigned line, Error *error)
{
        if (source->reconnect_enabled != YES)
                return 0;
        if (source->mode != SOCKET_CONNECT)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <reconnect>: only sockets of mode 'connect' can reconnect", line);
        if (source->reconnect_timeout == 0)
                return error_set(error, ERROR_INVALID_XML, "line %u: <reconnect>: @timeout is missing",
                                 line);
        return 0;
}

void chardev_source_drop_socket(ChardevSource *source)
{
        source->mode = SOCKET_MODE_ABSENT;
        source->reconnect_enabled = YES_NO_ABSENT;
        source->reconnect_timeout = 0;
}

/* The attribute of the source without which there is no far end. A socket's path may be left to the driver.
 */
static const char *missing_attribute(const ChardevSource *source)
{
        switch (source->type) {
        case CHARDEV_TYPE_DEV:
        case CHARDEV_TYPE_FILE:
        case CHARDEV_TYPE_PIPE:
                return source->path ? NULL : "path";
        case CHARDEV_TYPE_TCP:
                return !source->host ? "host" : !source->service ? "service" : NULL;
        case CHARDEV_TYPE_UDP:
                return source->service ? NULL : "service";
        case CHARDEV_TYPE_SPICEPORT:
        case CHARDEV_TYPE_DBUS:
                return source->channel ? NULL : "channel";
        case CHARDEV_TYPE_NMDM:
                return !source->master ? "master" : !source->slave ? "slave" : NULL;
        default:
                return NULL;
        }
}

static int source_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        ChardevSource *source = object;
        unsigned line = node ? node->line : 0;
        const char *missing;
        int r = 0;

        (void)flags;
        if (node)
                r = count_check(source, node, error);
        if (r >= 0 && node && source->type == CHARDEV_TYPE_UDP)
                r = udp_complete(source, node, error);
        if (source->mode == SOCKET_MODE_ABSENT &&
            (source->type == CHARDEV_TYPE_TCP || (source->type == CHARDEV_TYPE_UNIX && source->path)))
                source->mode = SOCKET_CONNECT;
        if (r >= 0)
                r = reconnect_check(source, line, error);
        if (r < 0)
                return r;
        missing = missing_attribute(source);
        if (missing)
                return error_set(error, ERROR_INVALID_XML, "line %u: <%s type='%s'>: source/@%s is missing",
                                 line, node ? node->name : "source", chardev_type_to_string(source->type),
                                 missing);
        if (source->channel &&
            source->channel[strspn(source->channel, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-_")])
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <source>: channel='%s' has characters a channel cannot have",
                                 line, source->channel);
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

/* A device that says nothing about its far end is a terminal of the host. */
static int port_check(ChardevSource *source, const char *element, const XmlNode *node, Error *error)
{
        if (source->type == CHARDEV_TYPE_ABSENT)
                source->type = CHARDEV_TYPE_PTY;
        if (source->type == CHARDEV_TYPE_UNIX && !source->path)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <%s type='unix'>: source/@path is missing", node ? node->line : 0,
                                 element);
        return 0;
}

static int serial_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        (void)flags;
        return port_check(&((DomainSerial *)object)->source, "serial", node, error);
}

static int parallel_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        (void)flags;
        return port_check(&((DomainParallel *)object)->source, "parallel", node, error);
}

static int console_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        (void)flags;
        return port_check(&((DomainConsole *)object)->source, "console", node, error);
}

#define THIS DomainSerial
static const Field domain_serial_fields[] = {
        INLINE("", source, chardev_source),      ENUM("target/@type", target, serial_target),
        OPTIONAL_UNSIGNED("target/@port", port), ENUM("target/model/@name", model, serial_model),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_serial, DomainSerial, .check = serial_check);

#define THIS DomainParallel
static const Field domain_parallel_fields[] = {
        INLINE("", source, chardev_source),
        OPTIONAL_UNSIGNED("target/@port", port),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_parallel, DomainParallel, .check = parallel_check);

#define THIS DomainConsole
static const Field domain_console_fields[] = {
        INLINE("", source, chardev_source),
        ENUM("target/@type", target, console_target),
        OPTIONAL_UNSIGNED("target/@port", port),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_console, DomainConsole, .check = console_check);

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

static int channel_target_check(const DomainChannel *channel, unsigned line, Error *error)
{
        if (channel->target == CHANNEL_TARGET_ABSENT)
                return error_set(error, ERROR_INVALID_XML, "line %u: <channel>: target/@type is missing",
                                 line);
        if (channel->source.type == CHARDEV_TYPE_SPICEVMC && channel->target != CHANNEL_TARGET_VIRTIO)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <channel>: type='spicevmc' needs a target of type 'virtio'",
                                 line);
        if (channel->target != CHANNEL_TARGET_GUESTFWD)
                return 0;
        if (!channel->address || !channel->port)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <channel>: guestfwd needs target/@address and @port", line);
        if (ip_family(channel->address) != AF_INET)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <target>: address='%s': an IPv4 address is expected", line,
                                 channel->address);
        if (strlen(channel->port) > 5 || channel->port[strspn(channel->port, G_CSET_DIGITS)] ||
            atoi(channel->port) > 65535)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <target>: port='%s': a number up to 65535 is expected", line,
                                 channel->port);
        return 0;
}

static int channel_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DomainChannel *channel = object;
        unsigned line = node ? node->line : 0;
        int r;

        if (channel->source.type == CHARDEV_TYPE_ABSENT)
                channel->source.type = CHARDEV_TYPE_PTY;
        if (flags & DEFINITION_INACTIVE && !(flags & DEFINITION_STATUS) && path_is_generated(channel)) {
                g_clear_pointer(&channel->source.path, g_free);
                chardev_source_drop_socket(&channel->source);
        }
        r = channel_target_check(channel, line, error);
        if (r >= 0 && channel->source.type == CHARDEV_TYPE_UNIX && !channel->source.path &&
            channel->target == CHANNEL_TARGET_GUESTFWD)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <channel type='unix'>: source/@path is missing", line);
        return r < 0 ? r : reconnect_check(&channel->source, line, error);
}

#define THIS DomainChannel
static const Field domain_channel_fields[] = {
        INLINE("", source, chardev_source),
        ENUM("target/@type", target, channel_target),
        STRING("target/@name", name, WHEN(target, BIT(CHANNEL_TARGET_VIRTIO) | BIT(CHANNEL_TARGET_XEN)),
               .flags = FIELD_IDENTITY),
        ENUM("target/@state", state, channel_state, .flags = FIELD_LIVE | FIELD_NO_ABI),
        STRING("target/@address", address, WHEN(target, BIT(CHANNEL_TARGET_GUESTFWD))),
        STRING("target/@port", port, WHEN(target, BIT(CHANNEL_TARGET_GUESTFWD))),
        INLINE("", info, device_info),
};
#undef THIS
DEFINE_STRUCT(domain_channel, DomainChannel, .check = channel_check);
