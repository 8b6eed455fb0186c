/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a device lacks by itself, without a look at the others, and the few devices that every machine has:
 * mouse and keyboard, the balloon, a place for sound, a graphics card for those who look. */

#include <string.h>

#include "model/board.h"
#include "model/complete.h"

static void complete_encryption(DiskEncryption *encryption)
{
        if (encryption && encryption->engine == ENCRYPTION_ENGINE_DEFAULT)
                encryption->engine = ENCRYPTION_ENGINE_QEMU;
}

static void complete_disk(const DomainDefinition *definition, DomainDisk *disk)
{
        if (disk->device == DISK_DEVICE_ABSENT)
                disk->device = DISK_DEVICE_DISK;
        if (disk->bus == DISK_BUS_ABSENT)
                disk->bus = disk_usual_bus(disk);
        if (disk->device == DISK_DEVICE_CDROM)
                disk->readonly = true;
        /* Nobody takes snapshots of these anyway. */
        if (disk->readonly && disk->snapshot == DISK_SNAPSHOT_NO)
                disk->snapshot = DISK_SNAPSHOT_DEFAULT;
        if (!board_is_qemu(definition))
                return;

        complete_encryption(disk->encryption);
        complete_encryption(disk->source.encryption);
        if (disk->type == DISK_TYPE_VHOSTUSER || disk->type == DISK_TYPE_VHOSTVDPA) {
                /* Nobody but the other process knows the format, and nobody can take a snapshot. */
                if (disk->snapshot == DISK_SNAPSHOT_DEFAULT)
                        disk->snapshot = DISK_SNAPSHOT_NO;
                return;
        }
        if (!disk->driver_name)
                disk->driver_name = g_strdup("qemu");
        /* What a volume holds is found out when its pool is asked. */
        if (disk->format == DISK_FORMAT_ABSENT && disk->type != DISK_TYPE_VOLUME)
                disk->format = DISK_FORMAT_RAW;
}

/* Those of one bus stand in the order of their names, since they get their addresses in the order of the
 * list. */
static void sort_disks(DomainDefinition *definition)
{
        for (uint32_t i = 1; i < definition->devices.disks.count; i++) {
                const DomainDisk *disk = definition->devices.disks.items[i];
                uint32_t position = i;

                for (uint32_t j = i; j-- > 0;) {
                        const DomainDisk *other = definition->devices.disks.items[j];
                        if (other->bus != disk->bus)
                                continue;
                        if (disk_target_index(other->target) <= disk_target_index(disk->target))
                                break;
                        position = j;
                }
                if (position < i)
                        list_insert(&definition->devices.disks, position,
                                    list_remove(&definition->devices.disks, i));
        }
}

static void complete_channel(DomainChannel *channel)
{
        /* The driver makes a socket of its own and listens there. */
        if (channel->source.type == CHARDEV_TYPE_UNIX && channel->target == CHANNEL_TARGET_VIRTIO &&
            !channel->source.path)
                chardev_source_drop_socket(&channel->source);
}

/* Options that only virtio has, written for another card, or for one of the host's. */
static void drop_useless_driver(DomainInterface *interface)
{
        bool is_virtio = interface->model && g_str_has_prefix(interface->model, "virtio");

        if (interface->queues == 1)
                interface->queues = 0;
        if (is_virtio && interface->type != INTERFACE_TYPE_HOSTDEV)
                return;
        interface->queues = interface->rx_queue_size = interface->tx_queue_size = 0;
        interface->txmode = INTERFACE_TXMODE_DEFAULT;
        interface->ioeventfd = interface->event_idx = interface->rss = interface->rss_hash_report =
                ON_OFF_ABSENT;
        if (interface->type == INTERFACE_TYPE_HOSTDEV)
                return;
        interface->driver_name = INTERFACE_DRIVER_DEFAULT;
        g_clear_pointer(&interface->backend_vhost, g_free);
}

