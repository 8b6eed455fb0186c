/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <graphics>: who may look at the screen. Passwords never stand here: the line only says that there is one,
 * and it is set through the monitor before the guest runs. */

#include "drivers/qemu/command/device.h"
#include <string.h>

/* Where QEMU's certificates are by convention. */
#define TLS_FOLDER "/etc/pki/qemu"

#define VNC_PORT_FIRST   5900
#define VNC_DISPLAY_LAST 59635 /* port 65535 */

static const GraphicsListen *first_listen(const DomainGraphics *graphics)
{
        return graphics->listens.count > 0 ? graphics->listens.items[0] : NULL;
}

/* In brackets if it is one of IPv6; the caller frees. */
static char *address(const DomainGraphics *graphics)
{
        const GraphicsListen *listen = first_listen(graphics);
        const char *text = listen && listen->address ? listen->address : graphics->listen;
        _cleanup_(freep) char *escaped = command_escape(text ? text : "127.0.0.1");

        return strchr(escaped, ':') ? g_strdup_printf("[%s]", escaped) : TAKE_PTR(escaped);
}

/* The socket's path, escaped, or NULL if it does not listen on one; the caller frees. */
static char *socket_path(const CommandLine *line, const DomainGraphics *graphics)
{
        const GraphicsListen *listen = first_listen(graphics);
        const char *path = listen && listen->type == LISTEN_SOCKET ? listen->socket : graphics->socket;
        _cleanup_(freep) char *own = NULL;

        if (path)
                return command_escape(path);
        if (!listen || listen->type != LISTEN_SOCKET)
                return NULL;
        own = g_strdup_printf("%s/%s.sock", line->host.folder, graphics_type_to_string(graphics->type));
        return command_escape(own);
}

static bool listens_nowhere(const DomainGraphics *graphics)
{
        const GraphicsListen *listen = first_listen(graphics);

        return listen && listen->type == LISTEN_NONE;
}

static int append_vnc_address(const CommandLine *line, const DomainGraphics *graphics, GString *text,
                              Error *error)
{
        _cleanup_(freep) char *path = socket_path(line, graphics), *host = address(graphics);

        if (path)
                g_string_append_printf(text, "unix:%s", path);
        else if (listens_nowhere(graphics))
                g_string_append(text, "none");
        else if (!graphics->has_port || graphics->port < 0)
                /* QEMU takes the first free one, so that nobody can take it in between; query-vnc tells
                 * which. */
                g_string_append_printf(text, "%s:0,to=%u", host, VNC_DISPLAY_LAST);
        else if (graphics->port < VNC_PORT_FIRST)
                return device_unsupported(error, "QEMU cannot serve VNC on port %d: the first is %d",
                                          graphics->port, VNC_PORT_FIRST);
        else
                g_string_append_printf(text, "%s:%d", host, graphics->port - VNC_PORT_FIRST);
        return 0;
}

static int add_vnc(CommandLine *line, const DomainGraphics *graphics, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        int r;

        r = append_vnc_address(line, graphics, text, error);
        if (r < 0)
                return r;
        if (graphics->has_websocket && graphics->websocket < 0)
                g_string_append(text, ",websocket=on");
        else if (graphics->has_websocket)
                g_string_append_printf(text, ",websocket=%d", graphics->websocket);
        if (graphics->password)
                g_string_append(text, ",password=on");
        if (graphics->share_policy != SHARE_POLICY_DEFAULT)
                g_string_append_printf(text, ",share=%s", share_policy_to_string(graphics->share_policy));
        if (graphics->power_control != YES_NO_ABSENT)
                g_string_append_printf(text, ",power-control=%s",
                                       graphics->power_control == YES ? "on" : "off");
        if (graphics->has_audio_id || line->definition->devices.audios.count > 0)
                g_string_append_printf(text, ",audiodev=audio%u",
                                       graphics->has_audio_id
                                               ? graphics->audio_id
                                               : line->definition->devices.audios.items[0]->id);
        command_add_option(line, "-vnc", "%s", text->str);
        return 0;
}

