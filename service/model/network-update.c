/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One element of a list is added, replaced or taken out. A section is a row: which element it is, what makes
 * two of them the same. Everything happens to a copy, which is then read again as a whole, so that what
 * cannot be defined cannot come about by updates either. */

#include "model/network.h"
#include <string.h>

/* virNetworkUpdateCommand. */
enum {
        COMMAND_MODIFY = 1,
        COMMAND_DELETE = 2,
        COMMAND_ADD_LAST = 3,
        COMMAND_ADD_FIRST = 4,
};

/* virNetworkUpdateSection. */
enum {
        SECTION_IP_DHCP_HOST = 4,
        SECTION_IP_DHCP_RANGE = 5,
        SECTION_FORWARD_INTERFACE = 7,
        SECTION_PORTGROUP = 9,
        SECTION_DNS_HOST = 10,
        SECTION_DNS_TXT = 11,
        SECTION_DNS_SRV = 12,
        _SECTION_MAX,
};

typedef struct Section {
        const char *name, *element;
        const StructType *type;
        bool can_modify;
        /* Whether `item` cannot stand beside `given`, or is what `given` replaces. */
        bool (*conflicts)(const void *item, const void *given);
        /* Whether `item` is what `given` says is to be deleted. */
        bool (*matches)(const void *item, const void *given);
} Section;

static bool is_same(const char *a, const char *b)
{
        return a && b && *a && *b && strcmp(a, b) == 0;
}

/* What is not given is as good as the same. */
static bool is_same_if_given(const char *item, const char *given)
{
        return !given || !*given || is_same(item, given);
}

static bool host_conflicts(const void *item, const void *given)
{
        const DhcpHost *a = item, *b = given;

        return is_same(a->mac, b->mac) || is_same(a->name, b->name) || is_same(a->address, b->address) ||
               is_same(a->id, b->id);
}

static bool host_matches(const void *item, const void *given)
{
        const DhcpHost *a = item, *b = given;

        return (*b->mac || b->name || b->address || b->id) && is_same_if_given(a->mac, b->mac) &&
               is_same_if_given(a->name, b->name) && is_same_if_given(a->address, b->address) &&
               is_same_if_given(a->id, b->id);
}

static bool range_is_same(const void *item, const void *given)
{
        const DhcpRange *a = item, *b = given;

        return is_same(a->start, b->start) && is_same(a->end, b->end);
}

static bool interface_is_same(const void *item, const void *given)
{
        return is_same(((const ForwardInterface *)item)->dev, ((const ForwardInterface *)given)->dev);
}

static bool port_group_is_same(const void *item, const void *given)
{
        return is_same(((const PortGroup *)item)->name, ((const PortGroup *)given)->name);
}

static bool shares_name(const DnsHost *a, const DnsHost *b)
{
        LIST_FOREACH (name, a->names) {
                LIST_FOREACH (other, b->names) {
                        if (is_same(name->name, other->name))
                                return true;
                }
        }
        return false;
}

static bool dns_host_conflicts(const void *item, const void *given)
{
        const DnsHost *a = item, *b = given;

        return is_same(a->address, b->address) || shares_name(a, b);
}

static bool dns_host_matches(const void *item, const void *given)
{
        const DnsHost *a = item, *b = given;

        return (b->address || b->names.count > 0) && is_same_if_given(a->address, b->address) &&
               (b->names.count == 0 || shares_name(a, b));
}

static bool txt_conflicts(const void *item, const void *given)
{
        return is_same(((const DnsTxt *)item)->name, ((const DnsTxt *)given)->name);
}

static bool txt_matches(const void *item, const void *given)
{
        const DnsTxt *a = item, *b = given;

        return is_same(a->name, b->name) && is_same_if_given(a->value, b->value);
}

static bool srv_matches(const void *item, const void *given)
{
        const DnsSrv *a = item, *b = given;

        return is_same_if_given(a->service, b->service) && is_same_if_given(a->protocol, b->protocol) &&
               is_same_if_given(a->domain, b->domain) && is_same_if_given(a->target, b->target) &&
               (b->port == 0 || a->port == b->port) && (b->priority == 0 || a->priority == b->priority) &&
               (b->weight == 0 || a->weight == b->weight);
}

