/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/network/active.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "drivers/network/bridge.h"
#include "drivers/network/contradictions.h"
#include "drivers/network/dnsmasq.h"
#include "drivers/network/firewall.h"
#include "drivers/network/host-lock.h"
#include "drivers/network/leases.h"
#include "drivers/network/nft.h"
#include "drivers/network/pool.h"
#include "drivers/network/shaper.h"
#include "drivers/network/shares.h"
#include "drivers/network/tap.h"
#include "drivers/network/tool.h"
#include "drivers/network/zone.h"
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RESTART_USEC     (G_USEC_PER_SEC)
#define RESTART_MAX_USEC (60 * G_USEC_PER_SEC)

static struct NetworkState *state_of(const VirtualNetwork *network)
{
        return network->network.object.driver->networks;
}

/* Whether something of the host's is made for it. */
static bool has_bridge(const VirtualNetwork *network)
{
        return network_has_own_bridge(network->live) && !network->network.object.driver->type->is_in_memory;
}

/* Words of nft and dnsmasq, in which '*' and quotes mean something else. */
static int check_device(const NetworkDefinition *definition, const char *name, Error *error)
{
        for (const char *c = name; c && *c; c++)
                if (!g_ascii_isalnum(*c) && !strchr("_.-@+", *c))
                        return error_set(
                                error, ERROR_CONFIG_UNSUPPORTED,
                                "network '%s': the device '%s' has a name that rules cannot be made "
                                "for: letters, digits and _ . - @ + are possible",
                                definition->name, name);
        return 0;
}

/* Before anything is made. */
static int check_tools(const NetworkDefinition *definition, Error *error)
{
        _cleanup_(freep) char *nft = NULL, *dnsmasq = NULL;
        int r;

        if (!network_has_own_bridge(definition))
                return 0;
        r = tool_find("nft", "which sets the rules for networks", &nft, error);
        if (r >= 0 && dnsmasq_is_needed(definition))
                r = tool_find("dnsmasq", "which gives addresses and names to networks", &dnsmasq, error);
        return r;
}

static int check(const VirtualNetwork *network, const NetworkDefinition *definition, Error *error)
{
        const Driver *driver = network->network.object.driver;
        bool is_pool = network_forward_mode(definition) == FORWARD_HOSTDEV;
        const char *what = definition->bridge.mac_table_manager == MAC_TABLE_LIBVIRT
                                   ? "a MAC table that is kept by the daemon"
                                   : NULL;
        int r;

        if (driver->type->is_in_memory)
                return 0;
        if (what)
                return error_set(error, ERROR_NOT_SUPPORTED, "network '%s': %s are not supported yet",
                                 definition->name, what);
        if (network_has_own_bridge(definition) && geteuid() != 0)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "network '%s': bridges are made by the daemon of the system, which has root's "
                        "rights; machines of a session use interfaces of type 'user'",
                        definition->name);
        if (is_pool && geteuid() != 0)
                return error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "network '%s': devices of the host are given by the daemon of the system, which has "
                        "root's rights; machines of a session use interfaces of type 'user'",
                        definition->name);
        if (driver->config->is_system && network->network.object.owner != 0)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "network '%s': the host's network is changed only for root and members of "
                                 "group libvirt",
                                 definition->name);
        r = network_has_own_bridge(definition) ? host_lock_claim(driver->config, error) : 0;
        if (r < 0)
                error_prefix(error, "network '%s'", definition->name);
        else
                r = check_device(definition, definition->bridge.name, error);
        if (r >= 0 && definition->forward)
                r = check_device(definition, definition->forward->dev, error);
        if (r >= 0 && is_pool)
                r = pool_check(definition, error);
        if (r >= 0)
                r = contradictions_check(definition, error);
        if (r >= 0)
                r = shares_check_definition(definition, error);
        if (r >= 0)
                r = shares_check(network, definition, NULL, NULL, NULL, error);
        return r < 0 ? r : check_tools(definition, error);
}

