/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <graphics>: how a person gets to see the machine. Ports are numbers that the driver picks at the start
 * when autoport says so; then vnc shows -1 and spice nothing. The attributes `listen` and `socket` repeat
 * what the first <listen> says, because old clients read only them: check() keeps the two in step. */

#include "model/domain/display.h"

DEFINE_ENUM(graphics_type, GRAPHICS_TYPES);
DEFINE_ENUM(listen_type, LISTEN_TYPES);
DEFINE_ENUM(share_policy, SHARE_POLICIES);
DEFINE_ENUM(connected_action, CONNECTED_ACTIONS);
DEFINE_ENUM(spice_mode, SPICE_MODES);
DEFINE_ENUM(spice_channel_mode, SPICE_CHANNEL_MODES);
DEFINE_ENUM(spice_channel_name, SPICE_CHANNELS);
DEFINE_ENUM(spice_image, SPICE_IMAGES);
DEFINE_ENUM(spice_auto, SPICE_AUTOS);
DEFINE_ENUM(spice_streaming, SPICE_STREAMINGS);

#define THIS GraphicsListen
static const Field graphics_listen_fields[] = {
        ENUM("@type", type, listen_type, .flags = FIELD_REQUIRED),
        STRING("@address", address, WHEN(type, BIT(LISTEN_ADDRESS) | BIT(LISTEN_NETWORK))),
        STRING("@network", network, WHEN(type, BIT(LISTEN_NETWORK))),
        STRING("@socket", socket, WHEN(type, BIT(LISTEN_SOCKET))),
};
#undef THIS

static int check_listen(void *object, const XmlNode *node _unused_, unsigned flags, Error *error)
{
        GraphicsListen *listen = object;

        if (listen->type == LISTEN_NETWORK && !listen->network)
                return error_set(error, ERROR_INVALID_XML,
                                 "A listen element of type 'network' needs the attribute 'network'");
        /* The address of a network is found at the start. */
        if (listen->type == LISTEN_NETWORK && (flags & DEFINITION_INACTIVE) != 0)
                g_clear_pointer(&listen->address, g_free);
        return 0;
}
DEFINE_STRUCT(graphics_listen, GraphicsListen, .check = check_listen);

