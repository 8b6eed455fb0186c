/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Networks as objects. A definition is changed in three steps: a changed copy, the copy on disk, the copy in
 * place of the old one. What fails leaves everything as it was. Names, UUIDs and bridges of networks that
 * are not in the table yet are reserved meanwhile. */

#include "drivers/network/networks.h"
#include "core/fiber.h"
#include "core/log.h"
#include "core/store.h"
#include "drivers/network/active.h"
#include "drivers/network/health.h"
#include "drivers/network/host-lock.h"
#include "drivers/network/leases.h"
#include "drivers/network/sweep.h"
#include "drivers/network/zone-watch.h"
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define BRIDGES_MAX 1024
#define BOOTED_FILE "booted" /* in the folder of those that are up: autostart is done */

/* virNetworkUpdateFlags. */
enum {
        AFFECT_LIVE = 1 << 0,
        AFFECT_CONFIG = 1 << 1,
};

/* virNetworkXMLFlags. */
enum {
        XML_INACTIVE = 1 << 0,
};

static void network_free(Object *object)
{
        VirtualNetwork *network = (VirtualNetwork *)object;

        active_release(network);
        network_definition_free(network->definition);
        network_done(&network->network);
        object_done(object);
        g_free(network);
}

/* Takes the definition over. */
static VirtualNetwork *network_new(Driver *driver, NetworkDefinition *definition, uid_t owner)
{
        VirtualNetwork *network = g_new0(VirtualNetwork, 1);

        network->definition = definition;
        object_init(&network->network.object, OBJECT_NETWORK, driver, definition->uuid, definition->name,
                    definition->uuid, owner, network_free);
        network_init(&network->network, definition->bridge.name,
                     forward_mode_to_string(network_forward_mode(definition)));
        return network;
}

static int load(Driver *driver, Stored *stored, Error *error)
{
        VirtualNetwork *network = network_new(driver, stored->definition, stored->owner);
        int r;

        g_free(stored->value);
        network->network.is_persistent = true;
        network->network.is_autostart = stored->is_autostart;
        r = object_table_add(driver->objects, &network->network.object);
        object_unref(&network->network.object);
        return r < 0 ? error_set_errno(error, r, "Cannot take it") : 0;
}

/* What was up: those that are not defined as well are transient. */
static int load_running(Driver *driver, Stored *stored, Error *error)
{
        NetworkDefinition *definition = stored->definition;
        Object *object = object_table_by_uuid(driver->objects, OBJECT_NETWORK, definition->uuid);
        VirtualNetwork *network = (VirtualNetwork *)object;
        int r = 0;

        if (!network) {
                network = network_new(driver, network_definition_copy(definition), stored->owner);
                r = object_table_add(driver->objects, &network->network.object);
                object_unref(&network->network.object);
        }
        if (r < 0) {
                network_definition_free(definition);
                g_free(stored->value);
                return error_set_errno(error, r, "Cannot take it");
        }
        network->resumed = definition;
        network->resumed_process = stored->value;
        return 0;
}

static char *format(const void *definition)
{
        return network_definition_format(definition, DEFINITION_INACTIVE);
}

#define STORED_NETWORK(load_function)                                                                       \
        {                                                                                                   \
                .element = "network", .type = &network_definition_type,                                     \
                .uuid_offset = offsetof(NetworkDefinition, uuid), .format = format, .load = (load_function) \
        }

static int open_folders(Driver *driver, struct NetworkState *state, Error *error)
{
        static const StoredType defined = STORED_NETWORK(load), running = STORED_NETWORK(load_running);
        _cleanup_(freep) char *config_path = g_build_filename(driver->config->config_dir, "network", NULL);
        _cleanup_(freep) char *run_path = g_build_filename(driver->config->run_dir, "network", NULL);
        int r = stored_folder_open(&state->defined, &defined, config_path, driver, error);

        if (r < 0)
                return r;
        r = stored_folder_open(&state->running, &running, run_path, driver, error);
        if (r < 0)
                stored_folder_close(&state->defined);
        return r;
}

/* Those that were up run on; what a crash in the middle of a start left is completed. */
static void take_back(Driver *driver) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *networks =
                object_table_list(driver->objects, OBJECT_NETWORK);

        for (unsigned i = 0; i < networks->len; i++) {
                VirtualNetwork *network = networks->pdata[i];
                _cleanup_(network_definition_freep) NetworkDefinition *definition = NULL;
                _cleanup_(error_clear) Error error = {};

                if (!network->resumed)
                        continue;
                definition = network_definition_copy(network->resumed);
                if (active_start(network, definition, &error) >= 0)
                        continue;
                log_error(network->network.object.path, "network %s could not be taken back: %s",
                          network->network.object.name, error.message);
        }
}

