/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The host's network interfaces and devices: lists, lookups and properties, for every driver that has them.
 */

#include "objects/host.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "handlers.h"

static uint32_t interface_flags(const Object *object)
{
        return ((const HostInterface *)object)->is_active ? FIND_ACTIVE : FIND_INACTIVE;
}

int connect_list_interfaces(CallFrame *frame, uint32_t flags, GPtrArray **ret_interfaces, Error *error)
{
        static const uint32_t groups[] = { FIND_ACTIVE | FIND_INACTIVE, 0 };

        return find_list(frame, OBJECT_INTERFACE, flags, groups, interface_flags, ret_interfaces, error);
}

int connect_list_node_devices(CallFrame *frame, uint32_t flags, GPtrArray **ret_devices, Error *error)
{
        return find_list(frame, OBJECT_NODE_DEVICE, flags, find_no_groups, NULL, ret_devices, error);
}

int connect_interface_lookup_by_name(CallFrame *frame, const char *name, HostInterface **ret_interface,
                                     Error *error)
{
        return find_by_name(frame, OBJECT_INTERFACE, name, (Object **)ret_interface, error);
}

int connect_node_device_lookup_by_name(CallFrame *frame, const char *name, NodeDevice **ret_node_device,
                                       Error *error)
{
        return find_by_name(frame, OBJECT_NODE_DEVICE, name, (Object **)ret_node_device, error);
}

static const char *mac_of(const Object *object)
{
        return ((const HostInterface *)object)->mac;
}

int connect_interface_lookup_by_mac(CallFrame *frame, const char *mac, HostInterface **ret_interface,
                                    Error *error)
{
        return find_by_text(frame, OBJECT_INTERFACE, "mac", mac, mac_of, (Object **)ret_interface, error);
}

int interface_property_active(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((HostInterface *)object)->is_active);
}

int interface_property_mac(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, mac_of(object));
}

int interface_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int nodedev_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int nodedev_property_parent(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((NodeDevice *)object)->parent);
}
