/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Three know of a guest's addresses: the network that gave one out, the guest's agent, and the host that has
 * it as a neighbour. Two of them tell of changes by themselves. The agent does not: it is asked when it
 * comes, and when one of the others tells something. An address is shown once, with the first of the three
 * that knows it. All of it is a guest's word in the end. */

#include "drivers/qemu/addresses.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/network/neighbours.h"
#include "drivers/network/ports.h"
#include "drivers/qemu/agent.h"
#include <string.h>
#include <sys/socket.h>

#define AGENT_ADDRESSES_MAX 1024
#define AGENT_NAME_MAX      255
#define AGENT_USEC          (10 * G_USEC_PER_SEC)

struct QemuAddresses {
        Driver *driver;
        unsigned listener;
        Neighbours *neighbours;
};

/* What an agent says of one of its interfaces, valid UTF-8 of a reasonable length; NULL otherwise. */
static const char *text_of(json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text && strlen(text) <= AGENT_NAME_MAX ? text : NULL;
}

static unsigned prefix_of(json_t *address)
{
        json_int_t prefix = json_integer_value(json_object_get(address, "prefix"));

        return prefix >= 0 && prefix <= 128 ? (unsigned)prefix : 0;
}

static void add(GPtrArray *addresses, const DomainInterface *interface, const char *address, unsigned prefix,
                const char *source)
{
        DomainAddress *added;

        for (unsigned i = 0; i < addresses->len; i++) {
                const DomainAddress *other = addresses->pdata[i];

                if (strcmp(other->address, address) == 0 &&
                    g_strcmp0(other->alias, interface->info.alias) == 0)
                        return;
        }
        added = g_new0(DomainAddress, 1);
        added->alias = g_strdup(interface->info.alias);
        added->mac = g_strdup(interface->mac);
        added->address = g_strdup(address);
        added->is_ipv6 = ip_family(address) == AF_INET6;
        added->prefix = prefix;
        added->source = source;
        g_ptr_array_add(addresses, added);
}

static GPtrArray *find_leases(const Domain *domain, const DomainInterface *interface)
{
        return networks_find_leases(
                domain->object.driver,
                interface->type == INTERFACE_TYPE_NETWORK ? interface->source_network : NULL,
                domain->object.owner,
                interface->type == INTERFACE_TYPE_BRIDGE ? interface->source_bridge : NULL, interface->mac);
}

static void add_leases(GPtrArray *addresses, const Domain *domain, const DomainInterface *interface)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *leases = find_leases(domain, interface);

        for (unsigned i = 0; i < leases->len; i++) {
                const NetworkLease *lease = leases->pdata[i];

                add(addresses, interface, lease->address, lease->prefix, "lease");
        }
}

static void add_agents(GPtrArray *addresses, const Domain *domain, const DomainInterface *interface)
{
        json_t *card, *address;
        size_t i, k;

        json_array_foreach(machine_of(domain)->agent_interfaces, i, card)
        {
                const char *mac = text_of(card, "hardware-address");

                if (!mac || g_ascii_strcasecmp(mac, interface->mac) != 0)
                        continue;
                json_array_foreach(json_object_get(card, "ip-addresses"), k, address)
                {
                        const char *text = text_of(address, "ip-address");

                        if (text && ip_family(text) != 0 && addresses->len < AGENT_ADDRESSES_MAX)
                                add(addresses, interface, text, prefix_of(address), "agent");
                }
        }
}

/* Elsewhere a hardware address is what its owner likes: whose neighbours have it is nothing to them. */
static bool is_on_host(const DomainInterface *interface)
{
        return interface->type == INTERFACE_TYPE_NETWORK || interface->type == INTERFACE_TYPE_BRIDGE ||
               interface->type == INTERFACE_TYPE_DIRECT || interface->type == INTERFACE_TYPE_ETHERNET;
}

static void add_neighbours(GPtrArray *addresses, const Domain *domain, const DomainInterface *interface)
{
        const QemuAddresses *keeper = qemu_driver_of(domain)->addresses;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *found = NULL;

        if (!is_on_host(interface))
                return;
        found = neighbours_find(keeper ? keeper->neighbours : NULL, interface->mac);

        for (unsigned i = 0; i < found->len; i++)
                add(addresses, interface, found->pdata[i], 0, "arp");
}

