/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <filesystem>: a folder of the host that the guest sees by 9p or virtiofs, and <iommu>, <vsock>. */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/memory-backend.h"

static int check(const DomainFilesystem *filesystem, Error *error)
{
        if (filesystem->type != FILESYSTEM_MOUNT && filesystem->type != FILESYSTEM_TYPE_ABSENT)
                return device_unsupported(error, "The QEMU driver has no <filesystem> of type '%s'",
                                          filesystem_type_to_string(filesystem->type));
        if (filesystem->driver != FILESYSTEM_DRIVER_DEFAULT && filesystem->driver != FILESYSTEM_DRIVER_PATH)
                return device_unsupported(error, "QEMU has no driver '%s' of <filesystem>",
                                          filesystem_driver_to_string(filesystem->driver));
        if (!filesystem->source_dir || !g_path_is_absolute(filesystem->source_dir))
                return error_set(error, ERROR_INVALID_XML,
                                 "The source of <filesystem> is no absolute path: %s",
                                 filesystem->source_dir ? filesystem->source_dir : "");
        return 0;
}

/* How the guest's owners and modes are kept on the host. */
static const char *security_model(FilesystemAccess access)
{
        switch (access) {
        case FILESYSTEM_MAPPED:
                return "mapped";
        case FILESYSTEM_SQUASH:
                return "none";
        default:
                return "passthrough";
        }
}

static void add_folder(CommandLine *line, const DomainFilesystem *filesystem, const char *id)
{
        _cleanup_(freep) char *path = command_escape(filesystem->source_dir);
        _cleanup_(string_builder_freep) GString *text = g_string_new("local");

        g_string_append_printf(text, ",security_model=%s", security_model(filesystem->access));
        if (filesystem->wrpolicy == FILESYSTEM_IMMEDIATE)
                g_string_append(text, ",writeout=immediate");
        if (filesystem->multidevs != FILESYSTEM_MULTIDEVS_DEFAULT)
                g_string_append_printf(text, ",multidevs=%s",
                                       filesystem_multidevs_to_string(filesystem->multidevs));
        if (filesystem->has_fmode)
                g_string_append_printf(text, ",fmode=%04o", filesystem->fmode);
        if (filesystem->has_dmode)
                g_string_append_printf(text, ",dmode=%04o", filesystem->dmode);
        g_string_append_printf(text, ",id=%s,path=%s", id, path);
        if (filesystem->readonly)
                g_string_append(text, ",readonly=on");
        command_add_option(line, "-fsdev", "%s", text->str);
}

static unsigned position(const CommandLine *line, const DomainFilesystem *filesystem)
{
        unsigned i = 0;

        LIST_FOREACH (other, line->definition->devices.filesystems) {
                if (other == filesystem)
                        break;
                i++;
        }
        return i;
}

/* A process of the host serves it, and reads the guest's memory itself: virtiofsd, started with the machine
 * or already there. */
static int add_virtiofs(CommandLine *line, const DomainFilesystem *filesystem, Error *error)
{
        _cleanup_(freep) char *id = g_strdup_printf("chr-vu-%s", filesystem->info.alias), *path = NULL;
        _cleanup_(freep) char *driver =
                device_virtio_driver("vhost-user-fs", &filesystem->info, VIRTIO_MODEL_VIRTIO);
        _cleanup_(json_decrefp) json_t *device = device_new(driver, &filesystem->info);
        int r;

        if (!memory_is_shared(line->definition))
                return error_set(error, ERROR_INVALID_XML,
                                 "<filesystem> '%s' with driver virtiofs needs memory that can be shared: "
                                 "<memoryBacking> with <access mode='shared'/>",
                                 filesystem->target);
        if (filesystem->source_socket) {
                path = command_escape(filesystem->source_socket);
                command_add_option(line, "-chardev", "socket,id=%s,path=%s", id, path);
        } else
                command_helper(line, HELPER_FILESYSTEM, position(line, filesystem), id,
                               filesystem->info.alias);
        json_set_string(device, "chardev", id);
        json_set_string(device, "tag", filesystem->target);
        json_set_number(device, "queue-size", filesystem->queue_size);
        device_set_virtio(device, &filesystem->virtio);
        r = device_set_info(line, device, &filesystem->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

static int add_9p(CommandLine *line, const DomainFilesystem *filesystem, Error *error)
{
        _cleanup_(freep) char *id = g_strdup_printf("fsdev-%s", filesystem->info.alias);
        _cleanup_(freep) char *driver =
                device_virtio_driver("virtio-9p", &filesystem->info, filesystem->model);
        _cleanup_(json_decrefp) json_t *device = device_new(driver, &filesystem->info);
        int r;

        r = check(filesystem, error);
        if (r < 0)
                return r;
        add_folder(line, filesystem, id);
        json_set_string(device, "fsdev", id);
        json_set_string(device, "mount_tag", filesystem->target);
        device_set_virtio(device, &filesystem->virtio);
        r = device_set_info(line, device, &filesystem->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}

int command_filesystem(CommandLine *line, const DomainFilesystem *filesystem, Error *error)
{
        if (!filesystem->target)
                return error_set(error, ERROR_INVALID_XML, "A <filesystem> needs a <target>");
        return filesystem->driver == FILESYSTEM_DRIVER_VIRTIOFS ? add_virtiofs(line, filesystem, error)
                                                                : add_9p(line, filesystem, error);
}

int command_iommu(CommandLine *line, const DomainIommu *iommu, Error *error)
{
        _cleanup_(json_decrefp) json_t *device = NULL;
        int r;

        if (iommu->model == IOMMU_SMMUV3 || iommu->model == IOMMU_MODEL_ABSENT)
                return device_unsupported(error, "This machine has no <iommu> of model '%s'",
                                          iommu_model_to_string(iommu->model));
        if (!machine_is_q35(line->definition))
                return device_unsupported(error, "An <iommu> needs a machine of type q35");
        device = device_new(iommu->model == IOMMU_INTEL ? "intel-iommu" : "virtio-iommu", &iommu->info);
        if (iommu->model == IOMMU_INTEL) {
                json_set_on_off_word(device, "intremap", iommu->intremap);
                json_set_on_off(device, "caching-mode", iommu->caching_mode);
                json_set_on_off_word(device, "eim", iommu->eim);
                json_set_on_off(device, "device-iotlb", iommu->iotlb);
                json_set_number(device, "aw-bits", iommu->aw_bits);
                return device_add(line, TAKE_PTR(device), error);
        }
        r = device_set_info(line, device, &iommu->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}
