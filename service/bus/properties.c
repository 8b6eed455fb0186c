/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Get, GetAll and Set. They are not left to sd-bus because its vtables can neither ask about rights before a
 * value is set, nor leave a property out of GetAll whose value cannot be had, nor put two variants around
 * the values of the org.libvirt family, and because clients know GDBus's words for what is wrong. Getters
 * read memory and never wait. */

#include "bus/properties.h"
#include "bus/call.h"
#include "bus/error-names.h"
#include "bus/fault.h"
#include "bus/lookup.h"
#include "bus/visible.h"
#include <errno.h>
#include <string.h>

/* Opens the variant of a value: two of them for an entry of the old family's GetAll. */
static int variant_open(sd_bus_message *message, const char *signature, bool is_double)
{
        int r = 0;

        if (is_double)
                r = sd_bus_message_open_container(message, 'v', "v");
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'v', signature);
        return r;
}

static int variant_close(sd_bus_message *message, bool is_double)
{
        int r;

        r = sd_bus_message_close_container(message);
        if (r >= 0 && is_double)
                r = sd_bus_message_close_container(message);
        return r;
}

static int entry_append(sd_bus_message *message, const Interface *interface,
                        const InterfaceProperty *property, Object *object)
{
        _cleanup_(error_clear) Error error = {};
        int r;

        r = sd_bus_message_open_container(message, 'e', "sv");
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(message, 's', property->name);
        if (r < 0)
                return r;
        r = variant_open(message, property->signature, interface->is_compatible);
        if (r < 0)
                return r;
        r = property->get(object, message, &error);
        if (r < 0)
                return r;
        r = variant_close(message, interface->is_compatible);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(message);
}

int properties_append(sd_bus_message *message, const Interface *interface, Object *object, uint64_t skipped,
                      uint64_t *ret_failed)
{
        int r;

        r = sd_bus_message_open_container(message, 'a', "{sv}");
        if (r < 0)
                return r;
        for (size_t i = 0; i < interface->n_properties; i++) {
                if (skipped & UINT64_C(1) << i)
                        continue;
                r = entry_append(message, interface, &interface->properties[i], object);
                if (r < 0) {
                        *ret_failed = UINT64_C(1) << i;
                        return r;
                }
        }
        return sd_bus_message_close_container(message);
}

uint64_t properties_hidden(Caller *caller, const Interface *interface, const Object *object)
{
        const InterfaceAction *checked = NULL;
        uint64_t hidden = 0;
        bool may = true;

        if (!caller || caller->is_root)
                return 0;
        for (size_t i = 0; i < interface->n_properties; i++) {
                const InterfaceAction *actions = interface->properties[i].get_actions;

                if (actions != checked) /* neighbours often have the same */
                        may = visible_may_known(caller, object, actions);
                checked = actions;
                if (!may)
                        hidden |= UINT64_C(1) << i;
        }
        return hidden;
}

/* 1, and the bits of the properties that the caller may not read. */
static int unreadable_properties(CallFrame *frame, const Interface *interface, uint64_t *ret_bits,
                                 Error *error) AWAITS
{
        const InterfaceAction *checked = NULL;
        uint64_t bits = 0;
        int r = 0;

        for (size_t i = 0; i < interface->n_properties; i++) {
                const InterfaceAction *actions = interface->properties[i].get_actions;

                /* Most have the same: asked once. */
                if (actions != checked) {
                        _cleanup_(error_clear) Error refused = {};

                        r = call_authorise(frame, actions, &refused);
                        if (r < 0 && refused.code != ERROR_ACCESS_DENIED) {
                                error_move(error, &refused);
                                return r;
                        }
                        checked = actions;
                }
                if (r < 0)
                        bits |= UINT64_C(1) << i;
        }
        *ret_bits = bits;
        return 1;
}

/* 0: there is no such object, for which the old family answers with no properties. */
static int find_for_all(const Interface *interface, CallFrame *frame, Error *error)
{
        int r = call_require_object(frame, error);

        if (r >= 0)
                return 1;
        if (!interface->is_compatible || r == -EBUSY)
                return r;
        error_clear(error);
        return 0;
}

static int get_all(CallFrame *frame, const void *data, Error *error) AWAITS
{
        const Interface *interface = data;
        uint64_t skipped = UINT64_MAX, failed = 0;
        int r;

        r = call_find_object(frame, error);
        if (r < 0)
                return r;
        r = find_for_all(interface, frame, error);
        if (r > 0)
                r = unreadable_properties(frame, interface, &skipped, error);
        if (r > 0)
                r = find_for_all(interface, frame, error);
        if (r < 0)
                return r;
        if (r == 0)
                skipped = UINT64_MAX;
        do {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

                skipped |= failed;
                failed = 0;
                r = sd_bus_message_new_method_return(frame->message, &reply);
                if (r >= 0)
                        r = properties_append(reply, interface, frame->object, skipped, &failed);
                if (r >= 0)
                        return call_reply(frame, reply);
        } while (failed != 0); /* a getter that fails makes it begin again without that property */
        return r;
}

