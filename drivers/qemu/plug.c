/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/plug.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/host/given.h"
#include "drivers/network/host-lock.h"
#include "drivers/network/macvtap.h"
#include "drivers/network/ports.h"
#include "drivers/network/shaper.h"
#include "drivers/network/tap.h"
#include "drivers/network/vlans.h"
#include "drivers/nwfilter/ports.h"
#include "drivers/qemu/passt.h"
#include <sys/socket.h>
#include <unistd.h>

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
        return is_there ? 0 : host_lock_claim(config, error);
}

static int note_port(const Domain *domain, const DomainInterface *interface, bool is_isolated,
                     const char *lower, Error *error) AWAITS
{
        const DeviceAddress *function = interface_function(interface);
        NetworkPort *port;

        if (interface->type != INTERFACE_TYPE_NETWORK)
                return 0;
        port = g_new0(NetworkPort, 1);
        port->domain = g_strdup(domain->object.path);
        port->alias = g_strdup(interface->info.alias ? interface->info.alias : "");
        port->mac = g_strdup(interface->mac);
        port->device = function ? device_address_to_string(function)
                                : g_strdup(interface->target ? interface->target : "");
        port->lower = g_strdup(lower);
        port->portgroup = g_strdup(interface->source_portgroup);
        port->bandwidth = interface->bandwidth ? struct_copy(&bandwidth_type, interface->bandwidth) : NULL;
        port->vlan = interface->vlan ? struct_copy(&vlan_type, interface->vlan) : NULL;
        port->has_own_vlan = domain_interface_has_own_vlan(interface, domain->definition);
        port->is_isolated = is_isolated;
        return networks_add_port(domain->object.driver, interface->source_network, domain->object.owner,
                                 port, error);
}

/* It was plugged in as the place says, which may not be what the network says by now. */
static int settle_port(const Domain *domain, const DomainInterface *interface, const PortPlace *place,
                       Error *error) AWAITS
{
        if (interface->type != INTERFACE_TYPE_NETWORK)
                return 0;
        return networks_settle_port(domain->object.driver, interface->source_network, domain->object.owner,
                                    domain->object.path, interface->target, place, error);
}

static int find_place(const Domain *domain, const DomainInterface *interface, PortPlace *place,
                      Error *error) AWAITS
{
        int r = 0;

        if (interface->type == INTERFACE_TYPE_NETWORK)
                r = networks_find_place(domain->object.driver, interface, domain->object.owner,
                                        !machine_of(domain)->keeps_networks, place, error);
        else if (interface->type == INTERFACE_TYPE_BRIDGE)
                place->bridge = g_strdup(interface->source_bridge);
        else if (interface->type == INTERFACE_TYPE_DIRECT)
                *place = (PortPlace){ .device = g_strdup(interface->source_dev),
                                      .mode = interface->source_mode };
        if (interface->bandwidth && !place->bandwidth)
                place->bandwidth = struct_copy(&bandwidth_type, interface->bandwidth);
        if (interface->vlan && !place->vlan)
                place->vlan = struct_copy(&vlan_type, interface->vlan);
        place->is_isolated = place->is_isolated || interface->port_isolated == YES;
        return r;
}

/* While one is leaving another may become free, or this one another machine's: it is chosen anew then. */
static int find_free(const Domain *domain, const DomainInterface *interface, uint64_t deadline_usec,
                     PortPlace *place, Error *error) AWAITS
{
        const Driver *driver = domain->object.driver;
        int r;

        do {
                _cleanup_(freep) char *name = NULL;

                port_place_clear(place);
                r = find_place(domain, interface, place, error);
                name = r >= 0 && place->function ? device_address_to_string(place->function) : NULL;
                if (!name || !given_is_leaving(driver, name))
                        return r;
                r = given_wait(driver, name, deadline_usec, error);
        } while (r >= 0);
        return r;
}

int plug_choose_function(Domain *domain, DomainInterface *interface, uint64_t deadline_usec, Error *error)
{
        _cleanup_(port_place_clear) PortPlace place = {};
        _cleanup_(freep) char *name = NULL;
        int r;

        if (interface->type != INTERFACE_TYPE_NETWORK)
                return 0;
        interface->source_device = struct_free(&device_address_type, interface->source_device);
        interface->managed = YES_NO_ABSENT;
        if (!networks_is_pool(domain->object.driver, interface->source_network, domain->object.owner))
                return 0;
        r = check_owner(domain, interface, error);
        if (r >= 0)
                r = find_free(domain, interface, deadline_usec, &place, error);
        if (r < 0 || !place.function)
                return r;
        name = device_address_to_string(place.function);
        r = given_reserve(domain, name, deadline_usec, error);
        if (r < 0)
                return r;
        interface->source_device = TAKE_PTR(place.function);
        interface->managed = place.is_managed ? YES : NO;
        if (!interface->vlan)
                interface->vlan = TAKE_PTR(place.vlan);
        return 0;
}