int networks_open(Driver *driver, Error *error)
{
        struct NetworkState *state = g_new0(struct NetworkState, 1);
        _cleanup_(error_clear) Error problem = {}, trouble = {}, refusal = {};
        int r = open_folders(driver, state, error);

        if (r < 0) {
                g_free(state);
                return r;
        }
        state->up = g_ptr_array_new();
        state->dnsmasq_path = g_build_filename(driver->config->run_dir, "dnsmasq", NULL);
        state->leases_path = g_build_filename(driver->config->state_dir, "dnsmasq", NULL);
        driver->networks = state;
        if (!driver->type->is_in_memory && leases_open(driver, &problem) < 0)
                log_warning(driver->object.path, "leases are not told as they happen: %s", problem.message);
        /* A daemon of root's session claims it when it needs it. */
        if (!driver->type->is_in_memory && geteuid() == 0 && driver->config->is_system &&
            host_lock_claim(driver->config, &refusal) < 0)
                log_warning(driver->object.path, "%s", refusal.message);
        if (!driver->type->is_in_memory && geteuid() == 0 && health_watch(driver, &trouble) < 0)
                log_warning(driver->object.path, "what others' rules do to networks is not seen: %s",
                            trouble.message);
        take_back(driver);
        return 0;
}

static void start_by_itself(VirtualNetwork *network) AWAITS
{
        Object *object = &network->network.object;
        _cleanup_(error_clear) Error error = {};
        _cleanup_(job_releasep) Job *job = NULL;
        int r = job_take(object->jobs, JOB_START, "autostart", (uid_t)-1, DEADLINE_NEVER, &job, &error);

        if (r < 0 || object->is_gone || network->network.is_active || !network->network.is_autostart)
                return;
        r = active_start(network, network->definition, &error);
        if (r >= 0)
                active_announce(&network->network, EVENT_STARTED);
        else
                log_warning(object->path, "network %s was not started: %s", object->name, error.message);
        job_set_error(job, &error);
}

void networks_run(Driver *driver)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *networks =
                object_table_list(driver->objects, OBJECT_NETWORK);
        int running_fd = driver->networks->running.fd;
        _cleanup_(error_clear) Error error = {};

        networks_sweep(driver);
        zone_watch(driver);
        if (faccessat(running_fd, BOOTED_FILE, F_OK, 0) >= 0)
                return;
        for (unsigned i = 0; i < networks->len && !fiber_is_cancelled(fiber_current()); i++)
                start_by_itself(networks->pdata[i]);
        if (fiber_is_cancelled(fiber_current()))
                return; /* those that are left are started by the next daemon */
        if (store_write(running_fd, BOOTED_FILE, "", 0, 0600, &error) < 0)
                log_warning(driver->object.path, "networks start by themselves once more: %s",
                            error.message);
}

void networks_close(Driver *driver)
{
        struct NetworkState *state = driver->networks;

        if (!state)
                return;
        leases_close(state);
        health_close(state);
        stored_folder_close(&state->defined);
        stored_folder_close(&state->running);
        condition_clear(&state->rules_set);
        g_ptr_array_unref(state->up);
        g_free(state->dnsmasq_path);
        g_free(state->leases_path);
        g_free(state->rules);
        g_free(state->rules_listing);
        g_free(state);
        driver->networks = NULL;
}

static bool has_bridge(const NetworkDefinition *definition, const char *name)
{
        return definition && network_has_own_bridge(definition) &&
               g_strcmp0(definition->bridge.name, name) == 0;
}

/* By networks of the same owner: of those of several owners at most one's come up, and nobody learns of
 * another's. */
static bool bridge_is_taken(const Driver *driver, const char *name, const char *uuid, uid_t owner)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *networks =
                object_table_list(driver->objects, OBJECT_NETWORK);
        _cleanup_(freep) char *key = g_strdup_printf("bridge %u %s", owner, name);

        for (unsigned i = 0; i < networks->len; i++) {
                const VirtualNetwork *other = networks->pdata[i];

                if (other->network.object.owner == owner && strcmp(other->network.object.uuid, uuid) != 0 &&
                    (has_bridge(other->definition, name) || has_bridge(other->live, name)))
                        return true;
        }
        return g_hash_table_contains(driver->networks->defined.reserved, key);
}

