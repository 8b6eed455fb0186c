/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nftables tells of each change. What iptables-legacy has beside it is not told of: it is looked at on the
 * same occasions. */

#include "drivers/network/health.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/loop.h"
#include "drivers/network/firewall.h"
#include "drivers/network/legacy.h"
#include "drivers/network/nft.h"
#include "drivers/network/ruleset.h"
#include "drivers/nwfilter/ports.h"
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OWN_TABLE     "table inet virtbus {"
#define SETTLE_USEC   (100 * G_TIME_SPAN_MILLISECOND)
#define READS_AT_ONCE 256

static bool is_forwarded(const NetworkDefinition *definition)
{
        ForwardMode mode = network_forward_mode(definition);

        return mode == FORWARD_NAT || mode == FORWARD_ROUTE || mode == FORWARD_OPEN;
}

/* nft says what it would list of the rules that were set. */
static void rehearse(Driver *driver) AWAITS
{
        struct NetworkState *state = driver->networks;
        _cleanup_(freep) char *rules = g_strdup(state->rules), *listing = NULL;
        _cleanup_(error_clear) Error error = {};
        unsigned n_rules_set = state->n_rules_set;
        int r;

        if (!rules || state->rules_listing)
                return;
        r = nft_rehearse(rules, "inet", "virtbus", &listing, &error);
        if (!driver->networks)
                return;
        if (r < 0 && !state->cannot_rehearse)
                log_warning(driver->object.path,
                            "what somebody changes in the rules of networks is not noticed: %s",
                            error.message);
        state->cannot_rehearse = r < 0;
        if (r >= 0 && state->n_rules_set == n_rules_set)
                state->rules_listing = TAKE_PTR(listing);
}

/* Without a rehearsal, that a table is there has to be enough. */
static bool are_as_set(const struct NetworkState *state, const char *rules)
{
        const char *table = strstr(rules, OWN_TABLE "\n"), *end = table ? strstr(table, "\n}\n") : NULL;
        size_t size = end ? (size_t)(end - table) + strlen("\n}\n") : 0;

        return end && (!state->rules_listing || (strlen(state->rules_listing) == size &&
                                                 memcmp(table, state->rules_listing, size) == 0));
}

static void tell(const Driver *driver, const Error *error)
{
        log_error(driver->object.path, "what somebody removed of the firewall is not there again: %s",
                  error->message);
}

/* `nft flush ruleset` takes everybody's, and so does whoever loads another firewall. The kernel tells of
 * what is set here too, and then this is looked at once more. */
static void restore(Driver *driver) AWAITS
{
        static const char what[] = "the rules of networks";
        struct NetworkState *state = driver->networks;
        _cleanup_(error_clear) Error error = {}, filters_error = {};
        bool has_lost = false;

        for (unsigned i = 0; i < state->up->len && !has_lost; i++) {
                VirtualNetwork *network = state->up->pdata[i];

                has_lost = network->firewall_has_lost;
        }
        if (!has_lost)
                nft_is_set(driver->object.path, what, &state->n_restored);
        else if (nft_sets_again(driver->object.path, what, &state->n_restored) &&
                 active_set_rules(driver, &error) < 0)
                tell(driver, &error);
        if (filter_ports_restore(driver, &filters_error) < 0)
                tell(driver, &filters_error);
}

static bool has_dhcp(const NetworkDefinition *definition)
{
        LIST_FOREACH (ip, definition->ips) {
                if (ip->dhcp && ip_family(ip->address) == AF_INET)
                        return true;
        }
        return false;
}

static bool has_family(const NetworkDefinition *definition, int family)
{
        LIST_FOREACH (ip, definition->ips) {
                if (ip_family(ip->address) == family)
                        return true;
        }
        return false;
}

static char *find_drop(const NetworkDefinition *definition, const Ruleset *ruleset)
{
        const Packet ipv4 = { .bridge = definition->bridge.name },
                     ipv6 = { .bridge = definition->bridge.name, .is_ipv6 = true },
                     request = { .bridge = definition->bridge.name, .is_dhcp = true };
        bool has_ipv6 = has_family(definition, AF_INET6),
             has_ipv4 = has_family(definition, AF_INET) || !has_ipv6; /* guests have their own */
        char *found = NULL;

        if (is_forwarded(definition) && has_ipv4)
                found = ruleset_find_drop(ruleset, &ipv4);
        if (!found && is_forwarded(definition) && has_ipv6)
                found = ruleset_find_drop(ruleset, &ipv6);
        return found || !has_dhcp(definition) ? found : ruleset_find_drop(ruleset, &request);
}

