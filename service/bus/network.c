/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Networks: lists, lookups and properties, for every driver that has them. */

#include "objects/network.h"
#include "bus/define.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "handlers.h"
#include <string.h>

static uint32_t network_flags(const Object *object)
{
        const Network *network = (const Network *)object;

        return find_life_flags(network->is_active, network->is_persistent, network->is_autostart);
}

int connect_list_networks(CallFrame *frame, uint32_t flags, GPtrArray **ret_networks, Error *error)
{
        return find_list(frame, OBJECT_NETWORK, flags, find_life_groups, network_flags, ret_networks, error);
}

int connect_network_lookup_by_name(CallFrame *frame, const char *name, Network **ret_network, Error *error)
{
        return find_by_name(frame, OBJECT_NETWORK, name, (Object **)ret_network, error);
}

int connect_network_lookup_by_uuid(CallFrame *frame, const char *uuid, Network **ret_network, Error *error)
{
        return find_by_uuid(frame, OBJECT_NETWORK, uuid, (Object **)ret_network, error);
}

static int claim(CallFrame *frame, const char *xml, const InterfaceAction *actions, JobKind job,
                 NetworkDefinition **ret_definition, Object **ret_existing, Error *error) AWAITS
{
        _cleanup_(network_definition_freep) NetworkDefinition *definition = NULL;
        int r = network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);

        if (r >= 0)
                r = define_claim(frame, OBJECT_NETWORK, definition->name, definition->uuid, actions, job,
                                 ret_existing, error);
        if (r >= 0)
                *ret_definition = TAKE_PTR(definition);
        return r;
}

int connect_network_define_xml(CallFrame *frame, const char *xml, Network **ret_network, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.network.write", -1, 0, false },
                { "org.libvirt.api.network.save", -1, 0, false },
                {},
        };
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        NetworkDefinition *definition;
        int r;

        if (!type->define_network)
                return call_not_supported(frame, error);
        r = claim(frame, xml, actions, JOB_MODIFY, &definition, &existing, error);
        return r < 0 ? r
                     : type->define_network(&frame->call, (Network *)existing, definition, ret_network,
                                            error);
}

int connect_network_create_xml(CallFrame *frame, const char *xml, Network **ret_network, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.network.write", -1, 0, false },
                { "org.libvirt.api.network.start", -1, 0, false },
                {},
        };
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        NetworkDefinition *definition;
        int r;

        if (!type->create_network)
                return call_not_supported(frame, error);
        r = claim(frame, xml, actions, JOB_START, &definition, &existing, error);
        return r < 0 ? r
                     : type->create_network(&frame->call, (Network *)existing, definition, ret_network,
                                            error);
}

int network_property_active(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((Network *)object)->is_active);
}

int network_property_autostart(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((Network *)object)->is_autostart);
}

int network_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int network_property_persistent(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((Network *)object)->is_persistent);
}

int network_property_uuid(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->uuid);
}
