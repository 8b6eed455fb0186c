/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An object stands for a name: for a device of the kernel, for a definition, or for both. Properties follow
 * links.c; nothing is asked of the kernel when they are read. Where another program manages the host's
 * network (host-manager.h), a definition becomes a part of its configuration and stays its own: two that
 * manage one device would undo each other's work. */

#include "drivers/host/interfaces.h"
#include "core/fiber.h"
#include "core/log.h"
#include "drivers/host/interface-managed.h"
#include "drivers/host/link-change.h"
#include "model/identity.h"
#include <net/if.h>
#include <string.h>

enum { XML_INACTIVE = 1 };

static void managed_free(Object *object)
{
        Managed *managed = (Managed *)object;

        host_interface_free(managed->definition);
        g_free(managed->interface.mac);
        g_free(managed->interface.master);
        g_strfreev(managed->interface.addresses);
        object_done(object);
        g_free(managed);
}

static bool is_in_memory(const struct InterfaceState *state)
{
        return state->driver->type->is_in_memory;
}

/* The path is libvirt-dbus's, by the hardware address. Several may share one, a bridge and its port for
 * instance: all but the first have their name in it. */
static Managed *managed_new(const struct InterfaceState *state, const char *name, const char *mac)
{
        Managed *managed = g_new0(Managed, 1);
        HostInterface *interface = &managed->interface;
        _cleanup_(freep) char *other = g_strdup_printf("%s-%s", mac, name);
        _cleanup_(freep) char *encoded = object_id_encode(*mac ? mac : name);
        _cleanup_(freep) char *path =
                g_strdup_printf("%s/interface/%s", state->driver->object.path, encoded);
        bool is_taken = object_table_by_path(state->driver->objects, path) != NULL;

        interface->mac = g_strdup(mac);
        interface->master = g_strdup("");
        interface->addresses = g_new0(char *, 1);
        interface->type = host_interface_type_to_string(HOST_INTERFACE_ETHERNET);
        interface->link_state = host_link_state_to_string(HOST_LINK_NOT_PRESENT);
        object_init(&interface->object, OBJECT_INTERFACE, state->driver,
                    is_taken ? other
                    : *mac   ? mac
                             : name,
                    name, NULL, 0, managed_free);
        return managed;
}

static void set_text(Managed *managed, char **member, const char *value, const char *property)
{
        if (strcmp(*member, value) == 0)
                return;
        g_free(*member);
        *member = g_strdup(value);
        object_changed(&managed->interface.object, property);
}

static void set_word(Managed *managed, const char **member, const char *value, const char *property)
{
        if (strcmp(*member, value) == 0)
                return;
        *member = value;
        object_changed(&managed->interface.object, property);
}

static void set_bool(Managed *managed, bool *member, bool value, const char *property)
{
        if (*member == value)
                return;
        *member = value;
        object_changed(&managed->interface.object, property);
}

static void set_addresses(Managed *managed, char **addresses)
{
        HostInterface *interface = &managed->interface;

        if (g_strv_equal((const char *const *)interface->addresses, (const char *const *)addresses)) {
                g_strfreev(addresses);
                return;
        }
        g_strfreev(interface->addresses);
        interface->addresses = addresses;
        object_changed(&interface->object, "Addresses");
}

/* What the object says of the device, or of the definition alone. */
static void update(const struct InterfaceState *state, Managed *managed)
{
        HostInterface *interface = &managed->interface;
        struct rtnl_link *link = managed->index ? links_get(state->links, managed->index) : NULL;
        const HostInterfaceDefinition *definition = managed->definition;
        _cleanup_(freep) char *mac = link ? link_mac(link) : NULL;
        HostInterfaceType type = link ? link_type(link) : definition ? definition->type : 0;
        uint32_t mtu = link ? rtnl_link_get_mtu(link) : definition ? definition->mtu : 0;

        if (mac || definition)
                set_text(managed, &interface->mac, mac ? mac : definition->mac, "MAC");
        set_word(managed, &interface->type, host_interface_type_to_string(type), "Type");
        set_word(managed, &interface->link_state,
                 host_link_state_to_string(link             ? link_state(link)
                                           : managed->is_up ? HOST_LINK_UP
                                                            : HOST_LINK_NOT_PRESENT),
                 "LinkState");
        set_bool(managed, &interface->is_active,
                 link ? (rtnl_link_get_flags(link) & IFF_UP) != 0 : managed->is_up, "Active");
        set_bool(managed, &interface->is_defined, definition != NULL, "Defined");
        set_text(managed, &interface->master, link ? links_master(state->links, managed->index) : "",
                 "Master");
        set_addresses(managed, link ? links_addresses(state->links, managed->index) : g_new0(char *, 1));
        if (interface->mtu != mtu) {
                interface->mtu = mtu;
                object_changed(&interface->object, "MTU");
        }
}

