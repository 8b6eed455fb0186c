/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls to other services, and what they say, on the connection that serves our own objects. */

#include "bus/service-call.h"
#include "bus/marshal.h"
#include "core/await.h"
#include <errno.h>

static int append_all(sd_bus_message *message, GVariant *arguments)
{
        size_t n = arguments ? g_variant_n_children(arguments) : 0;
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                _cleanup_(g_variant_unrefp) GVariant *child = g_variant_get_child_value(arguments, i);

                r = marshal_append(message, child, false);
        }
        return r;
}

static int service_call(const ServiceMethod *method, GVariant *arguments, uint64_t deadline_usec,
                        GVariant **ret_values, Error *error) AWAITS
{
        _cleanup_(g_variant_unrefp) GVariant *own = arguments ? g_variant_ref_sink(arguments) : NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        sd_bus *bus = front_end()->bus;
        int r = sd_bus_message_new_method_call(bus, &message, method->service, method->path,
                                               method->interface, method->member);

        if (r >= 0)
                r = sd_bus_message_set_auto_start(message, false);
        if (r >= 0)
                r = append_all(message, own);
        if (r < 0)
                return error_set_errno(error, r, "Cannot ask %s for %s", method->service, method->member);
        r = await_bus_call(bus, message, deadline_usec, &reply, error);
        if (r < 0 || !ret_values)
                return r;
        r = marshal_read_all(reply, ret_values);
        return r < 0 ? error_set_errno(error, r, "%s of %s answers what cannot be read", method->member,
                                       method->service)
                     : 0;
}

typedef struct Watch {
        void (*changed)(void *data);
        void *data;
} Watch;

static int watched(sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
        const Watch *watch = data;

        (void)message, (void)ret_error;
        watch->changed(watch->data);
        return 0;
}

static int watch_rule(const char *rule, const Watch *watch)
{
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
        Watch *own = g_memdup2(watch, sizeof *watch);
        int r = sd_bus_add_match_async(front_end()->bus, &slot, rule, watched, NULL, own);

        if (r < 0) {
                g_free(own);
                return r;
        }
        (void)sd_bus_slot_set_destroy_callback(slot, g_free); /* these two fail for no slot only */
        (void)sd_bus_slot_set_floating(slot, true);
        return 0;
}

static int service_watch(const ServiceMethod *signal, void (*changed)(void *data), void *data, Error *error)
{
        const Watch watch = { changed, data };
        _cleanup_(freep) char *said =
                g_strdup_printf("type='signal',sender='%s',path='%s',interface='%s',member='%s'",
                                signal->service, signal->path, signal->interface, signal->member);
        _cleanup_(freep) char *owner = g_strdup_printf(
                "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                "member='NameOwnerChanged',arg0='%s'",
                signal->service);
        int r = watch_rule(said, &watch);

        if (r >= 0)
                r = watch_rule(owner, &watch);
        return r < 0 ? error_set_errno(error, r, "Cannot watch %s", signal->service) : 0;
}

void service_call_open(const FrontEnd *front)
{
        if (!front->config->is_system)
                return;
        for (unsigned i = 0; i < front->drivers->len; i++) {
                Driver *driver = front->drivers->pdata[i];

                driver->service_call = service_call;
                driver->service_watch = service_watch;
        }
}
