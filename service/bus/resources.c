/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists, lookups and properties of the objects beside machines, for every driver that has them. */

#include "objects/resources.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "handlers.h"
#include <string.h>

/* virConnectListAllNetworksFlags and, with the same numbers, virConnectListAllStoragePoolsFlags. */
enum {
        LIST_INACTIVE = 1 << 0,
        LIST_ACTIVE = 1 << 1,
        LIST_PERSISTENT = 1 << 2,
        LIST_TRANSIENT = 1 << 3,
        LIST_AUTOSTART = 1 << 4,
        LIST_NO_AUTOSTART = 1 << 5,
};

/* virConnectListAllSecretsFlags. */
enum {
        LIST_EPHEMERAL = 1 << 0,
        LIST_NO_EPHEMERAL = 1 << 1,
        LIST_PRIVATE = 1 << 2,
        LIST_NO_PRIVATE = 1 << 3,
};

static const uint32_t no_groups[] = { 0 };

static uint32_t life_flags(bool is_active, bool is_persistent, bool is_autostart)
{
        return (is_active ? LIST_ACTIVE : LIST_INACTIVE) |
               (is_persistent ? LIST_PERSISTENT : LIST_TRANSIENT) |
               (is_autostart ? LIST_AUTOSTART : LIST_NO_AUTOSTART);
}

static const uint32_t life_groups[] = { LIST_ACTIVE | LIST_INACTIVE, LIST_PERSISTENT | LIST_TRANSIENT,
                                        LIST_AUTOSTART | LIST_NO_AUTOSTART, 0 };

static uint32_t network_flags(const Object *object)
{
        const Network *network = (const Network *)object;

        return life_flags(network->is_active, network->is_persistent, network->is_autostart);
}

int connect_list_networks(CallFrame *frame, uint32_t flags, GPtrArray **ret_networks, Error *error)
{
        return find_list(frame, OBJECT_NETWORK, flags, life_groups, network_flags, ret_networks, error);
}

static uint32_t pool_flags(const Object *object)
{
        const StoragePool *pool = (const StoragePool *)object;

        return life_flags(pool->is_active, pool->is_persistent, pool->is_autostart);
}

int connect_list_storage_pools(CallFrame *frame, uint32_t flags, GPtrArray **ret_pools, Error *error)
{
        return find_list(frame, OBJECT_STORAGE_POOL, flags, life_groups, pool_flags, ret_pools, error);
}

static uint32_t interface_flags(const Object *object)
{
        return ((const HostInterface *)object)->is_active ? LIST_ACTIVE : LIST_INACTIVE;
}

int connect_list_interfaces(CallFrame *frame, uint32_t flags, GPtrArray **ret_interfaces, Error *error)
{
        static const uint32_t groups[] = { LIST_ACTIVE | LIST_INACTIVE, 0 };

        return find_list(frame, OBJECT_INTERFACE, flags, groups, interface_flags, ret_interfaces, error);
}

static uint32_t secret_flags(const Object *object)
{
        const Secret *secret = (const Secret *)object;

        return (secret->is_ephemeral ? LIST_EPHEMERAL : LIST_NO_EPHEMERAL) |
               (secret->is_private ? LIST_PRIVATE : LIST_NO_PRIVATE);
}

int connect_list_secrets(CallFrame *frame, uint32_t flags, GPtrArray **ret_secrets, Error *error)
{
        static const uint32_t groups[] = { LIST_EPHEMERAL | LIST_NO_EPHEMERAL,
                                           LIST_PRIVATE | LIST_NO_PRIVATE, 0 };

        return find_list(frame, OBJECT_SECRET, flags, groups, secret_flags, ret_secrets, error);
}

int connect_list_node_devices(CallFrame *frame, uint32_t flags, GPtrArray **ret_devices, Error *error)
{
        return find_list(frame, OBJECT_NODE_DEVICE, flags, no_groups, NULL, ret_devices, error);
}

int connect_list_nwfilters(CallFrame *frame, uint32_t flags, GPtrArray **ret_filters, Error *error)
{
        return find_list(frame, OBJECT_NWFILTER, flags, no_groups, NULL, ret_filters, error);
}

int connect_network_lookup_by_name(CallFrame *frame, const char *name, Network **ret_network, Error *error)
{
        return find_by_name(frame, OBJECT_NETWORK, name, (Object **)ret_network, error);
}

int connect_network_lookup_by_uuid(CallFrame *frame, const char *uuid, Network **ret_network, Error *error)
{
        return find_by_uuid(frame, OBJECT_NETWORK, uuid, (Object **)ret_network, error);
}