static int check_others(const VirtualNetwork *network, const NetworkDefinition *definition, Error *error)
{
        const GPtrArray *up = state_of(network)->up;

        if (network->network.object.driver->type->is_in_memory)
                return 0; /* nobody has an address */
        for (unsigned i = 0; i < up->len; i++) {
                const VirtualNetwork *other = up->pdata[i];

                LIST_FOREACH (ip, definition->ips) {
                        LIST_FOREACH (others, other->live->ips) {
                                IpNetwork a, b;

                                if (network_ip_read(ip, &a, NULL) < 0 ||
                                    network_ip_read(others, &b, NULL) < 0 || !ip_networks_overlap(&a, &b))
                                        continue;
                                return error_set(
                                        error, ERROR_OPERATION_FAILED,
                                        "network '%s': the addresses of %s are those of network '%s'",
                                        definition->name, ip->address, other->network.object.name);
                        }
                }
        }
        return 0;
}

static int save(const VirtualNetwork *network, Error *error) AWAITS
{
        _cleanup_(freep) char *process =
                network->dnsmasq ? g_strdup_printf("%d %" G_GUINT64_FORMAT, child_get_pid(network->dnsmasq),
                                                   child_get_start_time(network->dnsmasq))
                                 : NULL;

        return stored_save(&state_of(network)->running,
                           &(Stored){ .definition = network->live,
                                      .owner = network->network.object.owner,
                                      .value = process },
                           error);
}

int active_set_rules(const Driver *driver, Error *error)
{
        struct NetworkState *state = driver->networks;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *definitions = NULL;
        _cleanup_(freep) char *rules = NULL;
        int r;

        while (state->sets_rules)
                if (condition_wait(&state->rules_set, DEADLINE_NEVER) < 0)
                        return error_set(error, ERROR_CANCELLED, "It was cancelled");
        state->sets_rules = true;
        definitions = g_ptr_array_new();
        for (unsigned i = 0; i < state->up->len; i++) {
                const VirtualNetwork *network = state->up->pdata[i];

                if (has_bridge(network))
                        g_ptr_array_add(definitions, network->live);
        }
        rules = firewall_text(definitions);
        r = nft_apply(rules, error);
        if (r >= 0) {
                g_free(state->rules);
                state->rules = definitions->len > 0 ? TAKE_PTR(rules) : NULL;
                g_clear_pointer(&state->rules_listing, g_free);
        }
        state->n_rules_set++;
        state->sets_rules = false;
        condition_wake_all(&state->rules_set);
        return r;
}

void active_show_health(VirtualNetwork *network)
{
        const char *problem = network->dnsmasq_problem ? network->dnsmasq_problem
                              : network->zone_problem  ? network->zone_problem
                                                       : network->firewall_problem;

        network_set_problem(&network->network, problem);
}

static void set_dnsmasq_problem(VirtualNetwork *network, const char *problem)
{
        g_free(network->dnsmasq_problem);
        network->dnsmasq_problem = g_strdup(problem);
        active_show_health(network);
}

static int launch_dnsmasq(VirtualNetwork *network, Error *error) AWAITS;
static void start_again(VirtualNetwork *network);

typedef struct Restart {
        VirtualNetwork *network;
} Restart;

static void end_unknown_dnsmasq(const VirtualNetwork *network, const NetworkDefinition *definition) AWAITS
{
        const struct NetworkState *state = state_of(network);

        dnsmasq_end_unknown(definition->uuid, state->dnsmasq_path, state->dnsmasq_uid);
}

static void restart(VirtualNetwork *network) AWAITS
{
        Object *object = &network->network.object;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(job_releasep) Job *job = NULL;
        int r = job_take(object->jobs, JOB_MODIFY, "restart of dnsmasq", (uid_t)-1, DEADLINE_NEVER, &job,
                         &error);

        /* With a problem it runs, and what was to follow failed. */
        if (r < 0 || !network->network.is_active || (network->dnsmasq && !network->dnsmasq_problem))
                return;
        if (!dnsmasq_is_needed(network->live)) {
                set_dnsmasq_problem(network, NULL);
                return;
        }
        if (!network->dnsmasq) {
                end_unknown_dnsmasq(network, network->live); /* an attempt cut off */
                r = launch_dnsmasq(network, &error);
        }
        if (r >= 0)
                r = save(network, &error); /* at once: it is to be found again */
        if (r >= 0)
                r = leases_read(network, &error);
        if (r >= 0 && network->dnsmasq)
                set_dnsmasq_problem(network, NULL);
        if (r >= 0)
                return;
        log_error(object->path, "network %s has no dnsmasq: %s", object->name, error.message);
        job_set_error(job, &error);
        set_dnsmasq_problem(network, error.message);
        start_again(network);
}

