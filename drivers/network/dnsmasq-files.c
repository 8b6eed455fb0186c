/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A network's definition in dnsmasq's words. */

#include "drivers/network/dnsmasq.h"
#include <arpa/inet.h>
#include <string.h>

void dnsmasq_files_clear(DnsmasqFiles *files)
{
        if (files->config)
                g_string_free(files->config, TRUE);
        if (files->hosts)
                g_string_free(files->hosts, TRUE);
        if (files->names)
                g_string_free(files->names, TRUE);
        *files = (DnsmasqFiles){};
}

/* A word ends at a comma, a slash or a space, a text at the line's end; quotes and backslashes change the
 * meaning of both. */
static int check_text(const char *what, const char *text, const char *forbidden, Error *error)
{
        for (const char *c = text; c && *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f || strchr(forbidden, *c))
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "%s '%s': dnsmasq cannot be told of this name or text", what, text);
        return 0;
}

static int check_word(const char *what, const char *text, Error *error)
{
        return check_text(what, text, ",/ \"\\#*", error);
}

static int check_dns(const NetworkDns *dns, Error *error)
{
        int r = 0;

        LIST_FOREACH (forwarder, dns->forwarders) {
                if (r >= 0)
                        r = check_word("<forwarder> domain", forwarder->domain, error);
        }
        LIST_FOREACH (txt, dns->txts) {
                if (r >= 0)
                        r = check_word("<txt> name", txt->name, error);
                if (r >= 0)
                        r = check_text("<txt> value", txt->value, "\"\\", error);
        }
        LIST_FOREACH (srv, dns->srvs) {
                const char *const words[] = { srv->service, srv->protocol, srv->domain, srv->target };

                for (unsigned i = 0; i < G_N_ELEMENTS(words) && r >= 0; i++)
                        r = check_word("<srv>", words[i], error);
        }
        LIST_FOREACH (host, dns->hosts) {
                LIST_FOREACH (name, host->names) {
                        if (r >= 0)
                                r = check_word("<hostname>", name->name, error);
                }
        }
        return r;
}

static int check_ip(const NetworkIp *ip, Error *error)
{
        int r = check_text("<tftp> root", ip->tftp_root, "\"\\,", error);

        if (r < 0 || !ip->dhcp)
                return r;
        LIST_FOREACH (host, ip->dhcp->hosts) {
                r = check_word("<host> name", host->name, error);
                if (r >= 0)
                        r = check_word("<host> id", host->id, error);
                if (r < 0)
                        return r;
        }
        if (ip->dhcp->boot) {
                r = check_text("<bootp> file", ip->dhcp->boot->file, "\"\\,", error);
                if (r >= 0)
                        r = check_word("<bootp> server", ip->dhcp->boot->server, error);
        }
        return r;
}

static int check(const NetworkDefinition *definition, Error *error)
{
        int r = check_word("<domain>", definition->domain, error);

        if (r >= 0 && definition->dns)
                r = check_dns(definition->dns, error);
        LIST_FOREACH (ip, definition->ips) {
                if (r >= 0)
                        r = check_ip(ip, error);
        }
        return r;
}

static bool has_dns(const NetworkDefinition *definition)
{
        return !definition->dns || definition->dns->enable != NO;
}

static void add_forwarders(GString *config, const NetworkDns *dns)
{
        bool is_for_all = false;

        LIST_FOREACH (forwarder, dns->forwarders) {
                if (forwarder->domain)
                        g_string_append_printf(config, "server=/%s/%s\n", forwarder->domain,
                                               forwarder->address ? forwarder->address : "#");
                else
                        g_string_append_printf(config, "server=%s\n", forwarder->address);
                is_for_all = is_for_all || !forwarder->domain;
        }
        if (is_for_all)
                g_string_append(config, "no-resolv\n");
}

static void add_records(GString *config, const NetworkDns *dns)
{
        LIST_FOREACH (txt, dns->txts) {
                g_string_append_printf(config, "txt-record=%s", txt->name);
                if (txt->value)
                        g_string_append_printf(config, ",%s", txt->value);
                g_string_append_c(config, '\n');
        }
        LIST_FOREACH (srv, dns->srvs) {
                g_string_append_printf(config, "srv-host=_%s._%s", srv->service, srv->protocol);
                if (srv->domain)
                        g_string_append_printf(config, ".%s", srv->domain);
                if (srv->target)
                        g_string_append_printf(config, ",%s", srv->target);
                if (srv->target && (srv->port || srv->priority || srv->weight))
                        g_string_append_printf(config, ",%u", srv->port ? srv->port : 1);
                if (srv->target && (srv->priority || srv->weight))
                        g_string_append_printf(config, ",%u", srv->priority);
                if (srv->target && srv->weight)
                        g_string_append_printf(config, ",%u", srv->weight);
                g_string_append_c(config, '\n');
        }
}

