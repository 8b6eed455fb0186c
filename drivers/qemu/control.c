/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/control.h"

/* virDomainControlState, virDomainControlErrorReason. */
enum {
        CONTROL_OK = 0,
        CONTROL_OCCUPIED = 2,
        CONTROL_ERROR = 3,
        CAUSE_NONE = 0,
        CAUSE_MONITOR = 2,
};

/* A QEMU that answers does so at once. */
#define OCCUPIED_USEC (100 * 1000)

int qemu_domain_get_control_info(Call *call, Domain *domain, uint32_t flags, GVariant **ret_info,
                                 Error *error)
{
        uint32_t state = CONTROL_OK, cause = CAUSE_NONE;
        uint64_t since_usec = 0;
        int r = error_check_flags(error, "GetControlInfo", flags, 0);

        (void)call;
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        if (machine_check_monitor(domain, NULL) < 0) {
                state = CONTROL_ERROR;
                cause = CAUSE_MONITOR;
        } else {
                since_usec = qmp_waiting_usec(machine_of(domain)->qmp);
                state = since_usec >= OCCUPIED_USEC ? CONTROL_OCCUPIED : CONTROL_OK;
        }
        *ret_info = g_variant_ref_sink(g_variant_new("(uut)", state, cause, since_usec / 1000));
        return 0;
}

int qemu_domain_get_security_label_list(Call *call, Domain *domain, GVariant **ret_labels, Error *error)
{
        (void)call, (void)domain, (void)error;
        /* Machines are separated by their users' rights alone (NodeGetSecurityModel). */
        *ret_labels = g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(sb)"), NULL, 0));
        return 0;
}

int qemu_domain_pm_wakeup(Call *call, Domain *domain, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "PMWakeup", flags, 0);

        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0 && domain->state != DOMAIN_STATE_PMSUSPENDED)
                r = error_set(error, ERROR_OPERATION_INVALID, "The guest of the %s does not sleep",
                              object_describe(&domain->object));
        if (r >= 0)
                r = machine_check_monitor(domain, error);
        if (r < 0)
                return r;
        _cleanup_(machine_actp) Machine *acting = machine_act(domain, call->job);
        return qmp_call(acting->qmp, "system_wakeup", NULL,
                        MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC)), NULL, error);
}
