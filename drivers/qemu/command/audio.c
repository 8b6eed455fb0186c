/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <sound>: the guest's cards; <audio>: where on the host their sound goes. */

#include "drivers/qemu/command/device.h"

static const char *audio_driver(AudioType type)
{
        switch (type) {
        case AUDIO_TYPE_PULSEAUDIO:
                return "pa";
        case AUDIO_TYPE_FILE:
                return "wav";
        case AUDIO_TYPE_ABSENT:
                return NULL;
        default:
                return audio_type_to_string(type);
        }
}

static void set_yes_no(json_t *object, const char *key, YesNo value)
{
        if (value != YES_NO_ABSENT)
                json_set_bool(object, key, value == YES);
}

/* The options of one direction, those that all drivers have and those of this one. */
static json_t *stream_options(const DomainAudio *audio, const AudioStream *stream)
{
        json_t *object = json_object();

        set_yes_no(object, "mixing-engine", stream->mixing_engine);
        set_yes_no(object, "fixed-settings", stream->fixed_settings);
        json_set_string(object, "format", audio_format_to_string(stream->format));
        json_set_number(object, "frequency", stream->frequency);
        json_set_number(object, "channels", stream->channels);
        json_set_number(object, "voices", stream->voices);
        json_set_number(object, "buffer-length", stream->buffer_length_usec);
        switch (audio->type) {
        case AUDIO_TYPE_ALSA:
        case AUDIO_TYPE_OSS:
                json_set_string(object, "dev", stream->dev);
                set_yes_no(object, "try-poll", stream->try_poll);
                json_set_number(object, "buffer-count", stream->buffer_count);
                break;
        case AUDIO_TYPE_PULSEAUDIO:
                json_set_string(object, "name", stream->name);
                json_set_string(object, "stream-name", stream->stream_name);
                json_set_number(object, "latency", stream->latency_usec);
                break;
        case AUDIO_TYPE_JACK:
                json_set_string(object, "server-name", stream->server_name);
                json_set_string(object, "client-name", stream->client_name);
                json_set_string(object, "connect-ports", stream->connect_ports);
                set_yes_no(object, "exact-name", stream->exact_name);
                break;
        case AUDIO_TYPE_SDL:
                json_set_number(object, "buffer-count", stream->buffer_count);
                break;
        default:
                break;
        }
        return object;
}

static void set_stream(json_t *object, const char *key, const DomainAudio *audio, const AudioStream *stream)
{
        json_t *options = stream_options(audio, stream);

        if (json_object_size(options) > 0)
                json_object_set_new(object, key, options);
        else
                json_decref(options);
}

int command_audio(CommandLine *line, const DomainAudio *audio, Error *error)
{
        const char *driver = audio_driver(audio->type);
        _cleanup_(freep) char *id = g_strdup_printf("audio%u", audio->id);
        json_t *object;

        if (!driver)
                return device_unsupported(error, "QEMU has no <audio type='%s'> on this host",
                                          audio_type_to_string(audio->type));
        if (audio->sdl_driver != AUDIO_DRIVER_DEFAULT)
                g_ptr_array_add(line->environment,
                                g_strdup_printf("SDL_AUDIODRIVER=%s",
                                                audio_sdl_driver_to_string(audio->sdl_driver)));
        object = json_pack("{s:s, s:s}", "id", id, "driver", driver);
        json_set_number(object, "timer-period", audio->timer_period_usec);
        if (audio->type == AUDIO_TYPE_OSS) {
                set_yes_no(object, "try-mmap", audio->try_mmap);
                set_yes_no(object, "exclusive", audio->exclusive);
                if (audio->has_dsp_policy)
                        json_object_set_new(object, "dsp-policy", json_integer(audio->dsp_policy));
        }
        if (audio->type == AUDIO_TYPE_FILE)
                json_set_string(object, "path", audio->path);
        if (audio->type == AUDIO_TYPE_PULSEAUDIO)
                json_set_string(object, "server", audio->server_name);
        set_stream(object, "in", audio, &audio->input);
        set_stream(object, "out", audio, &audio->output);
        command_add_json(line, "-audiodev", object);
        return 0;
}