static bool srv_conflicts(const void *item, const void *given)
{
        return srv_matches(item, given) && srv_matches(given, item);
}

static const Section sections[_SECTION_MAX] = {
        [SECTION_IP_DHCP_HOST] = { "DHCP host", "host", &dhcp_host_type, true, host_conflicts,
                                   host_matches },
        [SECTION_IP_DHCP_RANGE] = { "DHCP range", "range", &dhcp_range_type, false, range_is_same,
                                    range_is_same },
        [SECTION_FORWARD_INTERFACE] = { "forward interface", "interface", &forward_interface_type, false,
                                        interface_is_same, interface_is_same },
        [SECTION_PORTGROUP] = { "portgroup", "portgroup", &port_group_type, true, port_group_is_same,
                                port_group_is_same },
        [SECTION_DNS_HOST] = { "DNS host", "host", &dns_host_type, false, dns_host_conflicts,
                               dns_host_matches },
        [SECTION_DNS_TXT] = { "DNS txt", "txt", &dns_txt_type, false, txt_conflicts, txt_matches },
        [SECTION_DNS_SRV] = { "DNS srv", "srv", &dns_srv_type, false, srv_conflicts, srv_matches },
};

/* -1 means the element that has DHCP already, or else the first one of IPv4. */
static NetworkIp *find_ip(const NetworkDefinition *definition, int32_t index)
{
        if (index >= 0)
                return (uint32_t)index < definition->ips.count ? definition->ips.items[index] : NULL;
        LIST_FOREACH (ip, definition->ips) {
                if (ip->dhcp)
                        return ip;
        }
        LIST_FOREACH (ip, definition->ips) {
                if (g_strcmp0(ip->family, "ipv6") != 0)
                        return ip;
        }
        return NULL;
}

static int find_dhcp(NetworkDefinition *definition, int32_t parent_index, NetworkDhcp **ret_dhcp,
                     Error *error)
{
        NetworkIp *ip = find_ip(definition, parent_index);

        if (!ip)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The network '%s' has no <ip> element with index %d", definition->name,
                                 parent_index);
        if (!ip->dhcp)
                ip->dhcp = struct_new(&network_dhcp_type);
        *ret_dhcp = ip->dhcp;
        return 0;
}

static int find_list(NetworkDefinition *definition, uint32_t section, int32_t parent_index,
                     AnyList **ret_list, Error *error)
{
        NetworkDhcp *dhcp = NULL;
        int r = section <= SECTION_IP_DHCP_RANGE ? find_dhcp(definition, parent_index, &dhcp, error) : 0;

        if (r < 0)
                return r;
        if (section == SECTION_FORWARD_INTERFACE && !definition->forward)
                return error_set(error, ERROR_OPERATION_INVALID, "The network '%s' has no <forward>",
                                 definition->name);
        if (section >= SECTION_DNS_HOST && !definition->dns)
                definition->dns = struct_new(&network_dns_type);
        switch (section) {
        case SECTION_IP_DHCP_HOST:
                *ret_list = (AnyList *)&dhcp->hosts;
                break;
        case SECTION_IP_DHCP_RANGE:
                *ret_list = (AnyList *)&dhcp->ranges;
                break;
        case SECTION_FORWARD_INTERFACE:
                *ret_list = (AnyList *)&definition->forward->interfaces;
                break;
        case SECTION_PORTGROUP:
                *ret_list = (AnyList *)&definition->port_groups;
                break;
        case SECTION_DNS_HOST:
                *ret_list = (AnyList *)&definition->dns->hosts;
                break;
        case SECTION_DNS_TXT:
                *ret_list = (AnyList *)&definition->dns->txts;
                break;
        default:
                *ret_list = (AnyList *)&definition->dns->srvs;
                break;
        }
        return 0;
}