/* Two networks cannot make the same bridge; one without a name gets the first that is free. */
static int choose_bridge(const Driver *driver, NetworkDefinition *definition, uid_t owner, Error *error)
{
        if (!network_has_own_bridge(definition))
                return 0;
        if (definition->bridge.name) {
                if (!bridge_is_taken(driver, definition->bridge.name, definition->uuid, owner))
                        return 0;
                return error_set(error, ERROR_OPERATION_FAILED,
                                 "network '%s': bridge '%s' is another network's", definition->name,
                                 definition->bridge.name);
        }
        for (unsigned i = 0; i < BRIDGES_MAX; i++) {
                _cleanup_(freep) char *name = g_strdup_printf("virbr%u", i);

                if (bridge_is_taken(driver, name, definition->uuid, owner) || if_nametoindex(name) != 0)
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
                r = reservation_add(reservation,
                                    g_strdup_printf("bridge %u %s", owner, definition->bridge.name),
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
        other = object_table_owned(driver->objects, OBJECT_NETWORK, definition->name, owner);
        if (!existing && other)
                return error_set(error, ERROR_EXISTS, "There is a network named '%s' already",
                                 definition->name);
        return 0;
}

static int save(const Driver *driver, NetworkDefinition *definition, uid_t owner, bool is_autostart,
                Error *error) AWAITS
{
        int r = stored_save(
                &driver->networks->defined,
                &(Stored){ .definition = definition, .owner = owner, .is_autostart = is_autostart }, error);

        if (r < 0)
                error_prefix(error, "Cannot save the definition of network '%s'", definition->name);
        return r;
}

static int check(Call *call, const Network *existing, NetworkDefinition *definition, uid_t owner,
                 Reservation *reservation, Error *error)
{
        int r;

        network_definition_complete(definition);
        r = check_identity(call->driver, existing, definition, owner, error);
        if (r >= 0)
                r = choose_bridge(call->driver, definition, owner, error);
        return r < 0 ? r : reserve_all(reservation, definition, owner, error);
}

int networks_define(Call *call, Network *existing, NetworkDefinition *definition, Network **ret_network,
                    Error *error)
{
        _cleanup_(network_definition_freep) NetworkDefinition *owned = definition;
        _cleanup_(reservation_clear) Reservation reservation = { &call->driver->networks->defined };
        uid_t owner = existing ? existing->object.owner : call->owner;
        VirtualNetwork *network = virtual_network(existing);
        int r = check(call, existing, definition, owner, &reservation, error);

        if (r >= 0)
                r = save(call->driver, definition, owner, existing && existing->is_autostart, error);
        if (r < 0)
                return r;
        if (network) {
                network_definition_free(network->definition);
                network->definition = TAKE_PTR(owned);
                active_show(network);
                object_ref(&existing->object);
        } else {
                network = network_new(call->driver, TAKE_PTR(owned), owner);
                (void)object_table_add(call->driver->objects,
                                       &network->network.object); /* the UUID was reserved */
        }
        network_set_persistent(&network->network, true);
        active_announce(&network->network, EVENT_DEFINED);
        *ret_network = &network->network;
        return 0;
}

int networks_create_transient(Call *call, Network *existing, NetworkDefinition *definition,
                              Network **ret_network, Error *error)
{
        _cleanup_(network_definition_freep) NetworkDefinition *owned = definition;
        _cleanup_(reservation_clear) Reservation reservation = { &call->driver->networks->defined };
        VirtualNetwork *network;
        int r;

        if (existing)
                return error_set(error, ERROR_EXISTS, "The %s is there already: Create brings it up",
                                 object_describe(&existing->object));
        r = check(call, NULL, definition, call->owner, &reservation, error);
        if (r < 0)
                return r;
        network = network_new(call->driver, TAKE_PTR(owned), call->owner);
        network->network.object.is_gone = true; /* nobody knows of it yet, and nobody is told */
        r = active_start(network, network->definition, error);
        if (r < 0) {
                object_unref(&network->network.object);
                return r;
        }
        network->network.object.is_gone = false;
        (void)object_table_add(call->driver->objects, &network->network.object); /* the UUID was reserved */
        active_announce(&network->network, EVENT_STARTED);
        *ret_network = &network->network;
        return 0;
}

int networks_create(Call *call, Network *network, Error *error)
{
        int r;

        (void)call;
        if (network->is_active)
                return error_set(error, ERROR_OPERATION_INVALID, "The %s is up already",
                                 object_describe(&network->object));
        r = active_start(virtual_network(network), virtual_network(network)->definition, error);
        if (r >= 0)
                active_announce(network, EVENT_STARTED);
        return r;
}

/* One that is stored stays, and plugs its guests in again when it comes up. */
int networks_destroy(Call *call, Network *network, Error *error)
{
        int r;

        if (!network->is_active)
                return error_set(error, ERROR_OPERATION_INVALID, "The %s is not up",
                                 object_describe(&network->object));
        if (!network->is_persistent && network->ports->len > 0)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s is not stored and would be gone, and %u interfaces of running "
                                 "machines are plugged into it: end them, or define it before",
                                 object_describe(&network->object), network->ports->len);
        r = active_stop(virtual_network(network), error);
        active_announce(network, EVENT_STOPPED);
        if (!network->is_persistent)
                object_table_remove(call->driver->objects, &network->object);
        return r;
}

int networks_get_dhcp_leases(Call *call, Network *network, const char *mac, uint32_t flags,
                             GVariant **ret_leases, Error *error)
{
        int r = error_check_flags(error, "GetDHCPLeases", flags, 0);

        (void)call;
        if (r >= 0 && !network->is_active)
                r = error_set(error, ERROR_OPERATION_INVALID, "The %s is not up",
                              object_describe(&network->object));
        if (r >= 0)
                *ret_leases = leases_to_variant(network, mac);
        return r;
}

int networks_get_xml_desc(Call *call, Network *network, uint32_t flags, char **ret_xml, Error *error)
{
        const VirtualNetwork *this = virtual_network(network);
        bool is_live = network->is_active && !(flags & XML_INACTIVE);
        _cleanup_(network_definition_freep) NetworkDefinition *live = NULL;
        int r = error_check_flags(error, "GetXMLDesc", flags, XML_INACTIVE);

        (void)call;
        if (r < 0)
                return r;
        if (is_live) {
                live = network_definition_copy(this->live);
                live->connections = network->ports->len;
        }
        *ret_xml = network_definition_format(is_live ? live : this->definition,
                                             is_live ? 0 : DEFINITION_INACTIVE);
        return 0;
}

int networks_set_autostart(Call *call, Network *network, bool value, Error *error)
{
        int r;

        if (!network->is_persistent)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s is not stored: it cannot start by itself",
                                 object_describe(&network->object));
        r = save(call->driver, virtual_network(network)->definition, network->object.owner, value, error);
        if (r >= 0)
                network_set_autostart(network, value);
        return r;
}