/* The zone of addresses that are looked up here and never asked for elsewhere. */
static void add_reverse_zone(GString *config, const IpNetwork *ip)
{
        g_string_append(config, "local=/");
        if (ip->family == AF_INET) {
                for (unsigned i = ip->prefix / 8; i-- > 0;)
                        g_string_append_printf(config, "%u.", ip->bytes[i]);
                g_string_append(config, "in-addr.arpa/\n");
                return;
        }
        for (unsigned i = ip->prefix / 4; i-- > 0;)
                g_string_append_printf(config, "%x.", i % 2 ? ip->bytes[i / 2] & 15 : ip->bytes[i / 2] >> 4);
        g_string_append(config, "ip6.arpa/\n");
}

static char *lease_text(const DhcpLease *lease)
{
        static const char units[] = {
                [LEASE_UNIT_MINUTES] = 'm', [LEASE_UNIT_SECONDS] = 's', [LEASE_UNIT_HOURS] = 'h'
        };

        if (!lease)
                return g_strdup("");
        return lease->expiry == 0
                       ? g_strdup(",infinite")
                       : g_strdup_printf(",%" G_GUINT64_FORMAT "%c", lease->expiry, units[lease->unit]);
}

static uint64_t range_size(const DhcpRange *range, int family)
{
        uint8_t start[16] = {}, end[16] = {};
        uint64_t difference = 0;
        unsigned length = family == AF_INET ? 4 : 16;

        if (inet_pton(family, range->start, start) != 1 || inet_pton(family, range->end, end) != 1)
                return 0;
        for (unsigned i = 0; i < length; i++)
                difference = (difference << 8) + end[i] - start[i];
        return difference + 1;
}

static void add_ranges(GString *config, const NetworkIp *ip, const IpNetwork *read, uint64_t *n_leases)
{
        struct in_addr mask = { htonl(read->prefix == 0 ? 0 : UINT32_MAX << (32 - MIN(read->prefix, 32))) };
        char mask_text[INET6_ADDRSTRLEN];

        if (read->family == AF_INET)
                (void)inet_ntop(AF_INET, &mask, mask_text, sizeof mask_text);
        else
                g_snprintf(mask_text, sizeof mask_text, "%u", read->prefix);
        LIST_FOREACH (range, ip->dhcp->ranges) {
                _cleanup_(freep) char *lease = lease_text(range->lease);

                g_string_append_printf(config, "dhcp-range=%s,%s,%s%s\n", range->start, range->end,
                                       mask_text, lease);
                *n_leases += range_size(range, read->family);
        }
        if (ip->dhcp->ranges.count == 0 && ip->dhcp->hosts.count > 0)
                g_string_append_printf(config, "dhcp-range=%s,static%s%s\n", ip->address,
                                       read->family == AF_INET ? "" : ",",
                                       read->family == AF_INET ? "" : mask_text);
        if (ip->dhcp->ranges.count == 0)
                *n_leases += ip->dhcp->hosts.count;
        if (read->family != AF_INET)
                return;
        g_string_append(config, "dhcp-no-override\n");
        if (ip->dhcp->ranges.count > 0)
                g_string_append(config, "dhcp-authoritative\n");
        if (ip->dhcp->boot)
                g_string_append_printf(config, "dhcp-boot=%s%s%s\n", ip->dhcp->boot->file,
                                       ip->dhcp->boot->server ? ",," : "",
                                       ip->dhcp->boot->server ? ip->dhcp->boot->server : "");
}