int plug_choose_functions(Domain *domain, DomainDefinition *live, uint64_t deadline_usec, Error *error)
{
        LIST_FOREACH (interface, live->devices.interfaces) {
                int r = plug_choose_function(domain, interface, deadline_usec, error);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The networks count them among their guests. */
static int note_functions(const Domain *domain, const DomainDefinition *live, Error *error) AWAITS
{
        LIST_FOREACH (interface, live->devices.interfaces) {
                int r = interface_function(interface) ? note_port(domain, interface, false, NULL, error) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
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
                               .vlan = place->vlan,
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
        if (place->bandwidth)
                r = shaper_set(&(ShaperOptions){ .device = *ret_name, .bandwidth = place->bandwidth },
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
        int r;

        r = macvtap_open(&options, fds, tap->n_queues, ret_name, error);
        if (r < 0 || !place->bandwidth)
                return r;
        return shaper_set(&(ShaperOptions){ .device = *ret_name,
                                            .bandwidth = place->bandwidth,
                                            .is_guests_end = true },
                          error);
}

static int check_port(const DomainInterface *interface, Error *error)
{
        _cleanup_(freep) char *what = g_strdup_printf("interface %s", interface->mac);
        int r = shaper_check(interface->bandwidth, what, error);

        return r < 0 ? r : vlans_check(interface->vlan, what, error);
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
                r = check_port(interface, error);
        if (r >= 0)
                r = find_place(domain, interface, &place, error);
        if (r >= 0 && interface->filter && !place.bridge)
                r = error_set(error, ERROR_CONFIG_UNSUPPORTED,
                              "Interface %s is not on a bridge: network filters have no effect there",
                              interface->mac);
        if (r < 0)
                return r;
        r = place.device ? open_macvtap(live, interface, &place, tap, fds, &name, error)
                         : open_tap(domain, interface, &place, tap, fds, &name, error);
        if (name) { /* also of one that fails later: by it what was made is taken back */
                g_free(interface->target);
                interface->target = TAKE_PTR(name);
        }
        if (r < 0)
                return r;
        r = note_port(domain, interface, place.is_isolated, place.device, error);
        return r < 0 ? r : settle_port(domain, interface, &place, error);
}

static bool is_same_place(const DomainInterface *a, const DomainInterface *b)
{
        return a->type == b->type && a->port_isolated == b->port_isolated &&
               g_strcmp0(a->source_network, b->source_network) == 0 &&
               g_strcmp0(a->source_portgroup, b->source_portgroup) == 0 &&
               g_strcmp0(a->source_bridge, b->source_bridge) == 0 &&
               struct_is_same(&vlan_type, a->vlan, b->vlan);
}

static int check_function_change(const DomainInterface *was, const DomainInterface *is, Error *error)
{
        _cleanup_(freep) char *device = device_address_to_string(was->source_device);
        const char *what = was->link != is->link                              ? "<link>"
                           : !struct_is_same(&vlan_type, was->vlan, is->vlan) ? "<vlan>"
                           : !struct_is_same(&device_address_type, was->source_device, is->source_device)
                                   ? "<source>"
                                   : NULL;

        return what ? error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                "Interface %s is the virtual function %s of a card: its %s cannot change "
                                "while the machine runs",
                                was->mac, device, what)
                    : 0;
}

/* Only a tap on a bridge can go anywhere, and only to a bridge; or have filters and limits. */
static int check_change(const DomainInterface *was, const DomainInterface *is, Error *error)
{
        bool is_moved = !is_same_place(was, is);
        _cleanup_(freep) char *lower = was->target ? macvtap_lower(was->target) : NULL;
        bool is_tap = was->target && !lower && was->type != INTERFACE_TYPE_USER,
             is_bridged = is_tap && was->type != INTERFACE_TYPE_ETHERNET;
        int r = interface_function(was) ? check_function_change(was, is, error) : 0;

        if (r < 0)
                return r;
        if (!is_bridged && !struct_is_same(&vlan_type, was->vlan, is->vlan))
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "Interface %s is not on a bridge: it can have no <vlan>", was->mac);
        if (is_moved &&
            (!is_bridged || (is->type != INTERFACE_TYPE_NETWORK && is->type != INTERFACE_TYPE_BRIDGE)))
                return error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "Interface %s of type '%s' cannot get another source of type '%s' while the "
                        "machine runs: only interfaces on bridges go to another bridge",
                        was->mac, interface_type_to_string(was->type), interface_type_to_string(is->type));
        if (!is_bridged && !struct_is_same(&filter_reference_type, was->filter, is->filter))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Interface %s is not on a bridge: network filters have no effect there",
                                 was->mac);
        if (!is_tap && !lower && !struct_is_same(&bandwidth_type, was->bandwidth, is->bandwidth))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "Interface %s has no device on the host: its bandwidth cannot be limited",
                                 was->mac);
        return 0;
}

