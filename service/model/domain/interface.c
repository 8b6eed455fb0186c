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
DEFINE_ENUM(port_forward_protocol, PORT_FORWARD_PROTOCOLS);
DEFINE_ENUM(teaming_type, TEAMING_TYPES);

#define THIS PortForwardRange
static const Field port_forward_range_fields[] = {
        UNSIGNED("@start", start, .flags = FIELD_REQUIRED),
        UNSIGNED("@end", end),
        UNSIGNED("@to", to),
        YESNO("@exclude", exclude),
};
#undef THIS

static int range_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const PortForwardRange *range = object;

        (void)flags;
        if (range->start != 0 && (range->end == 0 || range->end >= range->start))
                return 0;
        return error_set(
                error, ERROR_INVALID_XML,
                "line %u: <range>: start='%u' end='%u': ports from 1 up, the end not before the start "
                "are expected",
                node ? node->line : 0, range->start, range->end);
}

static DEFINE_STRUCT(port_forward_range, PortForwardRange, .check = range_check);

#define THIS PortForward
static const Field port_forward_fields[] = {
        ENUM("@proto", protocol, port_forward_protocol, .flags = FIELD_REQUIRED),
        STRING("@address", address),
        STRING("@dev", dev),
        ITEMS("range", ranges, port_forward_range),
};
#undef THIS

static int port_forward_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const PortForward *forward = object;

        (void)flags;
        if (!forward->address || ip_family(forward->address) != 0)
                return 0;
        return error_set(error, ERROR_INVALID_XML,
                         "line %u: <portForward>: address='%s': an IP address is expected",
                         node ? node->line : 0, forward->address);
}

