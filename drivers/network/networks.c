/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A definition is changed in three steps: a changed copy, the copy on disk, the copy in place of the old
 * one. What fails leaves everything as it was. Names, UUIDs and bridges of networks that are not in the
 * table yet are reserved meanwhile. */

#include "drivers/network/networks.h"
#include "drivers/stored/stored.h"
#include <net/if.h>
#include <string.h>

#define BRIDGES_MAX 1024

/* virConnectNetworkEventLifecycle. */
enum {
        EVENT_DEFINED = 0,
        EVENT_UNDEFINED = 1,
};

/* virNetworkXMLFlags. */
enum {
        XML_INACTIVE = 1 << 0,
};

struct NetworkState {
        StoredFolder folder;
};

typedef struct StoredObject {
        Network network;
        NetworkDefinition *definition;
} StoredObject;

static NetworkDefinition **definition_of(Network *network)
{
        return &((StoredObject *)network)->definition;
}

static void network_free(Object *object)
{
        StoredObject *stored = (StoredObject *)object;

        network_definition_free(stored->definition);
        object_done(object);
        g_free(stored);
}

/* Takes the definition over. */
static Network *network_new(Driver *driver, NetworkDefinition *definition, uid_t owner)
{
        StoredObject *stored = g_new0(StoredObject, 1);

        stored->definition = definition;
        stored->network.is_persistent = true;
        object_init(&stored->network.object, OBJECT_NETWORK, driver, definition->uuid, definition->name,
                    definition->uuid, owner, network_free);
        return &stored->network;
}

static void announce(Network *network, int event)
{
        GVariant *arguments = g_variant_ref_sink(g_variant_new("(i)", event));

        event_raise(network->object.driver->events, EVENT_RESOURCE_EVENT,
                    &(ResourceEvent){
                            .object = &network->object, .member = "NetworkEvent", .arguments = arguments });
        g_variant_unref(arguments);
}

static int load(Driver *driver, Stored *stored, Error *error)
{
        Network *network = network_new(driver, stored->definition, stored->owner);
        int r;

        g_free(stored->value);
        network->is_autostart = stored->is_autostart;
        r = object_table_add(driver->objects, &network->object);
        object_unref(&network->object);
        return r < 0 ? error_set_errno(error, r, "Cannot take it") : 0;
}

static char *format(const void *definition)
{
        return network_definition_format(definition, DEFINITION_INACTIVE);
}

int networks_open(Driver *driver, Error *error)
{
        static const StoredType type = {
                .element = "network",
                .type = &network_definition_type,
                .uuid_offset = offsetof(NetworkDefinition, uuid),
                .format = format,
                .load = load,
        };
        struct NetworkState *state = g_new0(struct NetworkState, 1);
        _cleanup_(freep) char *path = g_build_filename(driver->config->config_dir, "network", NULL);
        int r = stored_folder_open(&state->folder, &type, path, driver, error);

        if (r < 0)
                g_free(state);
        else
                driver->networks = state;
        return r;
}

void networks_close(Driver *driver)
{
        if (!driver->networks)
                return;
        stored_folder_close(&driver->networks->folder);
        g_free(driver->networks);
        driver->networks = NULL;
}

static bool bridge_is_taken(const Driver *driver, const char *name, const char *uuid)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *networks =
                object_table_list(driver->objects, OBJECT_NETWORK);
        _cleanup_(freep) char *key = g_strdup_printf("bridge %s", name);

        for (unsigned i = 0; i < networks->len; i++) {
                const NetworkDefinition *other = *definition_of(networks->pdata[i]);

                if (strcmp(other->uuid, uuid) != 0 && network_has_own_bridge(other) &&
                    g_strcmp0(other->bridge.name, name) == 0)
                        return true;
        }
        return g_hash_table_contains(driver->networks->folder.reserved, key);
}

