/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <sound>, the card that the guest sees, and <audio>, the place on the host where its sound goes. They meet
 * by the number of the audio. */

#include "model/domain/display.h"

DEFINE_ENUM(sound_model, SOUND_MODELS);
DEFINE_ENUM(sound_codec_type, SOUND_CODECS);
DEFINE_ENUM(audio_type, AUDIO_TYPES);
DEFINE_ENUM(audio_format, AUDIO_FORMATS);
DEFINE_ENUM(audio_sdl_driver, AUDIO_DRIVERS);

#define THIS SoundCodec
static const Field sound_codec_fields[] = {
        ENUM("@type", type, sound_codec_type, .flags = FIELD_REQUIRED),
};
#undef THIS
static DEFINE_STRUCT(sound_codec, SoundCodec);

#define THIS DomainSound
static const Field domain_sound_fields[] = {
        ENUM("@model", model, sound_model, .flags = FIELD_REQUIRED),
        YESNO("@multichannel", multichannel, WHEN(model, BIT(SOUND_MODEL_USB))),
        ITEMS("codec", codecs, sound_codec, WHEN(model, BIT(SOUND_MODEL_ICH6) | BIT(SOUND_MODEL_ICH9))),
        OPTIONAL_UNSIGNED("audio/@id", audio_id),
        INLINE("", info, device_info),
};
#undef THIS

static int check_sound(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        const DomainSound *sound = object;

        if (sound->has_audio_id && sound->audio_id == 0)
                return error_set(error, ERROR_INVALID_XML, "Audio ids are numbered from 1");
        return 0;
}
DEFINE_STRUCT(domain_sound, DomainSound, .check = check_sound);

#define THIS AudioStream
static const Field audio_stream_fields[] = {
        YESNO("@mixingEngine", mixing_engine),
        YESNO("@fixedSettings", fixed_settings),
        UNSIGNED("@voices", voices),
        UNSIGNED("@bufferLength", buffer_length_usec),
        STRING("@dev", dev),
        YESNO("@tryPoll", try_poll),
        UNSIGNED("@bufferCount", buffer_count),
        STRING("@name", name),
        STRING("@streamName", stream_name),
        UNSIGNED("@latency", latency_usec),
        STRING("@serverName", server_name),
        STRING("@clientName", client_name),
        STRING("@connectPorts", connect_ports),
        YESNO("@exactName", exact_name),
        UNSIGNED("settings/@frequency", frequency),
        UNSIGNED("settings/@channels", channels),
        ENUM("settings/@format", format, audio_format),
};
#undef THIS

static int check_stream(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        AudioStream *stream = object;
        bool has_settings =
                stream->frequency > 0 || stream->channels > 0 || stream->format != AUDIO_FORMAT_ABSENT;

        if (has_settings && stream->fixed_settings != YES)
                return error_set(error, ERROR_INVALID_XML, "Audio settings need fixedSettings='yes'");
        if (stream->fixed_settings == YES && stream->mixing_engine == NO)
                return error_set(error, ERROR_INVALID_XML,
                                 "Audio with fixedSettings='yes' needs the mixing engine");
        return 0;
}
DEFINE_STRUCT(audio_stream, AudioStream, .check = check_stream);

#define THIS DomainAudio
static const Field domain_audio_fields[] = {
        UNSIGNED("@id", id, .flags = FIELD_REQUIRED),
        ENUM("@type", type, audio_type, .flags = FIELD_REQUIRED),
        UNSIGNED("@timerPeriod", timer_period_usec),
        YESNO("@tryMMap", try_mmap, WHEN(type, BIT(AUDIO_TYPE_OSS))),
        YESNO("@exclusive", exclusive, WHEN(type, BIT(AUDIO_TYPE_OSS))),
        OPTIONAL_SIGNED("@dspPolicy", dsp_policy, WHEN(type, BIT(AUDIO_TYPE_OSS))),
        STRING("@serverName", server_name, WHEN(type, BIT(AUDIO_TYPE_PULSEAUDIO))),
        ENUM("@driver", sdl_driver, audio_sdl_driver, WHEN(type, BIT(AUDIO_TYPE_SDL))),
        STRING("@path", path, WHEN(type, BIT(AUDIO_TYPE_FILE))),
        INLINE("input", input, audio_stream),
        INLINE("output", output, audio_stream),
};
#undef THIS

static int check_audio(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        const DomainAudio *audio = object;

        if (audio->id == 0)
                return error_set(error, ERROR_INVALID_XML, "Audio ids are numbered from 1");
        return 0;
}
DEFINE_STRUCT(domain_audio, DomainAudio, .check = check_audio);
