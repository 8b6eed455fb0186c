/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <video>: the graphics cards. The first is the one that the firmware uses, so it has VGA where the model
 * comes in two kinds. */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"

typedef struct VideoDriver {
        VideoModel model;
        const char *first, *further; /* NULL: cannot be that */
} VideoDriver;

static const VideoDriver drivers[] = {
        { VIDEO_MODEL_VGA, "VGA", "secondary-vga" },
        { VIDEO_MODEL_CIRRUS, "cirrus-vga", NULL },
        { VIDEO_MODEL_VMVGA, "vmware-svga", NULL },
        { VIDEO_MODEL_QXL, "qxl-vga", "qxl" },
        { VIDEO_MODEL_BOCHS, "bochs-display", "bochs-display" },
        { VIDEO_MODEL_RAMFB, "ramfb", NULL },
};

/* QEMU's name of the device, NULL if it has none; the caller frees. */
static char *driver_name(const CommandLine *line, const DomainVideo *video, bool is_first)
{
        bool has_gl = video->accel3d == YES;

        if (video->model == VIDEO_MODEL_VIRTIO) {
                if (is_first && machine_is_x86(line->definition))
                        return g_strdup(has_gl ? "virtio-vga-gl" : "virtio-vga");
                return device_virtio_driver(has_gl ? "virtio-gpu-gl" : "virtio-gpu", &video->info,
                                            VIRTIO_MODEL_VIRTIO);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
                if (drivers[i].model == video->model)
                        return g_strdup(is_first ? drivers[i].first : drivers[i].further);
        }
        return NULL;
}

static int check(const DomainVideo *video, Error *error)
{
        if (video->backend == VIDEO_BACKEND_VHOSTUSER)
                return device_unsupported(error, "The QEMU driver has no <video> with backend 'vhostuser'");
        if (video->vgaconf != VIDEO_VGACONF_DEFAULT)
                return device_unsupported(error, "QEMU has no 'vgaconf' of <video>");
        if (video->accel3d == YES && video->model != VIDEO_MODEL_VIRTIO)
                return device_unsupported(error, "QEMU accelerates 3D with <video> of model 'virtio' only");
        if (video->heads > 1 && video->model != VIDEO_MODEL_VIRTIO && video->model != VIDEO_MODEL_QXL)
                return device_unsupported(error, "QEMU has one head for <video> of model '%s'",
                                          video_model_to_string(video->model));
        return 0;
}

static void set_memory(json_t *device, const DomainVideo *video)
{
        switch (video->model) {
        case VIDEO_MODEL_QXL:
                json_set_number(device, "ram_size", (uint64_t)video->ram_kib * 1024);
                json_set_number(device, "vram_size", (uint64_t)video->vram_kib * 1024);
                json_object_set_new(device, "vram64_size_mb", json_integer(video->vram64_kib / 1024));
                json_set_number(device, "vgamem_mb", video->vgamem_kib / 1024);
                json_set_number(device, "max_outputs", video->heads);
                break;
        case VIDEO_MODEL_VGA:
        case VIDEO_MODEL_VMVGA:
                json_set_number(device, "vgamem_mb", video->vram_kib / 1024);
                break;
        case VIDEO_MODEL_BOCHS:
                json_set_number(device, "vgamem", (uint64_t)video->vram_kib * 1024);
                break;
        case VIDEO_MODEL_VIRTIO:
                json_set_number(device, "max_outputs", video->heads);
                json_set_on_off(device, "blob", video->blob);
                break;
        default:
                break;
        }
}

int command_video(CommandLine *line, const DomainVideo *video, bool is_first, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        _cleanup_(freep) char *driver = NULL;
        int r;

        if (video->model == VIDEO_MODEL_NONE)
                return 0;
        r = check(video, error);
        if (r < 0)
                return r;
        driver = driver_name(line, video, is_first);
        if (!driver)
                return device_unsupported(error, "QEMU has no %s of model '%s'",
                                          is_first ? "<video>" : "second <video>",
                                          video_model_to_string(video->model));
        device = device_new(driver, &video->info);
        set_memory(device, video);
        json_set_number(device, "xres", video->resolution_x);
        json_set_number(device, "yres", video->resolution_y);
        if (video->model == VIDEO_MODEL_VIRTIO)
                device_set_virtio(device, &video->virtio);
        if (video->model != VIDEO_MODEL_RAMFB) { /* which sits on no bus */
                r = device_set_info(line, device, &video->info, error);
                if (r < 0)
                        return r;
        }
        return device_add(line, TAKE_PTR(device), error);
}
