/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GetManagedObjects: everything of all drivers in one answer, from memory, without a question for each
 * object. The answer is built straight into the message; its size is watched, as a bus throws a service off
 * that sends it a message above its limit. */

#include "bus/object-manager.h"
#include "bus/call.h"
#include "bus/lookup.h"
#include "bus/properties.h"
#include "bus/visible.h"
#include <string.h>

/* dbus-daemon takes 32 MiB on the system bus; what cannot be known of the encoding has room in the
 * difference. */
#define REPLY_SIZE_MAX (28u * 1024 * 1024)
/* An object's share without its texts, generously. */
#define OBJECT_SIZE 2048u

/* Getters of the native family do not fail; should one do so all the same, its property is left out of all
 * objects of the kind: by kind, a bit for each property. */
typedef struct Skipped {
        uint64_t bits[_OBJECT_KIND_MAX];
} Skipped;

static int append_interfaces(sd_bus_message *message, Caller *caller, Object *object, Skipped *skipped)
{
        const Interface *native = interface_native(object->kind);
        uint64_t failed = 0;
        int r;

        r = sd_bus_message_open_container(message, 'a', "{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'e', "sa{sv}");
        if (r >= 0)
                r = sd_bus_message_append_basic(message, 's', native->name);
        if (r >= 0)
                r = properties_append(
                        message, native, object,
                        skipped->bits[object->kind] | properties_hidden(caller, native, object), &failed);
        if (failed != 0) {
                skipped->bits[object->kind] |= failed;
                return -EAGAIN;
        }
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r;
}

int object_manager_append_interfaces(sd_bus_message *message, Caller *caller, Object *object)
{
        Skipped skipped = {};

        return append_interfaces(message, caller, object, &skipped);
}

/* What an object adds to the answer, at most. */
static size_t object_size(const Object *object)
{
        size_t size = OBJECT_SIZE + strlen(object->path) + (object->name ? strlen(object->name) : 0);

        if (object->kind == OBJECT_DOMAIN) {
                const DomainDefinition *definition = domain_current_definition((const Domain *)object);

                size += definition->title ? strlen(definition->title) : 0;
                size += definition->description ? strlen(definition->description) : 0;
        }
        return size;
}

static int append_object(sd_bus_message *message, Caller *caller, Object *object, Skipped *skipped)
{
        int r;

        r = sd_bus_message_open_container(message, 'e', "oa{sa{sv}}");
        if (r >= 0)
                r = sd_bus_message_append_basic(message, 'o', object->path);
        if (r >= 0)
                r = append_interfaces(message, caller, object, skipped);
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r;
}

static int append_objects(sd_bus_message *message, Caller *caller, const GPtrArray *objects,
                          Skipped *skipped)
{
        int r;

        r = sd_bus_message_open_container(message, 'a', "{oa{sa{sv}}}");
        for (unsigned i = 0; r >= 0 && i < objects->len; i++) {
                Object *object = objects->pdata[i];

                if (!object->is_gone) /* since the list was made, another question may have been waited for
                                       */
                        r = append_object(message, caller, object, skipped);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r;
}

/* What the caller may read of the driver's objects, asked once instead of for each. */
static int ask_for_all(CallFrame *frame, const Driver *driver, const Interface *native, Error *error) AWAITS
{
        const InterfaceAction *asked = NULL;

        for (size_t i = 0; i < native->n_properties; i++) {
                const InterfaceAction *actions = native->properties[i].get_actions;
                int r = 0;

                if (actions != asked)
                        r = visible_ask_for_all(frame->caller, driver, actions, frame->call.deadline_usec,
                                                error);
                if (r < 0)
                        return r;
                asked = actions;
        }
        return 0;
}

/* Adds to `objects` what the caller sees of one driver. */
static int collect(CallFrame *frame, Driver *driver, GPtrArray *objects, Error *error) AWAITS
{
        if (interface_native(driver->object.kind))
                g_ptr_array_add(objects, object_ref(&driver->object));
        for (ObjectKind kind = 0; kind < _OBJECT_KIND_MAX; kind++) {
                _cleanup_(g_ptr_array_unrefp) GPtrArray *list = NULL;
                int r;

                if (!interface_native(kind) || object_table_count(driver->objects, kind) == 0)
                        continue;
                r = visible_list(frame->caller, driver, kind, frame->call.deadline_usec, &list, error);
                if (r >= 0)
                        r = ask_for_all(frame, driver, interface_native(kind), error);
                if (r < 0)
                        return r;
                for (unsigned i = 0; i < list->len; i++)
                        g_ptr_array_add(objects, object_ref(list->pdata[i]));
        }
        return 0;
}

static int check_size(const CallFrame *frame, const GPtrArray *objects, Error *error)
{
        size_t size = 0;

        for (unsigned i = 0; i < objects->len; i++)
                size += object_size(objects->pdata[i]);
        if (size <= REPLY_SIZE_MAX || frame->caller->is_peer)
                return 0;
        return error_set(
                error, ERROR_LIMITS_EXCEEDED,
                "The %u objects need about %zu MiB, more than a message of the bus may have: list them by "
                "driver, or ask on the private socket",
                objects->len, size / 1024 / 1024);
}

static int managed_objects(CallFrame *frame, const void *data, Error *error) AWAITS
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *objects = g_ptr_array_new_with_free_func(object_release);
        const GPtrArray *drivers = front_end()->drivers;
        Skipped skipped = {};
        int r;

        (void)data;
        if (interface_native(OBJECT_MANAGER))
                g_ptr_array_add(objects, object_ref(&front_end()->manager->object));
        for (unsigned i = 0; i < drivers->len; i++) {
                r = collect(frame, drivers->pdata[i], objects, error);
                if (r < 0)
                        return r;
        }
        r = check_size(frame, objects, error);
        if (r < 0)
                return r;
        do {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

                r = sd_bus_message_new_method_return(frame->message, &reply);
                if (r >= 0)
                        r = append_objects(reply, frame->caller, objects, &skipped);
                if (r >= 0)
                        return call_reply(frame, reply);
        } while (r == -EAGAIN);
        return r;
}

int object_manager_dispatch(sd_bus_message *message)
{
        return call_start(message, OBJECT_MANAGER_INTERFACE, "GetManagedObjects", managed_objects, NULL);
}
