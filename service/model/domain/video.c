/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <video>: the graphics card. Memory that is not given is filled in by complete.c. */

#include "model/domain/display.h"

DEFINE_ENUM(video_model, VIDEO_MODELS);
DEFINE_ENUM(video_backend, VIDEO_BACKENDS);
DEFINE_ENUM(video_vgaconf, VIDEO_VGACONFS);

#define THIS DomainVideo
static const Field domain_video_fields[] = {
        INLINE("driver", virtio, virtio_options),
        ENUM("driver/@name", backend, video_backend),
        ENUM("driver/@vgaconf", vgaconf, video_vgaconf),
        ENUM("model/@type", model, video_model),
        UNSIGNED("model/@ram", ram_kib, WHEN(model, BIT(VIDEO_MODEL_QXL))),
        UNSIGNED("model/@vram", vram_kib),
        UNSIGNED("model/@vram64", vram64_kib, WHEN(model, BIT(VIDEO_MODEL_QXL))),
        UNSIGNED("model/@vgamem", vgamem_kib, WHEN(model, BIT(VIDEO_MODEL_QXL))),
        UNSIGNED("model/@heads", heads),
        YESNO("model/@primary", primary),
        ONOFF("model/@blob", blob),
        YESNO("model/acceleration/@accel2d", accel2d),
        YESNO("model/acceleration/@accel3d", accel3d),
        STRING("model/acceleration/@rendernode", rendernode),
        UNSIGNED("model/resolution/@x", resolution_x),
        UNSIGNED("model/resolution/@y", resolution_y),
        INLINE("", info, device_info),
};
#undef THIS

static int check_video(void *object, const XmlNode *node _unused_, unsigned flags _unused_, Error *error)
{
        DomainVideo *video = object;

        if ((video->resolution_x == 0) != (video->resolution_y == 0))
                return error_set(error, ERROR_INVALID_XML, "A video resolution needs both x and y, above 0");
        if (video->model == VIDEO_MODEL_NONE && (video->heads > 0 || video->vram_kib > 0))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "A video model 'none' has no memory and no heads");
        /* "no" is what all but the first are anyway. */
        if (video->primary == NO)
                video->primary = YES_NO_ABSENT;
        return 0;
}
DEFINE_STRUCT(domain_video, DomainVideo, .check = check_video);