/* Those of other owners' guests are no interfaces of the host. */
static bool is_shown(struct rtnl_link *link)
{
        return g_strcmp0(rtnl_link_get_type(link), "tun") != 0;
}

static void lose_device(struct InterfaceState *state, Managed *managed)
{
        (void)g_hash_table_remove(state->by_index, GINT_TO_POINTER(managed->index)); /* it is there */
        managed->index = 0;
        if (managed->definition)
                update(state, managed);
        else
                object_table_remove(state->driver->objects, &managed->interface.object);
}

/* Makes the object known; what it says is set before, so that it comes whole. */
static int add(struct InterfaceState *state, Managed *managed)
{
        Object *object = &managed->interface.object;
        int r;

        update(state, managed);
        r = object_table_add(state->driver->objects, object);
        if (r < 0)
                log_error(object->path, "Two of the host's interfaces would have one path");
        object_unref(object);
        return r;
}

static void follow_device(struct InterfaceState *state, int index)
{
        struct rtnl_link *link = links_get(state->links, index);
        Managed *managed = g_hash_table_lookup(state->by_index, GINT_TO_POINTER(index));
        bool is_there = link && is_shown(link);
        _cleanup_(freep) char *mac = NULL;

        if (managed &&
            (!is_there || strcmp(managed->interface.object.name, rtnl_link_get_name(link)) != 0)) {
                lose_device(state, managed);
                managed = NULL;
        }
        if (!is_there)
                return;
        if (!managed)
                managed = interfaces_find(state, rtnl_link_get_name(link));
        if (managed) {
                g_hash_table_insert(state->by_index, GINT_TO_POINTER(index), managed);
                managed->index = index;
                update(state, managed);
                return;
        }
        mac = link_mac(link);
        managed = managed_new(state, rtnl_link_get_name(link), mac);
        managed->index = index;
        g_hash_table_insert(state->by_index, GINT_TO_POINTER(index), managed);
        if (add(state, managed) < 0)
                (void)g_hash_table_remove(state->by_index, GINT_TO_POINTER(index));
}

static void device_changed(int index, void *data)
{
        struct InterfaceState *state = data;

        follow_device(state, index);
        condition_wake_all(&state->news);
}

static void set_definition(struct InterfaceState *state, HostInterfaceDefinition *definition,
                           const HostManager *manager, Managed **ret_managed)
{
        Managed *managed = interfaces_find(state, definition->name);

        if (managed) {
                host_interface_free(managed->definition);
                managed->definition = definition;
                managed->manager = manager;
                update(state, managed);
        } else {
                managed = managed_new(state, definition->name, definition->mac);
                managed->definition = definition;
                managed->manager = manager;
                (void)add(state, managed); /* the name is free */
        }
        *ret_managed = managed;
}

static void drop_definition(struct InterfaceState *state, Managed *managed)
{
        managed->definition = host_interface_free(managed->definition);
        managed->manager = NULL;
        if (managed->index)
                update(state, managed);
        else
                object_table_remove(state->driver->objects, &managed->interface.object);
}

static int load(int fd, const char *name, void *data)
{
        struct InterfaceState *state = data;
        _cleanup_(host_interface_freep) HostInterfaceDefinition *definition = NULL;
        _cleanup_(error_clear) Error error = {};
        const HostManager *manager;
        Managed *managed;

        if (interface_store_read(fd, name, &definition, &manager, &error) < 0)
                log_error(name, "interface definition %s is left out: %s", name, error.message);
        else
                set_definition(state, TAKE_PTR(definition), manager, &managed);
        return 0;
}