static int get_one(CallFrame *frame, const void *data, Error *error) AWAITS
{
        const InterfaceProperty *property = data;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = call_authorise_for_object(frame, property->get_actions, error);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_return(frame->message, &reply);
        if (r >= 0)
                r = variant_open(reply, property->signature, false);
        if (r >= 0)
                r = property->get(frame->object, reply, error);
        if (r >= 0)
                r = variant_close(reply, false);
        if (r < 0)
                return r;
        return call_reply(frame, reply);
}

/* Goes to the value of a Set, inside its variant. */
static int value_enter(sd_bus_message *message, const char *signature)
{
        int r;

        r = sd_bus_message_rewind(message, true);
        if (r >= 0)
                r = sd_bus_message_skip(message, "ss");
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'v', signature);
        return r;
}

static int set_one(CallFrame *frame, const void *data, Error *error) AWAITS
{
        const InterfaceProperty *property = data;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        frame->actions = property->set_actions;
        r = call_authorise_for_object(frame, property->set_actions, error);
        if (r >= 0)
                r = call_take_job(frame, frame->object, property->set_job, property->name, error);
        if (r >= 0)
                r = fault_meet(frame, frame->interface, property->name, error);
        if (r >= 0)
                r = call_require_object(frame, error);
        if (r >= 0)
                r = value_enter(frame->message, property->signature);
        if (r >= 0)
                r = property->set(frame, frame->object, frame->message, error);
        if (r >= 0)
                r = sd_bus_message_new_method_return(frame->message, &reply);
        if (r < 0)
                return r;
        return call_reply(frame, reply);
}

/* What a call names, as far as the message is well formed; the strings are the message's. */
typedef struct Named {
        const char *interface_name, *property_name;
        const Interface *interface;
        const InterfaceProperty *property;
} Named;

/* Returns 1 if that exists, 0 if an error was answered. */
static int named_find(sd_bus_message *message, bool has_property, Named *ret_named)
{
        ObjectPath path;
        Named named = {};
        int r, number;

        r = object_path_parse(sd_bus_message_get_path(message), &path);
        if (r >= 0)
                r = sd_bus_message_read_basic(message, 's', &named.interface_name);
        if (r >= 0 && has_property)
                r = sd_bus_message_read_basic(message, 's', &named.property_name);
        if (r < 0)
                return r;
        named.interface = interface_find(named.interface_name, path.kind);
        if (!named.interface) {
                r = error_reply_named(message, ERROR_NAME_INVALID_ARGS, "No such interface “%s”",
                                      named.interface_name);
                return r < 0 ? r : 0;
        }
        if (has_property) {
                number = interface_find_property(named.interface, named.property_name);
                if (number < 0) {
                        r = error_reply_named(message, ERROR_NAME_INVALID_ARGS, "No such property “%s”",
                                              named.property_name);
                        return r < 0 ? r : 0;
                }
                named.property = &named.interface->properties[number];
        }
        *ret_named = named;
        return 1;
}

/* Returns 1 if the property can be set to what the message holds, 0 if an error was answered. */
static int settable(sd_bus_message *message, const Named *named)
{
        const char *contents;
        char type;
        int r;

        if (!named->property->set) {
                r = error_reply_named(message, ERROR_NAME_INVALID_ARGS, "Property “%s” is not writable",
                                      named->property_name);
                return r < 0 ? r : 0;
        }
        r = sd_bus_message_peek_type(message, &type, &contents);
        if (r < 0)
                return r;
        if (strcmp(contents, named->property->signature) == 0)
                return 1;
        r = error_reply_named(message, ERROR_NAME_INVALID_ARGS,
                              "Error setting property “%s”: Expected type “%s” but got “%s”",
                              named->property_name, named->property->signature, contents);
        return r < 0 ? r : 0;
}

int properties_dispatch(sd_bus_message *message, const char *member)
{
        Named named;
        int r;

        if (strcmp(member, "GetAll") == 0) {
                r = named_find(message, false, &named);
                return r <= 0 ? (r < 0 ? r : 1)
                              : call_start(message, named.interface_name, member, get_all, named.interface);
        }
        r = named_find(message, true, &named);
        if (r > 0 && strcmp(member, "Get") == 0)
                return call_start(message, named.interface_name, member, get_one, named.property);
        if (r > 0)
                r = settable(message, &named);
        if (r > 0)
                return call_start(message, named.interface_name, named.property_name, set_one,
                                  named.property);
        return r < 0 ? r : 1;
}
