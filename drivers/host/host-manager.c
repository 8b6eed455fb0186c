/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who manages a device: the first that says that it does. */

#include "drivers/host/host-manager.h"
#include <string.h>

#define NAME_LETTERS G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_.-"

const HostManager *const host_managers[] = { &network_manager, &networkd_manager, &ifupdown_manager, NULL };

int host_manager_find(const Driver *driver, const char *device, bool has_device, uint64_t deadline_usec,
                      const HostManager **ret_manager, Error *error)
{
        int r = 0;

        *ret_manager = NULL;
        for (unsigned i = 0; host_managers[i] && r == 0; i++) {
                r = host_managers[i]->manages(driver, device, has_device, deadline_usec, error);
                if (r > 0)
                        *ret_manager = host_managers[i];
        }
        return MIN(r, 0);
}

const HostManager *host_manager_by_name(const char *name)
{
        for (unsigned i = 0; host_managers[i]; i++)
                if (strcmp(host_managers[i]->name, name) == 0)
                        return host_managers[i];
        return NULL;
}

static int check_name(const char *name, Error *error)
{
        return name[0] != '-' && name[strspn(name, NAME_LETTERS)] == '\0'
                       ? 0
                       : error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                   "interface '%s': letters, digits, '_', '.' and '-' (not the first) are "
                                   "what names in the configuration of the host's network are made of",
                                   name);
}

int host_manager_check_names(const HostInterfaceDefinition *definition, Error *error)
{
        int r = check_name(definition->name, error);

        if (r >= 0 && definition->type == HOST_INTERFACE_VLAN)
                r = check_name(definition->vlan.device, error);
        LIST_FOREACH (member, definition->bridge.members) {
                if (r >= 0)
                        r = host_manager_check_names(member, error);
        }
        LIST_FOREACH (member, definition->bond.members) {
                if (r >= 0)
                        r = host_manager_check_names(member, error);
        }
        return r;
}