/* One that dies is started again, later each time that it dies soon. */
static void restart_fiber(void *data)
{
        VirtualNetwork *network = ((Restart *)data)->network;
        _cleanup_(object_unrefp) Object *held _unused_ = &network->network.object;
        uint64_t pause = MIN(RESTART_USEC << MIN(network->n_failures, 6u), RESTART_MAX_USEC);

        network->n_failures++;
        if (await_until(deadline_after_usec(pause)) >= 0)
                restart(network);
}

static void start_again(VirtualNetwork *network)
{
        Restart start = { network };

        object_ref(&network->network.object);
        if (fiber_start("dnsmasq", restart_fiber, &start) < 0)
                object_unref(&network->network.object);
}

static void dnsmasq_exited(Child *child, int code, int status, void *data)
{
        VirtualNetwork *network = data;

        if (child != network->dnsmasq || !network->network.is_active)
                return; /* whoever stops it frees it */
        log_warning(network->network.object.path, "the dnsmasq of network %s has ended (code %d, status %d)",
                    network->network.object.name, code, status);
        network->dnsmasq = child_free(network->dnsmasq);
        set_dnsmasq_problem(network, "dnsmasq has ended; it is about to be started again");
        start_again(network);
}

static int launch_dnsmasq(VirtualNetwork *network, Error *error)
{
        const struct NetworkState *state = state_of(network);
        const DnsmasqPlaces places = { .folder = state->dnsmasq_path,
                                       .leases_folder = state->leases_path,
                                       .user = state->dnsmasq_user,
                                       .uid = state->dnsmasq_uid,
                                       .hook = state->lease_source ? state->lease_hook : NULL };
        int r = dnsmasq_start(network->live, &places, &network->dnsmasq, error);

        if (r >= 0)
                child_on_exit(network->dnsmasq, dnsmasq_exited, network);
        return r;
}

static int start_dnsmasq(VirtualNetwork *network, Error *error) AWAITS
{
        int r = launch_dnsmasq(network, error);

        if (r < 0)
                return r;
        set_dnsmasq_problem(network, NULL);
        return leases_read(network, error);
}

/* dnsmasq knows hardware addresses that its file does not have. */
static bool has_lease_without_mac(const VirtualNetwork *network)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *leases = network_list_leases(&network->network);

        for (unsigned i = 0; i < leases->len; i++)
                if (!*((const NetworkLease *)leases->pdata[i])->mac)
                        return true;
        return false;
}

/* The one that was left runs on; NULL if it is gone. */
static void adopt_dnsmasq(VirtualNetwork *network)
{
        unsigned long long start_time;
        int pid;

        if (!network->resumed_process ||
            sscanf(network->resumed_process, "%d %llu", &pid, &start_time) != 2 || pid <= 0)
                return;
        if (child_adopt(pid, start_time, &network->dnsmasq, NULL) >= 0)
                child_on_exit(network->dnsmasq, dnsmasq_exited, network);
}

/* Also one that was started and not yet written down. */
static int provide_dnsmasq(VirtualNetwork *network, Error *error) AWAITS
{
        adopt_dnsmasq(network);
        if (network->dnsmasq) {
                int r = leases_read(network, error);

                if (r >= 0 && has_lease_without_mac(network))
                        (void)child_signal(network->dnsmasq, SIGHUP); /* it tells all of them again */
                return r;
        }
        if (!dnsmasq_is_needed(network->live))
                return 0;
        if (network->resumed)
                end_unknown_dnsmasq(network, network->live);
        return start_dnsmasq(network, error);
}

