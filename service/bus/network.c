/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Networks: lists, lookups and properties, for every driver that has them. */

#include "bus/network.h"
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

typedef int (*Make)(Call *call, Network *existing, NetworkDefinition *definition, Network **ret_network,
                    Error *error);

/* `make` is the driver's. */
static int make_network(CallFrame *frame, NetworkDefinition *definition, const InterfaceAction *actions,
                        JobKind job, Make make, Network **ret_network, Error *error) AWAITS
{
        _cleanup_(network_definition_freep) NetworkDefinition *owned = definition;
        _cleanup_(object_unrefp) Object *existing = NULL;
        int r;

        if (!make)
                return call_not_supported(frame, error);
        r = define_claim(frame, OBJECT_NETWORK, definition->name, definition->uuid, actions, job, &existing,
                         error);
        return r < 0 ? r : make(&frame->call, (Network *)existing, TAKE_PTR(owned), ret_network, error);
}

int network_define(CallFrame *frame, NetworkDefinition *definition, Network **ret_network, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.network.write", -1, 0, false },
                { "org.libvirt.api.network.save", -1, 0, false },
                {},
        };

        return make_network(frame, definition, actions, JOB_MODIFY, frame->path.driver->type->define_network,
                            ret_network, error);
}

int network_create(CallFrame *frame, NetworkDefinition *definition, Network **ret_network, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.network.write", -1, 0, false },
                { "org.libvirt.api.network.start", -1, 0, false },
                {},
        };

        return make_network(frame, definition, actions, JOB_START, frame->path.driver->type->create_network,
                            ret_network, error);
}

int connect_network_define_xml(CallFrame *frame, const char *xml, Network **ret_network, Error *error)
{
        NetworkDefinition *definition;
        int r = network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);

        return r < 0 ? r : network_define(frame, definition, ret_network, error);
}

int connect_network_create_xml(CallFrame *frame, const char *xml, Network **ret_network, Error *error)
{
        NetworkDefinition *definition;
        int r = network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);

        return r < 0 ? r : network_create(frame, definition, ret_network, error);
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