/* Two networks cannot make the same bridge; one without a name gets the first that is free. */
static int choose_bridge(const Driver *driver, NetworkDefinition *definition, Error *error)
{
        if (!network_has_own_bridge(definition))
                return 0;
        if (definition->bridge.name) {
                if (!bridge_is_taken(driver, definition->bridge.name, definition->uuid))
                        return 0;
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "network '%s': bridge '%s' is another network's", definition->name,
                                 definition->bridge.name);
        }
        for (unsigned i = 0; i < BRIDGES_MAX; i++) {
                _cleanup_(freep) char *name = g_strdup_printf("virbr%u", i);

                if (bridge_is_taken(driver, name, definition->uuid) || if_nametoindex(name) != 0)
                        continue;
                definition->bridge.name = TAKE_PTR(name);
                return 0;
        }
        return error_set(error, ERROR_OPERATION_FAILED, "network '%s': all of virbr0 to virbr%d are in use",
                         definition->name, BRIDGES_MAX - 1);
}

static int reserve_all(Reservation *reservation, const NetworkDefinition *definition, uid_t owner,
                       Error *error)
{
        int r = reservation_add(reservation, g_strdup_printf("name %u %s", owner, definition->name), "name",
                                error);

        if (r >= 0)
                r = reservation_add(reservation, g_strdup_printf("uuid %s", definition->uuid), "UUID",
                                    error);
        if (r >= 0 && network_has_own_bridge(definition))
                r = reservation_add(reservation, g_strdup_printf("bridge %s", definition->bridge.name),
                                    "bridge", error);
        return r;
}

static int check_identity(const Driver *driver, const Network *existing, const NetworkDefinition *definition,
                          uid_t owner, Error *error)
{
        const Object *other;

        if (existing && strcmp(existing->object.name, definition->name) != 0)
                return error_set(error, ERROR_EXISTS,
                                 "The network with UUID %s is named '%s' already, not '%s'",
                                 existing->object.uuid, existing->object.name, definition->name);
        other = object_table_by_name(driver->objects, OBJECT_NETWORK, definition->name, owner);
        if (!existing && other && other->owner == owner)
                return error_set(error, ERROR_EXISTS, "There is a network named '%s' already",
                                 definition->name);
        return 0;
}

static int save(const Driver *driver, NetworkDefinition *definition, uid_t owner, bool is_autostart,
                Error *error) AWAITS
{
        int r = stored_save(
                &driver->networks->folder,
                &(Stored){ .definition = definition, .owner = owner, .is_autostart = is_autostart }, error);

        if (r < 0)
                error_prefix(error, "Cannot save the definition of network '%s'", definition->name);
        return r;
}

int networks_define(Call *call, Network *existing, NetworkDefinition *definition, Network **ret_network,
                    Error *error)
{
        _cleanup_(network_definition_freep) NetworkDefinition *owned = definition;
        _cleanup_(reservation_clear) Reservation reservation = { &call->driver->networks->folder };
        uid_t owner = existing ? existing->object.owner : call->owner;
        Network *network = existing;
        int r;

        network_definition_complete(definition);
        r = check_identity(call->driver, existing, definition, owner, error);
        if (r >= 0)
                r = choose_bridge(call->driver, definition, error);
        if (r >= 0)
                r = reserve_all(&reservation, definition, owner, error);
        if (r >= 0)
                r = save(call->driver, definition, owner, existing && existing->is_autostart, error);
        if (r < 0)
                return r;
        if (existing) {
                network_definition_free(*definition_of(existing));
                *definition_of(existing) = TAKE_PTR(owned);
                object_ref(&existing->object);
        } else {
                network = network_new(call->driver, TAKE_PTR(owned), owner);
                (void)object_table_add(call->driver->objects, &network->object); /* the UUID was reserved */
        }
        announce(network, EVENT_DEFINED);
        *ret_network = network;
        return 0;
}

int networks_get_xml_desc(Call *call, Network *network, uint32_t flags, char **ret_xml, Error *error)
{
        int r = error_check_flags(error, "GetXMLDesc", flags, XML_INACTIVE);

        (void)call;
        if (r < 0)
                return r;
        *ret_xml = network_definition_format(*definition_of(network), DEFINITION_INACTIVE);
        return 0;
}

int networks_undefine(Call *call, Network *network, Error *error)
{
        int r = stored_remove(&call->driver->networks->folder, network->object.uuid, error);

        if (r < 0)
                return r;
        announce(network, EVENT_UNDEFINED);
        object_table_remove(call->driver->objects, &network->object);
        return 0;
}