static void complete_interface(const DomainDefinition *definition, DomainInterface *interface)
{
        if (!board_is_qemu(definition))
                return;
        if (interface->model && g_ascii_strcasecmp(interface->model, "virtio") == 0) {
                g_free(interface->model);
                interface->model = g_strdup("virtio");
        }
        drop_useless_driver(interface);
        if (interface->model || interface->type == INTERFACE_TYPE_HOSTDEV)
                return;
        if (interface->type == INTERFACE_TYPE_VDPA || !board_is_x86(definition))
                interface->model = g_strdup("virtio");
        else
                interface->model = g_strdup("rtl8139");
}

static void complete_input(const DomainDefinition *definition, DomainInput *input)
{
        bool is_ps2 = input->type == INPUT_TYPE_MOUSE || input->type == INPUT_TYPE_KEYBOARD;

        if (input->bus != INPUT_BUS_ABSENT)
                return;
        if (definition->type == DOMAIN_TYPE_XEN && definition->os.type != OS_TYPE_HVM)
                input->bus = INPUT_BUS_XEN;
        else if (input->type == INPUT_TYPE_EVDEV)
                input->bus = INPUT_BUS_NONE;
        else
                input->bus = is_ps2 && board_is_x86(definition) ? INPUT_BUS_PS2 : INPUT_BUS_USB;
}

static void ensure_input(DomainDefinition *definition, InputType type)
{
        LIST_FOREACH (input, definition->devices.inputs)
                if (input->type == type && input->bus == INPUT_BUS_PS2)
                        return;

        DomainInput *input = struct_new(&domain_input_type);
        input->type = type;
        input->bus = INPUT_BUS_PS2;
        list_append(&definition->devices.inputs, input);
}

/* KiB of graphics memory by model; 0: it has none of its own. */
static uint32_t default_vram_kib(VideoModel model)
{
        switch (model) {
        case VIDEO_MODEL_VGA:
        case VIDEO_MODEL_CIRRUS:
        case VIDEO_MODEL_VMVGA:
        case VIDEO_MODEL_BOCHS:
                return 16 * 1024;
        case VIDEO_MODEL_QXL:
                return 64 * 1024;
        case VIDEO_MODEL_XEN:
                return 4 * 1024;
        case VIDEO_MODEL_VBOX:
                return 8 * 1024;
        default:
                return 0;
        }
}

static uint32_t round_up_to_power(uint32_t value)
{
        uint32_t power = 1;

        while (power < value && power < UINT32_C(1) << 31)
                power *= 2;
        return value == 0 ? 0 : power;
}

static void complete_video(const DomainDefinition *definition, DomainVideo *video)
{
        if (video->model == VIDEO_MODEL_ABSENT)
                video->model = board_is_x86(definition) ? VIDEO_MODEL_CIRRUS : VIDEO_MODEL_VIRTIO;
        if (video->model == VIDEO_MODEL_NONE)
                return;
        if (video->heads == 0)
                video->heads = 1;
        if (video->vram_kib == 0)
                video->vram_kib = default_vram_kib(video->model);
        if (video->model != VIDEO_MODEL_QXL)
                return;
        if (video->ram_kib == 0)
                video->ram_kib = 64 * 1024;
        if (video->vgamem_kib == 0)
                video->vgamem_kib = 16 * 1024;
        video->ram_kib = round_up_to_power(video->ram_kib);
        video->vram_kib = round_up_to_power(video->vram_kib);
        video->vram64_kib = round_up_to_power(video->vram64_kib);
        video->vgamem_kib = round_up_to_power(video->vgamem_kib);
}

/* The primary card is the first one, since that is the one which firmware uses. */
static int settle_primary(DomainDefinition *definition, Error *error)
{
        uint32_t primary = 0, n_primaries = 0;

        for (uint32_t i = 0; i < definition->devices.videos.count; i++)
                if (definition->devices.videos.items[i]->primary == YES) {
                        primary = i;
                        n_primaries++;
                }
        if (n_primaries > 1)
                return error_set(error, ERROR_INVALID_XML, "Only one video device can be the primary one");
        if (definition->devices.videos.count == 0)
                return 0;

        DomainVideo *video = list_remove(&definition->devices.videos, primary);
        video->primary = video->model == VIDEO_MODEL_NONE ? YES_NO_ABSENT : YES;
        list_insert(&definition->devices.videos, 0, video);
        return 0;
}

