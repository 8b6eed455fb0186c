/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <launchSecurity>: memory that the host cannot read. */

#include "drivers/qemu/command/device.h"
#include "drivers/qemu/command/machine.h"

static int check(const CommandLine *line, const LaunchSecurity *security, Error *error)
{
        if (security->type != LAUNCH_SEV)
                return device_unsupported(error, "This machine has no <launchSecurity type='%s'>",
                                          launch_security_type_to_string(security->type));
        if (!security->has_cbitpos || !security->has_reduced_phys_bits)
                return error_set(error, ERROR_INVALID_XML,
                                 "<launchSecurity type='sev'> needs <cbitpos> and <reducedPhysBits>");
        if (line->host.runs && (security->dh_cert || security->session))
                return device_unsupported(error, "The QEMU driver has no <dhCert> and <session> of "
                                                 "<launchSecurity>");
        return 0;
}

int command_security(CommandLine *line, GString *machine_options, Error *error)
{
        const LaunchSecurity *security = line->definition->launch_security;
        _cleanup_(freep) char *certificate = g_build_filename(line->host.folder, "dh_cert.base64", NULL),
                              *session = g_build_filename(line->host.folder, "session.base64", NULL);
        json_t *object;
        int r = security ? check(line, security, error) : 0;

        if (!security || r < 0)
                return r;
        object = json_pack("{s:s, s:s, s:I, s:I, s:I}", "qom-type", "sev-guest", "id", "lsec0", "cbitpos",
                           (json_int_t)security->cbitpos, "reduced-phys-bits",
                           (json_int_t)security->reduced_phys_bits, "policy", (json_int_t)security->policy);
        if (security->dh_cert)
                json_set_string(object, "dh-cert-file", certificate);
        if (security->session)
                json_set_string(object, "session-file", session);
        if (security->kernel_hashes != YES_NO_ABSENT)
                json_set_bool(object, "kernel-hashes", security->kernel_hashes == YES);
        command_add_json(line, "-object", object);
        g_string_append(machine_options, ",confidential-guest-support=lsec0");
        return 0;
}
