/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What contradicts itself in a <network>, or could not be made by any host. */

#include "model/network.h"
#include "model/pci-device.h"
#include <arpa/inet.h>
#include <string.h>

#define LEASE_MIN_SECONDS 120
#define RANGE_MAX         65536u /* addresses that dnsmasq serves in one range */

#define MODE_BIT(mode) (1u << (mode))
/* Whose traffic goes to interfaces of the host directly. */
#define MODES_DIRECT                                                                                        \
        (MODE_BIT(FORWARD_BRIDGE) | MODE_BIT(FORWARD_PRIVATE) | MODE_BIT(FORWARD_VEPA) |                    \
         MODE_BIT(FORWARD_PASSTHROUGH))
#define MODES_OWN_BRIDGE                                                                                    \
        (MODE_BIT(FORWARD_NONE) | MODE_BIT(FORWARD_NAT) | MODE_BIT(FORWARD_ROUTE) | MODE_BIT(FORWARD_OPEN))

static const char *mode_name(const NetworkDefinition *definition)
{
        ForwardMode mode = network_forward_mode(definition);

        return mode == FORWARD_NONE ? "none" : forward_mode_to_string(mode);
}

static bool mode_is(const NetworkDefinition *definition, unsigned modes)
{
        return (modes & MODE_BIT(network_forward_mode(definition))) != 0;
}

static int refuse(const NetworkDefinition *definition, const char *what, Error *error)
{
        return error_set(error, ERROR_INVALID_XML, "network '%s': %s is not possible with forward mode '%s'",
                         definition->name, what, mode_name(definition));
}

/* Names become file names and words of dnsmasq's configuration. */
static bool is_plain(const char *text)
{
        for (; *text; text++)
                if ((unsigned char)*text < ' ' || *text == 0x7f)
                        return false;
        return true;
}

static int name_check(const NetworkDefinition *definition, Error *error)
{
        const char *name = definition->name, *bridge = definition->bridge.name;

        if (!is_plain(name) || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "<name>: a network's name has no '/' and no control characters");
        if (bridge && (strlen(bridge) > 15 || !is_plain(bridge) || strpbrk(bridge, "/: ") ||
                       strcmp(bridge, ".") == 0 || strcmp(bridge, "..") == 0))
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': bridge/@name='%s': at most 15 characters without '/', ':' "
                                 "and spaces are possible",
                                 name, bridge);
        if (definition->domain && (!is_plain(definition->domain) || strpbrk(definition->domain, " ,/")))
                return error_set(error, ERROR_INVALID_XML, "network '%s': domain/@name='%s' is no domain",
                                 name, definition->domain);
        return 0;
}

static int interfaces_check(const NetworkDefinition *definition, const NetworkForward *forward, Error *error)
{
        unsigned n = forward->interfaces.count;

        if (n > 0 && mode_is(definition, MODE_BIT(FORWARD_OPEN) | MODE_BIT(FORWARD_NONE)))
                return refuse(definition, "a forward interface", error);
        if (n > 1 && mode_is(definition, MODES_OWN_BRIDGE))
                return refuse(definition, "more than one forward interface", error);
        if (n > 0 && forward->dev && strcmp(forward->dev, forward->interfaces.items[0]->dev) != 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': forward/@dev='%s' is not the first interface, '%s'",
                                 definition->name, forward->dev, forward->interfaces.items[0]->dev);
        for (unsigned i = 0; i < n; i++)
                for (unsigned j = 0; j < i; j++)
                        if (strcmp(forward->interfaces.items[i]->dev, forward->interfaces.items[j]->dev) ==
                            0)
                                return error_set(error, ERROR_INVALID_XML,
                                                 "network '%s': interface '%s' is there twice",
                                                 definition->name, forward->interfaces.items[i]->dev);
        return 0;
}

static bool is_same_device(const DeviceAddress *a, const DeviceAddress *b)
{
        return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot &&
               a->function == b->function;
}

static int devices_check(const NetworkDefinition *definition, const NetworkForward *forward, Error *error)
{
        for (unsigned i = 0; i < forward->addresses.count; i++) {
                const DeviceAddress *address = forward->addresses.items[i];

                if (address->type != ADDRESS_PCI)
                        return error_set(error, ERROR_INVALID_XML,
                                         "network '%s': forward/address: a PCI address is expected",
                                         definition->name);
                for (unsigned j = 0; j < i; j++)
                        if (is_same_device(address, forward->addresses.items[j]))
                                return error_set(error, ERROR_INVALID_XML,
                                                 "network '%s': PCI device %04x:%02x:%02x.%x is there twice",
                                                 definition->name, address->domain, address->bus,
                                                 address->slot, address->function);
        }
        return 0;
}

