/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An interface on a network that is up has the first address of the network's range that is free, from its
 * start to its end. The network has it among its leases. */

#include "drivers/test/addresses.h"
#include "drivers/network/active.h"
#include <arpa/inet.h>
#include <string.h>

#define LEASE_SEC   3600
#define RANGE_TRIED (1u << 16)

static VirtualNetwork *network_of(const Domain *domain, const DomainInterface *interface)
{
        if (interface->type != INTERFACE_TYPE_NETWORK || !interface->source_network)
                return NULL;
        return (VirtualNetwork *)object_table_owned(domain->object.driver->objects, OBJECT_NETWORK,
                                                    interface->source_network, domain->object.owner);
}

/* The caller frees; NULL: all are taken. */
static char *find_free(const Network *network, const DhcpRange *range)
{
        struct in_addr start, end;

        if (inet_pton(AF_INET, range->start, &start) != 1 || inet_pton(AF_INET, range->end, &end) != 1)
                return NULL; /* of IPv6 */
        for (uint32_t i = 0; i < RANGE_TRIED && ntohl(start.s_addr) + i <= ntohl(end.s_addr); i++) {
                const struct in_addr at = { htonl(ntohl(start.s_addr) + i) };
                char text[INET_ADDRSTRLEN];

                if (!g_hash_table_contains(network->leases, inet_ntop(AF_INET, &at, text, sizeof text)))
                        return g_strdup(text);
        }
        return NULL;
}

static NetworkLease *lease_new(const VirtualNetwork *network, const Domain *domain, const char *mac)
{
        LIST_FOREACH (ip, network->live->ips) {
                IpNetwork read;

                if (!ip->dhcp || network_ip_read(ip, &read, NULL) < 0)
                        continue;
                LIST_FOREACH (range, ip->dhcp->ranges) {
                        char *address = find_free(&network->network, range);
                        NetworkLease *lease;

                        if (!address)
                                continue;
                        lease = g_new0(NetworkLease, 1);
                        lease->mac = g_strdup(mac);
                        lease->address = address;
                        lease->hostname = g_strdup_printf("%shost", domain->object.name);
                        lease->client_id = g_strdup("");
                        lease->iaid = g_strdup("");
                        lease->prefix = read.prefix;
                        lease->expiry = g_get_real_time() / G_USEC_PER_SEC + LEASE_SEC;
                        return lease;
                }
        }
        return NULL;
}

static DomainAddress *address_new(const DomainInterface *interface, const char *text, unsigned prefix)
{
        DomainAddress *address = g_new0(DomainAddress, 1);

        address->alias = g_strdup(interface->info.alias);
        address->mac = g_strdup(interface->mac);
        address->address = g_strdup(text);
        address->prefix = prefix;
        address->source = "lease";
        return address;
}

static const DomainInterface *interface_of(const Domain *domain, const char *mac)
{
        LIST_FOREACH (interface, domain->live->devices.interfaces) {
                if (g_strcmp0(interface->mac, mac) == 0)
                        return interface;
        }
        return NULL;
}

static bool is_known(const GPtrArray *addresses, const char *mac)
{
        for (unsigned i = 0; i < addresses->len; i++)
                if (strcmp(((const DomainAddress *)addresses->pdata[i])->mac, mac) == 0)
                        return true;
        return false;
}

/* Somebody else may have it by now, if its network was down in between. */
static void release(const Domain *domain, const DomainAddress *address)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *networks =
                object_table_list(domain->object.driver->objects, OBJECT_NETWORK);

        for (unsigned i = 0; i < networks->len; i++) {
                Network *network = networks->pdata[i];
                const NetworkLease *lease = g_hash_table_lookup(network->leases, address->address);

                if (lease && network->object.owner == domain->object.owner &&
                    strcmp(lease->mac, address->mac) == 0)
                        (void)network_remove_lease(network, address->address); /* it is there */
        }
}

/* What is there already stays. */
static GPtrArray *keep(const Domain *domain)
{
        GPtrArray *kept = g_ptr_array_new_with_free_func(domain_address_release);

        for (unsigned i = 0; domain->addresses && i < domain->addresses->len; i++) {
                const DomainAddress *address = domain->addresses->pdata[i];
                const DomainInterface *interface = interface_of(domain, address->mac);

                if (interface)
                        g_ptr_array_add(kept, address_new(interface, address->address, address->prefix));
                else
                        release(domain, address);
        }
        return kept;
}

void addresses_follow(Domain *domain)
{
        GPtrArray *addresses = keep(domain);

        LIST_FOREACH (interface, domain->live->devices.interfaces) {
                VirtualNetwork *network =
                        is_known(addresses, interface->mac) ? NULL : network_of(domain, interface);
                NetworkLease *lease =
                        network && network->live ? lease_new(network, domain, interface->mac) : NULL;

                if (!lease)
                        continue;
                g_ptr_array_add(addresses, address_new(interface, lease->address, lease->prefix));
                (void)network_put_lease(&network->network, lease); /* it is new */
        }
        domain_set_addresses(domain, addresses);
}

void addresses_end(Domain *domain)
{
        for (unsigned i = 0; domain->addresses && i < domain->addresses->len; i++)
                release(domain, domain->addresses->pdata[i]);
        domain_set_addresses(domain, NULL);
}

int test_domain_interface_addresses(Call *call, Domain *domain, uint32_t source, uint32_t flags,
                                    GVariant **ret_interfaces, Error *error)
{
        GVariantBuilder interfaces;
        int r = error_check_flags(error, "InterfaceAddresses", flags, 0);

        (void)call;
        if (r >= 0)
                r = domain_address_source_check(source, error);
        if (r >= 0)
                r = domain_check_active(domain, error);
        if (r < 0)
                return r;
        g_variant_builder_init(&interfaces, G_VARIANT_TYPE("a(ssa(isu))"));
        for (unsigned i = 0; domain->addresses && i < domain->addresses->len; i++) {
                const DomainAddress *address = domain->addresses->pdata[i];
                const DomainInterface *interface = interface_of(domain, address->mac);
                GVariantBuilder list;

                g_variant_builder_init(&list, G_VARIANT_TYPE("a(isu)"));
                g_variant_builder_add(&list, "(isu)", 0, address->address,
                                      source == ADDRESS_SOURCE_ARP ? 0 : address->prefix);
                g_variant_builder_add(&interfaces, "(ss@a(isu))",
                                      interface && interface->target ? interface->target : "", address->mac,
                                      g_variant_builder_end(&list));
        }
        *ret_interfaces = g_variant_ref_sink(g_variant_builder_end(&interfaces));
        return 0;
}
