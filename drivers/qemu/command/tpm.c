/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <tpm>: one of the host, one that somebody else runs, or one that swtpm emulates for this machine alone
 * (helpers.c). */

#include "drivers/qemu/command/device.h"
#include <string.h>

static int driver_name(const CommandLine *line, const DomainTpm *tpm, const char **ret_driver, Error *error)
{
        bool is_x86 = machine_is_x86(line->definition);

        if (tpm->model == TPM_CRB && is_x86)
                *ret_driver = "tpm-crb";
        else if (tpm->model == TPM_TIS || tpm->model == TPM_MODEL_DEFAULT)
                *ret_driver = is_x86 ? "tpm-tis" : "tpm-tis-device";
        else if ((tpm->model == TPM_SPAPR || tpm->model == TPM_SPAPR_PROXY) && !is_x86)
                *ret_driver = tpm_model_to_string(tpm->model);
        else
                return device_unsupported(error, "This machine has no <tpm> of model '%s'",
                                          tpm_model_to_string(tpm->model));
        return 0;
}

/* Where the kernel takes the order to give up what a TPM is doing. */
static char *cancel_path(const char *device)
{
        _cleanup_(freep) char *name = g_path_get_basename(device);

        return g_strdup_printf("/sys/class/tpm/%s/device/cancel", name);
}

static void add_passthrough(CommandLine *line, const DomainTpm *tpm, const char *id)
{
        const char *device = tpm->device ? tpm->device : "/dev/tpm0";
        _cleanup_(freep) char *cancel = cancel_path(device), *path = command_device_file(line, device),
                              *cancel_file = command_file(line, cancel, true, false);
        _cleanup_(freep) char *escaped = command_escape(path);

        command_add_option(line, "-tpmdev", "passthrough,id=%s,path=%s,cancel-path=%s", id, escaped,
                           cancel_file);
}

static int add_emulator(CommandLine *line, const DomainTpm *tpm, const char *id, Error *error)
{
        _cleanup_(freep) char *path = NULL;

        if (tpm->backend == TPM_EXTERNAL && !tpm->source_path)
                return error_set(error, ERROR_INVALID_XML, "An external <tpm> needs the path of its socket");
        if (tpm->backend == TPM_EXTERNAL) {
                path = command_escape(tpm->source_path);
                command_add_option(line, "-chardev", "socket,id=chrtpm,path=%s", path);
        } else
                command_helper(line, HELPER_TPM, 0, "chrtpm", tpm->info.alias);
        command_add_option(line, "-tpmdev", "emulator,id=%s,chardev=chrtpm", id);
        return 0;
}

int command_tpm(CommandLine *line, const DomainTpm *tpm, Error *error)
{
        _cleanup_(freep) char *id = g_strdup_printf("tpm-%s", tpm->info.alias);
        _cleanup_(json_decrefp) json_t *device = NULL;
        const char *driver = NULL;
        int r;

        r = driver_name(line, tpm, &driver, error);
        if (r < 0)
                return r;
        if (tpm->backend == TPM_PASSTHROUGH)
                add_passthrough(line, tpm, id);
        else
                r = add_emulator(line, tpm, id, error);
        if (r < 0)
                return r;
        device = device_new(driver, &tpm->info);
        if (tpm->model == TPM_SPAPR_PROXY)
                json_set_string(device, "host-path", tpm->device);
        else
                json_set_string(device, "tpmdev", id);
        r = device_set_info(line, device, &tpm->info, error);
        return r < 0 ? r : device_add(line, TAKE_PTR(device), error);
}
