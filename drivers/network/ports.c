/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Interfaces of machines on networks. A port stays with its network while that is down: active_start() plugs
 * its device in again. */

#include "drivers/network/ports.h"
#include "core/log.h"
#include "drivers/network/tap.h"
#include <string.h>

static const PortGroup *find_port_group(const NetworkDefinition *definition, const char *name)
{
        LIST_FOREACH (group, definition->port_groups) {
                if (name ? strcmp(group->name, name) == 0 : group->is_default == YES)
                        return group;
        }
        return NULL;
}

static int check_port(const NetworkDefinition *definition, const char *portgroup, Error *error)
{
        const PortGroup *group = find_port_group(definition, portgroup);

        if (portgroup && !group)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "The network '%s' has no portgroup '%s'",
                                 definition->name, portgroup);
        if (definition->vlan || definition->virtualport ||
            (group && (group->vlan || group->virtualport || group->bandwidth)))
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The network '%s' has VLANs, virtual ports or limits of bandwidth, which "
                                 "interfaces do not support yet",
                                 definition->name);
        if (network_forward_mode(definition) == FORWARD_HOSTDEV)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The network '%s' gives whole devices of the host to guests, which is not "
                                 "supported yet",
                                 definition->name);
        if (!definition->bridge.name && definition->forward->interfaces.count == 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "The network '%s' has neither a bridge nor an <interface dev='...'> in its "
                                 "<forward>",
                                 definition->name);
        return 0;
}

void port_place_clear(PortPlace *place)
{
        g_free(place->bridge);
        g_free(place->device);
        *place = (PortPlace){};
}

static unsigned count_on(const Network *network, const char *device)
{
        unsigned count = 0;

        for (unsigned i = 0; i < network->ports->len; i++)
                if (g_strcmp0(((NetworkPort *)network->ports->pdata[i])->lower, device) == 0)
                        count++;
        return count;
}

static int choose_device(const VirtualNetwork *network, PortPlace *place, Error *error)
{
        static const MacvtapMode modes[] = {
                [FORWARD_BRIDGE] = MACVTAP_BRIDGE,
                [FORWARD_PRIVATE] = MACVTAP_PRIVATE,
                [FORWARD_VEPA] = MACVTAP_VEPA,
                [FORWARD_PASSTHROUGH] = MACVTAP_PASSTHROUGH,
        };
        ForwardMode mode = network_forward_mode(network->live);
        unsigned fewest = UINT_MAX;
        const char *device = NULL;

        LIST_FOREACH (interface, network->live->forward->interfaces) {
                unsigned count = count_on(&network->network, interface->dev);

                if (count >= fewest || (mode == FORWARD_PASSTHROUGH && count > 0))
                        continue;
                fewest = count;
                device = interface->dev;
        }
        if (!device)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "All devices of the network '%s' have a guest already, and in mode "
                                 "passthrough each has one",
                                 network->live->name);
        place->device = g_strdup(device);
        place->mode = modes[mode];
        return 0;
}

int networks_find_place(Driver *driver, const char *name, const char *portgroup, uid_t owner,
                        PortPlace *ret_place, Error *error)
{
        Object *found = object_table_owned(driver->objects, OBJECT_NETWORK, name, owner);
        _cleanup_(object_unrefp) Object *object = found ? object_ref(found) : NULL;
        _cleanup_(job_releasep) Job *job = NULL;
        VirtualNetwork *network = (VirtualNetwork *)object;
        PortPlace place = {};
        int r;

        if (!object)
                return error_set(error, ERROR_NO_NETWORK,
                                 "Network not found: no network with matching name '%s'", name);
        r = job_take(object->jobs, JOB_START, "start for a machine", 0, DEADLINE_NEVER, &job, error);
        if (r >= 0 && object->is_gone)
                r = error_set(error, ERROR_NO_NETWORK, "The network '%s' was just removed", name);
        if (r >= 0)
                r = check_port(network->live ? network->live : network->definition, portgroup, error);
        if (r >= 0 && !network->network.is_active) {
                r = active_start(network, network->definition, error);
                if (r >= 0)
                        active_announce(&network->network, EVENT_STARTED);
        }
        if (r >= 0 && !network->live->bridge.name)
                r = choose_device(network, &place, error);
        if (r < 0)
                return r;
        place.bridge = g_strdup(network->live->bridge.name);
        place.is_isolated = network->live->port_isolated == YES;
        *ret_place = place;
        return 0;
}

void networks_add_port(Driver *driver, const char *name, uid_t owner, NetworkPort *port)
{
        Network *network = (Network *)object_table_owned(driver->objects, OBJECT_NETWORK, name, owner);
        NetworkPort *owned = port;

        if (network)
                network_put_port(network, owned);
        else
                network_port_free(owned);
}

void networks_remove_ports(Driver *driver, const char *domain, const char *device)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *networks = NULL;

        if (!driver->networks)
                return; /* the daemon ends, the machines do not */
        networks = object_table_list(driver->objects, OBJECT_NETWORK);
        for (unsigned i = 0; i < networks->len; i++)
                (void)network_remove_ports(networks->pdata[i], domain, device); /* most have none of it */
}

GPtrArray *networks_find_leases(Driver *driver, const char *name, uid_t owner, const char *bridge,
                                const char *mac)
{
        const Object *named = name ? object_table_owned(driver->objects, OBJECT_NETWORK, name, owner) : NULL;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *networks =
                object_table_list(driver->objects, OBJECT_NETWORK);
        GPtrArray *found = g_ptr_array_new();

        for (unsigned i = 0; i < networks->len; i++) {
                const Network *network = networks->pdata[i];
                _cleanup_(g_ptr_array_unrefp) GPtrArray *leases = NULL;

                if (network->object.owner != owner ||
                    (&network->object != named && (!bridge || g_strcmp0(network->bridge, bridge) != 0)))
                        continue;
                leases = network_list_leases(network);
                for (unsigned k = 0; k < leases->len; k++)
                        if (g_ascii_strcasecmp(((NetworkLease *)leases->pdata[k])->mac, mac) == 0)
                                g_ptr_array_add(found, leases->pdata[k]);
        }
        return found;
}
