/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NetworkManager, by its interface on the bus: each device of a definition is a connection of it, which has
 * a tag of ours. Its files are its own business. */

#include "drivers/host/host-manager.h"
#include "drivers/host/host-service.h"
#include "drivers/host/network-manager-settings.h"
#include <errno.h>
#include <string.h>

#define NAME            "NetworkManager"
#define SERVICE         "org.freedesktop.NetworkManager"
#define PATH            "/org/freedesktop/NetworkManager"
#define SETTINGS        SERVICE ".Settings"
#define CONNECTION      SETTINGS ".Connection"
#define CONNECTIONS_MAX 4096

/* Flags of its calls and of a connection. */
#define TO_DISK           0x1u
#define BLOCK_AUTOCONNECT 0x20u
#define IS_GENERATED      0x2u

/* What sd-bus makes of its answer for an object that went meanwhile
 * (org.freedesktop.DBus.Error.UnknownMethod). */
#define IT_IS_GONE (-EBADR)

typedef struct Profile {
        char *path;
        GVariant *settings;
} Profile;

static void profile_free(void *data)
{
        Profile *profile = data;

        g_free(profile->path);
        g_variant_unref(profile->settings);
        g_free(profile);
}

static int get_property(const Driver *driver, const char *path, const char *interface, const char *property,
                        const char *type, uint64_t deadline_usec, GVariant **ret_value, Error *error) AWAITS
{
        const ServiceMethod method = { SERVICE, path, "org.freedesktop.DBus.Properties", "Get" };
        _cleanup_(g_variant_unrefp) GVariant *reply = NULL;
        GVariant *value;
        int r = host_service_ask(driver, &method, g_variant_new("(ss)", interface, property), "(v)",
                                 deadline_usec, &reply, error);

        if (r < 0)
                return r;
        g_variant_get(reply, "(v)", &value);
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE(type))) {
                g_variant_unref(value);
                return error_set(error, ERROR_OPERATION_FAILED, NAME " has %s of another type", property);
        }
        *ret_value = value;
        return 0;
}

/* NULL in *ret_path: it does not know the device. */
static int find_device(const Driver *driver, const char *device, uint64_t deadline_usec, char **ret_path,
                       Error *error) AWAITS
{
        static const ServiceMethod method = { SERVICE, PATH, SERVICE, "GetDeviceByIpIface" };
        _cleanup_(g_variant_unrefp) GVariant *reply = NULL;
        _cleanup_(error_clear) Error problem = {};
        int r = host_service_ask(driver, &method, g_variant_new("(s)", device), "(o)", deadline_usec, &reply,
                                 &problem);

        *ret_path = NULL;
        if (r >= 0)
                g_variant_get(reply, "(o)", ret_path);
        else if (strstr(problem.message, SERVICE ".UnknownDevice"))
                r = 0;
        else
                error_move(error, &problem);
        return r;
}

static int manages(const Driver *driver, const char *device, bool has_device, uint64_t deadline_usec,
                   Error *error) AWAITS
{
        _cleanup_(g_variant_unrefp) GVariant *managed = NULL;
        _cleanup_(freep) char *path = NULL;
        int r = host_service_is_running(driver, SERVICE, deadline_usec, error);

        if (r <= 0 || !has_device)
                return r;
        r = find_device(driver, device, deadline_usec, &path, error);
        if (r < 0 || !path)
                return r < 0 ? r : 1;
        r = get_property(driver, path, SERVICE ".Device", "Managed", "b", deadline_usec, &managed, error);
        return r < 0 ? r : g_variant_get_boolean(managed);
}