static int apply(const NetworkDefinition *definition, const Section *section, uint32_t command,
                 AnyList *list, void **given, Error *error)
{
        bool (*is_wanted)(const void *, const void *) =
                command == COMMAND_DELETE ? section->matches : section->conflicts;
        uint32_t found = 0, n_found = 0;

        for (uint32_t i = list->count; i-- > 0;)
                if (is_wanted(list->items[i], *given)) {
                        found = i;
                        n_found++;
                }
        if (command == COMMAND_ADD_FIRST || command == COMMAND_ADD_LAST) {
                if (n_found > 0)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "The network '%s' has a %s that is the same already, or in its way",
                                         definition->name, section->name);
                list_insert(list, command == COMMAND_ADD_FIRST ? 0 : list->count, TAKE_PTR(*given));
                return 0;
        }
        if (n_found != 1)
                return error_set(error, ERROR_OPERATION_INVALID, "The network '%s' has %s %s that matches",
                                 definition->name, n_found == 0 ? "no" : "more than one", section->name);
        struct_free(section->type, list_remove(list, found));
        if (command == COMMAND_MODIFY)
                list_insert(list, found, TAKE_PTR(*given));
        return 0;
}

static int check_address(const NetworkDefinition *definition, uint32_t section, uint32_t command,
                         const void *given, Error *error)
{
        const DnsHost *host = given;

        if (section != SECTION_DNS_HOST || command == COMMAND_DELETE ||
            (host->address && host->names.count > 0))
                return 0;
        return error_set(error, ERROR_INVALID_XML,
                         "network '%s': a DNS host has an address, ip='...', and names, <hostname>",
                         definition->name);
}

/* One that was made for the update, or whose last element it took. */
static void drop_empty_dns(NetworkDefinition *definition)
{
        const NetworkDns *dns = definition->dns;

        if (dns && dns->enable == YES_NO_ABSENT && dns->forward_plain_names == YES_NO_ABSENT &&
            dns->forwarders.count + dns->txts.count + dns->hosts.count + dns->srvs.count == 0)
                definition->dns = struct_free(&network_dns_type, definition->dns);
}

/* The rules of the elements around the one that changed are those of reading the whole again. */
static int read_again(NetworkDefinition *definition, NetworkDefinition **ret, Error *error)
{
        _cleanup_(freep) char *xml = NULL;

        drop_empty_dns(definition);
        if (definition->forward && definition->forward->interfaces.count > 0) { /* it is the first one's */
                g_free(definition->forward->dev);
                definition->forward->dev = NULL;
        }
        xml = network_definition_format(definition, DEFINITION_INACTIVE);
        return network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, ret, error);
}

static int check_arguments(const NetworkDefinition *definition, uint32_t command, uint32_t section,
                           Error *error)
{
        if (command < COMMAND_MODIFY || command > COMMAND_ADD_FIRST)
                return error_set(
                        error, ERROR_INVALID_ARGUMENT,
                        "Update: command %u is unknown: 1 (modify), 2 (delete), 3 (add as the last) "
                        "and 4 (add as the first) are known",
                        command);
        if (section >= _SECTION_MAX || !sections[section].name)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "Update: section %u of a network is not updated, 4, 5, 7 and 9 to 12 are",
                                 section);
        if (command == COMMAND_MODIFY && !sections[section].can_modify)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "Update: a %s of network '%s' is not modified, only added or deleted",
                                 sections[section].name, definition->name);
        return 0;
}

int network_definition_update(const NetworkDefinition *definition, uint32_t command, uint32_t section,
                              int32_t parent_index, const char *xml, NetworkDefinition **ret, Error *error)
{
        _cleanup_(network_definition_freep) NetworkDefinition *copy = NULL;
        const Section *row;
        void *given = NULL;
        AnyList *list = NULL;
        int r = check_arguments(definition, command, section, error);

        if (r < 0)
                return r;
        row = &sections[section];
        copy = network_definition_copy(definition);
        r = find_list(copy, section, parent_index, &list, error);
        if (r >= 0)
                r = struct_parse_document(row->type, row->element, xml, strlen(xml), DEFINITION_INACTIVE,
                                          &given, error);
        if (r < 0)
                return r;
        r = check_address(definition, section, command, given, error);
        if (r >= 0)
                r = apply(copy, row, command, list, &given, error);
        if (given)
                struct_free(row->type, given);
        return r < 0 ? r : read_again(copy, ret, error);
}