static const char *card_driver(const CommandLine *line, const DomainSound *sound)
{
        switch (sound->model) {
        case SOUND_MODEL_SB16:
                return "sb16";
        case SOUND_MODEL_ES1370:
                return "ES1370";
        case SOUND_MODEL_AC97:
                return "AC97";
        case SOUND_MODEL_ICH6:
                return "intel-hda";
        case SOUND_MODEL_ICH9:
                return "ich9-intel-hda";
        case SOUND_MODEL_USB:
                return "usb-audio";
        case SOUND_MODEL_VIRTIO:
                return line->host.version == 0 || line->host.version >= 8002000 ? "virtio-sound-pci" : NULL;
        default:
                return NULL;
        }
}

/* The sound's own backend, or the first there is; NULL without any. The caller frees. */
static char *sound_backend(const CommandLine *line, const DomainSound *sound)
{
        if (sound->has_audio_id)
                return g_strdup_printf("audio%u", sound->audio_id);
        if (line->definition->devices.audios.count == 0)
                return NULL;
        return g_strdup_printf("audio%u", line->definition->devices.audios.items[0]->id);
}

static int add_codec(CommandLine *line, const DomainSound *sound, SoundCodecType type, unsigned index,
                     Error *error)
{
        static const char *const names[] = { [SOUND_CODEC_ABSENT] = "hda-duplex",
                                             [SOUND_CODEC_DUPLEX] = "hda-duplex",
                                             [SOUND_CODEC_MICRO] = "hda-micro",
                                             [SOUND_CODEC_OUTPUT] = "hda-output" };
        _cleanup_(freep) char *id = g_strdup_printf("%s-codec%u", sound->info.alias, index);
        _cleanup_(freep) char *bus = g_strdup_printf("%s.0", sound->info.alias);
        _cleanup_(freep) char *audio = sound_backend(line, sound);
        json_t *device = json_object();

        json_set_string(device, "driver", names[type]);
        json_set_string(device, "id", id);
        json_set_string(device, "bus", bus);
        json_object_set_new(device, "cad", json_integer(index));
        json_set_string(device, "audiodev", audio);
        return device_add(line, device, error);
}

static int add_codecs(CommandLine *line, const DomainSound *sound, Error *error)
{
        unsigned index = 0;

        if (sound->codecs.count == 0)
                return add_codec(line, sound, SOUND_CODEC_DUPLEX, 0, error);
        LIST_FOREACH (codec, sound->codecs) {
                int r = add_codec(line, sound, codec->type, index++, error);

                if (r < 0)
                        return r;
        }
        return 0;
}

int command_sound(CommandLine *line, const DomainSound *sound, Error *error)
{
        bool is_hda = sound->model == SOUND_MODEL_ICH6 || sound->model == SOUND_MODEL_ICH9;
        const char *driver = card_driver(line, sound);
        _cleanup_(freep) char *audio = sound_backend(line, sound);
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (sound->model == SOUND_MODEL_PCSPK)
                return 0; /* part of the board: machine.c */
        if (!driver)
                return device_unsupported(error, "This QEMU has no <sound model='%s'>",
                                          sound_model_to_string(sound->model));
        device = device_new(driver, &sound->info);
        if (!is_hda) /* there it is the codec's */
                json_set_string(device, "audiodev", audio);
        if (sound->model == SOUND_MODEL_USB && sound->multichannel == YES)
                json_set_bool(device, "multi", true);
        r = device_set_info(line, device, &sound->info, error);
        if (r >= 0)
                r = device_add(line, TAKE_PTR(device), error);
        return r < 0 || !is_hda ? r : add_codecs(line, sound, error);
}