static void forget(VirtualNetwork *network)
{
        network->resumed = network_definition_free(network->resumed);
        g_clear_pointer(&network->resumed_process, g_free);
}

/* What was not taken back stays as it is, for guests may be on it: Create tries again. */
static void leave(VirtualNetwork *network)
{
        g_ptr_array_remove(state_of(network)->up, network);
        network->live = network_definition_free(network->live);
        network->dnsmasq = child_free(network->dnsmasq);
        network_clear_leases(&network->network);
}

typedef struct Plug {
        char device[IF_NAMESIZE], mac[18];
        bool is_isolated;
        Vlan *vlan;
} Plug;

static void plug_free(void *data)
{
        Plug *plug = data;

        struct_free(&vlan_type, plug->vlan);
        g_free(plug);
}

/* Those on the bridge; ports may go while one is plugged in. */
static GPtrArray *list_plugs(const VirtualNetwork *network)
{
        const GPtrArray *ports = network->network.ports;
        GPtrArray *plugs = g_ptr_array_new_with_free_func(plug_free);

        for (unsigned i = 0; i < ports->len; i++) {
                const NetworkPort *port = ports->pdata[i];
                const Vlan *vlan = network_find_vlan(network->live, port->portgroup, port->vlan);
                Plug *plug;

                if (!*port->device || port->lower)
                        continue;
                plug = g_new0(Plug, 1);
                g_strlcpy(plug->device, port->device, sizeof plug->device);
                g_strlcpy(plug->mac, port->mac, sizeof plug->mac);
                plug->is_isolated = port->is_isolated;
                plug->vlan = vlan ? struct_copy(&vlan_type, vlan) : NULL;
                g_ptr_array_add(plugs, plug);
        }
        return plugs;
}

static void keep_first(int r, int *first, Error *error, Error *problem)
{
        if (r < 0 && *first >= 0) {
                *first = r;
                error_move(error, problem);
        }
        error_clear(problem);
}

/* Goes on after a failure and tells the first, and the log the others: the device of a machine that has just
 * ended is gone. A bridge may be left from before, with ports that were in other VLANs. */
static int plug_ports(const VirtualNetwork *network, Error *error) AWAITS
{
        _cleanup_(freep) char *bridge = g_strdup(network->live->bridge.name);
        _cleanup_(g_ptr_array_unrefp) GPtrArray *plugs = list_plugs(network);
        int first = 0;

        for (unsigned i = 0; i < plugs->len; i++) {
                const Plug *plug = plugs->pdata[i];
                const TapOptions options = { .name = plug->device,
                                             .mac = plug->mac,
                                             .bridge = bridge,
                                             .is_isolated = plug->is_isolated,
                                             .vlan = plug->vlan,
                                             .had_vlan = true };
                _cleanup_(error_clear) Error problem = {};
                int r = tap_plug(&options, &problem);

                if (r < 0 && first < 0)
                        log_warning(network->network.object.path, "%s", problem.message);
                keep_first(r, &first, error, &problem);
        }
        return first;
}

/* Machines that ran on while it was down. */
static void plug_again(const VirtualNetwork *network) AWAITS
{
        _cleanup_(error_clear) Error error = {}, problem = {};

        if (plug_ports(network, &error) < 0)
                log_warning(network->network.object.path, "%s", error.message);
        if (network->network.ports->len > 0 && network->live->port_groups.count > 0 &&
            shares_set_ports(network, &problem) < 0)
                log_warning(network->network.object.path, "%s", problem.message);
}

/* When one is taken back there is no bus yet: zone-watch.c does it as soon as there is. */
static int enter_zone(VirtualNetwork *network, Error *error) AWAITS
{
        const Driver *driver = network->network.object.driver;
        _cleanup_(error_clear) Error problem = {};
        int r;

        network->is_in_zone = true;
        if (network->resumed && !driver->service_call)
                return 0;
        r = zone_enter(driver, network->live, &problem);
        network->is_in_zone = r != 0;
        if (r < 0 && network->live->bridge.zone)
                error_move(error, &problem);
        else if (r < 0) /* nobody asked for one: Health tells what firewalld does to it */
                log_warning(network->network.object.path, "%s", problem.message);
        return network->live->bridge.zone ? MIN(r, 0) : 0;
}

