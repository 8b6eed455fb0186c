/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Interfaces of machines on networks. A port stays with its network while that is down: active_start() plugs
 * its device in again. */

#include "drivers/network/ports.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/network/pool.h"
#include "drivers/network/shaper.h"
#include "drivers/network/shares.h"
#include "drivers/network/tap.h"
#include <string.h>

/* The caller unrefs; NULL: it is gone. */
static Object *hold(const Driver *driver, const char *name, uid_t owner)
{
        Object *found = object_table_owned(driver->objects, OBJECT_NETWORK, name, owner);

        return found ? object_ref(found) : NULL;
}

static int check_port(const NetworkDefinition *definition, const char *portgroup, Error *error)
{
        const PortGroup *group = network_find_port_group(definition, portgroup);

        if (portgroup && !group)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED, "The network '%s' has no portgroup '%s'",
                                 definition->name, portgroup);
        if (definition->virtualport || (group && group->virtualport))
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The network '%s' has virtual ports, which interfaces do not support yet",
                                 definition->name);
        if (network_forward_mode(definition) == FORWARD_HOSTDEV)
                return pool_check(definition, error);
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
        (void)struct_free(&device_address_type, place->function);
        struct_free(&bandwidth_type, place->bandwidth);
        struct_free(&vlan_type, place->vlan);
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

/* What is kept for a guest has to be left over. */
static int find_limits(const VirtualNetwork *network, const DomainInterface *interface, PortPlace *place,
                       Error *error)
{
        const Bandwidth *limits =
                shares_limits(network->live, interface->source_portgroup, interface->bandwidth);
        int r = shares_check(network, network->live, limits, NULL, NULL, error);

        if (r >= 0 && limits)
                place->bandwidth = struct_copy(&bandwidth_type, limits);
        return r;
}

static int find_vlan(const NetworkDefinition *definition, const DomainInterface *interface, PortPlace *place,
                     Error *error)
{
        const Vlan *vlan = network_find_vlan(definition, interface->source_portgroup, interface->vlan);

        if (vlan && !definition->bridge.name && network_forward_mode(definition) != FORWARD_HOSTDEV)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "The network '%s' is a device of the host: interface %s can have a <vlan> on "
                        "a bridge only",
                        definition->name, interface->mac);
        place->vlan = vlan ? struct_copy(&vlan_type, vlan) : NULL;
        return 0;
}

static int choose_function(const VirtualNetwork *network, PortPlace *place, Error *error)
{
        DeviceAddress device;
        int r = pool_choose(network, &device, error);

        if (r < 0)
                return r;
        place->function = struct_copy(&device_address_type, &device);
        place->is_managed = network->live->forward->managed == YES;
        return 0;
}

static int bring_up(VirtualNetwork *network, bool is_wanted, Error *error) AWAITS
{
        int r;

        if (!is_wanted)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The network '%s' is down, and was not to be brought up",
                                 network->network.object.name);
        r = active_start(network, network->definition, error);
        if (r >= 0)
                active_announce(&network->network, EVENT_STARTED);
        return r;
}

int networks_find_place(Driver *driver, const DomainInterface *interface, uid_t owner, bool brings_up,
                        PortPlace *ret_place, Error *error)
{
        const char *name = interface->source_network;
        _cleanup_(object_unrefp) Object *object = hold(driver, name, owner);
        _cleanup_(job_releasep) Job *job = NULL;
        VirtualNetwork *network = (VirtualNetwork *)object;
        _cleanup_(port_place_clear) PortPlace place = {};
        int r;

        if (!object)
                return error_set(error, ERROR_NO_NETWORK,
                                 "Network not found: no network with matching name '%s'", name);
        r = job_take(object->jobs, JOB_START, "start for a machine", (uid_t)-1, DEADLINE_NEVER, &job, error);
        if (r >= 0 && object->is_gone)
                r = error_set(error, ERROR_NO_NETWORK, "The network '%s' was just removed", name);
        if (r >= 0)
                r = check_port(network->live ? network->live : network->definition,
                               interface->source_portgroup, error);
        if (r >= 0 && !network->network.is_active)
                r = bring_up(network, brings_up, error);
        if (r >= 0)
                r = find_limits(network, interface, &place, error);
        if (r >= 0)
                r = find_vlan(network->live, interface, &place, error);
        if (r >= 0 && network_forward_mode(network->live) == FORWARD_HOSTDEV)
                r = choose_function(network, &place, error);
        else if (r >= 0 && !network->live->bridge.name)
                r = choose_device(network, &place, error);
        if (r < 0 && job)
                job_set_error(job, error);
        if (r < 0)
                return r;
        place.bridge = g_strdup(network->live->bridge.name);
        place.is_isolated = network->live->port_isolated == YES;
        *ret_place = place;
        place = (PortPlace){};
        return 0;
}

