/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <interface>, and the parts that it has in common with networks: bandwidth, VLANs, ports of virtual
 * switches, filters. */

#include "model/domain/interface.h"
#include <string.h>

DEFINE_ENUM(interface_type, INTERFACE_TYPES);
DEFINE_ENUM(macvtap_mode, MACVTAP_MODES);
DEFINE_ENUM(interface_backend, INTERFACE_BACKENDS);
DEFINE_ENUM(interface_driver, INTERFACE_DRIVERS);
DEFINE_ENUM(interface_txmode, INTERFACE_TXMODES);
DEFINE_ENUM(link_state, LINK_STATES);
DEFINE_ENUM(virtualport_type, VIRTUALPORT_TYPES);
DEFINE_ENUM(vlan_native_mode, VLAN_NATIVE_MODES);
DEFINE_ENUM(port_forward_protocol, PORT_FORWARD_PROTOCOLS);
DEFINE_ENUM(teaming_type, TEAMING_TYPES);

#define THIS Virtualport
static const Field virtualport_fields[] = {
        ENUM("@type", type, virtualport_type),
        UNSIGNED("parameters/@managerid", managerid, .has_offset = offsetof(THIS, has_managerid)),
        UNSIGNED("parameters/@typeid", typeid, .has_offset = offsetof(THIS, has_typeid)),
        UNSIGNED("parameters/@typeidversion", typeidversion,
                 .has_offset = offsetof(THIS, has_typeidversion)),
        UUID("parameters/@instanceid", instanceid),
        UUID("parameters/@interfaceid", interfaceid),
        STRING("parameters/@profileid", profileid),
};
#undef THIS
DEFINE_STRUCT(virtualport, Virtualport);

#define THIS BandwidthLimit
static const Field bandwidth_limit_fields[] = {
        OPTIONAL_UNSIGNED("@average", average),
        OPTIONAL_UNSIGNED("@peak", peak),
        OPTIONAL_UNSIGNED("@floor", floor),
        OPTIONAL_UNSIGNED("@burst", burst),
};
#undef THIS

static int limit_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const BandwidthLimit *limit = object;

        (void)flags;
        if (!limit->has_average && !limit->has_floor)
                return error_set(error, ERROR_INVALID_XML, "line %u: <%s>: @average is missing",
                                 node ? node->line : 0, node ? node->name : "bandwidth");
        return 0;
}

static DEFINE_STRUCT(bandwidth_limit, BandwidthLimit, .check = limit_check);

#define THIS Bandwidth
static const Field bandwidth_fields[] = {
        STRUCT("inbound", inbound, bandwidth_limit, .flags = FIELD_NO_ABI),
        STRUCT("outbound", outbound, bandwidth_limit, .flags = FIELD_NO_ABI),
};
#undef THIS
DEFINE_STRUCT(bandwidth, Bandwidth);

static int tag_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const VlanTag *tag = object;

        (void)flags;
        if (tag->id > 4095)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <tag>: id='%u': at most 4095 is possible", node ? node->line : 0,
                                 tag->id);
        return 0;
}

#define THIS VlanTag
static const Field vlan_tag_fields[] = {
        UNSIGNED("@id", id, .flags = FIELD_REQUIRED | FIELD_ALWAYS),
        ENUM("@nativeMode", native_mode, vlan_native_mode),
};
#undef THIS
static DEFINE_STRUCT(vlan_tag, VlanTag, .check = tag_check);

static int vlan_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        Vlan *vlan = object;

        (void)flags;
        if (vlan->tags.count == 0)
                return error_set(error, ERROR_INVALID_XML, "line %u: <vlan>: a <tag> is needed",
                                 node ? node->line : 0);
        if (vlan->tags.count > 1 && vlan->trunk == NO)
                return error_set(error, ERROR_INVALID_XML, "line %u: <vlan>: trunk='no' allows one <tag>",
                                 node ? node->line : 0);
        if (vlan->tags.count > 1)
                vlan->trunk = YES;
        return 0;
}