static int complete_videos(DomainDefinition *definition, Error *error)
{
        /* A machine without PCI has no place for one of these. */
        if (definition->devices.graphics.count > 0 && definition->devices.videos.count == 0 &&
            board_family(definition) != BOARD_ISAPC)
                list_append(&definition->devices.videos, struct_new(&domain_video_type));
        LIST_FOREACH (video, definition->devices.videos)
                complete_video(definition, video);
        return settle_primary(definition, error);
}

/* Sound goes where the picture goes; where that is a local display, QEMU decides. */
static void complete_audio(DomainDefinition *definition)
{
        AudioType type = AUDIO_TYPE_NONE;

        if (definition->devices.audios.count > 0)
                return;
        LIST_FOREACH (graphics, definition->devices.graphics) {
                if (graphics->type == GRAPHICS_TYPE_DBUS || graphics->type == GRAPHICS_TYPE_SDL)
                        return;
                if (graphics->type == GRAPHICS_TYPE_SPICE)
                        type = AUDIO_TYPE_SPICE;
        }
        DomainAudio *audio = struct_new(&domain_audio_type);
        audio->id = 1;
        audio->type = type;
        list_append(&definition->devices.audios, audio);
}

static void complete_small_devices(DomainDefinition *definition)
{
        bool is_x86 = board_is_x86(definition);

        LIST_FOREACH (tpm, definition->devices.tpms) {
                if (tpm->model == TPM_MODEL_DEFAULT)
                        tpm->model = TPM_TIS;
                /* The old version is what tpm-tis had on x86 before there was another. */
                if (tpm->backend == TPM_EMULATOR && tpm->version == TPM_VERSION_DEFAULT)
                        tpm->version = tpm->model == TPM_TIS && is_x86 ? TPM_VERSION_1_2 : TPM_VERSION_2_0;
        }
        LIST_FOREACH (panic, definition->devices.panics)
                if (panic->model == PANIC_MODEL_DEFAULT && is_x86)
                        panic->model = PANIC_ISA;
        LIST_FOREACH (shmem, definition->devices.shmems) {
                if (shmem->model == SHMEM_MODEL_ABSENT)
                        shmem->model = SHMEM_IVSHMEM;
                if (shmem->size_mib == 0 && shmem->model != SHMEM_IVSHMEM_DOORBELL)
                        shmem->size_mib = 4;
        }
        if (definition->devices.vsock && definition->devices.vsock->model == VIRTIO_MODEL_ABSENT)
                definition->devices.vsock->model = VIRTIO_MODEL_VIRTIO;
        if (!definition->devices.memballoon && board_family(definition) != BOARD_ISAPC) {
                definition->devices.memballoon = struct_new(&domain_memballoon_type);
                definition->devices.memballoon->model = MEMBALLOON_MODEL_VIRTIO;
        }
}

int complete_devices(DomainDefinition *definition, Error *error)
{
        LIST_FOREACH (disk, definition->devices.disks)
                complete_disk(definition, disk);
        sort_disks(definition);
        LIST_FOREACH (channel, definition->devices.channels)
                complete_channel(channel);
        LIST_FOREACH (interface, definition->devices.interfaces)
                complete_interface(definition, interface);
        LIST_FOREACH (input, definition->devices.inputs)
                complete_input(definition, input);
        if (!board_is_qemu(definition))
                return 0;

        if (board_is_x86(definition)) {
                ensure_input(definition, INPUT_TYPE_MOUSE);
                ensure_input(definition, INPUT_TYPE_KEYBOARD);
        }
        complete_small_devices(definition);
        complete_audio(definition);
        return complete_videos(definition, error);
}