static int list_profiles(const Driver *driver, uint64_t deadline_usec, GPtrArray **ret_profiles,
                         Error *error) AWAITS
{
        static const ServiceMethod method = { SERVICE, PATH "/Settings", SETTINGS, "ListConnections" };
        _cleanup_(g_ptr_array_unrefp) GPtrArray *profiles = g_ptr_array_new_with_free_func(profile_free);
        _cleanup_(g_variant_unrefp) GVariant *reply = NULL, *paths = NULL;
        int r = host_service_ask(driver, &method, NULL, "(ao)", deadline_usec, &reply, error);

        if (r < 0)
                return r;
        paths = g_variant_get_child_value(reply, 0);
        for (size_t i = 0; i < MIN(g_variant_n_children(paths), CONNECTIONS_MAX); i++) {
                _cleanup_(g_variant_unrefp) GVariant *settings = NULL;
                _cleanup_(error_clear) Error problem = {};
                const char *path;
                Profile *profile;

                g_variant_get_child(paths, i, "&o", &path);
                r = host_service_ask(driver, &(ServiceMethod){ SERVICE, path, CONNECTION, "GetSettings" },
                                     NULL, "(a{sa{sv}})", deadline_usec, &settings, &problem);
                if (r == IT_IS_GONE)
                        continue;
                if (r < 0) {
                        error_move(error, &problem);
                        return r;
                }
                profile = g_new0(Profile, 1);
                profile->path = g_strdup(path);
                profile->settings = g_variant_get_child_value(settings, 0);
                g_ptr_array_add(profiles, profile);
        }
        *ret_profiles = TAKE_PTR(profiles);
        return 0;
}

/* To be freed; "": it has none. */
static char *connection_value(GVariant *settings, const char *key)
{
        _cleanup_(g_variant_unrefp) GVariant *connection =
                g_variant_lookup_value(settings, "connection", G_VARIANT_TYPE_VARDICT);
        const char *value = NULL;

        return g_strdup(connection && g_variant_lookup(connection, key, "&s", &value) ? value : "");
}

static const Profile *find_profile(const GPtrArray *profiles, const char *uuid)
{
        for (unsigned i = 0; i < profiles->len; i++) {
                const Profile *profile = profiles->pdata[i];
                _cleanup_(freep) char *own = connection_value(profile->settings, "uuid");

                if (strcmp(own, uuid) == 0)
                        return profile;
        }
        return NULL;
}

/* The connection that the device has now; "/": none. */
static int find_active(const Driver *driver, const char *device, uint64_t deadline_usec, char **ret_path,
                       Error *error) AWAITS
{
        _cleanup_(g_variant_unrefp) GVariant *active = NULL, *connection = NULL;
        _cleanup_(freep) char *path = NULL;
        int r = find_device(driver, device, deadline_usec, &path, error);

        if (r >= 0 && path)
                r = get_property(driver, path, SERVICE ".Device", "ActiveConnection", "o", deadline_usec,
                                 &active, error);
        if (r >= 0 && active && strcmp(g_variant_get_string(active, NULL), "/") != 0)
                r = get_property(driver, g_variant_get_string(active, NULL), SERVICE ".Connection.Active",
                                 "Connection", "o", deadline_usec, &connection, error);
        if (r >= 0)
                *ret_path = g_strdup(connection ? g_variant_get_string(connection, NULL) : "/");
        return r;
}

/* Those that it makes of itself, for devices that have none, are nobody's configuration. */
static int check_profile(const Driver *driver, const Profile *profile, const char *device,
                         uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(g_variant_unrefp) GVariant *flags = NULL;
        _cleanup_(freep) char *id = connection_value(profile->settings, "id");
        int r = get_property(driver, profile->path, CONNECTION, "Flags", "u", deadline_usec, &flags, error);

        if (r < 0 || g_variant_get_uint32(flags) & IS_GENERATED)
                return r;
        return error_set(error, ERROR_OPERATION_INVALID,
                         "The interface '%s' is configured by the connection '%s' of " NAME
                         ", which is not of virtbus: change it there",
                         device, id);
}

static int check_free(const Driver *driver, const char *device, bool has_device, uint64_t deadline_usec,
                      Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *profiles = NULL;
        _cleanup_(freep) char *active = NULL;
        int r = list_profiles(driver, deadline_usec, &profiles, error);

        if (r >= 0 && has_device)
                r = find_active(driver, device, deadline_usec, &active, error);
        for (unsigned i = 0; r >= 0 && i < profiles->len; i++) {
                const Profile *profile = profiles->pdata[i];
                _cleanup_(freep) char *name = connection_value(profile->settings, "interface-name");

                if (!network_manager_owner(profile->settings) &&
                    (strcmp(name, device) == 0 || g_strcmp0(profile->path, active) == 0))
                        r = check_profile(driver, profile, device, deadline_usec, error);
        }
        return r;
}