int interfaces_open(Driver *driver, Error *error)
{
        _cleanup_(error_clear) Error unseen = {};
        struct InterfaceState *state = g_new0(struct InterfaceState, 1);
        GArray *indexes;
        int r;

        state->driver = driver;
        state->by_index = g_hash_table_new(NULL, NULL);
        driver->interfaces = state;
        r = interface_store_open(&state->store, driver, error);
        if (r < 0 || is_in_memory(state))
                return r;
        r = links_open(device_changed, state, &state->links, &unseen);
        if (r < 0) {
                /* Machines run without it, too. */
                log_error(NULL, "%s", unseen.message);
                return 0;
        }
        r = interface_store_visit(&state->store, load, state, error);
        if (r < 0)
                return r;
        indexes = links_list(state->links);
        for (unsigned i = 0; i < indexes->len; i++)
                device_changed(g_array_index(indexes, int, i), state);
        g_array_unref(indexes);
        return 0;
}

void interfaces_close(Driver *driver)
{
        struct InterfaceState *state = driver->interfaces;

        if (!state)
                return;
        links_free(state->links);
        interface_store_close(&state->store);
        g_hash_table_unref(state->by_index);
        condition_clear(&state->changed);
        condition_clear(&state->news);
        g_free(state);
        driver->interfaces = NULL;
}

static void set_up(const struct InterfaceState *state, Managed *managed, bool is_up)
{
        managed->is_up = is_up;
        update(state, managed);
}

int interfaces_bring_up(struct InterfaceState *state, Managed *managed, uint64_t deadline_usec, Error *error)
{
        _cleanup_(object_unrefp) Object *object = object_ref(&managed->interface.object);
        int r;

        if (is_in_memory(state)) {
                set_up(state, managed, true);
                return 0;
        }
        r = interface_managed_check(state, managed, deadline_usec, error);
        if (r < 0)
                return r;
        r = managed->manager      ? interface_managed_start(state, managed, deadline_usec, error)
            : managed->definition ? link_bring_up(managed->definition, error)
                                  : link_set_up(object->name, error);

        links_read(state->links);
        return r;
}

int interfaces_take_down(struct InterfaceState *state, Managed *managed, uint64_t deadline_usec,
                         Error *error)
{
        _cleanup_(object_unrefp) Object *object = object_ref(&managed->interface.object);
        int r;

        if (is_in_memory(state)) {
                set_up(state, managed, false);
                return 0;
        }
        r = interface_managed_check(state, managed, deadline_usec, error);
        if (r < 0)
                return r;
        r = managed->manager ? interface_managed_stop(state, managed, deadline_usec, error)
                             : link_take_down(object->name, error);

        links_read(state->links);
        return r;
}

/* What a manager has comes up by it. */
void interfaces_run(Driver *driver)
{
        struct InterfaceState *state = driver->interfaces;
        _cleanup_(g_ptr_array_unrefp) GPtrArray *interfaces =
                object_table_list(driver->objects, OBJECT_INTERFACE);

        state->is_changing = true;
        if (driver->config->is_system && !is_in_memory(state))
                interface_managed_settle(state, interfaces);
        for (unsigned i = 0; i < interfaces->len; i++) {
                Managed *managed = interfaces->pdata[i];
                _cleanup_(error_clear) Error error = {};

                if (managed->interface.object.is_gone || managed->interface.is_active ||
                    !managed->definition || managed->manager ||
                    managed->definition->start != START_MODE_ONBOOT)
                        continue;
                if (interfaces_bring_up(state, managed, deadline_after_usec(MANAGER_USEC), &error) < 0)
                        log_error(managed->interface.object.path, "%s", error.message);
        }
        interfaces_changing_end(state);
}

static int check_may_store(const Driver *driver, Error *error)
{
        if (driver->type->is_in_memory)
                return 0;
        if (!driver->interfaces->links)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "The host's network devices cannot be read, the daemon's log says why");
        if (!driver->config->is_system)
                return error_set(error, ERROR_NOT_SUPPORTED,
                                 "A session daemon cannot define interfaces of the host: the system's can");
        return 0;
}

/* Without a manager. */
static int check_can_do(const HostInterfaceDefinition *definition, Error *error)
{
        LIST_FOREACH (protocol, definition->protocols) {
                if (protocol->dhcp || protocol->autoconf)
                        return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                         "interface '%s': <%s>: there is no program on this host that would "
                                         "ask for an address; <ip> gives one",
                                         definition->name, protocol->dhcp ? "dhcp" : "autoconf");
        }
        return 0;
}