static void show_port(const Domain *domain, DomainInterface *interface)
{
        networks_show_port(domain->object.driver, domain->object.owner, interface);
        if (!interface_function(interface))
                return;
        interface->driver_name = INTERFACE_DRIVER_VFIO;
        if (interface->type != INTERFACE_TYPE_NETWORK)
                return;
        interface->type = INTERFACE_TYPE_HOSTDEV;
        g_clear_pointer(&interface->source_network, g_free);
        g_clear_pointer(&interface->source_portgroup, g_free);
}

void qemu_show_live(const Domain *domain, DomainDefinition *shown)
{
        LIST_FOREACH (interface, shown->devices.interfaces)
                show_port(domain, interface);
}

void plug_inherit(const Domain *domain, const DomainInterface *was, DomainInterface *is)
{
        if (!is->target)
                is->target = g_strdup(was->target);
        if (!interface_function(was))
                return;
        if (is->type == INTERFACE_TYPE_HOSTDEV && is->driver_name == INTERFACE_DRIVER_VFIO)
                is->driver_name = was->driver_name; /* as it is shown, and so is the type */
        if (was->type != INTERFACE_TYPE_NETWORK)
                return;
        if (is->type == INTERFACE_TYPE_HOSTDEV) {
                is->type = was->type;
                is->source_network = g_strdup(was->source_network);
                is->source_portgroup = g_strdup(was->source_portgroup);
        }
        if (!is->source_device)
                is->source_device = struct_copy(&device_address_type, was->source_device);
        if (is->managed == YES_NO_ABSENT)
                is->managed = was->managed;
        if (!is->vlan)
                networks_show_port(domain->object.driver, domain->object.owner, is);
}

void plug_forget_shown(const Domain *domain, const DomainInterface *was, DomainInterface *is)
{
        DomainInterface *shown = struct_copy(&domain_interface_type, was);

        networks_show_port(domain->object.driver, domain->object.owner, shown);
        if (!was->bandwidth && struct_is_same(&bandwidth_type, shown->bandwidth, is->bandwidth))
                is->bandwidth = struct_free(&bandwidth_type, is->bandwidth);
        if (!was->vlan && struct_is_same(&vlan_type, shown->vlan, is->vlan))
                is->vlan = struct_free(&vlan_type, is->vlan);
        (void)struct_free(&domain_interface_type, shown);
}

static DomainInterface *find(const DomainDefinition *definition, const char *target)
{
        LIST_FOREACH (interface, definition->devices.interfaces) {
                if (g_strcmp0(interface->target, target) == 0)
                        return interface;
        }
        return NULL;
}

int plug_limit(Domain *domain, const DomainInterface *interface, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *before = domain_definition_copy(domain->live);
        const DomainInterface *old = before ? find(before, interface->target) : NULL;
        ShaperOptions options = { .device = interface->target,
                                  .bandwidth = interface->bandwidth,
                                  .is_guests_end = interface->type == INTERFACE_TYPE_DIRECT };
        int r = geteuid() == 0 ? host_lock_claim(domain->object.driver->config, error) : 0;

        if (r < 0)
                return r;
        if (interface->type == INTERFACE_TYPE_NETWORK)
                return networks_limit_port(domain->object.driver, interface->source_network,
                                           domain->object.owner, domain->object.path, interface->target,
                                           interface->bandwidth, error);
        r = shaper_set(&options, error);
        if (r < 0 && old) {
                options.bandwidth = old->bandwidth;
                (void)shaper_set(&options, NULL); /* the device may be gone */
        }
        return r;
}

