/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The firmware, where the definition names its image, or one was chosen for it: one for -bios, or one in
 * flash memory with the machine's own variables beside it. Without any the board brings its BIOS. */

#include "drivers/qemu/command/blockdev.h"
#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"
#include <string.h>

/* Variables that another host serves are a disk as any other. */
static int add_remote_variables(CommandLine *line, const OsNvram *nvram, char **ret_node, Error *error)
{
        DomainDisk disk = {
                .type = nvram->type,
                .format = DISK_FORMAT_RAW,
                .source = *nvram->source,
                .target = (char *)"pflash1",
        };

        if (nvram->format && strcmp(nvram->format, "qcow2") == 0)
                disk.format = DISK_FORMAT_QCOW2;
        return blockdev_disk(line, &disk, ret_node, error);
}

static int add_variables(CommandLine *line, GString *machine_options, Error *error)
{
        const OsNvram *nvram = line->definition->os.nvram;
        _cleanup_(freep) char *node = NULL;
        const char *path;
        int r;

        if (!nvram)
                return 0;
        path = !nvram->source                   ? nvram->path
               : nvram->type == DISK_TYPE_BLOCK ? nvram->source->dev
                                                : nvram->source->file;
        if (nvram->type == DISK_TYPE_NETWORK && nvram->source)
                r = add_remote_variables(line, nvram, &node, error);
        else if (path)
                r = blockdev_flash(line, "pflash1", path, nvram->format, false, &node, error);
        else
                return error_set(error, ERROR_INVALID_XML, "<nvram> has no path");
        if (r < 0)
                return r;
        g_string_append_printf(machine_options, ",pflash1=%s", node);
        return 0;
}

static int add_flash(CommandLine *line, GString *machine_options, Error *error)
{
        const DomainOs *os = &line->definition->os;
        _cleanup_(freep) char *node = NULL;
        int r;

        r = blockdev_flash(line, "pflash0", os->loader, os->loader_format, os->loader_readonly != NO, &node,
                           error);
        if (r < 0)
                return r;
        g_string_append_printf(machine_options, ",pflash0=%s", node);
        if (os->loader_secure == YES) {
                if (line->definition->features.smm != ON)
                        return error_set(error, ERROR_INVALID_XML,
                                         "<loader secure='yes'> needs <smm state='on'/>");
                command_add_option(line, "-global", "driver=cfi.pflash01,property=secure,value=on");
        }
        return os->loader_stateless == YES ? 0 : add_variables(line, machine_options, error);
}

int command_firmware(CommandLine *line, GString *machine_options, Error *error)
{
        const DomainOs *os = &line->definition->os;
        _cleanup_(freep) char *path = NULL;

        if (!os->loader) {
                if (os->firmware == OS_FIRMWARE_EFI) /* firmware_prepare() names one */
                        return device_unsupported(error, "No EFI firmware was chosen");
                return 0;
        }
        if (line->host.runs && !g_path_is_absolute(os->loader))
                return error_set(error, ERROR_INVALID_XML, "<loader> is no absolute path: %s", os->loader);
        if (os->loader_type == LOADER_PFLASH)
                return add_flash(line, machine_options, error);
        if (os->loader_type == LOADER_NONE)
                return error_set(error, ERROR_INVALID_XML, "<loader type='none'> has no path");
        if (os->loader_secure == YES || os->nvram || os->loader_readonly == NO)
                return device_unsupported(error, "Firmware that is not in flash memory (<loader "
                                                 "type='pflash'>) is read-only and keeps nothing");
        path = command_whole_file(line, os->loader);
        command_add(line, "-bios");
        command_add(line, path);
        return 0;
}
