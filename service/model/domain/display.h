/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a person sees and hears: graphics, video, sound, audio. */

#include "model/domain/chardev.h"

#define GRAPHICS_TYPES(E)                                                                                   \
        E(GRAPHICS_TYPE_ABSENT, NULL)                                                                       \
        E(GRAPHICS_TYPE_SDL, "sdl")                                                                         \
        E(GRAPHICS_TYPE_VNC, "vnc")                                                                         \
        E(GRAPHICS_TYPE_RDP, "rdp")                                                                         \
        E(GRAPHICS_TYPE_DESKTOP, "desktop")                                                                 \
        E(GRAPHICS_TYPE_SPICE, "spice")                                                                     \
        E(GRAPHICS_TYPE_EGL_HEADLESS, "egl-headless")                                                       \
        E(GRAPHICS_TYPE_DBUS, "dbus")
DECLARE_ENUM(GraphicsType, graphics_type, GRAPHICS_TYPES)

#define LISTEN_TYPES(E)                                                                                     \
        E(LISTEN_TYPE_ABSENT, NULL)                                                                         \
        E(LISTEN_NONE, "none")                                                                              \
        E(LISTEN_ADDRESS, "address")                                                                        \
        E(LISTEN_NETWORK, "network")                                                                        \
        E(LISTEN_SOCKET, "socket")
DECLARE_ENUM(ListenType, listen_type, LISTEN_TYPES)

typedef struct GraphicsListen {
        ListenType type;
        char *address, *network, *socket;
} GraphicsListen;
extern const StructType graphics_listen_type;

#define SHARE_POLICIES(E)                                                                                   \
        E(SHARE_POLICY_DEFAULT, NULL)                                                                       \
        E(SHARE_ALLOW_EXCLUSIVE, "allow-exclusive")                                                         \
        E(SHARE_FORCE_SHARED, "force-shared")                                                               \
        E(SHARE_IGNORE, "ignore")
DECLARE_ENUM(SharePolicy, share_policy, SHARE_POLICIES)

#define CONNECTED_ACTIONS(E)                                                                                \
        E(CONNECTED_DEFAULT, NULL)                                                                          \
        E(CONNECTED_FAIL, "fail") E(CONNECTED_DISCONNECT, "disconnect") E(CONNECTED_KEEP, "keep")
DECLARE_ENUM(ConnectedAction, connected_action, CONNECTED_ACTIONS)

#define SPICE_MODES(E)                                                                                      \
        E(SPICE_MODE_ANY, "any") E(SPICE_MODE_SECURE, "secure") E(SPICE_MODE_INSECURE, "insecure")
DECLARE_ENUM(SpiceMode, spice_mode, SPICE_MODES)

#define SPICE_CHANNEL_MODES(E)                                                                              \
        E(SPICE_CHANNEL_MODE_ABSENT, NULL)                                                                  \
        E(SPICE_CHANNEL_ANY, "any") E(SPICE_CHANNEL_SECURE, "secure") E(SPICE_CHANNEL_INSECURE, "insecure")
DECLARE_ENUM(SpiceChannelMode, spice_channel_mode, SPICE_CHANNEL_MODES)

#define SPICE_CHANNELS(E)                                                                                   \
        E(SPICE_CHANNEL_ABSENT, NULL)                                                                       \
        E(SPICE_CHANNEL_MAIN, "main")                                                                       \
        E(SPICE_CHANNEL_DISPLAY, "display")                                                                 \
        E(SPICE_CHANNEL_INPUTS, "inputs")                                                                   \
        E(SPICE_CHANNEL_CURSOR, "cursor")                                                                   \
        E(SPICE_CHANNEL_PLAYBACK, "playback")                                                               \
        E(SPICE_CHANNEL_RECORD, "record")                                                                   \
        E(SPICE_CHANNEL_SMARTCARD, "smartcard")                                                             \
        E(SPICE_CHANNEL_USBREDIR, "usbredir")
DECLARE_ENUM(SpiceChannelName, spice_channel_name, SPICE_CHANNELS)

typedef struct SpiceChannel {
        SpiceChannelName name;
        SpiceChannelMode mode;
} SpiceChannel;

#define SPICE_IMAGES(E)                                                                                     \
        E(SPICE_IMAGE_DEFAULT, NULL)                                                                        \
        E(SPICE_IMAGE_AUTO_GLZ, "auto_glz")                                                                 \
        E(SPICE_IMAGE_AUTO_LZ, "auto_lz")                                                                   \
        E(SPICE_IMAGE_QUIC, "quic")                                                                         \
        E(SPICE_IMAGE_GLZ, "glz")                                                                           \
        E(SPICE_IMAGE_LZ, "lz")                                                                             \
        E(SPICE_IMAGE_OFF, "off")
