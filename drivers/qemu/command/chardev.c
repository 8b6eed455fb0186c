/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The other end of serial ports, consoles, channels and their like: -chardev. QEMU 7.2 takes no JSON here.
 */

#include "drivers/qemu/command/device.h"
#include <string.h>

/* Where QEMU's certificates are by convention. */
#define TLS_FOLDER "/etc/pki/qemu"

typedef struct Chardev {
        CommandLine *line;
        const ChardevSource *source;
        const char *alias, *spice_name;
        GString *text;
} Chardev;

static void append(Chardev *chardev, const char *key, const char *value)
{
        _cleanup_(freep) char *escaped = NULL;

        if (!value)
                return;
        escaped = command_escape(value);
        g_string_append_printf(chardev->text, ",%s=%s", key, escaped);
}

static void append_on_off(Chardev *chardev, const char *key, OnOff value)
{
        append(chardev, key, on_off_to_string(value));
}

static void append_reconnect(Chardev *chardev)
{
        if (chardev->source->reconnect_enabled == YES)
                g_string_append_printf(chardev->text, ",reconnect=%u", chardev->source->reconnect_timeout);
}

/* A socket in the machine's own folder is bound by the daemon: QEMU's user could not, and nobody else may.
 */
static void append_unix(Chardev *chardev)
{
        const ChardevSource *source = chardev->source;
        bool listens = source->mode != SOCKET_CONNECT;

        if (listens && g_str_has_prefix(source->path, chardev->line->host.folder)) {
                _cleanup_(freep) char *fd =
                        command_fd(chardev->line, command_socket(chardev->line, source->path));

                append(chardev, "fd", fd);
        } else
                append(chardev, "path", source->path);
        if (listens)
                g_string_append(chardev->text, ",server=on,wait=off");
        else
                append_reconnect(chardev);
}

/* With certificates of both sides, and of nobody else's making. */
static void append_tls(Chardev *chardev)
{
        _cleanup_(freep) char *id = g_strdup_printf("tls-%s", chardev->alias);
        bool listens = chardev->source->mode == SOCKET_BIND;

        command_add_json(chardev->line, "-object",
                         json_pack("{s:s, s:s, s:s, s:s, s:b}", "qom-type", "tls-creds-x509", "id", id,
                                   "dir", TLS_FOLDER, "endpoint", listens ? "server" : "client",
                                   "verify-peer", 1));
        append(chardev, "tls-creds", id);
}

static void append_tcp(Chardev *chardev)
{
        const ChardevSource *source = chardev->source;

        append(chardev, "host", source->host);
        append(chardev, "port", source->service);
        if (source->tls == YES)
                append_tls(chardev);
        if (source->protocol == CHARDEV_PROTOCOL_TELNET)
                g_string_append(chardev->text, ",telnet=on");
        if (source->mode == SOCKET_BIND)
                g_string_append(chardev->text, ",server=on,wait=off");
        else
                append_reconnect(chardev);
}

static void append_udp(Chardev *chardev)
{
        const ChardevSource *source = chardev->source;

        append(chardev, "host", source->host);
        append(chardev, "port", source->service);
        append(chardev, "localaddr", source->bind_host);
        append(chardev, "localport", source->bind_service);
}

/* QEMU's word for the kind, NULL if it is none that the driver starts. */
static const char *backend(ChardevType type)
{
        switch (type) {
        case CHARDEV_TYPE_NULL:
        case CHARDEV_TYPE_VC:
        case CHARDEV_TYPE_STDIO:
        case CHARDEV_TYPE_DBUS:
        case CHARDEV_TYPE_PTY:
        case CHARDEV_TYPE_FILE:
        case CHARDEV_TYPE_PIPE:
        case CHARDEV_TYPE_UDP:
        case CHARDEV_TYPE_SPICEVMC:
        case CHARDEV_TYPE_SPICEPORT:
        case CHARDEV_TYPE_QEMU_VDAGENT:
                return chardev_type_to_string(type);
        case CHARDEV_TYPE_DEV:
                return "serial";
        case CHARDEV_TYPE_TCP:
        case CHARDEV_TYPE_UNIX:
                return "socket";
        default:
                return NULL;
        }
}

static void append_details(Chardev *chardev)
{
        const ChardevSource *source = chardev->source;

        switch (source->type) {
        case CHARDEV_TYPE_DEV:
        case CHARDEV_TYPE_PIPE:
                append(chardev, "path", source->path);
                break;
        case CHARDEV_TYPE_FILE:
                append(chardev, "path", source->path);
                append_on_off(chardev, "append", source->append);
                break;
        case CHARDEV_TYPE_UNIX:
                append_unix(chardev);
                break;
        case CHARDEV_TYPE_TCP:
                append_tcp(chardev);
                break;
        case CHARDEV_TYPE_UDP:
                append_udp(chardev);
                break;
        case CHARDEV_TYPE_SPICEVMC:
                append(chardev, "name", chardev->spice_name);
                break;
        case CHARDEV_TYPE_SPICEPORT:
        case CHARDEV_TYPE_DBUS:
                append(chardev, "name", source->channel);
                break;
        case CHARDEV_TYPE_QEMU_VDAGENT:
                append(chardev, "name", "vdagent");
                append(chardev, "clipboard",
                       source->clipboard_copypaste == YES_NO_ABSENT ? NULL
                       : source->clipboard_copypaste == YES         ? "on"
                                                                    : "off");
                if (source->mouse_mode != MOUSE_MODE_DEFAULT)
                        append(chardev, "mouse", source->mouse_mode == MOUSE_SERVER ? "off" : "on");
                break;
        default:
                break;
        }
        append(chardev, "logfile", source->log_file);
        if (source->log_file)
                append_on_off(chardev, "logappend", source->log_append);
}

static int check(const ChardevSource *source, Error *error)
{
        if (!backend(source->type))
                return device_unsupported(error, "The QEMU driver has no character devices of type '%s'",
                                          chardev_type_to_string(source->type));
        if (source->protocol == CHARDEV_PROTOCOL_TLS || source->protocol == CHARDEV_PROTOCOL_TELNETS)
                return device_unsupported(error,
                                          "QEMU has no protocol '%s' of character devices: tls='yes' is "
                                          "an attribute of its <source>",
                                          chardev_protocol_to_string(source->protocol));
        if (source->tls == YES && source->type != CHARDEV_TYPE_TCP)
                return device_unsupported(error, "QEMU has TLS for character devices of type 'tcp' only");
        if (source->type == CHARDEV_TYPE_UNIX && !source->path)
                return error_set(error, ERROR_INVALID_XML, "A unix socket needs a path");
        return 0;
}

int command_chardev_named(CommandLine *line, const ChardevSource *source, const char *alias,
                          const char *spice_name, char **ret_id, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        _cleanup_(freep) char *id = g_strconcat("char", alias, NULL);
        Chardev chardev = {
                .line = line, .source = source, .alias = alias, .spice_name = spice_name, .text = text
        };
        int r;

        r = check(source, error);
        if (r < 0)
                return r;
        if (source->type == CHARDEV_TYPE_DEV && g_str_has_prefix(alias, "parallel"))
                g_string_append(text, "parallel"); /* a device of the same name on the host */
        else
                g_string_append(text, backend(source->type));
        append(&chardev, "id", id);
        append_details(&chardev);
        command_add_option(line, "-chardev", "%s", text->str);
        *ret_id = TAKE_PTR(id);
        return 0;
}

int command_chardev(CommandLine *line, const ChardevSource *source, const char *alias, char **ret_id,
                    Error *error)
{
        return command_chardev_named(line, source, alias, "vdagent", ret_id, error);
}