/* What was begun is taken back also if the fiber is cancelled, and it is so still afterwards. */
static void give_up(VirtualNetwork *network) AWAITS
{
        bool is_cancelled = fiber_is_cancelled(fiber_current());

        fiber_clear_cancel();
        (void)active_stop(network, NULL);
        if (is_cancelled)
                fiber_cancel(fiber_current());
}

int active_start(VirtualNetwork *network, const NetworkDefinition *definition, Error *error)
{
        const Driver *driver = network->network.object.driver;
        int r = check(network, definition, error);

        if (r >= 0 && definition->bridge.zone && !driver->type->is_in_memory && !network->resumed)
                r = zone_check(driver, definition, error);
        if (r >= 0)
                r = check_others(network, definition, error);
        if (r < 0)
                return r;
        network->live = network_definition_copy(definition);
        g_ptr_array_add(state_of(network)->up, network);
        network->n_failures = 0;
        if (!network->resumed)
                r = save(network, error);
        if (r >= 0 && has_bridge(network)) {
                r = bridge_up(network->live, error);
                if (r >= 0)
                        r = enter_zone(network, error);
                if (r >= 0)
                        r = active_set_rules(driver, error);
                if (r >= 0)
                        r = provide_dnsmasq(network, error);
                if (r >= 0)
                        r = shares_set(network, error);
                if (r >= 0)
                        plug_again(network);
        }
        if (r >= 0)
                r = save(network, error);
        if (r < 0 && network->resumed) {
                leave(network);
                return r;
        }
        if (r < 0) {
                give_up(network);
                return r;
        }
        forget(network);
        network_set_active(&network->network, true);
        active_show(network);
        if (network->dnsmasq && !child_is_running(network->dnsmasq)) {
                network->dnsmasq = child_free(network->dnsmasq);
                start_again(network);
        }
        return 0;
}

void active_announce(Network *network, int event)
{
        GVariant *arguments = g_variant_ref_sink(g_variant_new("(i)", event));

        event_raise(network->object.driver->events, EVENT_RESOURCE_EVENT,
                    &(ResourceEvent){
                            .object = &network->object, .member = "NetworkEvent", .arguments = arguments });
        g_variant_unref(arguments);
}

void active_show(VirtualNetwork *network)
{
        const NetworkDefinition *definition = network->live ? network->live : network->definition;

        network_set_shape(&network->network, definition->bridge.name,
                          forward_mode_to_string(network_forward_mode(definition)));
}

int active_stop(VirtualNetwork *network, Error *error)
{
        const Driver *driver = network->network.object.driver;
        bool had_bridge = has_bridge(network);
        _cleanup_(network_definition_freep) NetworkDefinition *live = TAKE_PTR(network->live);
        Child *dnsmasq = TAKE_PTR(network->dnsmasq);
        Error problem = {};
        int first = 0;

        g_ptr_array_remove(driver->networks->up, network);
        network_set_active(&network->network, false);
        g_clear_pointer(&network->firewall_problem, g_free);
        g_clear_pointer(&network->zone_problem, g_free);
        set_dnsmasq_problem(network, NULL);
        network_clear_leases(&network->network);
        event_raise(driver->events, EVENT_LEASES_CHANGED,
                    &(LeasesEvent){ .network = &network->network.object });
        if (dnsmasq) {
                dnsmasq_stop(dnsmasq);
                child_free(dnsmasq);
        }
        if (had_bridge) {
                if (!dnsmasq)
                        end_unknown_dnsmasq(network, live);
                dnsmasq_remove_files(live, driver->networks->dnsmasq_path);
                keep_first(bridge_down(live, &problem), &first, error, &problem);
                if (network->is_in_zone)
                        keep_first(zone_leave(driver, live, &problem), &first, error, &problem);
                network->is_in_zone = false;
                if (live->bandwidth)
                        keep_first(shaper_sweep(&problem), &first, error, &problem);
                keep_first(active_set_rules(driver, &problem), &first, error, &problem);
        }
        keep_first(active_forget(network, &problem), &first, error, &problem);
        return first;
}