DECLARE_ENUM(SpiceImage, spice_image, SPICE_IMAGES)

#define SPICE_AUTOS(E)                                                                                      \
        E(SPICE_AUTO_DEFAULT, NULL) E(SPICE_AUTO, "auto") E(SPICE_NEVER, "never") E(SPICE_ALWAYS, "always")
DECLARE_ENUM(SpiceAuto, spice_auto, SPICE_AUTOS)

#define SPICE_STREAMINGS(E)                                                                                 \
        E(SPICE_STREAMING_DEFAULT, NULL)                                                                    \
        E(SPICE_STREAMING_FILTER, "filter") E(SPICE_STREAMING_ALL, "all") E(SPICE_STREAMING_OFF, "off")
DECLARE_ENUM(SpiceStreaming, spice_streaming, SPICE_STREAMINGS)

typedef struct DomainGraphics {
        GraphicsType type;
        YesNo autoport, multi_user, replace_user, fullscreen, power_control, p2p, websocket_generated;
        SharePolicy share_policy;
        ConnectedAction connected;
        SpiceMode default_mode;
        SpiceImage image;
        SpiceAuto jpeg, zlib;
        OnOff playback;
        SpiceStreaming streaming;
        MouseMode mouse;
        YesNo copypaste, filetransfer, gl;
        bool has_port, has_tls_port, has_websocket, has_audio_id;
        int32_t port, tls_port, websocket; /* -1: the driver finds one at the start */
        uint32_t audio_id;
        char *socket, *listen, *keymap, *password, *password_valid_to;
        char *display, *xauth; /* sdl, desktop */
        char *address;         /* dbus */
        char *rendernode;
        LIST(GraphicsListen) listens;
        LIST(SpiceChannel) channels;
        DeviceInfo info;
} DomainGraphics;
extern const StructType domain_graphics_type;

#define VIDEO_MODELS(E)                                                                                     \
        E(VIDEO_MODEL_ABSENT, NULL)                                                                         \
        E(VIDEO_MODEL_VGA, "vga")                                                                           \
        E(VIDEO_MODEL_CIRRUS, "cirrus")                                                                     \
        E(VIDEO_MODEL_VMVGA, "vmvga")                                                                       \
        E(VIDEO_MODEL_XEN, "xen")                                                                           \
        E(VIDEO_MODEL_VBOX, "vbox")                                                                         \
        E(VIDEO_MODEL_QXL, "qxl")                                                                           \
        E(VIDEO_MODEL_PARALLELS, "parallels")                                                               \
        E(VIDEO_MODEL_VIRTIO, "virtio")                                                                     \
        E(VIDEO_MODEL_GOP, "gop")                                                                           \
        E(VIDEO_MODEL_NONE, "none")                                                                         \
        E(VIDEO_MODEL_BOCHS, "bochs")                                                                       \
        E(VIDEO_MODEL_RAMFB, "ramfb")
DECLARE_ENUM(VideoModel, video_model, VIDEO_MODELS)

#define VIDEO_BACKENDS(E)                                                                                   \
        E(VIDEO_BACKEND_DEFAULT, NULL)                                                                      \
        E(VIDEO_BACKEND_QEMU, "qemu") E(VIDEO_BACKEND_VHOSTUSER, "vhostuse"                                 \
                                                                 "r")
DECLARE_ENUM(VideoBackend, video_backend, VIDEO_BACKENDS)

#define VIDEO_VGACONFS(E)                                                                                   \
        E(VIDEO_VGACONF_DEFAULT, NULL)                                                                      \
        E(VIDEO_VGACONF_IO, "io") E(VIDEO_VGACONF_ON, "on") E(VIDEO_VGACONF_OFF, "off")
DECLARE_ENUM(VideoVgaconf, video_vgaconf, VIDEO_VGACONFS)

typedef struct DomainVideo {
        VideoModel model;
        VideoBackend backend;
        VideoVgaconf vgaconf;
        YesNo primary, accel2d, accel3d;
        OnOff blob;
        uint32_t heads, resolution_x, resolution_y;
        uint32_t ram_kib, vram_kib, vram64_kib, vgamem_kib;
        char *rendernode;
        VirtioOptions virtio;
        DeviceInfo info;
} DomainVideo;
extern const StructType domain_video_type;