#define THIS Vlan
static const Field vlan_fields[] = {
        YESNO("@trunk", trunk),
        ITEMS("tag", tags, vlan_tag),
};
#undef THIS
DEFINE_STRUCT(vlan, Vlan, .check = vlan_check);

#define THIS NetworkAddress
static const Field network_address_fields[] = {
        STRING("@address", address, .flags = FIELD_REQUIRED),
        STRING("@family", family),
        OPTIONAL_UNSIGNED("@prefix", prefix),
        STRING("@peer", peer),
};
#undef THIS

static int address_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        NetworkAddress *address = object;
        unsigned max;

        (void)flags;
        if (!address->family)
                address->family = g_strdup(strchr(address->address, ':') ? "ipv6" : "ipv4");
        max = strcmp(address->family, "ipv6") == 0 ? 128 : 32;
        if (address->has_prefix && address->prefix > max)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <ip>: prefix='%u': at most %u is possible", node ? node->line : 0,
                                 address->prefix, max);
        return 0;
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
DEFINE_STRUCT(network_route, NetworkRoute);

#define THIS PortForwardRange
static const Field port_forward_range_fields[] = {
        UNSIGNED("@start", start, .flags = FIELD_REQUIRED),
        UNSIGNED("@end", end),
        UNSIGNED("@to", to),
        YESNO("@exclude", exclude),
};
#undef THIS
static DEFINE_STRUCT(port_forward_range, PortForwardRange);

#define THIS PortForward
static const Field port_forward_fields[] = {
        ENUM("@proto", protocol, port_forward_protocol, .flags = FIELD_REQUIRED),
        STRING("@address", address),
        STRING("@dev", dev),
        ITEMS("range", ranges, port_forward_range),
};
#undef THIS
static DEFINE_STRUCT(port_forward, PortForward);