static int follow_limits(const VirtualNetwork *network, Error *error) AWAITS
{
        int r = 0;

        if (network->network.object.driver->type->is_in_memory)
                return 0;
        if (network_forward_mode(network->live) == FORWARD_HOSTDEV)
                return 0; /* its devices are the guests' */
        if (network->live->port_groups.count > 0)
                r = shares_set_ports(network, error);
        return r < 0 ? r : shares_set(network, error);
}

static int follow_vlans(const VirtualNetwork *network, Error *error) AWAITS
{
        int r = has_bridge(network) ? bridge_set_vlans(network->live, error) : 0;

        return r < 0 ? r : plug_ports(network, error);
}

static int follow(VirtualNetwork *network, bool has_vlans, Error *error) AWAITS
{
        _cleanup_(child_freep) Child *dnsmasq = TAKE_PTR(network->dnsmasq);
        int r;

        r = follow_limits(network, error);
        if (r >= 0 && has_vlans)
                r = follow_vlans(network, error);
        if (r < 0 || !has_bridge(network))
                return r < 0 ? r : save(network, error);
        r = active_set_rules(network->network.object.driver, error);
        if (dnsmasq)
                dnsmasq_stop(dnsmasq); /* its leases are in its file */
        if (r >= 0 && dnsmasq_is_needed(network->live))
                r = start_dnsmasq(network, error);
        return r < 0 ? r : save(network, error);
}

/* A virtual function was told its VLAN when it was given to its machine. */
static int check_functions(const VirtualNetwork *network, const NetworkDefinition *definition, Error *error)
{
        const GPtrArray *ports = network->network.ports;

        if (network_forward_mode(network->live) != FORWARD_HOSTDEV)
                return 0;
        for (unsigned i = 0; i < ports->len; i++) {
                const NetworkPort *port = ports->pdata[i];
                const Vlan *was = network_find_vlan(network->live, port->portgroup, NULL);

                if (!port->has_own_vlan && struct_is_same(&vlan_type, port->vlan, was) &&
                    !struct_is_same(&vlan_type, was, network_find_vlan(definition, port->portgroup, NULL)))
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "network '%s': a machine has the virtual function %s, which stays "
                                         "in its VLAN while that runs; AFFECT_CONFIG (2) changes the "
                                         "definition",
                                         definition->name, port->device);
        }
        return 0;
}

int active_change(VirtualNetwork *network, const NetworkDefinition *definition, Error *error)
{
        NetworkDefinition *old = network->live;
        _cleanup_(error_clear) Error problem = {};
        bool has_vlans = network->live->bridge.name &&
                         (network_has_vlans(network->live) || network_has_vlans(definition));
        int r = check_functions(network, definition, error);

        if (r >= 0)
                r = check(network, definition, error);
        if (r < 0)
                return r;
        network->live = network_definition_copy(definition);
        r = follow(network, has_vlans, error);
        if (r >= 0) {
                network_definition_free(old);
                active_show(network);
                return 0;
        }
        fiber_clear_cancel(); /* what was begun is taken back all the same */
        network_definition_free(network->live);
        network->live = old;
        end_unknown_dnsmasq(network, old);
        g_clear_pointer(&network->dnsmasq, child_free);
        if (follow(network, has_vlans, &problem) < 0) {
                log_error(network->network.object.path, "network %s is not as it was: %s", old->name,
                          problem.message);
                start_again(network);
        }
        return r;
}

int active_forget(VirtualNetwork *network, Error *error)
{
        int r = stored_remove(&state_of(network)->running, network->network.object.uuid, error);

        if (r >= 0)
                forget(network);
        return r;
}

void active_release(VirtualNetwork *network)
{
        network_definition_free(network->live);
        forget(network);
        child_free(network->dnsmasq);
        g_free(network->dnsmasq_problem);
        g_free(network->zone_problem);
        g_free(network->firewall_problem);
}
