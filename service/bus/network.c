/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Networks: lists, lookups and properties, for every driver that has them. */

#include "objects/network.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "handlers.h"

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
