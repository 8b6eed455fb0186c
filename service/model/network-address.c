/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Addresses of a virtual network: which others are in it. */

#include "model/network.h"
#include <arpa/inet.h>
#include <string.h>

static bool address_read(int family, const char *text, uint8_t ret_bytes[static 16])
{
        return inet_pton(family, text, ret_bytes) == 1;
}

/* The prefix that a netmask of ones and then zeroes stands for; -1 for another. */
static int netmask_to_prefix(const char *netmask)
{
        struct in_addr address;
        uint32_t mask;

        if (inet_pton(AF_INET, netmask, &address) != 1)
                return -1;
        mask = ntohl(address.s_addr);
        for (int prefix = 0; prefix <= 32; prefix++)
                if (mask == (prefix == 0 ? 0 : UINT32_MAX << (32 - prefix)))
                        return prefix;
        return -1;
}

/* Without either, the classes of old: 8, 16 or 24 bits. */
static unsigned class_prefix(const uint8_t *bytes)
{
        return bytes[0] < 128 ? 8 : bytes[0] < 192 ? 16 : 24;
}

int network_ip_read(const NetworkIp *ip, IpNetwork *ret, Error *error)
{
        IpNetwork network = { .family = g_strcmp0(ip->family, "ipv6") == 0 ? AF_INET6 : AF_INET };
        unsigned max = network.family == AF_INET6 ? 128 : 32;
        int prefix;

        if (ip->family && !g_str_equal(ip->family, "ipv4") && !g_str_equal(ip->family, "ipv6"))
                return error_set(error, ERROR_INVALID_XML, "<ip>: family='%s': ipv4 or ipv6 is expected",
                                 ip->family);
        if (!address_read(network.family, ip->address, network.bytes))
                return error_set(error, ERROR_INVALID_XML,
                                 "<ip>: address='%s': an IPv%c address is expected", ip->address,
                                 network.family == AF_INET6 ? '6' : '4');
        if (ip->netmask && (network.family == AF_INET6 || ip->has_prefix))
                return error_set(error, ERROR_INVALID_XML, "<ip address='%s'>: @netmask needs %s",
                                 ip->address,
                                 ip->has_prefix ? "to stand without @prefix" : "an IPv4 address");
        if (ip->has_prefix && ip->prefix > max)
                return error_set(error, ERROR_INVALID_XML,
                                 "<ip address='%s'>: prefix='%u': at most %u is possible", ip->address,
                                 ip->prefix, max);
        if (ip->netmask) {
                prefix = netmask_to_prefix(ip->netmask);
                if (prefix < 0)
                        return error_set(error, ERROR_INVALID_XML,
                                         "<ip address='%s'>: netmask='%s' is no mask", ip->address,
                                         ip->netmask);
                network.prefix = (unsigned)prefix;
        } else if (ip->has_prefix) {
                network.prefix = ip->prefix;
        } else {
                network.prefix = network.family == AF_INET6 ? 64 : class_prefix(network.bytes);
        }
        *ret = network;
        return 0;
}

static bool shares_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
        unsigned bytes = bits / 8, rest = bits % 8;

        if (memcmp(a, b, bytes) != 0)
                return false;
        return rest == 0 || (a[bytes] ^ b[bytes]) >> (8 - rest) == 0;
}

bool ip_network_contains(const IpNetwork *network, const char *address)
{
        uint8_t bytes[16] = {};

        return address_read(network->family, address, bytes) &&
               shares_prefix(network->bytes, bytes, network->prefix);
}

bool ip_networks_overlap(const IpNetwork *a, const IpNetwork *b)
{
        return a->family == b->family && shares_prefix(a->bytes, b->bytes, MIN(a->prefix, b->prefix));
}