/* Plugs in what has a tap already, which may have been anywhere. */
static int plug_tap(const DomainInterface *interface, const PortPlace *place, Error *error) AWAITS
{
        const TapOptions options = { .name = interface->target,
                                     .mac = interface->mac,
                                     .mtu = interface->mtu,
                                     .bridge = place->bridge,
                                     .is_isolated = place->is_isolated,
                                     .was_isolated = true,
                                     .vlan = place->vlan,
                                     .had_vlan = true };

        return tap_plug(&options, error);
}

/* The port comes first, as the network may not have as much as is to be kept for it. */
static int move(Domain *domain, const DomainInterface *from, const DomainInterface *to,
                const PortPlace *place, Error *error) AWAITS
{
        Driver *driver = domain->object.driver;
        int r = shaper_set(&(ShaperOptions){ .device = to->target, .bandwidth = place->bandwidth }, error);

        if (r < 0)
                return r;
        networks_remove_ports(driver, domain->object.path, to->target);
        r = note_port(domain, to, place->is_isolated, NULL, error);
        if (r >= 0)
                r = plug_tap(to, place, error);
        if (r >= 0)
                r = settle_port(domain, to, place, error);
        if (r < 0) {
                networks_remove_ports(driver, domain->object.path, to->target);
                (void)note_port(domain, from, from->port_isolated == YES, NULL, NULL); /* it was there */
        }
        return r;
}

/* What filters comes before what it filters, and goes after it. `place` NULL: it stays where it is. */
static int change(Domain *domain, const DomainInterface *from, const DomainInterface *to,
                  const PortPlace *place, Error *error) AWAITS
{
        int r = 0;

        if (to->filter && (place || !struct_is_same(&filter_reference_type, from->filter, to->filter)))
                r = filter(domain, to, to->target, error);
        if (r >= 0 && !place && !struct_is_same(&bandwidth_type, from->bandwidth, to->bandwidth))
                r = plug_limit(domain, to, error);
        if (r >= 0 && place)
                r = move(domain, from, to, place, error);
        if (r < 0)
                return r;
        if (from->filter && !to->filter)
                filter_ports_close(domain->object.driver, &domain->object, to->target);
        return 0;
}

/* After a move that failed half-way. A network that was taken down under it stays down. */
static void put_back(Domain *domain, const DomainInterface *was) AWAITS
{
        const Network *network =
                was->type == INTERFACE_TYPE_NETWORK
                        ? (Network *)object_table_owned(domain->object.driver->objects, OBJECT_NETWORK,
                                                        was->source_network, domain->object.owner)
                        : NULL;
        _cleanup_(port_place_clear) PortPlace place = {};
        _cleanup_(error_clear) Error error = {};
        int r = 0;

        if (was->type != INTERFACE_TYPE_NETWORK || (network && network->is_active))
                r = find_place(domain, was, &place, &error);
        if (r >= 0 && place.bridge)
                r = plug_tap(was, &place, &error);
        if (r >= 0)
                r = plug_limit(domain, was, &error);
        if (r < 0)
                log_warning(domain->object.path, "interface %s is not as it was: %s", was->mac,
                            error.message);
}

static bool has_other_rules(const DomainInterface *a, const DomainInterface *b)
{
        return !struct_is_same(&filter_reference_type, a->filter, b->filter) ||
               !struct_is_same(&bandwidth_type, a->bandwidth, b->bandwidth);
}

int plug_change(Domain *domain, const DomainInterface *was, const DomainInterface *is, Error *error)
{
        _cleanup_(port_place_clear) PortPlace place = {};
        bool is_moved = !is_same_place(was, is);
        int r = check_change(was, is, error);

        if (r >= 0)
                r = check_port(is, error);
        if (r >= 0 && geteuid() == 0 && (is_moved || has_other_rules(was, is)))
                r = host_lock_claim(domain->object.driver->config, error);
        if (r >= 0 && is_moved)
                r = find_place(domain, is, &place, error);
        if (r >= 0 && is_moved && !place.bridge)
                r = error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "The network '%s' has no bridge but devices of the host: interface %s cannot go "
                        "there while the machine runs",
                        is->source_network, is->mac);
        if (r < 0)
                return r;
        r = change(domain, was, is, is_moved ? &place : NULL, error);
        if (r < 0) {
                fiber_clear_cancel();                      /* what was begun is taken back all the same */
                (void)change(domain, is, was, NULL, NULL); /* the caller hears of the first */
                if (is_moved)
                        put_back(domain, was);
        }
        return r;
}

int plug_interfaces(Domain *domain, DomainDefinition *live, const CommandLine *line, const RunUser *user,
                    int *fds, unsigned first_fd, Error *error)
{
        int r = note_functions(domain, live, error); /* before its run may end, which forgets them */

        for (unsigned i = 0; r >= 0 && i < line->taps->len; i++) {
                const PassedTap *tap = line->taps->pdata[i];

                r = plug(domain, live, tap, user, fds + (tap->fd - first_fd), error);
        }
        return r;
}