static DEFINE_STRUCT(port_forward, PortForward, .check = port_forward_check);

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
        ENUM("@type", type, interface_type, .initial = INTERFACE_TYPE_USER,
             .flags = FIELD_ALWAYS | FIELD_NO_ABI),
        YESNO("@managed", managed, WHEN(type, IS(HOSTDEV))),
        YESNO("@managed", managed, WHEN(type, IS(NETWORK)), .flags = FIELD_LIVE | FIELD_NO_ABI),
        YESNO("@trustGuestRxFilters", trust_guest_rx_filters),
        MAC("mac/@address", mac, .flags = FIELD_IDENTITY),
        STRING("mac/@type", mac_type),
        YESNO("mac/@check", mac_check),
        /* Of a device of the host it comes before the source. */
        ENUM("driver/@name", driver_name, interface_driver, WHEN(type, IS(HOSTDEV)), .flags = FIELD_NO_ABI),
        STRING("source/@network", source_network, WHEN(type, IS(NETWORK)),
               .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        STRING("source/@portgroup", source_portgroup, WHEN(type, IS(NETWORK)),
               .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        UUID("source/@portid", source_portid, WHEN(type, IS(NETWORK)), .flags = FIELD_LIVE | FIELD_NO_ABI),
        STRING("source/@bridge", source_bridge, WHEN(type, IS(BRIDGE) | IS(NETWORK)),
               .flags = FIELD_TUNABLE | FIELD_NO_ABI),
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
        STRUCT("source/address", source_device, device_address, WHEN(type, IS(HOSTDEV))),
        /* That was chosen for it from a network that is a pool of them. */
        STRUCT("source/address", source_device, device_address, WHEN(type, IS(NETWORK)),
               .flags = FIELD_LIVE | FIELD_NO_ABI),
        ITEMS("source/ip", source_ips, network_address),
        ITEMS("source/route", source_routes, network_route),
        STRUCT("vlan", vlan, vlan, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        STRUCT("virtualport", virtualport, virtualport, .flags = FIELD_NO_ABI),
        STRUCT("bandwidth", bandwidth, bandwidth, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        YESNO("port/@isolated", port_isolated, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
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
        ENUM("driver/@name", driver_name, interface_driver, WHEN(type, ~IS(HOSTDEV)), .flags = FIELD_NO_ABI),
        ENUM("driver/@txmode", txmode, interface_txmode, WHEN(type, ~IS(HOSTDEV))),
        ONOFF("driver/@ioeventfd", ioeventfd, WHEN(type, ~IS(HOSTDEV))),
        ONOFF("driver/@event_idx", event_idx, WHEN(type, ~IS(HOSTDEV))),
        UNSIGNED("driver/@queues", queues, WHEN(type, ~IS(HOSTDEV))),
        UNSIGNED("driver/@rx_queue_size", rx_queue_size, WHEN(type, ~IS(HOSTDEV))),
        UNSIGNED("driver/@tx_queue_size", tx_queue_size, WHEN(type, ~IS(HOSTDEV))),
        ONOFF("driver/@rss", rss, WHEN(type, ~IS(HOSTDEV))),
        ONOFF("driver/@rss_hash_report", rss_hash_report, WHEN(type, ~IS(HOSTDEV))),
        INLINE("driver", virtio, virtio_options, WHEN(type, ~IS(HOSTDEV))),
        STRUCT("driver/host", host_offloads, interface_offloads, WHEN(type, ~IS(HOSTDEV))),
        STRUCT("driver/guest", guest_offloads, interface_offloads, WHEN(type, ~IS(HOSTDEV))),
        ENUM("backend/@type", backend, interface_backend, .flags = FIELD_NO_ABI),
        STRING("backend/@tap", backend_tap, .flags = FIELD_NO_ABI),
        STRING("backend/@vhost", backend_vhost, .flags = FIELD_NO_ABI),
        STRING("backend/@logFile", backend_log, .flags = FIELD_NO_ABI),
        STRUCT("filterref", filter, filter_reference, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        UNSIGNED("tune/sndbuf", sndbuf, .has_offset = offsetof(THIS, has_sndbuf), .flags = FIELD_NO_ABI),
        ENUM("teaming/@type", teaming, teaming_type),
        STRING("teaming/@persistent", teaming_persistent),
        ENUM("link/@state", link, link_state, .flags = FIELD_TUNABLE | FIELD_NO_ABI),
        UNSIGNED("mtu/@size", mtu),
        STRUCT("coalesce", coalesce, interface_coalesce, .flags = FIELD_NO_ABI),
        INLINE("", info, device_info),
};
#undef THIS

static int missing(unsigned line, const DomainInterface *interface, const char *what, Error *error)
{
        return error_set(error, ERROR_INVALID_XML, "line %u: <interface type='%s'>: %s is missing", line,
                         interface_type_to_string(interface->type), what);
}

static int vhostuser_check(const DomainInterface *interface, unsigned line, Error *error)
{
        if (g_strcmp0(interface->source_type, "unix") != 0)
                return missing(line, interface, "source/@type 'unix'", error);
        if (!interface->source_path)
                return missing(line, interface, "source/@path", error);
        if (g_strcmp0(interface->source_unix_mode, "client") != 0 &&
            g_strcmp0(interface->source_unix_mode, "server") != 0)
                return missing(line, interface, "source/@mode 'client' or 'server'", error);
        if (interface->source_reconnect_enabled != YES)
                return 0;
        if (g_str_equal(interface->source_unix_mode, "server"))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <interface>: a vhostuser server cannot reconnect", line);
        return interface->source_reconnect_timeout > 0
                       ? 0
                       : missing(line, interface, "reconnect/@timeout", error);
}

static int socket_check(const DomainInterface *interface, unsigned line, Error *error)
{
        if (interface->source_port == 0)
                return missing(line, interface, "source/@port", error);
        if (!interface->source_address && interface->type != INTERFACE_TYPE_SERVER &&
            interface->type != INTERFACE_TYPE_UDP)
                return missing(line, interface, "source/@address", error);
        if (interface->type == INTERFACE_TYPE_UDP && !interface->local_address)
                return missing(line, interface, "source/local/@address", error);
        if (interface->type == INTERFACE_TYPE_UDP && interface->local_port == 0)
                return missing(line, interface, "source/local/@port", error);
        return 0;
}

static int source_check(const DomainInterface *interface, unsigned line, Error *error)
{
        switch (interface->type) {
        case INTERFACE_TYPE_NETWORK:
                return interface->source_network ? 0 : missing(line, interface, "source/@network", error);
        case INTERFACE_TYPE_BRIDGE:
                return interface->source_bridge ? 0 : missing(line, interface, "source/@bridge", error);
        case INTERFACE_TYPE_INTERNAL:
                return interface->source_name ? 0 : missing(line, interface, "source/@name", error);
        case INTERFACE_TYPE_DIRECT:
        case INTERFACE_TYPE_VDPA:
                return interface->source_dev ? 0 : missing(line, interface, "source/@dev", error);
        case INTERFACE_TYPE_HOSTDEV:
                return interface->source_device && interface->source_device->type != ADDRESS_NONE
                               ? 0
                               : missing(line, interface, "source/address", error);
        case INTERFACE_TYPE_VHOSTUSER:
                return vhostuser_check(interface, line, error);
        case INTERFACE_TYPE_CLIENT:
        case INTERFACE_TYPE_MCAST:
        case INTERFACE_TYPE_SERVER:
        case INTERFACE_TYPE_UDP:
                return socket_check(interface, line, error);
        default:
                return 0;
        }
}

static int mac_check(const DomainInterface *interface, unsigned line, Error *error)
{
        const char *mac = interface->mac;

        if (*mac && g_ascii_xdigit_value(mac[1]) & 1)
                return error_set(
                        error, ERROR_INVALID_XML,
                        "line %u: <mac>: address='%s' is a multicast address, an interface has none", line,
                        mac);
        if (interface->mac_type && !g_str_equal(interface->mac_type, "generated") &&
            !g_str_equal(interface->mac_type, "static"))
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <mac>: type='%s': generated or static is expected", line,
                                 interface->mac_type);
        return 0;
}

/* The port of a switch: whose it can be, and that it is described in full, where no network adds to it. */
static int port_check(const DomainInterface *interface, unsigned line, Error *error)
{
        const Virtualport *port = interface->virtualport;
        const char *absent;

        if (!port || interface->type == INTERFACE_TYPE_NETWORK)
                return 0;
        if (!(BIT(interface->type) & (IS(BRIDGE) | IS(DIRECT) | IS(HOSTDEV))))
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <interface type='%s'> has no <virtualport>", line,
                                 interface_type_to_string(interface->type));
        absent = virtualport_missing(port);
        if (!absent)
                return 0;
        return error_set(error, ERROR_INVALID_XML, "line %u: <virtualport>: @%s is missing", line, absent);
}

static int teaming_check(const DomainInterface *interface, unsigned line, Error *error)
{
        bool is_transient = interface->teaming == TEAMING_TRANSIENT;

        if (is_transient == (interface->teaming_persistent != NULL))
                return 0;
        return error_set(error, ERROR_INVALID_XML,
                         "line %u: <teaming>: @persistent belongs to type='transient', which needs it",
                         line);
}

/* What belongs to some types only. */
static int options_check(const DomainInterface *interface, unsigned line, Error *error)
{
        bool is_passt = interface->backend == INTERFACE_BACKEND_PASST;

        if (is_passt && interface->type != INTERFACE_TYPE_USER)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <interface>: the backend 'passt' needs type='user'", line);
        if (interface->port_forwards.count > 0 && !is_passt)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <interface>: <portForward> needs the backend 'passt'", line);
        if (interface->bandwidth && interface->bandwidth->inbound &&
            interface->bandwidth->inbound->has_floor && interface->type != INTERFACE_TYPE_NETWORK)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "line %u: <inbound>: only an interface of type 'network' has a @floor",
                                 line);
        if (interface->model &&
            interface->model[strspn(interface->model, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-")])
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <model>: type='%s' has characters a model cannot have", line,
                                 interface->model);
        return 0;
}

/* Names that the daemon itself gives, from an earlier run. */
static bool target_is_generated(const DomainInterface *interface)
{
        static const char *const prefixes[] = { "vnet", "macvtap", "macvlan" };

        for (unsigned i = 0; i < G_N_ELEMENTS(prefixes); i++)
                if (interface->target && interface->target_managed != NO &&
                    g_str_has_prefix(interface->target, prefixes[i]))
                        return true;
        return false;
}

static int interface_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        static int (*const checks[])(const DomainInterface *, unsigned, Error *) = {
                mac_check, source_check, port_check, teaming_check, options_check,
        };
        DomainInterface *interface = object;
        int r;

        if (flags & DEFINITION_INACTIVE && !(flags & DEFINITION_STATUS) && target_is_generated(interface))
                g_clear_pointer(&interface->target, g_free);
        if (interface->type == INTERFACE_TYPE_DIRECT && interface->source_mode == MACVTAP_ABSENT)
                interface->source_mode = MACVTAP_VEPA;
        if (!(BIT(interface->type) & (IS(ETHERNET) | IS(NETWORK) | IS(BRIDGE))))
                interface->filter = struct_free(&filter_reference_type, interface->filter);
        for (unsigned i = 0; !(flags & DEFINITION_WANTED) && i < G_N_ELEMENTS(checks); i++) {
                r = checks[i](interface, node ? node->line : 0, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

DEFINE_STRUCT(domain_interface, DomainInterface, .check = interface_check);
