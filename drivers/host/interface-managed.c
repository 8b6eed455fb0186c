/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Definitions that whatever manages the host's network has: the manager is asked, the kernel tells whether
 * it is done. */

#include "drivers/host/interface-managed.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/host/link-change.h"
#include <arpa/inet.h>
#include <string.h>

static bool has_address(const HostInterface *interface, const InterfaceIp *ip, int family)
{
        char canonical[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
        uint8_t bytes[16];

        if (inet_pton(family, ip->address, bytes) != 1 ||
            !inet_ntop(family, bytes, canonical, sizeof canonical))
                return true; /* it was checked */
        (void)snprintf(text, sizeof text, "%s/%u", canonical,
                       ip->has_prefix       ? ip->prefix
                       : family == AF_INET6 ? 128
                                            : 32);
        return g_strv_contains((const char *const *)interface->addresses, text);
}

static bool has_member(const struct InterfaceState *state, const Managed *managed,
                       const HostInterfaceDefinition *member)
{
        const Managed *found = interfaces_find(state, member->name);

        return found && strcmp(found->interface.master, managed->interface.object.name) == 0;
}

/* Up, with what was given; what others give it (DHCP) may come later. */
static bool is_as_defined(const struct InterfaceState *state, const Managed *managed)
{
        const HostInterfaceDefinition *definition = managed->definition;
        bool is = managed->interface.is_active && definition;

        if (!definition)
                return false;
        is = is && (!definition->mtu || definition->mtu == managed->interface.mtu);
        LIST_FOREACH (protocol, definition->protocols) {
                int family = strcmp(protocol->family, "ipv4") == 0 ? AF_INET : AF_INET6;

                LIST_FOREACH (ip, protocol->ips) {
                        is = is && has_address(&managed->interface, ip, family);
                }
        }
        LIST_FOREACH (member, definition->bridge.members) {
                is = is && has_member(state, managed, member);
        }
        LIST_FOREACH (member, definition->bond.members) {
                is = is && has_member(state, managed, member);
        }
        return is;
}

bool interface_managed_is_up(const struct InterfaceState *state, const Managed *managed)
{
        return managed->manager && managed->manager->keeps_cards_up &&
                               managed->interface.type ==
                                       host_interface_type_to_string(HOST_INTERFACE_ETHERNET)
                       ? is_as_defined(state, managed)
                       : managed->interface.is_active;
}

static int wait_until_up(struct InterfaceState *state, const Managed *managed, Error *error) AWAITS
{
        uint64_t deadline_usec = deadline_after_usec(MANAGER_USEC);

        links_read(state->links);
        while (!is_as_defined(state, managed))
                if (condition_wait(&state->news, deadline_usec) < 0)
                        return error_set(
                                error, ERROR_OPERATION_FAILED,
                                "%s has not brought '%s' up as it is defined in %u seconds: its log "
                                "says why",
                                managed->manager ? managed->manager->name : "Nobody",
                                managed->interface.object.name,
                                (unsigned)(MANAGER_USEC / G_TIME_SPAN_SECOND));
        return 0;
}

/* What its manager does not remove itself goes by us. */
int interface_managed_stop(struct InterfaceState *state, const Managed *managed, uint64_t deadline_usec,
                           Error *error)
{
        const HostManager *manager = managed->manager;
        _cleanup_(host_interface_freep) HostInterfaceDefinition *definition =
                struct_copy(&host_interface_definition_type, managed->definition);
        uint64_t until_usec = deadline_after_usec(MANAGER_USEC);
        bool is_made = definition->type != HOST_INTERFACE_ETHERNET;
        int r = manager->stop(state->driver, definition, deadline_usec, error);

        links_read(state->links);
        while (r >= 0 && is_made && manager->removes_devices && managed->index)
                if (condition_wait(&state->news, until_usec) < 0)
                        r = error_set(error, ERROR_OPERATION_FAILED, "%s has not taken '%s' down",
                                      manager->name, definition->name);
        if (r >= 0 && managed->index && is_made)
                r = link_mark(definition->name, error);
        return r < 0 || !managed->index ? r : link_take_down(definition->name, error);
}

int interface_managed_start(struct InterfaceState *state, const Managed *managed, uint64_t deadline_usec,
                            Error *error)
{
        const HostManager *manager = managed->manager;
        _cleanup_(host_interface_freep) HostInterfaceDefinition *definition =
                struct_copy(&host_interface_definition_type, managed->definition);
        _cleanup_(error_clear) Error unseen = {};
        int r = manager->start(state->driver, definition, deadline_usec, error);

        if (r >= 0)
                r = wait_until_up(state, managed, error);
        if (r >= 0 && definition->type != HOST_INTERFACE_ETHERNET && !manager->removes_devices)
                r = link_mark(definition->name, error); /* also after its definition is forgotten */
        if (r < 0 && managed->manager) {
                fiber_clear_cancel(); /* what was begun is taken back all the same */
                if (interface_managed_stop(state, managed, deadline_after_usec(MANAGER_USEC), &unseen) < 0)
                        log_error(managed->interface.object.path, "%s", unseen.message);
        }
        return r;
}

int interface_managed_find(const struct InterfaceState *state, const Managed *managed, const char *name,
                           uint64_t deadline_usec, const HostManager **ret_manager, Error *error)
{
        return host_manager_find(state->driver, name, managed && managed->index, deadline_usec, ret_manager,
                                 error);
}

/* Who has a definition must still be the one. */
int interface_managed_check(const struct InterfaceState *state, const Managed *managed,
                            uint64_t deadline_usec, Error *error)
{
        const char *name = managed->interface.object.name;
        const HostManager *manager, *wanted = managed->manager;
        int r = interface_managed_find(state, managed, name, deadline_usec, &manager, error);

        if (r < 0 || manager == wanted || (!managed->definition && !manager))
                return r;
        if (managed->definition)
                return error_set(
                        error, ERROR_OPERATION_INVALID,
                        "The interface '%s' was defined for %s, but %s manages it now: undefine it, "
                        "and define it anew",
                        name, wanted ? wanted->name : "virtbus alone",
                        manager ? manager->name : "nobody but virtbus");
        return manager->check_free(state->driver, name, managed->index, deadline_usec, error);
}

static void free_definition(void *data)
{
        host_interface_free(data);
}

/* What a crash left of ours in the configuration of who manages the network. */
void interface_managed_settle(const struct InterfaceState *state, const GPtrArray *interfaces)
{
        for (unsigned i = 0; host_managers[i]; i++) {
                _cleanup_(g_hash_table_unrefp) GHashTable *definitions =
                        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_definition);
                _cleanup_(error_clear) Error error = {};

                for (unsigned j = 0; j < interfaces->len; j++) {
                        const Managed *managed = interfaces->pdata[j];

                        if (managed->manager == host_managers[i] && managed->definition)
                                g_hash_table_insert(
                                        definitions, g_strdup(managed->interface.object.name),
                                        struct_copy(&host_interface_definition_type, managed->definition));
                }
                if (host_managers[i]->settle(state->driver, definitions, deadline_after_usec(MANAGER_USEC),
                                             &error) < 0)
                        log_error(NULL, "%s", error.message);
        }
}

