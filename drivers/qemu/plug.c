/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/plug.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/network/macvtap.h"
#include "drivers/network/ports.h"
#include "drivers/network/shaper.h"
#include "drivers/network/tap.h"
#include "drivers/nwfilter/ports.h"
#include "drivers/qemu/passt.h"
#include <sys/socket.h>
#include <unistd.h>

#define SHAPER_TIMEOUT_USEC (5 * G_USEC_PER_SEC)

/* Whoever may plug a machine into the host's networks could be anybody there. */
static int check_owner(const Domain *domain, const DomainInterface *interface, Error *error)
{
        const Config *config = domain->object.driver->config;
        bool is_there = interface->type == INTERFACE_TYPE_ETHERNET && interface->target_managed == NO;

        if (geteuid() != 0 && is_there)
                return 0; /* the kernel knows who may use it */
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

static void note_port(const Domain *domain, const DomainInterface *interface, bool is_isolated,
                      const char *lower)
{
        NetworkPort *port;

        if (interface->type != INTERFACE_TYPE_NETWORK)
                return;
        port = g_new0(NetworkPort, 1);
        port->domain = g_strdup(domain->object.path);
        port->alias = g_strdup(interface->info.alias ? interface->info.alias : "");
        port->mac = g_strdup(interface->mac);
        port->device = g_strdup(interface->target ? interface->target : "");
        port->lower = g_strdup(lower);
        port->is_isolated = is_isolated;
        networks_add_port(domain->object.driver, interface->source_network, domain->object.owner, port);
}

static int find_place(const Domain *domain, const DomainInterface *interface, PortPlace *place,
                      Error *error) AWAITS
{
        int r = 0;

        if (interface->type == INTERFACE_TYPE_NETWORK)
                r = networks_find_place(domain->object.driver, interface->source_network,
                                        interface->source_portgroup, domain->object.owner, place, error);
        else if (interface->type == INTERFACE_TYPE_BRIDGE)
                place->bridge = g_strdup(interface->source_bridge);
        else if (interface->type == INTERFACE_TYPE_DIRECT)
                *place = (PortPlace){ .device = g_strdup(interface->source_dev),
                                      .mode = interface->source_mode };
        place->is_isolated = place->is_isolated || interface->port_isolated == YES;
        return r;
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

/* A tap is filtered before it is a part of any network. */
static int open_tap(Domain *domain, const DomainInterface *interface, const PortPlace *place,
                    const PassedTap *tap, int *fds, char **ret_name, Error *error) AWAITS
{
        bool is_there = interface->type == INTERFACE_TYPE_ETHERNET && interface->target_managed == NO;
        TapOptions options = { .name = interface->target,
                               .mac = interface->mac,
                               .mtu = interface->mtu,
                               .is_isolated = place->is_isolated,
                               .has_header = tap->has_header,
                               .is_there = is_there };
        int r;

        if (is_there && !interface->target)
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "An interface of type 'ethernet' that is not managed needs <target dev='...'>");
        r = tap_open(&options, fds, tap->n_queues, ret_name, error);
        if (r < 0 || is_there)
                return r;
        r = filter(domain, interface, *ret_name, error);
        if (r < 0)
                return r;
        if (interface->bandwidth)
                r = shaper_set(*ret_name, interface->bandwidth, deadline_after_usec(SHAPER_TIMEOUT_USEC),
                               error);
        if (r < 0)
                return r;
        options.name = *ret_name;
        options.bridge = place->bridge;
        return tap_plug(&options, error);
}

/* Of a run; the caller frees. */
static char *tag_of(const DomainDefinition *live)
{
        return g_strdup_printf("%s:%d", live->uuid, live->id);
}

static int open_macvtap(const DomainDefinition *live, const DomainInterface *interface,
                        const PortPlace *place, const PassedTap *tap, int *fds, char **ret_name,
                        Error *error) AWAITS
{
        _cleanup_(freep) char *tag = tag_of(live);
        const MacvtapOptions options = { .name = interface->target,
                                         .lower = place->device,
                                         .mac = interface->mac,
                                         .tag = tag,
                                         .mode = place->mode,
                                         .mtu = interface->mtu,
                                         .has_header = tap->has_header };

        return macvtap_open(&options, fds, tap->n_queues, ret_name, error);
}

static int plug(Domain *domain, DomainDefinition *live, const PassedTap *tap, const RunUser *user, int *fds,
                Error *error) AWAITS
{
        DomainInterface *interface = live->devices.interfaces.items[tap->index];
        _cleanup_(port_place_clear) PortPlace place = {};
        _cleanup_(freep) char *name = NULL;
        int r;

        if (interface->type == INTERFACE_TYPE_USER)
                return passt_start(domain, interface, user, fds, error);
        r = check_owner(domain, interface, error);
        if (r >= 0)
                r = find_place(domain, interface, &place, error);
        if (r >= 0 && interface->filter && !place.bridge)
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED,
                              "Interface %s is not on a bridge: network filters have no effect there",
                              interface->mac);
        if (r >= 0 && interface->bandwidth && place.device)
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED,
                              "Interface %s is not on a bridge: its bandwidth cannot be limited",
                              interface->mac);
        if (r < 0)
                return r;
        r = place.device ? open_macvtap(live, interface, &place, tap, fds, &name, error)
                         : open_tap(domain, interface, &place, tap, fds, &name, error);
        if (r < 0)
                return r;
        g_free(interface->target);
        interface->target = TAKE_PTR(name);
        note_port(domain, interface, place.is_isolated, place.device);
        return 0;
}