static int save(const Driver *driver, const Profile *profile, const NetworkManagerConnection *connection,
                uint64_t deadline_usec, Error *error) AWAITS
{
        static const ServiceMethod add = { SERVICE, PATH "/Settings", SETTINGS, "AddConnection2" };
        GVariant *arguments =
                g_variant_new("(@a{sa{sv}}ua{sv})", connection->settings, TO_DISK | BLOCK_AUTOCONNECT, NULL);

        return driver->service_call(
                profile ? &(ServiceMethod){ SERVICE, profile->path, CONNECTION, "Update2" } : &add,
                arguments, deadline_usec, NULL, error);
}

static int delete_profile(const Driver *driver, const Profile *profile, uint64_t deadline_usec,
                          Error *error) AWAITS
{
        return driver->service_call(&(ServiceMethod){ SERVICE, profile->path, CONNECTION, "Delete" }, NULL,
                                    deadline_usec, NULL, error);
}

static bool is_wanted(const GPtrArray *connections, const Profile *profile)
{
        _cleanup_(freep) char *uuid = connection_value(profile->settings, "uuid");

        for (unsigned i = 0; connections && i < connections->len; i++)
                if (strcmp(((const NetworkManagerConnection *)connections->pdata[i])->uuid, uuid) == 0)
                        return true;
        return false;
}

static int replace(const Driver *driver, const char *name, const GPtrArray *connections,
                   const GPtrArray *profiles, uint64_t deadline_usec, Error *error) AWAITS
{
        int r = 0;

        for (unsigned i = 0; connections && r >= 0 && i < connections->len; i++) {
                const NetworkManagerConnection *connection = connections->pdata[i];
                const Profile *profile = find_profile(profiles, connection->uuid);

                if (!profile ||
                    g_strcmp0(network_manager_digest(profile->settings), connection->digest) != 0)
                        r = save(driver, profile, connection, deadline_usec, error);
        }
        for (unsigned i = 0; r >= 0 && i < profiles->len; i++) {
                const Profile *profile = profiles->pdata[i];

                if (g_strcmp0(network_manager_owner(profile->settings), name) == 0 &&
                    !is_wanted(connections, profile))
                        r = delete_profile(driver, profile, deadline_usec, error);
        }
        return r;
}

static int check_not_active(const Driver *driver, const char *name, const GPtrArray *profiles,
                            uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(freep) char *active = NULL;
        int r = find_active(driver, name, deadline_usec, &active, error);

        for (unsigned i = 0; r >= 0 && i < profiles->len; i++) {
                const Profile *profile = profiles->pdata[i];

                if (strcmp(profile->path, active) == 0 &&
                    g_strcmp0(network_manager_owner(profile->settings), name) == 0)
                        r = error_set(error, ERROR_OPERATION_INVALID,
                                      "The interface '%s' is up, and " NAME
                                      " would take it down with its connection: take it down first",
                                      name);
        }
        return r;
}

static int store(const Driver *driver, const char *name, const HostInterfaceDefinition *definition,
                 bool is_up _unused_, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *profiles = NULL, *connections = NULL;
        int r = host_service_is_running(driver, SERVICE, deadline_usec, error);

        if (r < 0 || (r == 0 && !definition))
                return r; /* settle() removes the connections when it runs again */
        r = list_profiles(driver, deadline_usec, &profiles, error);
        if (r >= 0 && !definition)
                r = check_not_active(driver, name, profiles, deadline_usec, error);
        if (r < 0)
                return r;
        connections = definition ? network_manager_connections(definition) : NULL;
        return replace(driver, name, connections, profiles, deadline_usec, error);
}

