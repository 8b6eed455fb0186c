/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What org.virtbus1 has of networks beyond org.libvirt. */

#include "bus/define.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "bus/network.h"
#include "bus/options.h"
#include "handlers.h"
#include "objects/network.h"
#include <string.h>

int connect_native_list_networks(CallFrame *frame, GVariant *filter, GPtrArray **ret_networks, Error *error)
{
        static const Option states[] = {
                { "active", FIND_ACTIVE, FIND_INACTIVE },
                { "persistent", FIND_PERSISTENT, FIND_TRANSIENT },
                { "autostart", FIND_AUTOSTART, FIND_NO_AUTOSTART },
                {},
        };
        uint32_t flags;
        int r = options_read(filter, states, &flags, error);

        return r < 0 ? r : connect_list_networks(frame, flags, ret_networks, error);
}

int connect_native_define_network(CallFrame *frame, GVariant *values, GVariant *options,
                                  Network **ret_network, Error *error)
{
        NetworkDefinition *definition;
        bool replaces;
        int r = define_options_read(options, &replaces, error);

        if (r >= 0)
                r = network_definition_from_variant(values, &definition, error);
        if (r < 0)
                return r;
        if (replaces)
                define_replace(frame, OBJECT_NETWORK, definition->name, definition->uuid);
        return network_define(frame, definition, ret_network, error);
}

int connect_native_create_network(CallFrame *frame, GVariant *values, Network **ret_network, Error *error)
{
        NetworkDefinition *definition;
        int r = network_definition_from_variant(values, &definition, error);

        return r < 0 ? r : network_create(frame, definition, ret_network, error);
}

int network_native_get_xml(CallFrame *frame, Network *network, GVariant *options, char **ret_xml,
                           Error *error)
{
        /* virNetworkXMLFlags. */
        static const Option known[] = { { "inactive", 1 << 0, 0 }, {} };
        const DriverOperations *operations = frame->path.driver->operations;
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        return operations->network.get_xml_desc(&frame->call, network, flags, ret_xml, error);
}

int network_native_get_definition(CallFrame *frame, Network *network, GVariant *options,
                                  GVariant **ret_definition, Error *error)
{
        _cleanup_(network_definition_freep) NetworkDefinition *definition = NULL;
        _cleanup_(freep) char *xml = NULL;
        int r = network_native_get_xml(frame, network, options, &xml, error);

        if (r >= 0)
                r = network_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, &definition, error);
        if (r >= 0)
                *ret_definition = g_variant_ref_sink(network_definition_to_variant(definition));
        return r;
}

int network_native_property_owner(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "u", (uint32_t)object->owner);
}

int network_native_property_bridge(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((Network *)object)->bridge);
}

int network_native_property_forward(Object *object, sd_bus_message *reply, Error *error)
{
        const char *forward = ((Network *)object)->forward;

        (void)error;
        return marshal_append_string(reply, forward ? forward : "none");
}

int network_native_property_health(Object *object, sd_bus_message *reply, Error *error)
{
        const Network *network = (Network *)object;

        (void)error;
        if (!network->is_active)
                return marshal_append_string(reply, "down");
        return marshal_append_string(reply, network->problem ? network->problem : "ok");
}

int network_native_property_leases(Object *object, sd_bus_message *reply, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *leases = network_list_leases((Network *)object);
        GVariantBuilder all;

        (void)error;
        g_variant_builder_init(&all, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < leases->len; i++) {
                const NetworkLease *lease = leases->pdata[i];
                GVariantBuilder entry;

                g_variant_builder_init(&entry, G_VARIANT_TYPE_VARDICT);
                marshal_entry_string(&entry, "address", lease->address);
                marshal_entry_string(&entry, "family", lease->is_ipv6 ? "ipv6" : "ipv4");
                g_variant_builder_add(&entry, "{sv}", "prefix", g_variant_new_uint32(lease->prefix));
                g_variant_builder_add(&entry, "{sv}", "expiry", g_variant_new_int64(lease->expiry));
                marshal_entry_string(&entry, "mac", lease->mac);
                marshal_entry_string(&entry, "hostname", lease->hostname);
                marshal_entry_string(&entry, "client-id", lease->client_id);
                marshal_entry_string(&entry, "iaid", lease->iaid);
                g_variant_builder_add_value(&all, g_variant_builder_end(&entry));
        }
        return marshal_append(reply, g_variant_builder_end(&all), false);
}

int network_native_property_ports(Object *object, sd_bus_message *reply, Error *error)
{
        const Network *network = (Network *)object;
        GVariantBuilder all;

        (void)error;
        g_variant_builder_init(&all, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < network->ports->len; i++) {
                const NetworkPort *port = network->ports->pdata[i];
                GVariantBuilder entry;

                g_variant_builder_init(&entry, G_VARIANT_TYPE_VARDICT);
                g_variant_builder_add(&entry, "{sv}", "domain", g_variant_new_object_path(port->domain));
                marshal_entry_string(&entry, "alias", port->alias);
                marshal_entry_string(&entry, "mac", port->mac);
                marshal_entry_string(&entry, "device", port->device);
                g_variant_builder_add_value(&all, g_variant_builder_end(&entry));
        }
        return marshal_append(reply, g_variant_builder_end(&all), false);
}