int plug_interfaces(Domain *domain, DomainDefinition *live, const CommandLine *line, const RunUser *user,
                    int *fds, unsigned first_fd, Error *error)
{
        for (unsigned i = 0; i < line->taps->len; i++) {
                const PassedTap *tap = line->taps->pdata[i];
                int r = plug(domain, live, tap, user, fds + (tap->fd - first_fd), error);

                if (r < 0)
                        return r;
        }
        return 0;
}

void plug_again(Domain *domain)
{
        _cleanup_(domain_definition_freep) DomainDefinition *live = domain_definition_copy(domain->live);

        LIST_FOREACH (interface, live->devices.interfaces) {
                _cleanup_(freep) char *lower = NULL;

                if (interface->type == INTERFACE_TYPE_NETWORK && interface->target)
                        lower = macvtap_lower(interface->target); /* a tap has none */
                if (domain->live)
                        note_port(domain, interface, interface->port_isolated == YES, lower);
        }
}

static bool runs(const char *tag, void *data)
{
        const Driver *driver = data;
        _cleanup_(strvp) char **parts = g_strsplit(tag, ":", 2);
        const Domain *domain =
                parts[0] ? (Domain *)object_table_by_uuid(driver->objects, OBJECT_DOMAIN, parts[0]) : NULL;
        const DomainDefinition *running = NULL;

        if (domain)
                running = domain->live ? domain->live : machine_of(domain)->pending;
        return running && parts[1] && running->id == (int)g_ascii_strtoll(parts[1], NULL, 10);
}

static void sweep_fiber(void *data)
{
        Driver *driver = data;
        _cleanup_(error_clear) Error error = {};

        if (macvtap_sweep(runs, driver, &error) < 0)
                log_warning(driver->object.path, "devices of machines that have ended may be left: %s",
                            error.message);
}

void plug_sweep(Driver *driver)
{
        if (geteuid() != 0)
                return; /* it makes none */
        if (fiber_start("macvtap-sweep", sweep_fiber, driver) < 0)
                log_warning(driver->object.path, "devices of machines that have ended may be left");
}

static bool has_macvtap(const DomainDefinition *live)
{
        LIST_FOREACH (interface, live->devices.interfaces) {
                if (interface->type == INTERFACE_TYPE_DIRECT || interface->type == INTERFACE_TYPE_NETWORK)
                        return true;
        }
        return false;
}

void plug_ended(Driver *driver, const DomainDefinition *definition)
{
        if (definition && has_macvtap(definition))
                plug_sweep(driver);
}

void plug_removed(Domain *domain, const DomainInterface *interface)
{
        Driver *driver = domain->object.driver;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(freep) char *tag = NULL;

        if (!interface->target || !domain->live)
                return; /* it was not plugged into anything */
        networks_remove_ports(driver, domain->object.path, interface->target);
        filter_ports_close(driver, &domain->object, interface->target);
        if (interface->type != INTERFACE_TYPE_DIRECT && interface->type != INTERFACE_TYPE_NETWORK)
                return; /* a tap goes with its descriptor */
        tag = tag_of(domain->live);
        if (macvtap_remove(interface->target, tag, &error) < 0)
                log_warning(domain->object.path, "device %s is left: %s", interface->target, error.message);
}
