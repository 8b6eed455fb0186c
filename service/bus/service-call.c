/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls to other services, on the connection that serves our own objects. */

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

void service_call_open(const FrontEnd *front)
{
        if (!front->config->is_system)
                return;
        for (unsigned i = 0; i < front->drivers->len; i++)
                ((Driver *)front->drivers->pdata[i])->service_call = service_call;
}
