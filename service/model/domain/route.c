/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Addresses and routes: those of a guest, and those of the host's side of its interface. */

#include "model/domain/interface.h"
#include <arpa/inet.h>

#define THIS NetworkAddress
static const Field network_address_fields[] = {
        STRING("@address", address, .flags = FIELD_REQUIRED),
        STRING("@family", family),
        OPTIONAL_UNSIGNED("@prefix", prefix),
        STRING("@peer", peer),
};
#undef THIS

int ip_family(const char *text)
{
        uint8_t bytes[16];

        for (unsigned i = 0; i < 2; i++)
                if (inet_pton(i == 0 ? AF_INET : AF_INET6, text, bytes) == 1)
                        return i == 0 ? AF_INET : AF_INET6;
        return 0;
}

static int ip_check(const char *element, const char *attribute, const char *text, int family, unsigned line,
                    Error *error)
{
        int found = ip_family(text);

        if (found == family)
                return 0;
        return error_set(error, ERROR_INVALID_XML, "line %u: <%s>: %s='%s': an IPv%c address is expected",
                         line, element, attribute, text, family == AF_INET6 ? '6' : '4');
}

static int family_check(const char *element, const char *family, unsigned line, Error *error)
{
        if (!family || g_str_equal(family, "ipv4") || g_str_equal(family, "ipv6"))
                return 0;
        return error_set(error, ERROR_INVALID_XML, "line %u: <%s>: family='%s': ipv4 or ipv6 is expected",
                         line, element, family);
}

static int prefix_check(const char *element, uint32_t prefix, int family, unsigned line, Error *error)
{
        uint32_t max = family == AF_INET6 ? 128 : 32;

        if (prefix <= max)
                return 0;
        return error_set(error, ERROR_INVALID_XML, "line %u: <%s>: prefix='%u': at most %u is possible",
                         line, element, prefix, max);
}

static int address_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        NetworkAddress *address = object;
        unsigned line = node ? node->line : 0;
        int r, family;

        (void)flags;
        r = family_check("ip", address->family, line, error);
        if (r < 0)
                return r;
        if (!address->family)
                address->family = g_strdup(ip_family(address->address) == AF_INET6 ? "ipv6" : "ipv4");
        family = g_str_equal(address->family, "ipv6") ? AF_INET6 : AF_INET;
        r = ip_check("ip", "address", address->address, family, line, error);
        if (r >= 0 && address->peer)
                r = ip_check("ip", "peer", address->peer, family, line, error);
        if (r >= 0 && address->has_prefix)
                r = prefix_check("ip", address->prefix, family, line, error);
        return r;
}

DEFINE_STRUCT(network_address, NetworkAddress, .check = address_check);

#define THIS NetworkRoute
static const Field network_route_fields[] = {
        STRING("@family", family),
        STRING("@address", address, .flags = FIELD_REQUIRED),
        STRING("@netmask", netmask),
        OPTIONAL_UNSIGNED("@prefix", prefix),
        STRING("@gateway", gateway, .flags = FIELD_REQUIRED),
        OPTIONAL_UNSIGNED("@metric", metric),
};
#undef THIS

static int route_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const NetworkRoute *route = object;
        unsigned line = node ? node->line : 0;
        int r, family = g_strcmp0(route->family, "ipv6") == 0 ? AF_INET6 : AF_INET;

        (void)flags;
        r = family_check("route", route->family, line, error);
        if (r >= 0)
                r = ip_check("route", "address", route->address, family, line, error);
        if (r >= 0)
                r = ip_check("route", "gateway", route->gateway, family, line, error);
        if (r >= 0 && route->has_prefix)
                r = prefix_check("route", route->prefix, family, line, error);
        if (r < 0 || !route->netmask)
                return r;
        if (route->has_prefix || family == AF_INET6)
                return error_set(error, ERROR_INVALID_XML, "line %u: <route>: @netmask needs %s", line,
                                 route->has_prefix ? "to stand without @prefix" : "IPv4 addresses");
        return ip_check("route", "netmask", route->netmask, AF_INET, line, error);
}

DEFINE_STRUCT(network_route, NetworkRoute, .check = route_check);
