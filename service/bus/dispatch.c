/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where messages come in. One callback for all of /org/libvirt takes the standard interfaces and refuses
 * arguments of wrong types in GDBus's words; the methods of our own interfaces go on to the generated
 * vtables, whose handlers end in call_dispatch() (bus/call.c). No object is registered with sd-bus: the
 * vtables ask object_find(). */

#include "bus/dispatch.h"
#include "bus/error-names.h"
#include "bus/front.h"
#include "bus/introspect.h"
#include "bus/lookup.h"
#include "bus/object-manager.h"
#include "bus/properties.h"
#include <string.h>

typedef int (*StandardHandler)(sd_bus_message *message, const char *member);

static int introspect_handler(sd_bus_message *message, const char *member)
{
        (void)member; /* there is only one */
        return introspect_dispatch(message);
}

static int managed_handler(sd_bus_message *message, const char *member)
{
        (void)member;
        return object_manager_dispatch(message);
}

static const struct {
        const char *interface, *member, *signature;
        StandardHandler handler;
        bool only_at_front;
} standard_methods[] = {
        { PROPERTIES_INTERFACE, "Get", "ss", properties_dispatch, false },
        { PROPERTIES_INTERFACE, "GetAll", "s", properties_dispatch, false },
        { PROPERTIES_INTERFACE, "Set", "ssv", properties_dispatch, false },
        { INTROSPECTABLE_INTERFACE, "Introspect", "", introspect_handler, false },
        { OBJECT_MANAGER_INTERFACE, "GetManagedObjects", "", managed_handler, true },
};

/* Returns 1 if the arguments are of the types that they should be of, 0 if an error was answered. */
static int signature_check(sd_bus_message *message, const char *expected)
{
        const char *signature = sd_bus_message_get_signature(message, true);
        int r;

        if (strcmp(signature, expected) == 0)
                return 1;
        r = error_reply_named(message, ERROR_NAME_INVALID_ARGS,
                              "Type of message, “(%s)”, does not match expected type “(%s)”", signature,
                              expected);
        return r < 0 ? r : 0;
}

static int message_arrived(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        const char *interface = sd_bus_message_get_interface(message);
        const char *member = sd_bus_message_get_member(message);
        const InterfaceMethod *method;
        ObjectPath path;
        int r;

        (void)data;
        (void)ret_error; /* errors are answered where they are found */
        if (!interface || !member || object_path_parse(sd_bus_message_get_path(message), &path) < 0)
                return 0;
        for (size_t i = 0; i < G_N_ELEMENTS(standard_methods); i++) {
                if (strcmp(standard_methods[i].member, member) != 0 ||
                    strcmp(standard_methods[i].interface, interface) != 0 ||
                    (standard_methods[i].only_at_front && path.kind != OBJECT_MANAGER))
                        continue;
                r = signature_check(message, standard_methods[i].signature);
                return r > 0 ? standard_methods[i].handler(message, member) : r < 0 ? r : 1;
        }
        method = interface_find_method(interface, member, path.kind);
        if (!method)
                return 0;
        r = signature_check(message, method->in_signature);
        return r > 0 ? 0 : r < 0 ? r : 1;
}

/* Whether an interface is at a path: by the path's form. What is there, the call finds out. */
static int object_find(sd_bus *bus, const char *path, const char *interface, void *data, void **ret_found,
                       sd_bus_error *ret_error)
{
        const Interface *described = data;
        ObjectPath parsed;

        (void)bus;
        (void)interface;
        (void)ret_error;
        if (object_path_parse(path, &parsed) < 0 || parsed.kind != described->kind)
                return 0;
        *ret_found = NULL;
        return 1;
}

/* At any other path there is nothing, which GDBus calls an unknown method; sd-bus calls it an unknown object
 * unless somebody looks after the path. */
static int elsewhere_arrived(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        (void)message, (void)data, (void)ret_error;
        return 0;
}

int dispatch_install(sd_bus *bus, Error *error)
{
        int r;

        r = sd_bus_add_fallback(bus, NULL, "/", elsewhere_arrived, NULL);
        if (r >= 0)
                r = sd_bus_add_fallback(bus, NULL, FRONT_PATH, message_arrived, NULL);
        for (size_t i = 0; r >= 0 && i < n_interfaces; i++)
                r = sd_bus_add_fallback_vtable(bus, NULL, FRONT_PATH, interfaces[i]->name,
                                               interfaces[i]->vtable, object_find, (void *)interfaces[i]);
        if (r < 0)
                return error_set_errno(error, r, "Cannot put the objects on the bus");
        return 0;
}