static int nat_check(const NetworkDefinition *definition, const NetworkNat *nat, Error *error)
{
        struct in_addr start, end;

        if (!nat)
                return 0;
        if (!mode_is(definition, MODE_BIT(FORWARD_NAT)))
                return refuse(definition, "<nat>", error);
        if (nat->address &&
            (inet_pton(AF_INET, nat->address->start, &start) != 1 ||
             inet_pton(AF_INET, nat->address->end, &end) != 1 || ntohl(start.s_addr) > ntohl(end.s_addr)))
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': <nat>: '%s' to '%s' is no range of IPv4 addresses",
                                 definition->name, nat->address->start, nat->address->end);
        if (nat->port && (nat->port->start == 0 || nat->port->start > nat->port->end))
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': <nat>: ports %u to %u are no range within 1 to 65535",
                                 definition->name, nat->port->start, nat->port->end);
        return 0;
}

static int forward_check(const NetworkDefinition *definition, Error *error)
{
        const NetworkForward *forward = definition->forward;
        unsigned sources;
        int r;

        if (!forward)
                return 0;
        sources = (forward->pf != NULL) + (forward->interfaces.count > 0) + (forward->addresses.count > 0);
        if (sources > 1)
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': <forward> has one kind of <pf>, <interface> and <address>",
                                 definition->name);
        if (forward->addresses.count > 0 && forward->mode != FORWARD_HOSTDEV)
                return refuse(definition, "<address> in <forward>", error);
        if (forward->pf && !mode_is(definition, MODES_DIRECT | MODE_BIT(FORWARD_HOSTDEV)))
                return refuse(definition, "<pf>", error);
        r = interfaces_check(definition, forward, error);
        if (r >= 0)
                r = devices_check(definition, forward, error);
        return r < 0 ? r : nat_check(definition, forward->nat, error);
}

/* What only the daemon's own bridge has. */
static int bridge_check(const NetworkDefinition *definition, Error *error)
{
        const NetworkBridge *bridge = &definition->bridge;
        bool is_direct = mode_is(definition, MODES_DIRECT | MODE_BIT(FORWARD_HOSTDEV));

        if (is_direct) {
                if (definition->ips.count > 0)
                        return refuse(definition, "<ip>", error);
                if (definition->routes.count > 0)
                        return refuse(definition, "<route>", error);
                if (definition->dns)
                        return refuse(definition, "<dns>", error);
                if (definition->domain)
                        return refuse(definition, "<domain>", error);
                if (bridge->stp != ON_OFF_ABSENT || bridge->has_delay)
                        return refuse(definition, "bridge/@stp or @delay", error);
                if (bridge->zone)
                        return refuse(definition, "bridge/@zone", error);
        }
        if (bridge->name && is_direct && !mode_is(definition, MODE_BIT(FORWARD_BRIDGE)))
                return refuse(definition, "<bridge>", error);
        if (bridge->name && definition->forward && mode_is(definition, MODE_BIT(FORWARD_BRIDGE)) &&
            definition->forward->interfaces.count > 0)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "network '%s': with mode 'bridge' either <bridge> or <interface> is possible",
                        definition->name);
        if (definition->mtu > 0 && is_direct)
                return refuse(definition, "<mtu>", error);
        if (definition->bandwidth && mode_is(definition, MODE_BIT(FORWARD_HOSTDEV)))
                return refuse(definition, "<bandwidth>", error);
        return 0;
}

static bool is_openvswitch(const Virtualport *port)
{
        return port && port->type == VIRTUALPORT_OPENVSWITCH;
}

/* Tags need a switch that knows them: a bridge, or the card's own. */
static int vlan_check(const NetworkDefinition *definition, const Vlan *vlan, const Virtualport *port,
                      Error *error)
{
        if (!vlan || mode_is(definition, MODES_OWN_BRIDGE | MODE_BIT(FORWARD_HOSTDEV)))
                return 0;
        if (mode_is(definition, MODE_BIT(FORWARD_BRIDGE)) &&
            (definition->bridge.name || is_openvswitch(port) || is_openvswitch(definition->virtualport)))
                return 0;
        return error_set(
                error, ERROR_NOT_SUPPORTED,
                "network '%s': <vlan> needs a network with a bridge: mode 'bridge' with a <bridge>, "
                "or one whose bridge the daemon makes; or mode 'hostdev'",
                definition->name);
}