int connect_storage_pool_lookup_by_name(CallFrame *frame, const char *name, StoragePool **ret_storage_pool,
                                        Error *error)
{
        return find_by_name(frame, OBJECT_STORAGE_POOL, name, (Object **)ret_storage_pool, error);
}

int connect_storage_pool_lookup_by_uuid(CallFrame *frame, const char *uuid, StoragePool **ret_storage_pool,
                                        Error *error)
{
        return find_by_uuid(frame, OBJECT_STORAGE_POOL, uuid, (Object **)ret_storage_pool, error);
}

int connect_nwfilter_lookup_by_name(CallFrame *frame, const char *name, NWFilter **ret_nwfilter,
                                    Error *error)
{
        return find_by_name(frame, OBJECT_NWFILTER, name, (Object **)ret_nwfilter, error);
}

int connect_nwfilter_lookup_by_uuid(CallFrame *frame, const char *uuid, NWFilter **ret_nwfilter,
                                    Error *error)
{
        return find_by_uuid(frame, OBJECT_NWFILTER, uuid, (Object **)ret_nwfilter, error);
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

int connect_secret_lookup_by_uuid(CallFrame *frame, const char *uuid, Secret **ret_secret, Error *error)
{
        return find_by_uuid(frame, OBJECT_SECRET, uuid, (Object **)ret_secret, error);
}

/* What an object of the kind is found by that is neither its name nor its UUID. */
typedef const char *(*TextOf)(const Object *object);

static int find_by_text(CallFrame *frame, ObjectKind kind, const char *key, const char *text, TextOf text_of,
                        Object **ret_object, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *objects = NULL;
        Object *found = NULL;
        int r;

        r = find_check_kind(frame, kind, error);
        if (r < 0)
                return r;
        objects = object_table_list(frame->path.driver->objects, kind);
        for (unsigned i = 0; !found && i < objects->len; i++)
                if (g_strcmp0(text_of(objects->pdata[i]), text) == 0)
                        found = objects->pdata[i];
        return find_object(frame, kind, key, text, found, ret_object, error);
}

static const char *mac_of(const Object *object)
{
        return ((const HostInterface *)object)->mac;
}

static const char *key_of(const Object *object)
{
        return ((const StorageVolume *)object)->key;
}

static const char *path_of(const Object *object)
{
        return ((const StorageVolume *)object)->path;
}

int connect_interface_lookup_by_mac(CallFrame *frame, const char *mac, HostInterface **ret_interface,
                                    Error *error)
{
        return find_by_text(frame, OBJECT_INTERFACE, "mac", mac, mac_of, (Object **)ret_interface, error);
}

int connect_storage_vol_lookup_by_key(CallFrame *frame, const char *key, StorageVolume **ret_volume,
                                      Error *error)
{
        return find_by_text(frame, OBJECT_STORAGE_VOLUME, "key", key, key_of, (Object **)ret_volume, error);
}

int connect_storage_vol_lookup_by_path(CallFrame *frame, const char *path, StorageVolume **ret_volume,
                                       Error *error)
{
        return find_by_text(frame, OBJECT_STORAGE_VOLUME, "path", path, path_of, (Object **)ret_volume,
                            error);
}

int connect_secret_lookup_by_usage(CallFrame *frame, int32_t usage_type, const char *usage_id,
                                   Secret **ret_secret, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *secrets = NULL;
        Object *found = NULL;
        int r;

        r = find_check_kind(frame, OBJECT_SECRET, error);
        if (r < 0)
                return r;
        secrets = object_table_list(frame->path.driver->objects, OBJECT_SECRET);
        for (unsigned i = 0; i < secrets->len; i++) {
                const Secret *secret = secrets->pdata[i];

                if (secret->usage_type == usage_type && g_strcmp0(secret->usage_id, usage_id) == 0)
                        found = secrets->pdata[i];
        }
        return find_object(frame, OBJECT_SECRET, "usage", usage_id, found, (Object **)ret_secret, error);
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

int nwfilter_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int nwfilter_property_uuid(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->uuid);
}

int secret_property_usage_id(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((Secret *)object)->usage_id);
}

int secret_property_usage_type(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "i", ((Secret *)object)->usage_type);
}

int secret_property_uuid(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->uuid);
}

int storagepool_property_active(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((StoragePool *)object)->is_active);
}

int storagepool_property_autostart(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((StoragePool *)object)->is_autostart);
}

int storagepool_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int storagepool_property_persistent(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "b", ((StoragePool *)object)->is_persistent);
}

int storagepool_property_uuid(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->uuid);
}

int storagevol_property_key(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, key_of(object));
}

int storagevol_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int storagevol_property_path(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, path_of(object));
}