void plug_again(Domain *domain)
{
        _cleanup_(domain_definition_freep) DomainDefinition *live = domain_definition_copy(domain->live);

        LIST_FOREACH (interface, live->devices.interfaces) {
                _cleanup_(freep) char *lower = NULL;
                _cleanup_(error_clear) Error error = {};

                if (interface->type == INTERFACE_TYPE_NETWORK && interface->target)
                        lower = macvtap_lower(interface->target); /* a tap has none */
                if (domain->live &&
                    note_port(domain, interface, interface->port_isolated == YES, lower, &error) < 0)
                        log_warning(domain->object.path, "interface %s: %s", interface->mac, error.message);
        }
}

static bool runs(const char *tag, void *data)
{
        const Driver *driver = data;
        _cleanup_(strvp) char **parts = g_strsplit(tag, ":", 2);
        const Domain *domain =
                parts[0] ? (Domain *)object_table_by_uuid(driver->objects, OBJECT_DOMAIN, parts[0]) : NULL;
        const DomainDefinition *running = NULL;

        if (parts[0] && g_hash_table_contains(qemu_driver(driver)->unknown, parts[0]))
                return true;
        if (domain)
                running = domain->live ? domain->live : machine_of(domain)->pending;
        return running && parts[1] && running->id == (int)g_ascii_strtoll(parts[1], NULL, 10);
}

static void sweep_fiber(void *data)
{
        Driver *driver = data;
        _cleanup_(error_clear) Error error = {};

        if (macvtap_sweep(runs, driver, &error) < 0 || shaper_sweep(&error) < 0)
                log_warning(driver->object.path, "devices of machines that have ended may be left: %s",
                            error.message);
}

void plug_sweep(Driver *driver)
{
        _cleanup_(error_clear) Error error = {};

        if (geteuid() != 0)
                return; /* it makes none */
        if (host_lock_claim(driver->config, &error) < 0) {
                log_warning(driver->object.path, "devices of machines that have ended may be left: %s",
                            error.message);
                return;
        }
        if (fiber_start("macvtap-sweep", sweep_fiber, driver) < 0)
                log_warning(driver->object.path, "devices of machines that have ended may be left");
}

/* A tap goes with its descriptor. */
static bool leaves_device(const DomainInterface *interface)
{
        return !interface_function(interface) &&
               (interface->type == INTERFACE_TYPE_DIRECT || interface->type == INTERFACE_TYPE_NETWORK ||
                interface->bandwidth);
}

static bool leaves_devices(const DomainDefinition *live)
{
        LIST_FOREACH (interface, live->devices.interfaces) {
                if (leaves_device(interface))
                        return true;
        }
        return false;
}

static bool has_machine_with_devices(const Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains = object_table_list(driver->objects, OBJECT_DOMAIN);

        for (unsigned i = 0; i < domains->len; i++) {
                const Domain *domain = domains->pdata[i];

                if (domain->live && leaves_devices(domain->live))
                        return true;
        }
        return false;
}

void plug_run(Driver *driver)
{
        if (driver->config->is_system || host_lock_is_ours() || has_machine_with_devices(driver))
                plug_sweep(driver);
}

void plug_ended(Driver *driver, const DomainDefinition *definition)
{
        if (definition && leaves_devices(definition))
                plug_sweep(driver);
}

void plug_removed(Domain *domain, const DomainInterface *interface)
{
        const DeviceAddress *function = interface_function(interface);
        Driver *driver = domain->object.driver;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(freep) char *tag = NULL, *name = function ? device_address_to_string(function) : NULL;

        if (name)
                networks_remove_ports(driver, domain->object.path, name);
        if (!interface->target)
                return; /* it was not plugged into anything */
        networks_remove_ports(driver, domain->object.path, interface->target);
        filter_ports_close(driver, &domain->object, interface->target);
        if (!leaves_device(interface))
                return;
        if (!domain->live) { /* its run has ended meanwhile, and was swept before */
                plug_sweep(driver);
                return;
        }
        tag = tag_of(domain->live);
        if (macvtap_remove(interface->target, tag, &error) < 0 ||
            (host_lock_claim(driver->config, NULL) >= 0 &&
             shaper_sweep(&error) < 0)) /* else whoever has it does */
                log_warning(domain->object.path, "device %s is left: %s", interface->target, error.message);
}