static void add_hosts(GString *hosts, const NetworkDhcp *dhcp, int family)
{
        LIST_FOREACH (host, dhcp->hosts) {
                _cleanup_(freep) char *lease = lease_text(host->lease);
                _cleanup_(freep) char *address = !host->address ? NULL
                                                 : family == AF_INET
                                                         ? g_strdup(host->address)
                                                         : g_strdup_printf("[%s]", host->address);
                _cleanup_(freep) char *id = host->id ? g_strdup_printf("id:%s", host->id) : NULL;
                const char *words[4] = {};
                _cleanup_(freep) char *line = NULL;
                unsigned n = 0;

                if (id)
                        words[n++] = id;
                else if (host->mac[0])
                        words[n++] = host->mac;
                if (family == AF_INET && n > 0) {
                        words[n++] = address ? address : host->name;
                        if (address && host->name)
                                words[n++] = host->name;
                } else {
                        if (host->name)
                                words[n++] = host->name;
                        if (address)
                                words[n++] = address;
                }
                line = g_strjoinv(",", (char **)words);
                g_string_append_printf(hosts, "%s%s\n", line, lease);
        }
}

static int add_ips(const NetworkDefinition *definition, DnsmasqFiles *files, Error *error)
{
        GString *config = files->config;
        bool is_isolated = network_forward_mode(definition) == FORWARD_NONE;
        bool has_ipv4 = false, has_ipv6 = false;
        uint64_t n_leases = 0;

        LIST_FOREACH (ip, definition->ips) {
                IpNetwork read;
                int r = network_ip_read(ip, &read, error);

                if (r < 0)
                        return r;
                if (ip->tftp_root)
                        g_string_append_printf(config, "enable-tftp\ntftp-root=%s\n", ip->tftp_root);
                if (ip->local_ptr == YES)
                        add_reverse_zone(config, &read);
                if (!ip->dhcp)
                        continue;
                add_ranges(config, ip, &read, &n_leases);
                add_hosts(files->hosts, ip->dhcp, read.family);
                has_ipv4 = has_ipv4 || read.family == AF_INET;
                has_ipv6 = has_ipv6 || read.family == AF_INET6;
        }
        if (n_leases > 0)
                g_string_append_printf(config, "dhcp-lease-max=%" G_GUINT64_FORMAT "\n", n_leases);
        if (has_ipv4 && is_isolated)
                g_string_append(config, "dhcp-option=3\n"); /* a router that leads nowhere */
        if (has_ipv4 && definition->mtu > 0)
                g_string_append_printf(config, "dhcp-option=option:mtu,%u\n", definition->mtu);
        if (has_ipv6) {
                g_string_append(config, "enable-ra\n");
                return 0;
        }
        LIST_FOREACH (ip, definition->ips) {
                if (ip_family(ip->address) == AF_INET6)
                        g_string_append_printf(config, "dhcp-range=%s,ra-only\n", ip->address);
        }
        return 0;
}

int dnsmasq_files_make(const NetworkDefinition *definition, DnsmasqFiles *ret_files, Error *error)
{
        DnsmasqFiles files = { g_string_new("strict-order\n"), g_string_new(NULL), g_string_new(NULL) };
        const NetworkDns *dns = definition->dns;
        GString *config = files.config;
        int r = check(definition, error);

        if (!has_dns(definition))
                g_string_append(config, "port=0\n");
        if (dns)
                add_forwarders(config, dns);
        if (network_forward_mode(definition) == FORWARD_NONE)
                g_string_append(config, "no-resolv\n");
        if (definition->domain)
                g_string_append_printf(config, "domain=%s\nexpand-hosts\n", definition->domain);
        if (definition->domain && definition->domain_local_only == YES)
                g_string_append_printf(config, "local=/%s/\n", definition->domain);
        if (dns && dns->forward_plain_names == NO)
                g_string_append(config, "domain-needed\nlocal=//\n");
        g_string_append_printf(config, "except-interface=lo\nbind-dynamic\ninterface=%s\n",
                               definition->bridge.name);
        if (dns)
                add_records(config, dns);
        if (r >= 0)
                r = add_ips(definition, &files, error);
        if (dns) {
                LIST_FOREACH (host, dns->hosts) {
                        g_string_append(files.names, host->address);
                        LIST_FOREACH (name, host->names)
                                g_string_append_printf(files.names, "\t%s", name->name);
                        g_string_append_c(files.names, '\n');
                }
        }
        if (r < 0)
                dnsmasq_files_clear(&files);
        else
                *ret_files = files;
        return r;
}

bool dnsmasq_is_needed(const NetworkDefinition *definition)
{
        LIST_FOREACH (ip, definition->ips) {
                if (ip->dhcp || has_dns(definition))
                        return true;
        }
        return false;
}