static void update(Domain *domain)
{
        GPtrArray *addresses;

        if (!domain->live)
                return;
        addresses = g_ptr_array_new_with_free_func(domain_address_release);
        LIST_FOREACH (interface, domain->live->devices.interfaces) {
                add_leases(addresses, domain, interface);
                add_agents(addresses, domain, interface);
                add_neighbours(addresses, domain, interface);
        }
        domain_set_addresses(domain, addresses);
}

static int ask_agent(Domain *domain, uint64_t deadline_usec, Error *error) AWAITS
{
        Machine *machine = machine_of(domain);
        const uint64_t run = machine->run;
        json_t *answer = NULL;
        int r = agent_ask(domain, "guest-network-get-interfaces", NULL,
                          MIN(deadline_usec, deadline_after_usec(AGENT_USEC)), &answer, error);

        if (r < 0)
                return r;
        if (machine->run != run || !domain->live || !json_is_array(answer)) {
                json_decref(answer);
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "The agent of the %s does not say which interfaces it has",
                                 object_describe(&domain->object));
        }
        json_decref(machine->agent_interfaces);
        machine->agent_interfaces = answer;
        update(domain);
        return 0;
}

/* One question at a time; what is told meanwhile makes it one more. */
static void ask_fiber(void *data)
{
        _cleanup_(domain_unrefp) Domain *domain = data;
        Machine *machine = machine_of(domain);
        int r = 0;

        while (r >= 0 && machine->wants_agent_addresses && agent_is_there(domain)) {
                _cleanup_(error_clear) Error error = {};

                machine->wants_agent_addresses = false;
                r = ask_agent(domain, DEADLINE_NEVER, &error);
                if (r < 0)
                        log_debug(domain->object.path, "no addresses from the agent: %s", error.message);
        }
        machine->asks_agent_addresses = machine->wants_agent_addresses = false;
}

static void ask_soon(Domain *domain)
{
        Machine *machine = machine_of(domain);

        if (!agent_is_there(domain))
                return;
        machine->wants_agent_addresses = true;
        if (machine->asks_agent_addresses)
                return;
        machine->asks_agent_addresses = true;
        domain_ref(domain);
        if (fiber_start("agent-addresses", ask_fiber, domain) >= 0)
                return;
        machine->asks_agent_addresses = false;
        domain_unref(domain);
}

static bool has_card(const Domain *domain, const char *mac)
{
        LIST_FOREACH (interface, domain->live->devices.interfaces) {
                if (!mac || g_ascii_strcasecmp(interface->mac, mac) == 0)
                        return true;
        }
        return false;
}

/* NULL: of any machine. */
static void mac_changed(const char *mac, void *data)
{
        const QemuAddresses *keeper = data;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *domains =
                object_table_list(keeper->driver->objects, OBJECT_DOMAIN);

        for (unsigned i = 0; i < domains->len; i++) {
                Domain *domain = domains->pdata[i];

                if (!domain->live || !has_card(domain, mac))
                        continue;
                update(domain);
                ask_soon(domain);
        }
}

static void agent_changed(const DomainSignalEvent *event)
{
        gint32 state;

        g_variant_get(event->arguments, "(ii)", &state, NULL);
        if (state == 1) {
                ask_soon(event->domain);
                return;
        }
        g_clear_pointer(&machine_of(event->domain)->agent_interfaces, json_decref);
        update(event->domain);
}

static void driver_tells(int type, const void *event, void *data)
{
        const DomainSignalEvent *signal = event;

        if (type == EVENT_LEASES_CHANGED)
                mac_changed(((const LeasesEvent *)event)->mac, data);
        else if (type == EVENT_DOMAIN_SIGNAL && strcmp(signal->member, "AgentEvent") == 0)
                agent_changed(signal);
}