#define THIS SpiceChannel
static const Field spice_channel_fields[] = {
        ENUM("@name", name, spice_channel_name, .flags = FIELD_REQUIRED),
        ENUM("@mode", mode, spice_channel_mode, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(spice_channel, SpiceChannel);

#define VNC          BIT(GRAPHICS_TYPE_VNC)
#define SPICE        BIT(GRAPHICS_TYPE_SPICE)
#define RDP          BIT(GRAPHICS_TYPE_RDP)
#define SDL          BIT(GRAPHICS_TYPE_SDL)
#define DESKTOP      BIT(GRAPHICS_TYPE_DESKTOP)
#define DBUS         BIT(GRAPHICS_TYPE_DBUS)
#define EGL_HEADLESS BIT(GRAPHICS_TYPE_EGL_HEADLESS)

#define THIS DomainGraphics
static const Field domain_graphics_fields[] = {
        ENUM("@type", type, graphics_type, .flags = FIELD_IDENTITY | FIELD_REQUIRED),
        STRING("@socket", socket, WHEN(type, VNC)),
        OPTIONAL_SIGNED("@port", port, WHEN(type, VNC | SPICE | RDP)),
        OPTIONAL_SIGNED("@tlsPort", tls_port, WHEN(type, SPICE)),
        YESNO("@autoport", autoport, WHEN(type, VNC | SPICE | RDP)),
        YESNO("@replaceUser", replace_user, WHEN(type, RDP)),
        YESNO("@multiUser", multi_user, WHEN(type, RDP)),
        OPTIONAL_SIGNED("@websocket", websocket, WHEN(type, VNC)),
        YESNO("@websocketGenerated", websocket_generated, .flags = FIELD_LIVE, WHEN(type, VNC)),
        STRING("@listen", listen, WHEN(type, VNC | SPICE | RDP)),
        STRING("@display", display, WHEN(type, SDL | DESKTOP)),
        STRING("@xauth", xauth, WHEN(type, SDL)),
        YESNO("@fullscreen", fullscreen, WHEN(type, SDL | DESKTOP)),
        YESNO("@p2p", p2p, WHEN(type, DBUS)),
        STRING("@address", address, WHEN(type, DBUS)),
        STRING("@keymap", keymap, WHEN(type, VNC | SPICE)),
        ENUM("@sharePolicy", share_policy, share_policy, WHEN(type, VNC)),
        YESNO("@powerControl", power_control, WHEN(type, VNC)),
        ENUM("@defaultMode", default_mode, spice_mode, WHEN(type, SPICE)),
        STRING("@passwd", password, .flags = FIELD_TUNABLE | FIELD_SECRET | FIELD_EMPTY_WORD,
               WHEN(type, VNC | SPICE)),
        STRING("@passwdValidTo", password_valid_to, WHEN(type, VNC | SPICE), .flags = FIELD_TUNABLE),
        ENUM("@connected", connected, connected_action, WHEN(type, VNC | SPICE), .flags = FIELD_TUNABLE),
        ITEMS("listen", listens, graphics_listen, WHEN(type, VNC | SPICE | RDP)),
        ITEMS("channel", channels, spice_channel, WHEN(type, SPICE)),
        ENUM("image/@compression", image, spice_image, WHEN(type, SPICE)),
        ENUM("jpeg/@compression", jpeg, spice_auto, WHEN(type, SPICE)),
        ENUM("zlib/@compression", zlib, spice_auto, WHEN(type, SPICE)),
        ONOFF("playback/@compression", playback, WHEN(type, SPICE)),
        ENUM("streaming/@mode", streaming, spice_streaming, WHEN(type, SPICE)),
        ENUM("mouse/@mode", mouse, mouse_mode, WHEN(type, SPICE)),
        YESNO("clipboard/@copypaste", copypaste, WHEN(type, SPICE)),
        YESNO("filetransfer/@enable", filetransfer, WHEN(type, SPICE)),
        YESNO("gl/@enable", gl, WHEN(type, SPICE | SDL | DBUS)),
        STRING("gl/@rendernode", rendernode, WHEN(type, SPICE | DBUS | EGL_HEADLESS)),
        OPTIONAL_UNSIGNED("audio/@id", audio_id, WHEN(type, VNC | DBUS)),
        INLINE("", info, device_info),
};
#undef THIS

static bool listens_on_host(GraphicsType type)
{
        return (BIT(type) & (VNC | SPICE | RDP)) != 0;
}

/* One way to reach the machine, out of the old attributes, if there is no <listen>. */
static void add_first_listen(DomainGraphics *graphics)
{
        GraphicsListen *listen = g_new0(GraphicsListen, 1);

        if (graphics->socket) {
                listen->type = LISTEN_SOCKET;
                listen->socket = g_strdup(graphics->socket);
        } else {
                listen->type = LISTEN_ADDRESS;
                listen->address = g_strdup(graphics->listen);
        }
        list_append(&graphics->listens, listen);
}

static int check_listens(DomainGraphics *graphics, Error *error)
{
        if (graphics->listens.count == 0)
                add_first_listen(graphics);

        LIST_FOREACH (listen, graphics->listens) {
                if (listen->type == LISTEN_SOCKET && graphics->type == GRAPHICS_TYPE_RDP)
                        return error_set(error, ERROR_INVALID_XML,
                                         "Graphics of type 'rdp' cannot listen on a socket");
                if (listen->type == LISTEN_SOCKET && graphics->type == GRAPHICS_TYPE_SPICE && listen->socket)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "The socket of spice graphics is chosen by the hypervisor: "
                                         "leave out listen/@socket");
                if (listen->type == LISTEN_NONE && graphics->type != GRAPHICS_TYPE_SPICE &&
                    graphics->type != GRAPHICS_TYPE_VNC)
                        return error_set(error, ERROR_INVALID_XML,
                                         "Graphics of type '%s' cannot listen on nothing",
                                         graphics_type_to_string(graphics->type));
        }

        GraphicsListen *first = graphics->listens.items[0];
        if (graphics->listen && first->address && !g_str_equal(graphics->listen, first->address))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "The attribute listen '%s' of graphics differs from the address '%s' of its first "
                        "listen element",
                        graphics->listen, first->address);
        if (graphics->socket && first->type == LISTEN_ADDRESS) {
                /* The old attribute counts more than an address beside it. */
                first->type = LISTEN_SOCKET;
                g_clear_pointer(&first->address, g_free);
                first->socket = g_strdup(graphics->socket);
        }
        if (graphics->socket &&
            (first->type != LISTEN_SOCKET || g_strcmp0(graphics->socket, first->socket) != 0))
                return error_set(
                        error, ERROR_INVALID_XML,
                        "The attribute socket '%s' of graphics differs from its first listen element",
                        graphics->socket);
        g_free(graphics->listen);
        graphics->listen = g_strdup(first->address);
        g_free(graphics->socket);
        graphics->socket = g_strdup(first->type == LISTEN_SOCKET ? first->socket : NULL);
        return 0;
}

