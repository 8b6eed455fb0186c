/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/plug.h"
#include "core/log.h"
#include "drivers/network/ports.h"
#include "drivers/network/tap.h"
#include "drivers/nwfilter/ports.h"
#include <sys/socket.h>
#include <unistd.h>

/* Whoever may plug a machine into the host's networks could be anybody there. */
static int check_owner(const Domain *domain, const DomainInterface *interface, Error *error)
{
        const Config *config = domain->object.driver->config;

        if (geteuid() != 0)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "An interface of type '%s' needs the daemon of the system: machines of a "
                                 "session use interfaces of type 'user'",
                                 interface_type_to_string(interface->type));
        if (config->is_system && domain->object.owner != 0)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "Only machines of root and of members of group libvirt have interfaces of type "
                        "'%s'; others use type 'user'",
                        interface_type_to_string(interface->type));
        return 0;
}

static void note_port(const Domain *domain, const DomainInterface *interface, bool is_isolated)
{
        NetworkPort *port;

        if (interface->type != INTERFACE_TYPE_NETWORK)
                return;
        port = g_new0(NetworkPort, 1);
        port->domain = g_strdup(domain->object.path);
        port->alias = g_strdup(interface->info.alias ? interface->info.alias : "");
        port->mac = g_strdup(interface->mac);
        port->device = g_strdup(interface->target ? interface->target : "");
        port->is_isolated = is_isolated;
        networks_add_port(domain->object.driver, interface->source_network, domain->object.owner, port);
}

static FilterPortOptions filter_options(Domain *domain, const DomainInterface *interface, const char *device,
                                        const GPtrArray *leases)
{
        return (FilterPortOptions){ .device = device,
                                    .mac = interface->mac,
                                    .reference = interface->filter,
                                    .machine = &domain->object,
                                    .leases = leases };
}

/* Before the device is a part of any network. */
static int filter(Domain *domain, const DomainInterface *interface, const char *device, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *leases = NULL;

        if (!interface->filter)
                return 0;
        leases = networks_find_leases(domain->object.driver, interface->source_network, domain->object.owner,
                                      interface->source_bridge, interface->mac);
        const FilterPortOptions options = filter_options(domain, interface, device, leases);

        return filter_port_open(domain->object.driver, &options, error);
}

void plug_resume(Domain *domain)
{
        LIST_FOREACH (interface, domain->live->devices.interfaces) {
                const FilterPortOptions options = filter_options(domain, interface, interface->target, NULL);
                _cleanup_(error_clear) Error error = {};

                if (interface->filter && interface->target &&
                    filter_port_resume(domain->object.driver, &options, &error) < 0)
                        log_warning(domain->object.path, "device %s is not filtered: %s", interface->target,
                                    error.message);
        }
}

static int plug(Domain *domain, const PassedTap *tap, int *fds, Error *error) AWAITS
{
        DomainInterface *interface = machine_of(domain)->pending->devices.interfaces.items[tap->index];
        _cleanup_(freep) char *bridge = NULL, *name = NULL;
        bool is_isolated = interface->port_isolated == YES;
        int r = check_owner(domain, interface, error);

        if (r >= 0 && interface->type == INTERFACE_TYPE_NETWORK)
                r = networks_bridge_for_port(domain->object.driver, interface->source_network,
                                             interface->source_portgroup, domain->object.owner, &bridge,
                                             &is_isolated, error);
        else if (r >= 0)
                bridge = g_strdup(interface->source_bridge);
        if (r < 0)
                return r;
        TapOptions options = { .name = interface->target,
                               .mac = interface->mac,
                               .mtu = interface->mtu,
                               .is_isolated = is_isolated,
                               .has_header = tap->has_header };

        r = tap_open(&options, fds, tap->n_queues, &name, error);
        if (r >= 0)
                r = filter(domain, interface, name, error);
        if (r < 0)
                return r;
        options.name = name;
        options.bridge = bridge;
        r = tap_plug(&options, error);
        if (r < 0)
                return r;
        g_free(interface->target);
        interface->target = TAKE_PTR(name);
        note_port(domain, interface, is_isolated);
        return 0;
}

int plug_interfaces(Domain *domain, const CommandLine *line, int *fds, unsigned first_fd, Error *error)
{
        for (unsigned i = 0; i < line->taps->len; i++) {
                const PassedTap *tap = line->taps->pdata[i];
                int r = plug(domain, tap, fds + (tap->fd - first_fd), error);

                if (r < 0)
                        return r;
        }
        return 0;
}

void plug_again(Domain *domain)
{
        LIST_FOREACH (interface, domain->live->devices.interfaces)
                note_port(domain, interface, interface->port_isolated == YES);
}