static int port_groups_check(const NetworkDefinition *definition, Error *error)
{
        unsigned n_default = 0;

        for (unsigned i = 0; i < definition->port_groups.count; i++) {
                const PortGroup *group = definition->port_groups.items[i];
                int r = vlan_check(definition, group->vlan, group->virtualport, error);

                if (r < 0)
                        return r;
                n_default += group->is_default == YES;
                for (unsigned j = 0; j < i; j++)
                        if (strcmp(group->name, definition->port_groups.items[j]->name) == 0)
                                return error_set(error, ERROR_INVALID_XML,
                                                 "network '%s': portgroup '%s' is there twice",
                                                 definition->name, group->name);
        }
        if (n_default > 1)
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': only one portgroup can be the default", definition->name);
        return 0;
}

static bool is_word(const char *text)
{
        return !text || (is_plain(text) && !strpbrk(text, " ,\"'\\"));
}

static int dns_check(const NetworkDefinition *definition, Error *error)
{
        const NetworkDns *dns = definition->dns;
        const char *wrong = NULL;

        if (!dns)
                return 0;
        if (dns->enable == NO &&
            (dns->forwarders.count || dns->txts.count || dns->hosts.count || dns->srvs.count))
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': <dns enable='no'> can have nothing in it", definition->name);
        LIST_FOREACH (forwarder, dns->forwarders) {
                if ((!forwarder->domain && !forwarder->address) || !is_word(forwarder->domain) ||
                    (forwarder->address && ip_family(forwarder->address) == 0))
                        wrong = "<forwarder>: a domain or the IP address of a server is expected";
        }
        LIST_FOREACH (txt, dns->txts) {
                if (!is_word(txt->name) || (txt->value && !is_plain(txt->value)))
                        wrong = "<txt>: a name without spaces and a value on one line are expected";
        }
        LIST_FOREACH (host, dns->hosts) {
                if (!host->address || ip_family(host->address) == 0 || host->names.count == 0)
                        wrong = "<host>: an IP address and a <hostname> are expected";
                LIST_FOREACH (name, host->names)
                        if (!is_word(name->name))
                                wrong = "<hostname>: a name without spaces is expected";
        }
        LIST_FOREACH (srv, dns->srvs) {
                if (!is_word(srv->service) || !is_word(srv->domain) || !is_word(srv->target))
                        wrong = "<srv>: names without spaces are expected";
                else if (strcmp(srv->protocol, "tcp") != 0 && strcmp(srv->protocol, "udp") != 0)
                        wrong = "<srv>: protocol 'tcp' or 'udp' is expected";
                else if (!srv->target && (srv->port || srv->priority || srv->weight))
                        wrong = "<srv>: @port, @priority and @weight need @target";
        }
        return wrong ? error_set(error, ERROR_INVALID_XML, "network '%s': <dns>: %s", definition->name,
                                 wrong)
                     : 0;
}

static int lease_check(const NetworkDefinition *definition, const DhcpLease *lease, Error *error)
{
        static const unsigned seconds[] = {
                [LEASE_UNIT_MINUTES] = 60, [LEASE_UNIT_SECONDS] = 1, [LEASE_UNIT_HOURS] = 3600
        };

        if (!lease || lease->expiry == 0)
                return 0;
        if (lease->expiry > UINT32_MAX / seconds[lease->unit] ||
            lease->expiry * seconds[lease->unit] < LEASE_MIN_SECONDS)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "network '%s': lease/@expiry: 0, or from 2 minutes to %u seconds is possible",
                        definition->name, UINT32_MAX);
        return 0;
}

/* Numbers of addresses; IPv6 ranges differ in their last 64 bits at most. */
static bool range_is_in(const IpNetwork *network, const DhcpRange *range)
{
        uint8_t start[16] = {}, end[16] = {};
        unsigned size = network->family == AF_INET6 ? 16 : 4;
        uint64_t distance = 0;

        if (!ip_network_contains(network, range->start) || !ip_network_contains(network, range->end))
                return false;
        (void)inet_pton(network->family, range->start, start); /* both were just read */
        (void)inet_pton(network->family, range->end, end);
        if (memcmp(start, end, size) > 0)
                return false;
        for (unsigned i = size > 8 ? size - 8 : 0; i < size; i++)
                distance = (distance << 8) + end[i] - start[i];
        return (size <= 8 || memcmp(start, end, size - 8) == 0) && distance < RANGE_MAX;
}

