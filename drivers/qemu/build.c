/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What command/ has to be told of this host, gathered. */

#include "drivers/qemu/build.h"
#include "drivers/qemu/hostdevs.h"
#include "drivers/qemu/keep.h"
#include "drivers/qemu/launch.h"
#include "drivers/qemu/passt.h"
#include "drivers/qemu/prepare.h"
#include "drivers/qemu/variables.h"
#include "drivers/qemu/volume-disks.h"
#include <time.h>

/* What is decided before the line is built, in the order in which one thing needs the other. */
static int prepare(const Driver *driver, DomainDefinition *live, uid_t owner,
                   const QemuCapabilities *capabilities, const char *folder, bool runs,
                   const FirmwareVariables *variables, Error *error) AWAITS
{
        _cleanup_(freep) char *path = variables_path(driver, live);
        int r;

        r = prepare_machine_type(live, capabilities, error);
        if (r >= 0)
                r = firmware_prepare(live, path, variables, error);
        if (r >= 0)
                r = prepare_live(driver, live, folder, error);
        if (r >= 0 && runs)
                r = prepare_listens(driver, live, owner, error);
        if (r >= 0 && runs)
                r = hostdevs_prepare(live, error);
        if (r >= 0 && runs)
                r = prepare_vsock(live, error);
        if (r >= 0 && runs && live->type == DOMAIN_TYPE_KVM && !capabilities->has_kvm)
                r = error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "Domain '%s' is of type kvm, which this host cannot do: type qemu runs without KVM",
                        live->name);
        return r;
}

typedef int (*BuildFill)(CommandLine *line, const BuildDevices *devices, Error *error);

/* `runs` is what the host looks like to the line. */
static int build(const Driver *driver, DomainDefinition *live, uid_t owner, const char *folder,
                 const QemuCapabilities *capabilities, bool runs, const BuildDevices *devices,
                 BuildFill fill, CommandLine **ret_line, Error *error) AWAITS
{
        _cleanup_(freep) char *memory_folder = keep_path(driver, live->uuid, KEEP_RAM);
        _cleanup_(domain_definition_freep) DomainDefinition *resolved = NULL;
        _cleanup_(command_line_freep) CommandLine *line = NULL;
        char **nodes;
        int r = volume_disks_resolve(driver, live, owner, &resolved, error);

        if (r < 0)
                return r;
        nodes = hostdevs_find_nodes(live);
        const CommandHost host = {
                .binary = capabilities->binary,
                .folder = folder,
                .memory_folder = memory_folder,
                .scsi_nodes = (const char *const *)nodes,
                .passes_files = runs && launch_passes_files(driver, owner),
                .has_passt = passt_is_installed(),
                .runs = runs,
                .is_plugged = devices != NULL,
                .cpu_vendor = capabilities_cpu_vendor(qemu_driver(driver)->capabilities),
                .version = capabilities->version,
                .now_sec = time(NULL),
        };

        line = command_line_new(resolved ? resolved : live, &host);
        line->resolved = TAKE_PTR(resolved);
        r = fill(line, devices, error);
        hostdevs_free_nodes(nodes, live->devices.hostdevs.count);
        if (r < 0)
                return r;
        line->host = (CommandHost){}; /* borrowed, and not looked at any more */
        *ret_line = TAKE_PTR(line);
        return 0;
}

static int fill_all(CommandLine *line, const BuildDevices *devices _unused_, Error *error)
{
        return command_build(line, error);
}

static int fill_devices(CommandLine *line, const BuildDevices *devices, Error *error)
{
        int r = 0;

        line->next_fd = devices->first_fd;
        if (devices->medium_node)
                return command_medium(line, devices->items[0].position, devices->medium_node, error);
        for (unsigned i = 0; r >= 0 && i < devices->count; i++)
                r = command_device(line, devices->items[i].kind, devices->items[i].position, error);
        return r;
}

int build_line(const Driver *driver, DomainDefinition *live, uid_t owner, const char *folder, bool runs,
               const FirmwareVariables *variables, uint64_t deadline_usec, CommandLine **ret_line,
               Error *error)
{
        _cleanup_(freep) char *binary = prepare_emulator(driver, live);
        _cleanup_(capabilities_unrefp) QemuCapabilities *capabilities = NULL;
        int r = capabilities_wait(qemu_driver(driver)->capabilities, binary, owner, deadline_usec,
                                  &capabilities, error);

        if (r >= 0)
                r = prepare(driver, live, owner, capabilities, folder, runs, variables, error);
        return r < 0 ? r
                     : build(driver, live, owner, folder, capabilities, runs, NULL, fill_all, ret_line,
                             error);
}

int build_devices(const Driver *driver, DomainDefinition *live, uid_t owner, const char *folder,
                  const BuildDevices *devices, uint64_t deadline_usec, CommandLine **ret_line, Error *error)
{
        _cleanup_(freep) char *binary = prepare_emulator(driver, live);
        _cleanup_(capabilities_unrefp) QemuCapabilities *capabilities = NULL;
        int r = capabilities_wait(qemu_driver(driver)->capabilities, binary, owner, deadline_usec,
                                  &capabilities, error);

        if (r >= 0)
                r = prepare_live(driver, live, folder, error);
        for (unsigned i = 0; r >= 0 && !devices->medium_node && i < devices->count; i++)
                r = devices->items[i].kind == DEVICE_VSOCK
                            ? prepare_vsock(live, error)
                            : hostdevs_prepare_device(&devices->items[i], error);
        if (r >= 0 && devices->medium_node)
                live->devices.disks.items[devices->items[0].position]->source.index = devices->medium_number;
        return r < 0 ? r
                     : build(driver, live, owner, folder, capabilities, true, devices, fill_devices,
                             ret_line, error);
}