static int append_spice_address(const CommandLine *line, const DomainGraphics *graphics, GString *text,
                                Error *error)
{
        _cleanup_(freep) char *path = socket_path(line, graphics), *host = NULL;
        const GraphicsListen *listen = first_listen(graphics);

        if (path) {
                g_string_append_printf(text, "unix=on,addr=%s", path);
                return 0;
        }
        if (listens_nowhere(graphics) ||
            (!line->host.runs && graphics->port <= 0 && graphics->tls_port <= 0)) {
                g_string_append(text, "port=0");
                return 0;
        }
        if ((!graphics->has_port || graphics->port <= 0) &&
            (!graphics->has_tls_port || graphics->tls_port <= 0))
                return error_set(error, ERROR_INTERNAL, "No port was chosen for SPICE");
        host = command_escape(listen && listen->address ? listen->address
                              : graphics->listen        ? graphics->listen
                                                        : "127.0.0.1");
        if (graphics->port > 0)
                g_string_append_printf(text, "port=%d,", graphics->port);
        if (graphics->tls_port > 0)
                g_string_append_printf(text, "tls-port=%d,x509-dir=%s,", graphics->tls_port, TLS_FOLDER);
        g_string_append_printf(text, "addr=%s", host);
        return 0;
}

static void append_spice_channels(const DomainGraphics *graphics, GString *text)
{
        if (graphics->default_mode == SPICE_MODE_INSECURE)
                g_string_append(text, ",plaintext-channel=default");
        else if (graphics->default_mode == SPICE_MODE_SECURE)
                g_string_append(text, ",tls-channel=default");
        LIST_FOREACH (channel, graphics->channels) {
                if (channel->mode == SPICE_CHANNEL_INSECURE)
                        g_string_append_printf(text, ",plaintext-channel=%s",
                                               spice_channel_name_to_string(channel->name));
                else if (channel->mode == SPICE_CHANNEL_SECURE)
                        g_string_append_printf(text, ",tls-channel=%s",
                                               spice_channel_name_to_string(channel->name));
        }
}

static int check_spice(const CommandLine *line, const DomainGraphics *graphics, Error *error)
{
        bool is_secure = graphics->default_mode == SPICE_MODE_SECURE;

        LIST_FOREACH (channel, graphics->channels)
                is_secure |= channel->mode == SPICE_CHANNEL_SECURE;
        if (is_secure && line->host.runs && graphics->tls_port <= 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "SPICE channels that must be secure need a 'tlsPort'");
        return 0;
}

static int add_spice(CommandLine *line, const DomainGraphics *graphics, Error *error)
{
        _cleanup_(string_builder_freep) GString *text = g_string_new(NULL);
        int r;

        r = check_spice(line, graphics, error);
        if (r >= 0)
                r = append_spice_address(line, graphics, text, error);
        if (r < 0)
                return r;
        /* A ticket that expired keeps everybody out until the password is set. */
        if (!graphics->password)
                g_string_append(text, ",disable-ticketing=on");
        append_spice_channels(graphics, text);
        if (graphics->image != SPICE_IMAGE_DEFAULT)
                g_string_append_printf(text, ",image-compression=%s",
                                       spice_image_to_string(graphics->image));
        if (graphics->jpeg != SPICE_AUTO_DEFAULT)
                g_string_append_printf(text, ",jpeg-wan-compression=%s",
                                       spice_auto_to_string(graphics->jpeg));
        if (graphics->zlib != SPICE_AUTO_DEFAULT)
                g_string_append_printf(text, ",zlib-glz-wan-compression=%s",
                                       spice_auto_to_string(graphics->zlib));
        if (graphics->playback != ON_OFF_ABSENT)
                g_string_append_printf(text, ",playback-compression=%s",
                                       on_off_to_string(graphics->playback));
        if (graphics->streaming != SPICE_STREAMING_DEFAULT)
                g_string_append_printf(text, ",streaming-video=%s",
                                       spice_streaming_to_string(graphics->streaming));
        if (graphics->mouse != MOUSE_MODE_DEFAULT)
                g_string_append_printf(text, ",agent-mouse=%s",
                                       graphics->mouse == MOUSE_SERVER ? "off" : "on");
        if (graphics->copypaste == NO)
                g_string_append(text, ",disable-copy-paste=on");
        if (graphics->filetransfer == NO)
                g_string_append(text, ",disable-agent-file-xfer=on");
        if (graphics->gl == YES)
                g_string_append(text, ",gl=on");
        if (graphics->gl == YES && graphics->rendernode) {
                _cleanup_(freep) char *node = command_escape(graphics->rendernode);

                g_string_append_printf(text, ",rendernode=%s", node);
        }
        g_string_append(text, ",seamless-migration=on");
        command_add_option(line, "-spice", "%s", text->str);
        return 0;
}