static int check_device_free(const struct InterfaceState *state, const HostManager *manager,
                             const char *device, uint64_t deadline_usec, Error *error) AWAITS
{
        const Managed *managed = interfaces_find(state, device);

        return manager->check_free(state->driver, device, managed && managed->index, deadline_usec, error);
}

/* The device, and those that it is made of: none has a configuration of somebody else's. */
static int check_free(const struct InterfaceState *state, const HostManager *manager,
                      const HostInterfaceDefinition *definition, uint64_t deadline_usec, Error *error) AWAITS
{
        const Managed *managed = interfaces_find(state, definition->name);
        int r;

        if (managed && managed->definition && managed->manager == manager)
                return 0;
        if (definition->type != HOST_INTERFACE_ETHERNET && managed && managed->index)
                return error_set(error, ERROR_EXISTS,
                                 "The host has a device '%s', which virtbus has not defined",
                                 definition->name);
        r = manager->check_free(state->driver, definition->name, managed && managed->index, deadline_usec,
                                error);
        if (r >= 0 && definition->type == HOST_INTERFACE_VLAN && manager->changes_parents)
                r = check_device_free(state, manager, definition->vlan.device, deadline_usec, error);
        LIST_FOREACH (member, definition->bridge.members) {
                if (r >= 0)
                        r = check_free(state, manager, member, deadline_usec, error);
        }
        LIST_FOREACH (member, definition->bond.members) {
                if (r >= 0)
                        r = check_free(state, manager, member, deadline_usec, error);
        }
        return r;
}

int interface_managed_check_definition(const struct InterfaceState *state, const HostManager *manager,
                                       const HostInterfaceDefinition *definition, uint64_t deadline_usec,
                                       Error *error)
{
        int r = host_manager_check_names(definition, error);

        if (r >= 0 && definition->start == START_MODE_HOTPLUG && !manager->knows_hotplug)
                r = error_set(
                        error, ERROR_CONFIG_UNSUPPORTED,
                        "interface '%s': <start mode='hotplug'>: 'none' and 'onboot' are possible with "
                        "%s",
                        definition->name, manager->name);
        if (r >= 0)
                r = manager->check(definition, error);
        return r < 0 ? r : check_free(state, manager, definition, deadline_usec, error);
}
