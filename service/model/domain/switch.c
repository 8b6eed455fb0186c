/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a switch is told about an interface: the port it is plugged in, how much it may send, its VLANs. */

#include "model/domain/interface.h"
#include <string.h>

DEFINE_ENUM(virtualport_type, VIRTUALPORT_TYPES);
DEFINE_ENUM(vlan_native_mode, VLAN_NATIVE_MODES);

#define THIS Virtualport
static const Field virtualport_fields[] = {
        ENUM("@type", type, virtualport_type),
        OPTIONAL_UNSIGNED("parameters/@managerid", managerid, .flags = FIELD_ANY_BASE),
        OPTIONAL_UNSIGNED("parameters/@typeid", typeid, .flags = FIELD_ANY_BASE),
        OPTIONAL_UNSIGNED("parameters/@typeidversion", typeidversion, .flags = FIELD_ANY_BASE),
        UUID("parameters/@instanceid", instanceid),
        UUID("parameters/@interfaceid", interfaceid),
        STRING("parameters/@profileid", profileid),
};
#undef THIS

enum {
        PARAMETER_MANAGERID = 1 << 0,
        PARAMETER_TYPEID = 1 << 1,
        PARAMETER_TYPEIDVERSION = 1 << 2,
        PARAMETER_INSTANCEID = 1 << 3,
        PARAMETER_INTERFACEID = 1 << 4,
        PARAMETER_PROFILEID = 1 << 5,
};

static const char *const parameter_names[] = { "managerid",  "typeid",      "typeidversion",
                                               "instanceid", "interfaceid", "profileid" };

/* What each type of switch port is described by; the second may be left out, or is made up. */
static const struct {
        uint8_t needed, possible;
} parameters_of_type[] = {
        [VIRTUALPORT_8021QBG] = { PARAMETER_MANAGERID | PARAMETER_TYPEID | PARAMETER_TYPEIDVERSION,
                                  PARAMETER_INSTANCEID },
        [VIRTUALPORT_8021QBH] = { PARAMETER_PROFILEID, 0 },
        [VIRTUALPORT_OPENVSWITCH] = { 0, PARAMETER_INTERFACEID | PARAMETER_PROFILEID },
        [VIRTUALPORT_MIDONET] = { PARAMETER_INTERFACEID, 0 },
};

static unsigned parameters_given(const Virtualport *port)
{
        return (port->has_managerid ? PARAMETER_MANAGERID : 0) | (port->has_typeid ? PARAMETER_TYPEID : 0) |
               (port->has_typeidversion ? PARAMETER_TYPEIDVERSION : 0) |
               (*port->instanceid ? PARAMETER_INSTANCEID : 0) |
               (*port->interfaceid ? PARAMETER_INTERFACEID : 0) |
               (port->profileid ? PARAMETER_PROFILEID : 0);
}

static const char *first_parameter(unsigned parameters)
{
        return parameter_names[__builtin_ctz(parameters)];
}

const char *virtualport_missing(const Virtualport *port)
{
        unsigned absent = parameters_of_type[port->type].needed & ~parameters_given(port);

        if (port->type == VIRTUALPORT_NONE)
                return "type";
        return absent == 0 ? NULL : first_parameter(absent);
}

static int virtualport_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const Virtualport *port = object;
        unsigned extra = parameters_given(port), line = node ? node->line : 0;

        (void)flags;
        if (port->has_typeid && port->typeid > 0xffffff)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <virtualport>: typeid='%u': at most 0xffffff is possible", line,
                                 port->typeid);
        if (port->profileid && strlen(port->profileid) > 39)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <virtualport>: profileid='%s' is longer than 39 characters", line,
                                 port->profileid);
        if (port->type == VIRTUALPORT_NONE)
                return 0;
        extra &=
                ~(unsigned)(parameters_of_type[port->type].needed | parameters_of_type[port->type].possible);
        if (extra != 0)
                return error_set(error, ERROR_INVALID_XML, "line %u: <virtualport type='%s'> has no @%s",
                                 line, virtualport_type_to_string(port->type), first_parameter(extra));
        return 0;
}

DEFINE_STRUCT(virtualport, Virtualport, .check = virtualport_check);

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
        if ((limit->has_peak || limit->has_burst) && !limit->has_average)
                return error_set(error, ERROR_INVALID_XML, "line %u: <%s>: @peak and @burst need @average",
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

static int bandwidth_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        const Bandwidth *bandwidth = object;

        (void)flags;
        if (bandwidth->outbound && bandwidth->outbound->has_floor)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <outbound>: only <inbound> has a @floor", node ? node->line : 0);
        return 0;
}

DEFINE_STRUCT(bandwidth, Bandwidth, .check = bandwidth_check);

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
        UNSIGNED("@id", id, .flags = FIELD_REQUIRED),
        ENUM("@nativeMode", native_mode, vlan_native_mode),
};
#undef THIS
static DEFINE_STRUCT(vlan_tag, VlanTag, .check = tag_check);

static int vlan_check(void *object, const XmlNode *node, unsigned flags, Error *error)
{
        Vlan *vlan = object;
        unsigned line = node ? node->line : 0, natives = 0;

        (void)flags;
        LIST_FOREACH (tag, vlan->tags)
                natives += tag->native_mode != VLAN_NATIVE_DEFAULT;
        if (vlan->tags.count == 0)
                return error_set(error, ERROR_INVALID_XML, "line %u: <vlan>: a <tag> is needed", line);
        if (natives > 1)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <vlan>: one <tag> can be the native one", line);
        if ((vlan->tags.count > 1 || natives > 0) && vlan->trunk == NO)
                return error_set(error, ERROR_INVALID_XML,
                                 "line %u: <vlan>: trunk='no' allows one <tag> without @nativeMode", line);
        vlan->trunk = vlan->tags.count > 1 || natives > 0 || vlan->trunk == YES ? YES : YES_NO_ABSENT;
        return 0;
}

#define THIS Vlan
static const Field vlan_fields[] = {
        YESNO("@trunk", trunk),
        ITEMS("tag", tags, vlan_tag),
};
#undef THIS
DEFINE_STRUCT(vlan, Vlan, .check = vlan_check);