void addresses_open(Driver *driver)
{
        QemuAddresses *keeper = g_new0(QemuAddresses, 1);
        _cleanup_(error_clear) Error error = {};

        keeper->driver = driver;
        keeper->listener = event_listen(driver->events, driver_tells, keeper);
        qemu_driver(driver)->addresses = keeper;
        if (neighbours_watch(mac_changed, keeper, &keeper->neighbours, &error) < 0)
                log_warning(driver->object.path, "guests' addresses are known by leases and agents only: %s",
                            error.message);
}

void addresses_close(Driver *driver)
{
        QemuAddresses *keeper = TAKE_PTR(qemu_driver(driver)->addresses);

        if (!keeper)
                return;
        event_unlisten(driver->events, keeper->listener);
        neighbours_free(keeper->neighbours);
        g_free(keeper);
}

void addresses_begin(Domain *domain)
{
        update(domain);
        ask_soon(domain);
}

static void tell(GVariantBuilder *ifaces, const char *name, const char *mac, GVariantBuilder *addresses)
{
        GVariant *list = g_variant_ref_sink(g_variant_builder_end(addresses));

        if (g_variant_n_children(list) > 0)
                g_variant_builder_add(ifaces, "(ss@a(isu))", name ? name : "", mac ? mac : "", list);
        g_variant_unref(list);
}

/* By the guest's own names, and all that it has. */
static void tell_agents(GVariantBuilder *ifaces, const Domain *domain)
{
        json_t *card, *address;
        unsigned n = 0;
        size_t i, k;

        json_array_foreach(machine_of(domain)->agent_interfaces, i, card)
        {
                GVariantBuilder addresses;

                g_variant_builder_init(&addresses, G_VARIANT_TYPE("a(isu)"));
                json_array_foreach(json_object_get(card, "ip-addresses"), k, address)
                {
                        const char *text = text_of(address, "ip-address");
                        int family = text ? ip_family(text) : 0;

                        if (family != 0 && n++ < AGENT_ADDRESSES_MAX)
                                g_variant_builder_add(&addresses, "(isu)", (gint32)(family == AF_INET6),
                                                      text, prefix_of(address));
                }
                tell(ifaces, text_of(card, "name"), text_of(card, "hardware-address"), &addresses);
        }
}

/* Neighbours have no prefix. */
static void tell_known(GVariantBuilder *ifaces, const Domain *domain, uint32_t source)
{
        LIST_FOREACH (interface, domain->live->devices.interfaces) {
                _cleanup_(g_ptr_array_unrefp) GPtrArray *known =
                        g_ptr_array_new_with_free_func(domain_address_release);
                GVariantBuilder addresses;

                g_variant_builder_init(&addresses, G_VARIANT_TYPE("a(isu)"));
                if (source == ADDRESS_SOURCE_LEASE)
                        add_leases(known, domain, interface);
                else
                        add_neighbours(known, domain, interface);
                for (unsigned i = 0; i < known->len; i++) {
                        const DomainAddress *address = known->pdata[i];

                        g_variant_builder_add(&addresses, "(isu)", (gint32)address->is_ipv6,
                                              address->address, address->prefix);
                }
                tell(ifaces, interface->target, interface->mac, &addresses);
        }
}

int qemu_domain_interface_addresses(Call *call, Domain *domain, uint32_t source, uint32_t flags,
                                    GVariant **ret_ifaces, Error *error)
{
        GVariantBuilder ifaces;
        int r = error_check_flags(error, "InterfaceAddresses", flags, 0);

        if (r >= 0)
                r = domain_address_source_check(source, error);
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r >= 0 && source == ADDRESS_SOURCE_AGENT)
                r = ask_agent(domain, call->deadline_usec, error);
        if (r >= 0)
                r = domain_check_active(domain, error); /* it may have ended meanwhile */
        if (r < 0)
                return r;
        g_variant_builder_init(&ifaces, G_VARIANT_TYPE("a(ssa(isu))"));
        if (source == ADDRESS_SOURCE_AGENT)
                tell_agents(&ifaces, domain);
        else
                tell_known(&ifaces, domain, source);
        *ret_ifaces = g_variant_ref_sink(g_variant_builder_end(&ifaces));
        return 0;
}