/* Finds who is to have the definition, and whether it can be there. */
static int check_definition(const struct InterfaceState *state, const HostInterfaceDefinition *definition,
                            uint64_t deadline_usec, const HostManager **ret_manager, Error *error) AWAITS
{
        const Managed *managed;
        int r;

        *ret_manager = NULL;
        if (is_in_memory(state))
                return 0;
        links_read(state->links);
        managed = interfaces_find(state, definition->name);
        if (definition->type == HOST_INTERFACE_ETHERNET && (!managed || !managed->index))
                return error_set(error, ERROR_NO_DEVICE, "The host has no device '%s'", definition->name);
        r = managed && managed->definition ? interface_managed_check(state, managed, deadline_usec, error)
                                           : interface_managed_find(state, managed, definition->name,
                                                                    deadline_usec, ret_manager, error);
        if (r < 0)
                return r;
        managed = interfaces_find(state, definition->name);
        if (managed && managed->definition)
                *ret_manager = managed->manager;
        if (*ret_manager)
                return interface_managed_check_definition(state, *ret_manager, definition, deadline_usec,
                                                          error);
        if (definition->start == START_MODE_HOTPLUG)
                return error_set(error, ERROR_CONFIG_UNSUPPORTED,
                                 "interface '%s': <start mode='hotplug'>: 'none' and 'onboot' are possible",
                                 definition->name);
        return check_can_do(definition, error);
}

/* What comes up is as it is defined until it is up. */
static int wait_for_turn(struct InterfaceState *state, uint64_t deadline_usec, Error *error) AWAITS
{
        while (state->is_changing)
                if (condition_wait(&state->changed, deadline_usec) < 0)
                        return error_set(error, ERROR_BUSY,
                                         "Another change of the host's interfaces does not end");
        state->is_changing = true;
        return 0;
}

int interfaces_changing_begin(const Call *call, Error *error)
{
        int r = check_may_store(call->driver, error);

        return r < 0 ? r : wait_for_turn(call->driver->interfaces, call->deadline_usec, error);
}

void interfaces_changing_end(struct InterfaceState *state)
{
        state->is_changing = false;
        condition_wake_all(&state->changed);
}

/* The manager's configuration first, then the store: when that is written, it is defined. After a crash the
 * next daemon makes the former follow the latter. */
int interfaces_store(struct InterfaceState *state, HostInterfaceDefinition *definition,
                     const HostManager *manager, uint64_t deadline_usec, Managed **ret_managed, Error *error)
{
        _cleanup_(host_interface_freep) HostInterfaceDefinition *own = definition, *before = NULL;
        _cleanup_(error_clear) Error unseen = {};
        const Managed *managed = interfaces_find(state, own->name);
        bool is_up = managed && managed->interface.is_active;
        int r = 0;

        if (managed && managed->definition)
                before = struct_copy(&host_interface_definition_type, managed->definition);
        if (manager)
                r = manager->store(state->driver, own->name, own, is_up && before, deadline_usec, error);
        if (r >= 0)
                r = interface_store_save(&state->store, own, manager ? manager->name : NULL, error);
        if (r >= 0) {
                set_definition(state, TAKE_PTR(own), manager, ret_managed);
        } else if (manager) {
                fiber_clear_cancel(); /* what was begun is taken back all the same */
                if (manager->store(state->driver, own->name, before, is_up,
                                   deadline_after_usec(MANAGER_USEC), &unseen) < 0)
                        log_error(own->name, "%s", unseen.message);
        }
        return r;
}

/* The XML says which one it is about. */
static int authorise(Call *call, const char *name, Error *error) AWAITS
{
        Object *object = object_table_by_name(call->driver->objects, OBJECT_INTERFACE, name, 0);
        _cleanup_(object_unrefp) Object *held _unused_ = object ? object_ref(object) : NULL;

        return driver_authorise(call, object, OBJECT_INTERFACE, name, NULL, error);
}

