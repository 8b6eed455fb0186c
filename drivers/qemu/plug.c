/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/qemu/plug.h"
#include "drivers/network/neighbours.h"
#include "drivers/network/networks.h"
#include "drivers/network/tap.h"
#include <sys/socket.h>
#include <unistd.h>

/* virDomainInterfaceAddressesSource. */
enum {
        SOURCE_LEASE = 0,
        SOURCE_AGENT = 1,
        SOURCE_ARP = 2,
};

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
        const TapOptions options = { .name = interface->target,
                                     .bridge = bridge,
                                     .mac = interface->mac,
                                     .mtu = interface->mtu,
                                     .is_isolated = is_isolated,
                                     .has_header = tap->has_header };

        r = tap_open(&options, fds, tap->n_queues, &name, error);
        if (r < 0)
                return r;
        g_free(interface->target);
        interface->target = TAKE_PTR(name);
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

/* Leases are (interface, end, type, hardware address, IAID, address, prefix, name, client id). */
static int add_leases(GVariantBuilder *addresses, Driver *driver, uid_t owner,
                      const DomainInterface *interface, Error *error) AWAITS
{
        GVariant *leases;
        const char *address;
        GVariantIter at;
        guint32 prefix;
        gint32 type;
        int r;

        if (interface->type != INTERFACE_TYPE_NETWORK)
                return 0;
        r = networks_leases(driver, interface->source_network, owner, interface->mac, &leases, error);
        if (r < 0)
                return r;
        g_variant_iter_init(&at, leases);
        while (g_variant_iter_next(&at, "(&sxi&s&s&su&s&s)", NULL, NULL, &type, NULL, NULL, &address,
                                   &prefix, NULL, NULL))
                g_variant_builder_add(addresses, "(isu)", type, address, prefix);
        g_variant_unref(leases);
        return 0;
}

/* Neighbours have no prefix. */
static int add_neighbours(GVariantBuilder *addresses, const DomainInterface *interface, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *found = NULL;
        int r = neighbours_find(interface->mac, &found, error);

        for (unsigned i = 0; r >= 0 && i < found->len; i++) {
                const char *address = found->pdata[i];

                g_variant_builder_add(addresses, "(isu)", ip_family(address) == AF_INET6, address, 0);
        }
        return r;
}

static int add_interface(GVariantBuilder *ifaces, const Domain *domain, uint32_t source,
                         const DomainInterface *interface, Error *error) AWAITS
{
        GVariantBuilder addresses;
        GVariant *list;
        int r;

        g_variant_builder_init(&addresses, G_VARIANT_TYPE("a(isu)"));
        r = source == SOURCE_LEASE
                    ? add_leases(&addresses, domain->object.driver, domain->object.owner, interface, error)
                    : add_neighbours(&addresses, interface, error);
        list = g_variant_ref_sink(g_variant_builder_end(&addresses));
        if (r >= 0 && g_variant_n_children(list) > 0)
                g_variant_builder_add(ifaces, "(ss@a(isu))", interface->target ? interface->target : "",
                                      interface->mac, list);
        g_variant_unref(list);
        return r;
}

int qemu_domain_interface_addresses(Call *call, Domain *domain, uint32_t source, uint32_t flags,
                                    GVariant **ret_ifaces, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *live = NULL;
        GVariantBuilder ifaces;
        int r = error_check_flags(error, "InterfaceAddresses", flags, 0);

        (void)call;
        if (r >= 0 && source > SOURCE_ARP)
                r = error_set(
                        error, ERROR_INVALID_ARGUMENT,
                        "InterfaceAddresses: source %u is unknown: 0 (lease), 1 (agent), 2 (ARP) are known",
                        source);
        if (r >= 0 && source == SOURCE_AGENT)
                r = error_set(
                        error, ERROR_NOT_SUPPORTED,
                        "InterfaceAddresses: the QEMU driver does not ask the guest's agent, sources 0 "
                        "(lease) and 2 (ARP) are supported");
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        live = domain_definition_copy(domain->live); /* the machine may end meanwhile */
        g_variant_builder_init(&ifaces, G_VARIANT_TYPE("a(ssa(isu))"));
        LIST_FOREACH (interface, live->devices.interfaces) {
                if (r >= 0)
                        r = add_interface(&ifaces, domain, source, interface, error);
        }
        *ret_ifaces = g_variant_ref_sink(g_variant_builder_end(&ifaces));
        if (r < 0)
                g_clear_pointer(ret_ifaces, g_variant_unref);
        return r;
}
