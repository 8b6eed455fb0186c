/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Order decides: first what stays within a network, then what isolated ones refuse, then what may come into
 * a network, then what may leave one. A network that lets others in is so not reached from an isolated one.
 */

#include "drivers/network/firewall.h"
#include <arpa/inet.h>
#include <string.h>

bool firewall_has_rules(const NetworkDefinition *network)
{
        return network_has_own_bridge(network) && network_forward_mode(network) != FORWARD_OPEN;
}

static bool is_nat(const NetworkDefinition *network, const IpNetwork *ip)
{
        const NetworkForward *forward = network->forward;

        return network_forward_mode(network) == FORWARD_NAT &&
               (ip->family == AF_INET || (forward->nat && forward->nat->ipv6 == YES));
}

/* "ip saddr 10.0.0.0/8": bits behind the prefix are none of the network's. */
static char *match(const IpNetwork *ip, const char *direction)
{
        char text[INET6_ADDRSTRLEN];
        uint8_t bytes[16];

        for (unsigned i = 0; i < sizeof bytes; i++) {
                unsigned bits = ip->prefix > i * 8 ? MIN(ip->prefix - i * 8, 8) : 0;

                bytes[i] = ip->bytes[i] & (uint8_t)(0xff00 >> bits);
        }
        (void)inet_ntop(ip->family, bytes, text, sizeof text); /* cannot fail: it fits */
        return g_strdup_printf("%s %s %s/%u", ip->family == AF_INET ? "ip" : "ip6", direction, text,
                               ip->prefix);
}

static void add_within(GString *text, const NetworkDefinition *network)
{
        if (!firewall_has_rules(network))
                return;
        g_string_append_printf(text, "iifname \"%s\" oifname \"%s\" accept\n", network->bridge.name,
                               network->bridge.name);
}

static void add_isolated(GString *text, const NetworkDefinition *network)
{
        if (network_forward_mode(network) == FORWARD_NONE)
                g_string_append_printf(text, "oifname \"%s\" reject\niifname \"%s\" reject\n",
                                       network->bridge.name, network->bridge.name);
}

static bool is_filtered(const NetworkDefinition *network)
{
        ForwardMode mode = network_forward_mode(network);

        return mode == FORWARD_NAT || mode == FORWARD_ROUTE;
}

static char *outside(const NetworkDefinition *network, const char *key)
{
        return network->forward->dev ? g_strdup_printf("%s \"%s\" ", key, network->forward->dev)
                                     : g_strdup("");
}

static void add_in(GString *text, const NetworkDefinition *network)
{
        _cleanup_(freep) char *from = NULL;

        if (!is_filtered(network))
                return;
        from = outside(network, "iifname");
        LIST_FOREACH (ip, network->ips) {
                _cleanup_(freep) char *to = NULL;
                IpNetwork read;

                if (network_ip_read(ip, &read, NULL) < 0)
                        continue;
                to = match(&read, "daddr");
                g_string_append_printf(text, "%soifname \"%s\" %s %saccept\n", from, network->bridge.name,
                                       to, is_nat(network, &read) ? "ct state established,related " : "");
        }
        g_string_append_printf(text, "oifname \"%s\" reject\n", network->bridge.name);
}

static void add_out(GString *text, const NetworkDefinition *network)
{
        _cleanup_(freep) char *to = NULL;

        if (!is_filtered(network))
                return;
        to = outside(network, "oifname");
        LIST_FOREACH (ip, network->ips) {
                _cleanup_(freep) char *from = NULL;
                IpNetwork read;

                if (network_ip_read(ip, &read, NULL) < 0)
                        continue;
                from = match(&read, "saddr");
                g_string_append_printf(text, "iifname \"%s\" %s%s accept\n", network->bridge.name, to, from);
        }
        g_string_append_printf(text, "iifname \"%s\" reject\n", network->bridge.name);
}

/* Ports below 1024 are the host's own. */
static void add_translation(GString *text, const NetworkDefinition *network, const NetworkIp *ip)
{
        const NetworkNat *nat = network->forward->nat;
        _cleanup_(freep) char *from = NULL, *to = NULL, *inside = NULL, *target = NULL, *ports = NULL;
        IpNetwork read;

        if (network_ip_read(ip, &read, NULL) < 0 || !is_nat(network, &read))
                return;
        from = match(&read, "saddr");
        inside = match(&read, "daddr !=");
        to = outside(network, "oifname");
        target = nat && nat->address && ip_family(nat->address->start) == read.family
                         ? g_strdup_printf("snat %s to %s-%s", read.family == AF_INET ? "ip" : "ip6",
                                           nat->address->start, nat->address->end)
                         : g_strdup("masquerade");
        ports = nat && nat->port ? g_strdup_printf("%u-%u", nat->port->start, nat->port->end)
                                 : g_strdup("1024-65535");
        if (read.family == AF_INET)
                g_string_append_printf(text, "%s ip daddr { 224.0.0.0/24, 255.255.255.255 } return\n", from);
        else
                g_string_append_printf(text, "%s ip6 daddr ff02::/16 return\n", from);
        g_string_append_printf(text, "%s%s %s meta l4proto { tcp, udp } %s%s%s\n", to, from, inside, target,
                               strcmp(target, "masquerade") == 0 ? " to :" : ":", ports);
        g_string_append_printf(text, "%s%s %s %s\n", to, from, inside, target);
}

char *firewall_text(const GPtrArray *networks)
{
        static void (*const steps[])(GString * text, const NetworkDefinition *network) = { add_within,
                                                                                           add_isolated,
                                                                                           add_in, add_out };
        GString *text = g_string_new("table inet virtbus\ndelete table inet virtbus\n");

        if (networks->len == 0)
                return g_string_free(text, FALSE);
        g_string_append(text, "table inet virtbus {\nchain forward {\n"
                              "type filter hook forward priority filter; policy accept;\n");
        for (unsigned step = 0; step < G_N_ELEMENTS(steps); step++)
                for (unsigned i = 0; i < networks->len; i++)
                        steps[step](text, networks->pdata[i]);
        g_string_append(text, "}\nchain postrouting {\ntype nat hook postrouting priority srcnat;\n");
        for (unsigned i = 0; i < networks->len; i++) {
                const NetworkDefinition *network = networks->pdata[i];

                if (network_forward_mode(network) != FORWARD_NAT)
                        continue;
                LIST_FOREACH (ip, network->ips)
                        add_translation(text, network, ip);
        }
        g_string_append(text, "}\n}\n");
        return g_string_free(text, FALSE);
}