bool networks_is_pool(Driver *driver, const char *name, uid_t owner)
{
        const VirtualNetwork *network =
                (VirtualNetwork *)object_table_owned(driver->objects, OBJECT_NETWORK, name, owner);

        return network &&
               network_forward_mode(network->live ? network->live : network->definition) == FORWARD_HOSTDEV;
}

static NetworkPort *find_port(const Network *network, const char *domain, const char *device)
{
        for (unsigned i = 0; i < network->ports->len; i++) {
                NetworkPort *port = network->ports->pdata[i];

                if (strcmp(port->domain, domain) == 0 && strcmp(port->device, device) == 0)
                        return port;
        }
        return NULL;
}

/* Whether something of the network's is kept for it. */
static bool has_share(const VirtualNetwork *network, const NetworkPort *port)
{
        const Bandwidth *limits =
                network->live ? shares_limits(network->live, port->portgroup, port->bandwidth) : NULL;

        return limits && limits->inbound && limits->inbound->has_floor;
}

int networks_add_port(Driver *driver, const char *name, uid_t owner, NetworkPort *port, Error *error)
{
        _cleanup_(object_unrefp) Object *object = hold(driver, name, owner);
        VirtualNetwork *network = (VirtualNetwork *)object;
        _cleanup_(freep) char *domain = g_strdup(port->domain), *device = g_strdup(port->device);
        _cleanup_(job_releasep) Job *job = NULL;
        int r;

        if (!network) {
                network_port_free(port);
                return 0;
        }
        if (!has_share(network, port)) {
                network_put_port(&network->network, port);
                return 0;
        }
        r = shares_check(network, network->live,
                         shares_limits(network->live, port->portgroup, port->bandwidth), domain, device,
                         error);
        if (r < 0) {
                network_port_free(port);
                return r;
        }
        network_put_port(&network->network, port);
        r = job_take(object->jobs, JOB_MODIFY, "bandwidth of a machine", (uid_t)-1, DEADLINE_NEVER, &job,
                     error);
        if (r >= 0 && network->live)
                r = shares_set(network, error);
        if (r < 0 && job)
                job_set_error(job, error);
        if (r < 0)
                (void)network_remove_ports(&network->network, domain, device); /* it may have gone */
        return r;
}

/* The kernel follows what the port has now. */
static int set_limits(VirtualNetwork *network, const NetworkPort *port, bool has_changed_share,
                      Error *error) AWAITS
{
        const Bandwidth *limits = network->live
                                          ? shares_limits(network->live, port->portgroup, port->bandwidth)
                                          : port->bandwidth;
        Bandwidth *copy = limits ? struct_copy(&bandwidth_type, limits) : NULL;
        _cleanup_(freep) char *device = g_strdup(port->device);
        int r = shaper_set(&(ShaperOptions){ .device = device,
                                             .bandwidth = copy,
                                             .is_guests_end = port->lower != NULL },
                           error);

        struct_free(&bandwidth_type, copy);
        if (r >= 0 && has_changed_share && network->live)
                r = shares_set(network, error);
        return r;
}

static bool is_settled(const VirtualNetwork *network, const NetworkPort *port, const PortPlace *place)
{
        const NetworkDefinition *live = network->live;

        return !live || !port ||
               (struct_is_same(&bandwidth_type, place->bandwidth,
                               shares_limits(live, port->portgroup, port->bandwidth)) &&
                (port->lower || struct_is_same(&vlan_type, place->vlan,
                                               network_find_vlan(live, port->portgroup, port->vlan))));
}

static int set_vlan(const VirtualNetwork *network, const NetworkPort *port, Error *error) AWAITS
{
        const Vlan *vlan = network_find_vlan(network->live, port->portgroup, port->vlan);
        Vlan *copy = vlan ? struct_copy(&vlan_type, vlan) : NULL;
        _cleanup_(freep) char *device = g_strdup(port->device), *mac = g_strdup(port->mac),
                              *bridge = g_strdup(network->live->bridge.name);
        int r = tap_plug(&(TapOptions){ .name = device,
                                        .mac = mac,
                                        .bridge = bridge,
                                        .is_isolated = port->is_isolated,
                                        .vlan = copy,
                                        .had_vlan = true },
                         error);

        struct_free(&vlan_type, copy);
        return r;
}

int networks_settle_port(Driver *driver, const char *name, uid_t owner, const char *domain,
                         const char *device, const PortPlace *place, Error *error)
{
        _cleanup_(object_unrefp) Object *object = hold(driver, name, owner);
        VirtualNetwork *network = (VirtualNetwork *)object;
        _cleanup_(job_releasep) Job *job = NULL;
        const NetworkPort *port;
        int r;

        if (!network || is_settled(network, find_port(&network->network, domain, device), place))
                return 0;
        r = job_take(object->jobs, JOB_MODIFY, "change of a machine's port", (uid_t)-1, DEADLINE_NEVER, &job,
                     error);
        if (r < 0)
                return r;
        port = find_port(&network->network, domain, device);
        if (is_settled(network, port, place))
                return 0;
        if (!port->lower)
                r = set_vlan(network, port, error);
        port = find_port(&network->network, domain, device);
        if (r >= 0 && port)
                r = set_limits(network, port, false, error);
        if (r < 0)
                job_set_error(job, error);
        return r;
}