#define SOUND_MODELS(E)                                                                                     \
        E(SOUND_MODEL_ABSENT, NULL)                                                                         \
        E(SOUND_MODEL_SB16, "sb16")                                                                         \
        E(SOUND_MODEL_ES1370, "es1370")                                                                     \
        E(SOUND_MODEL_PCSPK, "pcspk")                                                                       \
        E(SOUND_MODEL_AC97, "ac97")                                                                         \
        E(SOUND_MODEL_ICH6, "ich6")                                                                         \
        E(SOUND_MODEL_ICH9, "ich9")                                                                         \
        E(SOUND_MODEL_USB, "usb")                                                                           \
        E(SOUND_MODEL_ICH7, "ich7")                                                                         \
        E(SOUND_MODEL_VIRTIO, "virtio")
DECLARE_ENUM(SoundModel, sound_model, SOUND_MODELS)

#define SOUND_CODECS(E)                                                                                     \
        E(SOUND_CODEC_ABSENT, NULL)                                                                         \
        E(SOUND_CODEC_DUPLEX, "duplex") E(SOUND_CODEC_MICRO, "micro") E(SOUND_CODEC_OUTPUT, "output")
DECLARE_ENUM(SoundCodecType, sound_codec_type, SOUND_CODECS)

typedef struct SoundCodec {
        SoundCodecType type;
} SoundCodec;

typedef struct DomainSound {
        SoundModel model;
        YesNo multichannel;
        LIST(SoundCodec) codecs;
        bool has_audio_id;
        uint32_t audio_id;
        DeviceInfo info;
} DomainSound;
extern const StructType domain_sound_type;

#define AUDIO_TYPES(E)                                                                                      \
        E(AUDIO_TYPE_ABSENT, NULL)                                                                          \
        E(AUDIO_TYPE_NONE, "none")                                                                          \
        E(AUDIO_TYPE_ALSA, "alsa")                                                                          \
        E(AUDIO_TYPE_COREAUDIO, "coreaudio")                                                                \
        E(AUDIO_TYPE_JACK, "jack")                                                                          \
        E(AUDIO_TYPE_OSS, "oss")                                                                            \
        E(AUDIO_TYPE_PULSEAUDIO, "pulseaudio")                                                              \
        E(AUDIO_TYPE_SDL, "sdl")                                                                            \
        E(AUDIO_TYPE_SPICE, "spice")                                                                        \
        E(AUDIO_TYPE_FILE, "file")                                                                          \
        E(AUDIO_TYPE_DBUS, "dbus")
DECLARE_ENUM(AudioType, audio_type, AUDIO_TYPES)

#define AUDIO_FORMATS(E)                                                                                    \
        E(AUDIO_FORMAT_ABSENT, NULL)                                                                        \
        E(AUDIO_FORMAT_U8, "u8")                                                                            \
        E(AUDIO_FORMAT_S8, "s8")                                                                            \
        E(AUDIO_FORMAT_U16, "u16") E(AUDIO_FORMAT_S16, "s16") E(AUDIO_FORMAT_U32, "u32")                    \
                E(AUDIO_FORMAT_S32, "s32") E(AUDIO_FORMAT_F32, "f32")
DECLARE_ENUM(AudioFormat, audio_format, AUDIO_FORMATS)

#define AUDIO_DRIVERS(E)                                                                                    \
        E(AUDIO_DRIVER_DEFAULT, NULL)                                                                       \
        E(AUDIO_DRIVER_ESD, "esd")                                                                          \
        E(AUDIO_DRIVER_ALSA, "alsa") E(AUDIO_DRIVER_ARTS, "arts") E(AUDIO_DRIVER_PULSEAUDIO, "pulseaudio")
DECLARE_ENUM(AudioSdlDriver, audio_sdl_driver, AUDIO_DRIVERS)

/* One direction of a host's audio. */
typedef struct AudioStream {
        YesNo mixing_engine, fixed_settings, try_poll, exact_name;
        AudioFormat format;
        uint32_t frequency, channels, voices, buffer_length_usec;
        uint32_t buffer_count, latency_usec;
        char *dev;
        char *name, *stream_name;                        /* pulseaudio */
        char *server_name, *client_name, *connect_ports; /* jack */
} AudioStream;
extern const StructType audio_stream_type;

typedef struct DomainAudio {
        AudioType type;
        AudioSdlDriver sdl_driver;
        YesNo try_mmap, exclusive;
        uint32_t id, timer_period_usec;
        bool has_dsp_policy;
        int32_t dsp_policy;
        char *path, *server_name;
        AudioStream input, output;
} DomainAudio;
extern const StructType domain_audio_type;