/* Of one that is about to come or go nothing is said. */
static void look(const struct NetworkState *state, const Ruleset *ruleset, bool are_set)
{
        for (unsigned i = 0; i < state->up->len; i++) {
                VirtualNetwork *network = state->up->pdata[i];

                g_clear_pointer(&network->firewall_problem, g_free);
                network->firewall_has_lost =
                        network->network.is_active && firewall_has_rules(network->live) && !are_set;
                if (network->firewall_has_lost)
                        network->firewall_problem =
                                g_strdup("somebody has changed its rules in the firewall");
                else if (network_has_own_bridge(network->live))
                        network->firewall_problem = find_drop(network->live, ruleset);
                active_show_health(network);
        }
}

/* Listed as the rehearsal is, with which it is compared. */
static int look_once(Driver *driver, Error *error) AWAITS
{
        static const char *const words[] = { "--stateless", "--terse", "list", "ruleset", NULL };
        _cleanup_(ruleset_freep) Ruleset *ruleset = ruleset_new();
        _cleanup_(freep) char *rules = NULL;
        unsigned n_rules_set;
        int r;

        rehearse(driver);
        legacy_add_rules(ruleset, driver->object.path);
        if (!driver->networks)
                return 0;
        n_rules_set = driver->networks->n_rules_set;
        r = nft_list(words, &rules, error);
        if (r < 0 || !driver->networks)
                return r;
        if (driver->networks->sets_rules || driver->networks->n_rules_set != n_rules_set) {
                driver->networks->is_health_due = true; /* nobody knows of when the list is */
                return 0;
        }
        ruleset_add_listing(ruleset, rules);
        look(driver->networks, ruleset, are_as_set(driver->networks, rules));
        restore(driver);
        return 0;
}

/* Rules are changed by many at once: when they come to rest is soon enough. */
static void look_fiber(void *data)
{
        Driver *driver = data;

        while (driver->networks && driver->networks->is_health_due) {
                _cleanup_(error_clear) Error error = {};

                if (await_until(deadline_after_usec(SETTLE_USEC)) < 0 || !driver->networks)
                        return; /* the daemon ends */
                driver->networks->is_health_due = false;
                if ((driver->networks->up->len > 0 || filter_ports_are_there(driver)) &&
                    look_once(driver, &error) < 0)
                        log_debug(driver->object.path, "the firewall's rules cannot be read: %s",
                                  error.message);
        }
        if (driver->networks)
                driver->networks->looks_at_health = false;
}

static int rules_changed(sd_event_source *source, int fd, uint32_t events, void *data)
{
        Driver *driver = data;
        struct NetworkState *state = driver->networks;
        char buffer[4096];

        (void)source, (void)events;
        for (unsigned i = 0; i < READS_AT_ONCE; i++)
                if (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) < 0 && errno != ENOBUFS)
                        break; /* what they say does not matter, only that they do */
        state->is_health_due = true;
        if (!state->looks_at_health)
                state->looks_at_health = fiber_start("network-health", look_fiber, driver) >= 0;
        return 0;
}

int health_watch(Driver *driver, Error *error)
{
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
        const int group = NFNLGRP_NFTABLES;
        _cleanup_(closep) int fd =
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
        int r;

        if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
            setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
                return error_set_errno(error, errno, "Cannot watch the firewall's rules");
        r = sd_event_add_io(loop_get(), &driver->networks->health_source, fd, EPOLLIN, rules_changed,
                            driver);
        if (r < 0)
                return error_set_errno(error, r, "Cannot watch the firewall's rules");
        (void)sd_event_source_set_io_fd_own(driver->networks->health_source,
                                            true); /* it is a descriptor's */
        (void)TAKE_FD(fd);
        return 0;
}

void health_close(struct NetworkState *state)
{
        state->health_source = sd_event_source_disable_unref(state->health_source);
}