#define THIS FilterParameter
static const Field filter_parameter_fields[] = {
        STRING("@name", name, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        STRING("@value", value, .flags = FIELD_REQUIRED | FIELD_EMPTY_WORD),
};
#undef THIS
DEFINE_STRUCT(filter_parameter, FilterParameter);

#define THIS FilterReference
static const Field filter_reference_fields[] = {
        STRING("@filter", filter, .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY),
        ITEMS("parameter", parameters, filter_parameter),
};
#undef THIS
DEFINE_STRUCT(filter_reference, FilterReference);

#define THIS InterfaceOffloads
static const Field interface_offloads_fields[] = {
        ONOFF("@csum", csum), ONOFF("@gso", gso), ONOFF("@tso4", tso4),           ONOFF("@tso6", tso6),
        ONOFF("@ecn", ecn),   ONOFF("@ufo", ufo), ONOFF("@mrg_rxbuf", mrg_rxbuf),
};
#undef THIS
static DEFINE_STRUCT(interface_offloads, InterfaceOffloads);

#define THIS InterfaceCoalesce
static const Field interface_coalesce_fields[] = {
        UNSIGNED("rx/frames/@max", rx_max_frames, .has_offset = offsetof(THIS, has_max_frames)),
};
#undef THIS
static DEFINE_STRUCT(interface_coalesce, InterfaceCoalesce);

#define IS(name) BIT(INTERFACE_TYPE_##name)
#define SOCKETS  (IS(SERVER) | IS(CLIENT) | IS(MCAST) | IS(UDP))

#define THIS DomainInterface
static const Field domain_interface_fields[] = {
        ENUM("@type", type, interface_type, .flags = FIELD_REQUIRED | FIELD_NO_ABI),
        YESNO("@managed", managed, WHEN(type, IS(HOSTDEV))),
        YESNO("@trustGuestRxFilters", trust_guest_rx_filters),
        MAC("mac/@address", mac),
        STRING("mac/@type", mac_type),
        YESNO("mac/@check", mac_check),
        STRING("source/@network", source_network, WHEN(type, IS(NETWORK)), .flags = FIELD_NO_ABI),
        STRING("source/@portgroup", source_portgroup, WHEN(type, IS(NETWORK)), .flags = FIELD_NO_ABI),
        UUID("source/@portid", source_portid, WHEN(type, IS(NETWORK)), .flags = FIELD_LIVE | FIELD_NO_ABI),
        STRING("source/@bridge", source_bridge, WHEN(type, IS(BRIDGE) | IS(NETWORK)), .flags = FIELD_NO_ABI),
        STRING("source/@dev", source_dev, WHEN(type, IS(DIRECT) | IS(VDPA) | IS(USER)),
               .flags = FIELD_NO_ABI),
        STRING("source/@name", source_name, WHEN(type, IS(INTERNAL)), .flags = FIELD_NO_ABI),
        ENUM("source/@mode", source_mode, macvtap_mode, WHEN(type, IS(DIRECT)), .flags = FIELD_NO_ABI),
        STRING("source/@type", source_type, WHEN(type, IS(VHOSTUSER)), .flags = FIELD_NO_ABI),
        STRING("source/@path", source_path, WHEN(type, IS(VHOSTUSER)), .flags = FIELD_NO_ABI),
        STRING("source/@mode", source_unix_mode, WHEN(type, IS(VHOSTUSER)), .flags = FIELD_NO_ABI),
        YESNO("source/reconnect/@enabled", source_reconnect_enabled, WHEN(type, IS(VHOSTUSER))),
        UNSIGNED("source/reconnect/@timeout", source_reconnect_timeout, WHEN(type, IS(VHOSTUSER))),
        STRING("source/@address", source_address, WHEN(type, SOCKETS), .flags = FIELD_NO_ABI),
        UNSIGNED("source/@port", source_port, WHEN(type, SOCKETS), .flags = FIELD_NO_ABI),
        STRING("source/local/@address", local_address, WHEN(type, IS(UDP)), .flags = FIELD_NO_ABI),
        UNSIGNED("source/local/@port", local_port, WHEN(type, IS(UDP)), .flags = FIELD_NO_ABI),
        STRING("source/@switchid", switchid, WHEN(type, IS(VDS))),
        UNSIGNED("source/@portid", port_id, WHEN(type, IS(VDS))),
        STRING("source/@portgroupid", portgroup_id, WHEN(type, IS(VDS))),
        UNSIGNED("source/@connectionid", connection_id, WHEN(type, IS(VDS))),
        INLINE("source/address", source_device, device_address, WHEN(type, IS(HOSTDEV))),
        ITEMS("source/ip", source_ips, network_address),
        ITEMS("source/route", source_routes, network_route),
        STRUCT("vlan", vlan, vlan, .flags = FIELD_NO_ABI),
        STRUCT("virtualport", virtualport, virtualport, .flags = FIELD_NO_ABI),
        ITEMS("ip", ips, network_address),
        ITEMS("route", routes, network_route),
        ITEMS("portForward", port_forwards, port_forward, .flags = FIELD_NO_ABI),
        STRING("script/@path", script, .flags = FIELD_NO_ABI),
        STRING("downscript/@path", downscript, .flags = FIELD_NO_ABI),
        STRING("backenddomain/@name", domain_name),
        STRING("target/@dev", target, .flags = FIELD_NO_ABI),
        YESNO("target/@managed", target_managed, .flags = FIELD_NO_ABI),
        STRING("guest/@dev", guest_dev),
        STRING("guest/@actual", guest_actual, .flags = FIELD_LIVE),
        STRING("model/@type", model),
        ENUM("driver/@name", driver_name, interface_driver, .flags = FIELD_NO_ABI),
        ENUM("driver/@txmode", txmode, interface_txmode),
        ONOFF("driver/@ioeventfd", ioeventfd),
        ONOFF("driver/@event_idx", event_idx),
        UNSIGNED("driver/@queues", queues),
        UNSIGNED("driver/@rx_queue_size", rx_queue_size),
        UNSIGNED("driver/@tx_queue_size", tx_queue_size),
        ONOFF("driver/@rss", rss),
        ONOFF("driver/@rss_hash_report", rss_hash_report),
        INLINE("driver", virtio, virtio_options),
        STRUCT("driver/host", host_offloads, interface_offloads),
        STRUCT("driver/guest", guest_offloads, interface_offloads),
        ENUM("backend/@type", backend, interface_backend, .flags = FIELD_NO_ABI),
        STRING("backend/@tap", backend_tap, .flags = FIELD_NO_ABI),
        STRING("backend/@vhost", backend_vhost, .flags = FIELD_NO_ABI),
        STRING("backend/@logFile", backend_log, .flags = FIELD_NO_ABI),
        STRUCT("filterref", filter, filter_reference, .flags = FIELD_NO_ABI),
        STRUCT("bandwidth", bandwidth, bandwidth, .flags = FIELD_NO_ABI),
        ENUM("link/@state", link, link_state, .flags = FIELD_NO_ABI),
        UNSIGNED("mtu/@size", mtu),
        UNSIGNED("tune/sndbuf", sndbuf, .has_offset = offsetof(THIS, has_sndbuf), .flags = FIELD_NO_ABI),
        STRUCT("coalesce", coalesce, interface_coalesce, .flags = FIELD_NO_ABI),
        YESNO("port/@isolated", port_isolated, .flags = FIELD_NO_ABI),
        ENUM("teaming/@type", teaming, teaming_type),
        STRING("teaming/@persistent", teaming_persistent),
        INLINE("", info, device_info),
};
#undef THIS

static int missing(unsigned line, const DomainInterface *interface, const char *what, Error *error)
{
        return error_set(error, ERROR_INVALID_XML, "line %u: <interface type='%s'>: %s is missing", line,
                         interface_type_to_string(interface->type), what);
}

static int source_check(const DomainInterface *interface, unsigned line, Error *error)
{
        switch (interface->type) {
        case INTERFACE_TYPE_NETWORK:
                return interface->source_network ? 0 : missing(line, interface, "source/@network", error);
        case INTERFACE_TYPE_BRIDGE:
                return interface->source_bridge ? 0 : missing(line, interface, "source/@bridge", error);
        case INTERFACE_TYPE_DIRECT:
        case INTERFACE_TYPE_VDPA:
                return interface->source_dev ? 0 : missing(line, interface, "source/@dev", error);
        case INTERFACE_TYPE_VHOSTUSER:
                return interface->source_path ? 0 : missing(line, interface, "source/@path", error);
        case INTERFACE_TYPE_CLIENT:
        case INTERFACE_TYPE_MCAST:
                if (!interface->source_address)
                        return missing(line, interface, "source/@address", error);
                return interface->source_port ? 0 : missing(line, interface, "source/@port", error);
        case INTERFACE_TYPE_SERVER:
        case INTERFACE_TYPE_UDP:
                return interface->source_port ? 0 : missing(line, interface, "source/@port", error);
        default:
                return 0;
        }
}

static int interface_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        DomainInterface *interface = object;
        unsigned line = node ? node->line : 0;

        if (*interface->mac &&
            strtoul((const char[]){ interface->mac[0], interface->mac[1], '\0' }, NULL, 16) & 1)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <mac>: address='%s' is a multicast address, an interface has none", line,
                        interface->mac);
        /* Names that the daemon itself gives, from an earlier run. */
        if (flags & DEFINITION_INACTIVE && !(flags & DEFINITION_STATUS) && interface->target &&
            (g_str_has_prefix(interface->target, "vnet") || g_str_has_prefix(interface->target, "macvtap")))
                g_clear_pointer(&interface->target, g_free);
        if (interface->mac_type && strcmp(interface->mac_type, "generated") != 0 &&
            strcmp(interface->mac_type, "static") != 0)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <mac>: type='%s': generated or static is expected", line,
                                 interface->mac_type);
        return source_check(interface, line, error);
}

DEFINE_STRUCT(domain_interface, DomainInterface, .check = interface_check);