static int change_port(VirtualNetwork *network, const char *domain, const char *device,
                       Bandwidth **bandwidth, bool is_checked, Error *error) AWAITS
{
        NetworkPort *port = find_port(&network->network, domain, device);
        const Bandwidth *limits;
        bool had_share;
        Bandwidth *old;
        int r = 0;

        if (!port)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The device '%s' is gone from the network '%s'", device,
                                 network->network.object.name);
        limits = network->live ? shares_limits(network->live, port->portgroup, *bandwidth) : NULL;
        if (network->live && is_checked)
                r = shares_check(network, network->live, limits, domain, device, error);
        if (r < 0)
                return r;
        had_share = has_share(network, port);
        old = port->bandwidth;
        port->bandwidth = *bandwidth;
        *bandwidth = old;
        return set_limits(network, port, had_share || has_share(network, port), error);
}

int networks_limit_port(Driver *driver, const char *name, uid_t owner, const char *domain,
                        const char *device, const Bandwidth *bandwidth, Error *error)
{
        _cleanup_(object_unrefp) Object *object = hold(driver, name, owner);
        VirtualNetwork *network = (VirtualNetwork *)object;
        _cleanup_(job_releasep) Job *job = NULL;
        Bandwidth *other = bandwidth ? struct_copy(&bandwidth_type, bandwidth) : NULL;
        int r = network ? job_take(object->jobs, JOB_MODIFY, "bandwidth of a machine", (uid_t)-1,
                                   DEADLINE_NEVER, &job, error)
                        : error_set(error, ERROR_NO_NETWORK, "The network '%s' is gone", name);

        if (r >= 0) {
                const NetworkPort *port = find_port(&network->network, domain, device);
                const Bandwidth *before = port ? port->bandwidth : NULL;

                r = change_port(network, domain, device, &other, true, error);
                if (r < 0 && other == before) /* it was changed: back */
                        (void)change_port(network, domain, device, &other, false, NULL);
                if (r < 0)
                        job_set_error(job, error);
        }
        struct_free(&bandwidth_type, other);
        return r;
}

void networks_show_port(const Driver *driver, uid_t owner, DomainInterface *interface)
{
        const VirtualNetwork *network =
                interface->type == INTERFACE_TYPE_NETWORK
                        ? (VirtualNetwork *)object_table_owned(driver->objects, OBJECT_NETWORK,
                                                               interface->source_network, owner)
                        : NULL;
        const Bandwidth *limits;
        const Vlan *vlan;

        if (!network || !network->live)
                return;
        limits = shares_limits(network->live, interface->source_portgroup, interface->bandwidth);
        vlan = network_find_vlan(network->live, interface->source_portgroup, interface->vlan);
        if (!interface->bandwidth && limits)
                interface->bandwidth = struct_copy(&bandwidth_type, limits);
        if (!interface->vlan && vlan)
                interface->vlan = struct_copy(&vlan_type, vlan);
}

/* What was kept for a guest that is gone is everybody's. */
static void release_fiber(void *data)
{
        _cleanup_(object_unrefp) Object *object = data;
        const VirtualNetwork *network = (VirtualNetwork *)object;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(job_releasep) Job *job = NULL;
        int r = job_take(object->jobs, JOB_MODIFY, "bandwidth of a machine", (uid_t)-1, DEADLINE_NEVER, &job,
                         &error);

        if (r >= 0 && network->live && network->network.is_active)
                r = shares_set(network, &error);
        if (r < 0 && job)
                job_set_error(job, &error);
        if (r < 0)
                log_warning(object->path, "bandwidth is kept for a machine that has ended: %s",
                            error.message);
}

static void release(VirtualNetwork *network)
{
        Object *object = object_ref(&network->network.object);

        if (fiber_start("bandwidth", release_fiber, object) < 0)
                object_unref(object);
}

void networks_remove_ports(Driver *driver, const char *domain, const char *device)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *networks = NULL;

        if (!driver->networks)
                return; /* the daemon ends, the machines do not */
        networks = object_table_list(driver->objects, OBJECT_NETWORK);
        for (unsigned i = 0; i < networks->len; i++) {
                VirtualNetwork *network = networks->pdata[i];
                bool had_share = false;

                for (unsigned k = 0; k < network->network.ports->len && !had_share; k++) {
                        const NetworkPort *port = network->network.ports->pdata[k];

                        had_share = strcmp(port->domain, domain) == 0 &&
                                    (!device || strcmp(port->device, device) == 0) &&
                                    has_share(network, port);
                }
                if (network_remove_ports(&network->network, domain, device) && had_share)
                        release(network);
        }
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