static int check_port(const char *what, int32_t port, Error *error)
{
        if (port < -1 || port > UINT16_MAX)
                return error_set(error, ERROR_INVALID_XML, "The %s %d of graphics is none: -1 or 0 to 65535",
                                 what, port);
        return 0;
}

/* vnc and rdp have one port: -1 and 0 ask for any. */
static void settle_single_port(DomainGraphics *graphics, unsigned flags)
{
        if (!graphics->has_port || graphics->port <= 0)
                graphics->autoport = YES;
        else if (graphics->autoport == YES_NO_ABSENT)
                graphics->autoport = NO;
        if (graphics->autoport != YES)
                return;
        if (!graphics->has_port || graphics->port == 0 || (flags & DEFINITION_INACTIVE) != 0)
                graphics->port = -1;
        graphics->has_port = true;
}

/* spice has two; -1 asks for any, 0 and absence mean that there is none. */
static void settle_spice_ports(DomainGraphics *graphics, unsigned flags)
{
        if (graphics->has_port && graphics->has_tls_port && graphics->port == -1 && graphics->tls_port == -1)
                graphics->autoport = YES;
        if (graphics->autoport == YES && (flags & DEFINITION_INACTIVE) != 0)
                graphics->port = graphics->tls_port = 0;
        if (graphics->autoport == YES_NO_ABSENT)
                graphics->autoport = NO;
        graphics->has_port = graphics->port != 0;
        graphics->has_tls_port = graphics->tls_port != 0;

        if (graphics->autoport == YES || graphics->has_port || graphics->has_tls_port)
                return;
        /* Nobody can come in by a port, whatever the address. */
        LIST_FOREACH (listen, graphics->listens) {
                if (listen->type != LISTEN_ADDRESS && listen->type != LISTEN_NETWORK)
                        continue;
                listen->type = LISTEN_NONE;
                g_clear_pointer(&listen->address, g_free);
                g_clear_pointer(&listen->network, g_free);
        }
        g_clear_pointer(&graphics->listen, g_free);
}

static int check_graphics(void *object, const XmlNode *node _unused_, unsigned flags, Error *error)
{
        DomainGraphics *graphics = object;
        int r;

        if (graphics->p2p == YES && graphics->address)
                return error_set(error, ERROR_INVALID_XML,
                                 "Graphics of type 'dbus' has either p2p or an address");
        if (!listens_on_host(graphics->type))
                return 0;

        r = check_listens(graphics, error);
        if (r < 0)
                return r;
        r = check_port("port", graphics->port, error);
        if (r < 0)
                return r;
        r = check_port("TLS port", graphics->tls_port, error);
        if (r < 0)
                return r;
        r = check_port("websocket", graphics->websocket, error);
        if (r < 0)
                return r;
        if (graphics->websocket_generated == YES && (flags & DEFINITION_INACTIVE) != 0)
                graphics->websocket = -1;
        graphics->has_websocket = graphics->websocket != 0;

        if (graphics->type == GRAPHICS_TYPE_SPICE)
                settle_spice_ports(graphics, flags);
        else
                settle_single_port(graphics, flags);

        GraphicsListen *first = graphics->listens.items[0];
        if (first->type != LISTEN_NONE && first->type != LISTEN_SOCKET)
                return 0;
        graphics->has_port = graphics->has_tls_port = false;
        graphics->port = graphics->tls_port = 0;
        graphics->autoport = YES_NO_ABSENT;
        return 0;
}
DEFINE_STRUCT(domain_graphics, DomainGraphics, .check = check_graphics);