int interfaces_define_xml(Call *call, const char *xml, uint32_t flags, HostInterface **ret_interface,
                          Error *error)
{
        struct InterfaceState *state = call->driver->interfaces;
        _cleanup_(host_interface_freep) HostInterfaceDefinition *definition = NULL;
        const HostManager *manager;
        Managed *managed;
        int r = error_check_flags(error, "InterfaceDefineXML", flags, 0);

        if (r >= 0)
                r = host_interface_parse(xml, strlen(xml), &definition, error);
        if (r >= 0)
                r = authorise(call, definition->name, error);
        if (r >= 0)
                r = interfaces_changing_begin(call, error);
        if (r < 0)
                return r;
        r = check_definition(state, definition, call->deadline_usec, &manager, error);
        if (r >= 0 && definition->type != HOST_INTERFACE_ETHERNET && !definition->mac[0])
                identity_make_mac(definition->mac);
        if (r >= 0)
                r = interfaces_store(state, TAKE_PTR(definition), manager, call->deadline_usec, &managed,
                                     error);
        if (r >= 0) {
                object_ref(&managed->interface.object);
                *ret_interface = &managed->interface;
        }
        interfaces_changing_end(state);
        return r;
}

int interfaces_forget(struct InterfaceState *state, Managed *managed, uint64_t deadline_usec, Error *error)
{
        const HostManager *manager = managed->manager;
        const char *name = managed->interface.object.name;
        int r = manager ? manager->store(state->driver, name, NULL, managed->interface.is_active,
                                         deadline_usec, error)
                        : 0;

        if (r >= 0)
                r = interface_store_forget(&state->store, name, error);
        if (r >= 0 && !managed->interface.object.is_gone)
                drop_definition(state, managed);
        return r;
}

int interfaces_undefine(Call *call, HostInterface *interface, Error *error)
{
        struct InterfaceState *state = call->driver->interfaces;
        Managed *managed = (Managed *)interface;
        int r = interfaces_changing_begin(call, error);

        if (r < 0)
                return r;
        r = managed->definition
                    ? interfaces_forget(state, managed, call->deadline_usec, error)
                    : error_set(error, ERROR_OPERATION_INVALID,
                                "The interface '%s' has no definition of virtbus", interface->object.name);
        interfaces_changing_end(state);
        return r;
}

/* Nobody defines or undefines it meanwhile. */
static int change_state(Call *call, HostInterface *interface, bool is_to_be_up, Error *error) AWAITS
{
        struct InterfaceState *state = call->driver->interfaces;
        Managed *managed = (Managed *)interface;
        const char *name = interface->object.name;
        int r = wait_for_turn(state, call->deadline_usec, error);

        if (r < 0)
                return r;
        if (interface->object.is_gone)
                r = error_set(error, ERROR_NO_INTERFACE, "The interface '%s' is gone", name);
        else if (is_to_be_up)
                r = interface_managed_is_up(state, managed)
                            ? error_set(error, ERROR_OPERATION_INVALID, "The interface '%s' is up already",
                                        name)
                            : interfaces_bring_up(state, managed, call->deadline_usec, error);
        else
                r = interface->is_active ? interfaces_take_down(state, managed, call->deadline_usec, error)
                                         : error_set(error, ERROR_OPERATION_INVALID,
                                                     "The interface '%s' is not up", name);
        interfaces_changing_end(state);
        return r;
}

int interfaces_create(Call *call, HostInterface *interface, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "Create", flags, 0);

        return r < 0 ? r : change_state(call, interface, true, error);
}

int interfaces_destroy(Call *call, HostInterface *interface, uint32_t flags, Error *error)
{
        int r = error_check_flags(error, "Destroy", flags, 0);

        return r < 0 ? r : change_state(call, interface, false, error);
}

int interfaces_get_xml_desc(Call *call, HostInterface *interface, uint32_t flags, char **ret_xml,
                            Error *error)
{
        const struct InterfaceState *state = call->driver->interfaces;
        const Managed *managed = (const Managed *)interface;
        _cleanup_(host_interface_freep) HostInterfaceDefinition *live = NULL;
        int r = error_check_flags(error, "GetXMLDesc", flags, XML_INACTIVE);

        if (r < 0)
                return r;
        if (managed->definition && (flags & XML_INACTIVE || !managed->index)) {
                *ret_xml = host_interface_format(managed->definition, DEFINITION_INACTIVE);
                return 0;
        }
        live = links_describe(state->links, managed->index);
        *ret_xml = host_interface_format(live, flags & XML_INACTIVE ? DEFINITION_INACTIVE : 0);
        return 0;
}
