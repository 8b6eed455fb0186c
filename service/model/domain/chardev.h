/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Serial and parallel ports, consoles, channels; their far end is also that of smartcards, redirected
 * devices, random number generators and TPMs. */

#include "model/device.h"

#define CHARDEV_TYPES(E)                                                                                    \
        E(CHARDEV_TYPE_ABSENT, NULL)                                                                        \
        E(CHARDEV_TYPE_NULL, "null")                                                                        \
        E(CHARDEV_TYPE_VC, "vc")                                                                            \
        E(CHARDEV_TYPE_PTY, "pty")                                                                          \
        E(CHARDEV_TYPE_DEV, "dev")                                                                          \
        E(CHARDEV_TYPE_FILE, "file")                                                                        \
        E(CHARDEV_TYPE_PIPE, "pipe")                                                                        \
        E(CHARDEV_TYPE_STDIO, "stdio")                                                                      \
        E(CHARDEV_TYPE_UDP, "udp")                                                                          \
        E(CHARDEV_TYPE_TCP, "tcp")                                                                          \
        E(CHARDEV_TYPE_UNIX, "unix")                                                                        \
        E(CHARDEV_TYPE_SPICEVMC, "spicevmc")                                                                \
        E(CHARDEV_TYPE_SPICEPORT, "spiceport")                                                              \
        E(CHARDEV_TYPE_NMDM, "nmdm")                                                                        \
        E(CHARDEV_TYPE_QEMU_VDAGENT, "qemu-vdagent")                                                        \
        E(CHARDEV_TYPE_DBUS, "dbus")
DECLARE_ENUM(ChardevType, chardev_type, CHARDEV_TYPES)

#define SOCKET_MODES(E) E(SOCKET_MODE_ABSENT, NULL) E(SOCKET_CONNECT, "connect") E(SOCKET_BIND, "bind")
DECLARE_ENUM(SocketMode, socket_mode, SOCKET_MODES)

#define CHARDEV_PROTOCOLS(E)                                                                                \
        E(CHARDEV_PROTOCOL_ABSENT, NULL)                                                                    \
        E(CHARDEV_PROTOCOL_RAW, "raw")                                                                      \
        E(CHARDEV_PROTOCOL_TELNET, "telnet")                                                                \
        E(CHARDEV_PROTOCOL_TELNETS, "telnets")                                                              \
        E(CHARDEV_PROTOCOL_TLS, "tls")
DECLARE_ENUM(ChardevProtocol, chardev_protocol, CHARDEV_PROTOCOLS)

#define MOUSE_MODES(E) E(MOUSE_MODE_DEFAULT, NULL) E(MOUSE_SERVER, "server") E(MOUSE_CLIENT, "client")
DECLARE_ENUM(MouseMode, mouse_mode, MOUSE_MODES)

/* The far end. udp: bind_* is the local side, host and service the remote one. */
typedef struct ChardevSource {
        ChardevType type;
        SocketMode mode;
        OnOff append, log_append;
        YesNo tls, reconnect_enabled, clipboard_copypaste;
        ChardevProtocol protocol;
        MouseMode mouse_mode;
        uint32_t reconnect_timeout;
        char *path;           /* pty, dev, file, pipe, unix */
        char *host, *service; /* tcp, udp */
        char *bind_host, *bind_service;
        char *channel;        /* spiceport, dbus */
        char *master, *slave; /* nmdm */
        char *tty;            /* pty of a console of a running machine */
        char *log_file;
        LIST(SecurityLabel) seclabels;
} ChardevSource;
extern const StructType chardev_source_type; /* the attributes and children of the device's own element */
/* The socket is the driver's own: how to reach another went with its path. */
void chardev_source_drop_socket(ChardevSource *source);

#define SERIAL_TARGETS(E)                                                                                   \
        E(SERIAL_TARGET_ABSENT, NULL)                                                                       \
        E(SERIAL_TARGET_ISA, "isa-serial")                                                                  \
        E(SERIAL_TARGET_USB, "usb-serial")                                                                  \
        E(SERIAL_TARGET_PCI, "pci-serial")                                                                  \
        E(SERIAL_TARGET_SPAPR_VIO, "spapr-vio-serial")                                                      \
        E(SERIAL_TARGET_SYSTEM, "system-serial")                                                            \
        E(SERIAL_TARGET_SCLP, "sclp-serial")                                                                \
        E(SERIAL_TARGET_ISA_DEBUG, "isa-debug")
DECLARE_ENUM(SerialTarget, serial_target, SERIAL_TARGETS)

