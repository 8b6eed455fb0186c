/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How many virtual functions a card has may change at any time: /sys is asked for each guest. */

#include "drivers/network/pool.h"
#include "drivers/host/describe.h"
#include "drivers/host/given.h"
#include "drivers/host/virtual-function.h"

#define NETWORK_DEVICES "/sys/class/net"
#define NAMED_MAX       8u /* in an error */

int pool_check(const NetworkDefinition *definition, Error *error)
{
        const NetworkForward *forward = definition->forward;

        if (forward->driver != FORWARD_DRIVER_DEFAULT && forward->driver != FORWARD_DRIVER_VFIO)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "network '%s': <forward>: the driver '%s' does not exist, 'vfio' does",
                                 definition->name, forward_driver_to_string(forward->driver));
        if (forward->interfaces.count > 0 || (!forward->pf && forward->addresses.count == 0))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "network '%s': mode 'hostdev' needs a <pf dev='...'>, whose virtual "
                                 "functions are given to guests, or an <address type='pci'> of each",
                                 definition->name);
        return 0;
}

/* Of char *; the caller unrefs the array. */
static int list(const NetworkDefinition *definition, GPtrArray **ret_names, Error *error)
{
        GPtrArray *names;

        if (definition->forward->pf)
                return virtual_function_list(NETWORK_DEVICES, definition->forward->pf->dev, ret_names,
                                             error);
        names = g_ptr_array_new_with_free_func(g_free);
        LIST_FOREACH (address, definition->forward->addresses)
                g_ptr_array_add(names, device_address_to_string(address));
        *ret_names = names;
        return 0;
}

static int fail_exhausted(const VirtualNetwork *network, const GPtrArray *names, Error *error)
{
        const Driver *driver = network->network.object.driver;
        _cleanup_(string_builder_freep) GString *users = g_string_new(NULL);

        for (unsigned i = 0; i < MIN(names->len, NAMED_MAX); i++) {
                const char *name = names->pdata[i];
                const Domain *domain = given_find(driver, name);

                g_string_append_printf(users, domain ? "%s%s by machine '%s'" : "%s%s by an earlier run",
                                       i > 0 ? ", " : "", name, domain ? domain->object.name : NULL);
        }
        if (names->len > NAMED_MAX)
                g_string_append(users, " ...");
        return error_set(error, ERROR_OPERATION_FAILED, "All devices of the network '%s' are in use: %s",
                         network->live->name, users->str);
}

int pool_choose(const VirtualNetwork *network, DeviceAddress *ret_device, Error *error)
{
        const Driver *driver = network->network.object.driver;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *names = NULL;
        const char *chosen = NULL, *leaving = NULL;
        int r = list(network->live, &names, error);

        if (r < 0)
                return r;
        for (unsigned i = 0; !chosen && i < names->len; i++) {
                if (given_is_free(driver, names->pdata[i]))
                        chosen = names->pdata[i];
                else if (given_is_leaving(driver, names->pdata[i]))
                        leaving = names->pdata[i];
        }
        if (!chosen)
                chosen = leaving;
        if (!chosen)
                return fail_exhausted(network, names, error);
        return describe_read_address(chosen, ret_device)
                       ? 0
                       : error_set(error, ERROR_INTERNAL, "%s is no PCI device", chosen);
}
