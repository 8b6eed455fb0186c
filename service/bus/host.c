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

static uint32_t device_flags(const Object *object)
{
        return ((const NodeDevice *)object)->flags;
}

int connect_list_node_devices(CallFrame *frame, uint32_t flags, GPtrArray **ret_devices, Error *error)
{
        /* virConnectListAllNodeDeviceFlags: what they are, and whether they are there. */
        static const uint32_t groups[] = { (1u << 22) - 1, 3u << 30, 0 };

        return find_list(frame, OBJECT_NODE_DEVICE, flags, groups, device_flags, ret_devices, error);
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
        _cleanup_(g_ptr_array_unrefp) GPtrArray *objects = NULL;
        Object *found = NULL;
        int r = find_check_kind(frame, OBJECT_INTERFACE, error);

        if (r < 0)
                return r;
        objects = object_table_list(frame->path.driver->objects, OBJECT_INTERFACE);
        for (unsigned i = 0; i < objects->len; i++) {
                if (g_ascii_strcasecmp(mac_of(objects->pdata[i]), mac) != 0)
                        continue;
                if (found)
                        return error_set(error, ERROR_OPERATION_INVALID,
                                         "Several interfaces have the address '%s'", mac);
                found = objects->pdata[i];
        }
        return find_object(frame, OBJECT_INTERFACE, "mac", mac, found, (Object **)ret_interface, error);
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

int interface_native_property_addresses(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append_strv(reply, ((HostInterface *)object)->addresses);
}

int interface_native_property_defined(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((HostInterface *)object)->is_defined);
}

int interface_native_property_link_state(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((HostInterface *)object)->link_state);
}

int interface_native_property_master(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((HostInterface *)object)->master);
}

int interface_native_property_mtu(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "u", ((HostInterface *)object)->mtu);
}

int interface_native_property_type(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((HostInterface *)object)->type);
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

int nodedev_native_property_capabilities(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append_strv(reply, ((NodeDevice *)object)->capabilities);
}

int nodedev_native_property_driver(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((NodeDevice *)object)->driver);
}

int nodedev_native_property_system_path(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((NodeDevice *)object)->system_path);
}