static void add_egl_headless(CommandLine *line, const DomainGraphics *graphics)
{
        json_t *display = json_pack("{s:s}", "type", "egl-headless");

        json_set_string(display, "rendernode", graphics->rendernode);
        command_add_json(line, "-display", display);
}

/* A window on the owner's own screen. */
static int add_sdl(CommandLine *line, const DomainGraphics *graphics, Error *error)
{
        if (line->host.passes_files)
                return device_unsupported(error, "A machine that no user owns has no screen for SDL");
        if (graphics->xauth)
                g_ptr_array_add(line->environment, g_strdup_printf("XAUTHORITY=%s", graphics->xauth));
        if (graphics->display)
                g_ptr_array_add(line->environment, g_strdup_printf("DISPLAY=%s", graphics->display));
        command_add_option(line, "-display", "sdl%s%s", graphics->fullscreen == YES ? ",full-screen=on" : "",
                           graphics->gl == YES  ? ",gl=on"
                           : graphics->gl == NO ? ",gl=off"
                                                : "");
        return 0;
}

static void add_dbus(CommandLine *line, const DomainGraphics *graphics)
{
        json_t *display = json_pack("{s:s}", "type", "dbus");
        _cleanup_(freep) char *audio = NULL;

        if (graphics->p2p == YES)
                json_set_bool(display, "p2p", true);
        else
                json_set_string(display, "addr", graphics->address);
        if (graphics->gl == YES)
                json_set_string(display, "gl", "on");
        json_set_string(display, "rendernode", graphics->rendernode);
        if (graphics->has_audio_id) {
                audio = g_strdup_printf("audio%u", graphics->audio_id);
                json_set_string(display, "audiodev", audio);
        }
        command_add_json(line, "-display", display);
}

int command_graphics(CommandLine *line, const DomainGraphics *graphics, Error *error)
{
        int r = 0;

        if (graphics->listens.count > 1)
                return device_unsupported(error, "QEMU listens at one place for each <graphics>");
        switch (graphics->type) {
        case GRAPHICS_TYPE_VNC:
                r = add_vnc(line, graphics, error);
                break;
        case GRAPHICS_TYPE_SPICE:
                r = add_spice(line, graphics, error);
                break;
        case GRAPHICS_TYPE_EGL_HEADLESS:
                add_egl_headless(line, graphics);
                break;
        case GRAPHICS_TYPE_DBUS:
                add_dbus(line, graphics);
                break;
        case GRAPHICS_TYPE_SDL:
                r = add_sdl(line, graphics, error);
                break;
        default:
                return device_unsupported(error, "The QEMU driver has no <graphics type='%s'>",
                                          graphics_type_to_string(graphics->type));
        }
        if (r >= 0 && graphics->keymap) {
                command_add(line, "-k");
                command_add(line, graphics->keymap);
        }
        return r;
}
