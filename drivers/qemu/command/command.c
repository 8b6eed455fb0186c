/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a definition to QEMU's arguments. Called by the start of a machine, and by whoever wants to see the
 * line without starting. The order matters where QEMU needs something to exist before it is named: backends
 * before what uses them, controllers before what sits on them. Everything else keeps the order of the
 * definition, so that the same definition always gives the same line. */

#include "drivers/qemu/command/command.h"
#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"

#define ADD_EACH(list, add)                                                                                 \
        LIST_FOREACH (item, list) {                                                                         \
                int r = add(line, item, error);                                                             \
                                                                                                            \
                if (r < 0)                                                                                  \
                        return r;                                                                           \
        }

/* What QEMU is told in confidence (command_secret()) is encrypted with this, so that neither its arguments
 * nor what is recorded of the monitor tell it to others. */
static void add_master_key(CommandLine *line)
{
        _cleanup_(freep) char *path = g_build_filename(line->host.folder, MASTER_KEY_FILE, NULL);

        command_add_json(line, "-object",
                         json_pack("{s:s, s:s, s:s, s:s}", "qom-type", "secret", "id", MASTER_KEY_ID,
                                   "format", "raw", "file", path));
}

static void add_identity(CommandLine *line)
{
        const DomainDefinition *definition = line->definition;
        _cleanup_(freep) char *name = command_escape(definition->name);

        command_add(line, line->host.binary);
        command_add_option(line, "-name", "guest=%s,debug-threads=on", name);
        command_add(line, "-S");
        command_add(line, "-no-user-config");
        command_add(line, "-nodefaults");
        command_add_option(line, "-msg", "timestamp=on");
        command_add_option(line, "-sandbox",
                           "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
        command_add_option(line, "-uuid", "%s", definition->hwuuid ? definition->hwuuid : definition->uuid);
}

static void add_monitor(CommandLine *line)
{
        _cleanup_(freep) char *path = g_strdup_printf("%s/monitor.sock", line->host.folder);

        command_add_option(line, "-chardev", "socket,id=charmonitor,fd=%u,server=on,wait=off",
                           command_socket(line, path));
        command_add_option(line, "-mon", "chardev=charmonitor,id=monitor,mode=control");
}

/* A screen that no <graphics> shows is not shown by QEMU's own choice either. */
static void add_display(CommandLine *line)
{
        LIST_FOREACH (graphics, line->definition->devices.graphics) {
                if (graphics->type == GRAPHICS_TYPE_EGL_HEADLESS || graphics->type == GRAPHICS_TYPE_DBUS ||
                    graphics->type == GRAPHICS_TYPE_SDL)
                        return; /* says what -display is */
        }
        command_add_option(line, "-display", "none");
}

/* What QEMU does by itself. Starting anew is the daemon's work: the process is gone, or waits. */
static int add_actions(CommandLine *line, Error *error)
{
        const DomainDefinition *definition = line->definition;

        if (definition->on_poweroff == LIFECYCLE_PRESERVE)
                command_add_option(line, "-action", "shutdown=pause");
        if (definition->on_reboot == LIFECYCLE_DESTROY)
                command_add_option(line, "-action", "reboot=shutdown");
        else if (definition->on_reboot == LIFECYCLE_PRESERVE)
                return device_unsupported(error, "The QEMU driver has no <on_reboot>preserve</on_reboot>");
        switch (definition->on_crash) {
        case LIFECYCLE_PRESERVE:
        case LIFECYCLE_RESTART:
        case LIFECYCLE_RENAME_RESTART:
                command_add_option(line, "-action", "panic=pause");
                return 0;
        case LIFECYCLE_COREDUMP_DESTROY:
        case LIFECYCLE_COREDUMP_RESTART:
                return device_unsupported(error, "The QEMU driver has no <on_crash>%s</on_crash>",
                                          lifecycle_action_to_string(definition->on_crash));
        default:
                command_add_option(line, "-action", "panic=shutdown");
                return 0;
        }
}

static void add_sleep_states(CommandLine *line)
{
        const DomainDefinition *definition = line->definition;
        const char *chip = machine_is_q35(definition) ? "ICH9-LPC" : "PIIX4_PM";

        if (!machine_is_x86(definition))
                return;
        if (definition->suspend_to_mem != YES_NO_ABSENT)
                command_add_option(line, "-global", "%s.disable_s3=%u", chip,
                                   definition->suspend_to_mem == NO);
        if (definition->suspend_to_disk != YES_NO_ABSENT)
                command_add_option(line, "-global", "%s.disable_s4=%u", chip,
                                   definition->suspend_to_disk == NO);
}

static int add_machine(CommandLine *line, Error *error)
{
        _cleanup_(string_builder_freep) GString *options = g_string_new(NULL);
        int r;

        r = command_firmware(line, options, error);
        if (r >= 0)
                r = command_memory(line, options, error);
        if (r >= 0)
                r = command_security(line, options, error);
        if (r >= 0)
                r = command_machine(line, options->str, error);
        if (r >= 0)
                r = command_cpu(line, error);
        if (r >= 0)
                r = command_vcpus(line, error);
        if (r >= 0)
                r = command_clock(line, error);
        if (r >= 0)
                r = command_sysinfo(line, error);
        if (r >= 0)
                r = command_boot(line, error);
        if (r < 0)
                return r;
        add_sleep_states(line);
        return add_actions(line, error);
}

/* PCI first, which others sit on, each bus after the one that it hangs from; companions after their master.
 */
static int controller_compare(const void *a, const void *b)
{
        const DomainController *left = *(DomainController *const *)a, *right = *(DomainController *const *)b;
        bool left_is_pci = left->type == CONTROLLER_TYPE_PCI,
             right_is_pci = right->type == CONTROLLER_TYPE_PCI;

        if (left_is_pci != right_is_pci)
                return left_is_pci ? -1 : 1;
        if (left_is_pci && left->index != right->index)
                return left->index < right->index ? -1 : 1;
        return (int)left->info.has_master - (int)right->info.has_master;
}

static int add_controllers(CommandLine *line, Error *error)
{
        g_autoptr(GPtrArray) sorted = g_ptr_array_new();

        LIST_FOREACH (controller, line->definition->devices.controllers)
                g_ptr_array_add(sorted, controller);
        g_ptr_array_sort(sorted, controller_compare);
        for (unsigned i = 0; i < sorted->len; i++) {
                int r = command_controller(line, g_ptr_array_index(sorted, i), error);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Devices that are no elements of <devices>. */
static int add_hidden_devices(CommandLine *line, Error *error)
{
        const DomainDefinition *definition = line->definition;
        json_t *device;

        if (definition->has_genid) {
                const char *guid = definition->genid[0] ? definition->genid : "auto";
                int r;

                device = json_pack("{s:s, s:s, s:s}", "driver", "vmgenid", "id", "vmgenid0", "guid", guid);
                r = device_add(line, device, error);
                if (r < 0)
                        return r;
        }
        if (definition->features.vmcoreinfo != ON)
                return 0;
        return device_add(line, json_pack("{s:s}", "driver", "vmcoreinfo"), error);
}

static int add_videos(CommandLine *line, Error *error)
{
        const DomainDevices *devices = &line->definition->devices;
        const DomainVideo *first = NULL;

        LIST_FOREACH (video, devices->videos) {
                if (!first || video->primary == YES)
                        first = video;
        }
        LIST_FOREACH (video, devices->videos) {
                int r = command_video(line, video, video == first, error);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_devices(CommandLine *line, Error *error)
{
        const DomainDevices *devices = &line->definition->devices;
        int result;

        ADD_EACH(devices->iommus, command_iommu); /* before what it stands between */
        result = add_controllers(line, error);
        if (result < 0)
                return result;
        ADD_EACH(devices->memories, command_memory_device);
        ADD_EACH(devices->hubs, command_hub);
        ADD_EACH(devices->disks, command_disk);
        ADD_EACH(devices->filesystems, command_filesystem);
        ADD_EACH(devices->interfaces, command_interface);
        ADD_EACH(devices->smartcards, command_smartcard);
        ADD_EACH(devices->serials, command_serial);
        ADD_EACH(devices->parallels, command_parallel);
        ADD_EACH(devices->channels, command_channel);
        ADD_EACH(devices->consoles, command_console);
        ADD_EACH(devices->tpms, command_tpm);
        ADD_EACH(devices->inputs, command_input);
        ADD_EACH(devices->audios, command_audio);
        ADD_EACH(devices->graphics, command_graphics);
        result = add_videos(line, error);
        if (result < 0)
                return result;
        ADD_EACH(devices->sounds, command_sound);
        ADD_EACH(devices->watchdogs, command_watchdog);
        ADD_EACH(devices->redirdevs, command_redirdev);
        ADD_EACH(devices->hostdevs, command_hostdev);
        ADD_EACH(devices->shmems, command_shmem);
        ADD_EACH(devices->rngs, command_rng);
        ADD_EACH(devices->cryptos, command_crypto);
        ADD_EACH(devices->panics, command_panic);
        if (devices->memballoon)
                result = command_memballoon(line, devices->memballoon, error);
        if (result >= 0 && devices->vsock)
                result = command_vsock(line, devices->vsock, error);
        return result < 0 ? result : add_hidden_devices(line, error);
}

static int add_deprecation(CommandLine *line, Error *error)
{
        const char *behavior = line->definition->deprecation_behavior;

        if (!behavior || g_strcmp0(behavior, "none") == 0)
                return 0;
        if (g_strcmp0(behavior, "omit") == 0)
                command_add_option(line, "-compat", "deprecated-output=hide");
        else if (g_strcmp0(behavior, "reject") == 0)
                command_add_option(line, "-compat", "deprecated-output=hide,deprecated-input=reject");
        else if (g_strcmp0(behavior, "crash") == 0)
                command_add_option(line, "-compat", "deprecated-output=hide,deprecated-input=crash");
        else
                return device_unsupported(error, "There is no <qemu:deprecation behavior='%s'>", behavior);
        return 0;
}

/* What the definition wants as it is, after all the rest. */
static void add_verbatim(CommandLine *line)
{
        const DomainCommandline *verbatim = line->definition->commandline;

        if (!verbatim)
                return;
        LIST_FOREACH (argument, verbatim->arguments)
                command_add(line, argument->value ? argument->value : "");
        LIST_FOREACH (variable, verbatim->environment)
                g_ptr_array_add(line->environment, g_strdup_printf("%s=%s", variable->name,
                                                                   variable->value ? variable->value : ""));
}

int command_build(CommandLine *line, Error *error)
{
        int r;

        r = command_check(line->definition, error);
        if (r >= 0 && line->host.runs)
                r = command_check_run(line->definition, error);
        if (r < 0)
                return r;
        add_identity(line);
        add_master_key(line);
        add_monitor(line);
        add_display(line);
        r = add_machine(line, error);
        if (r >= 0)
                r = add_devices(line, error);
        if (r >= 0)
                r = add_deprecation(line, error);
        if (r < 0)
                return r;
        add_verbatim(line);
        return 0;
}
