/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* At the start learn.c pulls those out that the definition wants so. */

#include "drivers/qemu/link.h"
#include "drivers/qemu/status.h"
#include <string.h>

static DomainInterface *find(const Domain *domain, const char *alias)
{
        LIST_FOREACH (interface, domain->live->devices.interfaces) {
                if (g_strcmp0(interface->info.alias, alias) == 0)
                        return interface;
        }
        return NULL;
}

int qemu_domain_set_link(Call *call, Domain *domain, const char *alias, bool is_up, Error *error)
{
        uint64_t deadline_usec = MIN(call->deadline_usec, deadline_after_usec(QMP_TIMEOUT_USEC));
        DomainInterface *interface;
        int r = machine_check_monitor(domain, error);

        if (r >= 0 && !find(domain, alias))
                r = error_set(error, ERROR_NO_DEVICE, "The %s has no network interface with alias '%s'",
                              object_describe(&domain->object), alias);
        if (r >= 0)
                r = qmp_call(machine_of(domain)->qmp, "set_link",
                             json_pack("{s:s, s:b}", "name", alias, "up", is_up), deadline_usec, NULL,
                             error);
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        interface = find(domain, alias);
        if (interface)
                interface->link = is_up ? LINK_UP : LINK_DOWN;
        return status_save(domain, error);
}