static int start(const Driver *driver, const HostInterfaceDefinition *definition, uint64_t deadline_usec,
                 Error *error) AWAITS
{
        static const ServiceMethod activate = { SERVICE, PATH, SERVICE, "ActivateConnection" };
        _cleanup_(g_ptr_array_unrefp) GPtrArray *profiles = NULL,
                                                *connections = network_manager_connections(definition);
        const NetworkManagerConnection *connection = connections->pdata[0];
        const Profile *profile;
        int r = list_profiles(driver, deadline_usec, &profiles, error);

        if (r < 0)
                return r;
        profile = find_profile(profiles, connection->uuid);
        if (!profile)
                return error_set(error, ERROR_OPERATION_FAILED,
                                 NAME " has lost the connection of '%s': define it again", definition->name);
        return driver->service_call(&activate, g_variant_new("(ooo)", profile->path, "/", "/"),
                                    deadline_usec, NULL, error);
}

/* One that has gone meanwhile is down, too. */
static void deactivate(const Driver *driver, const char *active, const GPtrArray *connections,
                       uint64_t deadline_usec) AWAITS
{
        static const ServiceMethod method = { SERVICE, PATH, SERVICE, "DeactivateConnection" };
        _cleanup_(g_variant_unrefp) GVariant *uuid = NULL;
        _cleanup_(error_clear) Error unseen = {};

        if (get_property(driver, active, SERVICE ".Connection.Active", "Uuid", "s", deadline_usec, &uuid,
                         &unseen) < 0)
                return;
        for (unsigned i = 0; i < connections->len; i++)
                if (strcmp(((const NetworkManagerConnection *)connections->pdata[i])->uuid,
                           g_variant_get_string(uuid, NULL)) == 0)
                        (void)driver->service_call(&method, g_variant_new("(o)", active), deadline_usec,
                                                   NULL, NULL); /* the caller waits for the device */
}

/* Also from what it made of itself for a card, and nothing comes up there again until it is asked for. */
static int disconnect(const Driver *driver, const char *device, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(freep) char *path = NULL;
        int r = find_device(driver, device, deadline_usec, &path, error);

        if (r >= 0 && path)
                (void)driver->service_call(
                        &(ServiceMethod){ SERVICE, path, SERVICE ".Device", "Disconnect" }, NULL,
                        deadline_usec, NULL, NULL); /* one that has no connection is not connected */
        return r;
}

static int stop(const Driver *driver, const HostInterfaceDefinition *definition, uint64_t deadline_usec,
                Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *connections = network_manager_connections(definition);
        _cleanup_(g_variant_unrefp) GVariant *active = NULL;
        int r = get_property(driver, PATH, SERVICE, "ActiveConnections", "ao", deadline_usec, &active,
                             error);

        for (size_t i = 0; r >= 0 && i < g_variant_n_children(active); i++) {
                const char *path;

                g_variant_get_child(active, i, "&o", &path);
                deactivate(driver, path, connections, deadline_usec);
        }
        if (r >= 0 && definition->type == HOST_INTERFACE_ETHERNET)
                r = disconnect(driver, definition->name, deadline_usec, error);
        return r;
}

static int settle(const Driver *driver, GHashTable *definitions, uint64_t deadline_usec, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *profiles = NULL;
        GHashTableIter iterator;
        gpointer name, definition;
        int r = host_service_is_running(driver, SERVICE, deadline_usec, error);

        if (r <= 0)
                return r;
        r = list_profiles(driver, deadline_usec, &profiles, error);
        for (unsigned i = 0; r >= 0 && i < profiles->len; i++) {
                const Profile *profile = profiles->pdata[i];
                const char *owner = network_manager_owner(profile->settings);

                if (owner && !g_hash_table_contains(definitions, owner))
                        r = delete_profile(driver, profile, deadline_usec, error);
        }
        g_hash_table_iter_init(&iterator, definitions);
        while (r >= 0 && g_hash_table_iter_next(&iterator, &name, &definition)) {
                _cleanup_(g_ptr_array_unrefp) GPtrArray *connections =
                        network_manager_connections(definition);

                r = replace(driver, name, connections, profiles, deadline_usec, error);
        }
        return r;
}

const HostManager network_manager = {
        .name = NAME,
        .removes_devices = true,
        .keeps_cards_up = true,
        .manages = manages,
        .check_free = check_free,
        .check = network_manager_check,
        .store = store,
        .start = start,
        .stop = stop,
        .settle = settle,
};