static int check_affected(const Network *network, uint32_t *flags, Error *error)
{
        int r = error_check_flags(error, "Update", *flags, AFFECT_LIVE | AFFECT_CONFIG);

        if (r < 0)
                return r;
        if (*flags == 0)
                *flags = network->is_active ? AFFECT_LIVE : AFFECT_CONFIG;
        if (*flags & AFFECT_LIVE && !network->is_active)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s is not up: AFFECT_LIVE changes nothing",
                                 object_describe(&network->object));
        if (*flags & AFFECT_CONFIG && !network->is_persistent)
                return error_set(error, ERROR_OPERATION_INVALID,
                                 "The %s is not stored: AFFECT_CONFIG changes nothing",
                                 object_describe(&network->object));
        return 0;
}

/* Both are checked before either is changed. */
int networks_update(Call *call, Network *network, uint32_t command, uint32_t section, int32_t parent_index,
                    const char *xml, uint32_t flags, Error *error)
{
        VirtualNetwork *this = virtual_network(network);
        _cleanup_(network_definition_freep) NetworkDefinition *live = NULL, *definition = NULL;
        int r = check_affected(network, &flags, error);

        if (r >= 0 && flags & AFFECT_LIVE)
                r = network_definition_update(this->live, command, section, parent_index, xml, &live, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = network_definition_update(this->definition, command, section, parent_index, xml,
                                              &definition, error);
        if (r >= 0 && live)
                r = active_change(this, live, error);
        if (r < 0 || !definition)
                return r;
        r = save(call->driver, definition, network->object.owner, network->is_autostart, error);
        if (r < 0)
                return r;
        network_definition_free(this->definition);
        this->definition = TAKE_PTR(definition);
        return 0;
}

/* One that is up stays, with what it was started with, until it is taken down. */
int networks_undefine(Call *call, Network *network, Error *error)
{
        VirtualNetwork *this = virtual_network(network);
        int r;

        if (!network->is_persistent)
                return error_set(error, ERROR_OPERATION_INVALID, "The %s is not stored",
                                 object_describe(&network->object));
        if (!network->is_active && network->ports->len > 0)
                return error_set(
                        error, ERROR_OPERATION_INVALID,
                        "The %s is down, and %u interfaces of running machines are to be plugged into "
                        "it again: it is not undefined under them",
                        object_describe(&network->object), network->ports->len);
        r = stored_remove(&call->driver->networks->defined, network->object.uuid, error);
        if (r >= 0 && this->resumed)
                r = active_forget(this, error);
        if (r < 0)
                return r;
        network_set_persistent(network, false);
        network_set_autostart(network, false);
        active_announce(network, EVENT_UNDEFINED);
        if (!network->is_active) {
                object_table_remove(call->driver->objects, &network->object);
                return 0;
        }
        network_definition_free(this->definition);
        this->definition = network_definition_copy(this->live);
        return 0;
}