#define SERIAL_MODELS(E)                                                                                    \
        E(SERIAL_MODEL_ABSENT, NULL)                                                                        \
        E(SERIAL_MODEL_ISA, "isa-serial")                                                                   \
        E(SERIAL_MODEL_USB, "usb-serial")                                                                   \
        E(SERIAL_MODEL_PCI, "pci-serial")                                                                   \
        E(SERIAL_MODEL_SPAPR_VTY, "spapr-vty")                                                              \
        E(SERIAL_MODEL_PL011, "pl011")                                                                      \
        E(SERIAL_MODEL_SCLPCONSOLE, "sclpconsole")                                                          \
        E(SERIAL_MODEL_SCLPLMCONSOLE, "sclplmconsole")                                                      \
        E(SERIAL_MODEL_16550A, "16550a")                                                                    \
        E(SERIAL_MODEL_ISA_DEBUGCON, "isa-debugcon")
DECLARE_ENUM(SerialModel, serial_model, SERIAL_MODELS)

#define CONSOLE_TARGETS(E)                                                                                  \
        E(CONSOLE_TARGET_ABSENT, NULL)                                                                      \
        E(CONSOLE_TARGET_SERIAL, "serial")                                                                  \
        E(CONSOLE_TARGET_XEN, "xen")                                                                        \
        E(CONSOLE_TARGET_UML, "uml")                                                                        \
        E(CONSOLE_TARGET_VIRTIO, "virtio")                                                                  \
        E(CONSOLE_TARGET_LXC, "lxc")                                                                        \
        E(CONSOLE_TARGET_OPENVZ, "openvz")                                                                  \
        E(CONSOLE_TARGET_SCLP, "sclp")                                                                      \
        E(CONSOLE_TARGET_SCLPLM, "sclplm")
DECLARE_ENUM(ConsoleTarget, console_target, CONSOLE_TARGETS)

#define CHANNEL_TARGETS(E)                                                                                  \
        E(CHANNEL_TARGET_ABSENT, NULL)                                                                      \
        E(CHANNEL_TARGET_GUESTFWD, "guestfwd")                                                              \
        E(CHANNEL_TARGET_VIRTIO, "virtio")                                                                  \
        E(CHANNEL_TARGET_XEN, "xen")
DECLARE_ENUM(ChannelTarget, channel_target, CHANNEL_TARGETS)

#define CHANNEL_STATES(E)                                                                                   \
        E(CHANNEL_STATE_DEFAULT, NULL)                                                                      \
        E(CHANNEL_CONNECTED, "connected") E(CHANNEL_DISCONNECTED, "disconnected")
DECLARE_ENUM(ChannelState, channel_state, CHANNEL_STATES)

typedef struct DomainSerial { /* and parallel ports, without target and model */
        ChardevSource source;
        SerialTarget target;
        SerialModel model;
        bool has_port;
        uint32_t port;
        DeviceInfo info;
} DomainSerial;
extern const StructType domain_serial_type;

typedef struct DomainParallel {
        ChardevSource source;
        bool has_port;
        uint32_t port;
        DeviceInfo info;
} DomainParallel;
extern const StructType domain_parallel_type;

typedef struct DomainConsole {
        ChardevSource source;
        ConsoleTarget target;
        bool has_port;
        uint32_t port;
        DeviceInfo info;
} DomainConsole;
extern const StructType domain_console_type;

typedef struct DomainChannel {
        ChardevSource source;
        ChannelTarget target;
        ChannelState state;
        char *name;           /* virtio, xen: "org.qemu.guest_agent.0" */
        char *address, *port; /* guestfwd */
        DeviceInfo info;
} DomainChannel;
extern const StructType domain_channel_type;

#define SMARTCARD_MODES(E)                                                                                  \
        E(SMARTCARD_MODE_ABSENT, NULL)                                                                      \
        E(SMARTCARD_HOST, "host")                                                                           \
        E(SMARTCARD_HOST_CERTIFICATES, "host-certificates")                                                 \
        E(SMARTCARD_PASSTHROUGH, "passthrough")
DECLARE_ENUM(SmartcardMode, smartcard_mode, SMARTCARD_MODES)

typedef struct DomainSmartcard {
        SmartcardMode mode;
        char **certificates; /* three */
        char *database;
        ChardevSource source; /* passthrough */
        DeviceInfo info;
} DomainSmartcard;
extern const StructType domain_smartcard_type;

typedef struct DomainRedirdev {
        char *bus; /* "usb" */
        ChardevSource source;
        DeviceInfo info;
} DomainRedirdev;
extern const StructType domain_redirdev_type;

typedef struct RedirfilterUsbdev {
        YesNo allow;
        bool has_usb_class, has_vendor, has_product;
        uint32_t usb_class, vendor, product;
        char *version;
} RedirfilterUsbdev;

typedef struct DomainRedirfilter {
        LIST(RedirfilterUsbdev) usbdevs;
} DomainRedirfilter;
extern const StructType domain_redirfilter_type;