static int dhcp_host_check(const NetworkDefinition *definition, const IpNetwork *network,
                           const DhcpHost *host, Error *error)
{
        bool is_ipv6 = network->family == AF_INET6;

        if (host->address && !ip_network_contains(network, host->address))
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': DHCP host: ip='%s' is no address of the network",
                                 definition->name, host->address);
        if (is_ipv6 ? host->mac[0] != 0 || (!host->id && !host->name) : !host->mac[0] && !host->name)
                return error_set(error, ERROR_INVALID_XML, "network '%s': DHCP host '%s': %s is expected",
                                 definition->name, host->address ? host->address : "",
                                 is_ipv6 ? "@id or @name, and no @mac," : "@mac or @name");
        if (!host->address && !host->name)
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': DHCP host '%s': @ip or @name is expected", definition->name,
                                 host->mac);
        if (!is_word(host->name) || !is_word(host->id) || (host->name && !*host->name))
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': DHCP host: names have no spaces, commas and quotes",
                                 definition->name);
        return lease_check(definition, host->lease, error);
}

static int dhcp_check(const NetworkDefinition *definition, const IpNetwork *network, const NetworkIp *ip,
                      Error *error)
{
        LIST_FOREACH (range, ip->dhcp->ranges) {
                int r = lease_check(definition, range->lease, error);

                if (r < 0)
                        return r;
                if (!range_is_in(network, range))
                        return error_set(error, ERROR_INVALID_XML,
                                         "network '%s': DHCP range '%s' to '%s': at most %u addresses of "
                                         "%s/%u, the lower one first, are possible",
                                         definition->name, range->start, range->end, RANGE_MAX, ip->address,
                                         network->prefix);
        }
        LIST_FOREACH (host, ip->dhcp->hosts) {
                int r = dhcp_host_check(definition, network, host, error);

                if (r < 0)
                        return r;
        }
        if (ip->dhcp->boot && (!is_word(ip->dhcp->boot->file) || !is_word(ip->dhcp->boot->server)))
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': <bootp>: no spaces, commas and quotes are possible",
                                 definition->name);
        return 0;
}

static int ips_check(const NetworkDefinition *definition, Error *error)
{
        unsigned n_dhcp4 = 0, n_dhcp6 = 0, n_tftp = 0;

        LIST_FOREACH (ip, definition->ips) {
                IpNetwork network;
                int r = network_ip_read(ip, &network, error);

                if (r < 0)
                        return r;
                n_tftp += ip->tftp_root != NULL;
                if (ip->tftp_root && (network.family == AF_INET6 || !is_plain(ip->tftp_root)))
                        return error_set(error, ERROR_INVALID_XML,
                                         "network '%s': <tftp> needs an IPv4 <ip> and a path on one line",
                                         definition->name);
                if (!ip->dhcp)
                        continue;
                *(network.family == AF_INET6 ? &n_dhcp6 : &n_dhcp4) += 1;
                r = dhcp_check(definition, &network, ip, error);
                if (r < 0)
                        return r;
        }
        if (n_dhcp4 > 1 || n_dhcp6 > 1 || n_tftp > 1)
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': only one <dhcp> of each family and one <tftp> is possible",
                                 definition->name);
        return 0;
}

static bool is_reachable(const NetworkDefinition *definition, const char *gateway)
{
        LIST_FOREACH (ip, definition->ips) {
                IpNetwork network;

                if (network_ip_read(ip, &network, NULL) >= 0 && ip_network_contains(&network, gateway))
                        return true;
        }
        return false;
}

static int routes_check(const NetworkDefinition *definition, Error *error)
{
        LIST_FOREACH (route, definition->routes)
                if (!is_reachable(definition, route->gateway))
                        return error_set(error, ERROR_INVALID_XML,
                                         "network '%s': route/@gateway='%s' is in none of the networks",
                                         definition->name, route->gateway);
        return 0;
}

int network_definition_check(const NetworkDefinition *definition, Error *error)
{
        int (*const checks[])(const NetworkDefinition *, Error *) = {
                name_check, forward_check, bridge_check, port_groups_check,
                dns_check,  ips_check,     routes_check,
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
                int r = checks[i](definition, error);

                if (r < 0)
                        return r;
        }
        if (definition->mac[0] && strtoul(definition->mac, NULL, 16) & 1)
                return error_set(error, ERROR_INVALID_XML,
                                 "network '%s': mac/@address='%s' is a multicast address", definition->name,
                                 definition->mac);
        return vlan_check(definition, definition->vlan, definition->virtualport, error);
}
