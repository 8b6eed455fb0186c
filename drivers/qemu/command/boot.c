/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the guest boots: a kernel given directly, or the devices in their order. QEMU knows only orders of
 * single devices, so <boot dev='hd'/> means the first disk, and so on. */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"

static const DeviceInfo *first_disk(const DomainDefinition *definition, BootDevice boot)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                bool is_cdrom = disk->device == DISK_DEVICE_CDROM,
                     is_floppy = disk->device == DISK_DEVICE_FLOPPY;

                if (boot == BOOT_DEVICE_CDROM ? is_cdrom
                    : boot == BOOT_DEVICE_FD  ? is_floppy
                                              : !is_cdrom && !is_floppy)
                        return &disk->info;
        }
        return NULL;
}

static const DeviceInfo *first_device(const DomainDefinition *definition, BootDevice boot)
{
        if (boot != BOOT_DEVICE_NETWORK)
                return first_disk(definition, boot);
        return definition->devices.interfaces.count > 0 ? &definition->devices.interfaces.items[0]->info
                                                        : NULL;
}

static bool has_order(const DomainDefinition *definition)
{
        LIST_FOREACH (disk, definition->devices.disks) {
                if (disk->info.boot_order > 0)
                        return true;
        }
        LIST_FOREACH (interface, definition->devices.interfaces) {
                if (interface->info.boot_order > 0)
                        return true;
        }
        LIST_FOREACH (hostdev, definition->devices.hostdevs) {
                if (hostdev->info.boot_order > 0)
                        return true;
        }
        LIST_FOREACH (redirdev, definition->devices.redirdevs) {
                if (redirdev->info.boot_order > 0)
                        return true;
        }
        return false;
}

static int find_boots(CommandLine *line, Error *error)
{
        /* A definition that says nothing means its first disk. */
        if (line->definition->os.boots.count == 0 && !has_order(line->definition))
                line->boots[line->n_boots++] = first_device(line->definition, BOOT_DEVICE_HD);
        LIST_FOREACH (boot, line->definition->os.boots) {
                if (line->n_boots == BOOT_DEVICES_MAX)
                        return error_set(error, ERROR_INVALID_XML, "<os> names more than %u boot devices",
                                         BOOT_DEVICES_MAX);
                line->boots[line->n_boots++] = first_device(line->definition, boot->device);
        }
        return 0;
}

static void add_file(CommandLine *line, const char *option, const char *path)
{
        _cleanup_(freep) char *file = NULL;

        if (!path)
                return;
        file = command_whole_file(line, path);
        command_add(line, option);
        command_add(line, file);
}

static int add_kernel(CommandLine *line, Error *error)
{
        const DomainOs *os = &line->definition->os;
        const char *const paths[] = { os->kernel, os->initrd, os->dtb };

        if (os->shim)
                return device_unsupported(error, "The QEMU driver has no <shim>");
        if (!os->kernel && (os->initrd || os->cmdline))
                return error_set(error, ERROR_INVALID_XML, "<initrd> and <cmdline> need a <kernel>");
        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
                if (paths[i] && !g_path_is_absolute(paths[i]))
                        return error_set(error, ERROR_INVALID_XML,
                                         "What the machine boots is no absolute path: %s", paths[i]);
        }
        add_file(line, "-kernel", os->kernel);
        add_file(line, "-initrd", os->initrd);
        add_file(line, "-dtb", os->dtb);
        if (os->cmdline) {
                command_add(line, "-append");
                command_add(line, os->cmdline);
        }
        return 0;
}

int command_boot(CommandLine *line, Error *error)
{
        const DomainOs *os = &line->definition->os;
        _cleanup_(string_builder_freep) GString *text = g_string_new("strict=on");
        int r;

        r = find_boots(line, error);
        if (r < 0)
                return r;
        if (os->bootmenu != YES_NO_ABSENT)
                g_string_append_printf(text, ",menu=%s", os->bootmenu == YES ? "on" : "off");
        if (os->has_bootmenu_timeout)
                g_string_append_printf(text, ",splash-time=%u", os->bootmenu_timeout_msec);
        if (os->has_reboot_timeout)
                g_string_append_printf(text, ",reboot-timeout=%d", os->reboot_timeout_msec);
        command_add_option(line, "-boot", "%s", text->str);
        return add_kernel(line, error);
}
