/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drivers/host/host-service.h"

int host_service_ask(const Driver *driver, const ServiceMethod *method, GVariant *arguments,
                     const char *type, uint64_t deadline_usec, GVariant **ret_values, Error *error)
{
        _cleanup_(g_variant_unrefp) GVariant *values = NULL;
        int r = driver->service_call(method, arguments, deadline_usec, &values, error);

        if (r < 0)
                return r;
        if (!g_variant_is_of_type(values, G_VARIANT_TYPE(type)))
                return error_set(error, ERROR_OPERATION_FAILED, "%s answers %s with '%s', not '%s'",
                                 method->service, method->member, g_variant_get_type_string(values), type);
        *ret_values = TAKE_PTR(values);
        return 0;
}

int host_service_is_running(const Driver *driver, const char *service, uint64_t deadline_usec, Error *error)
{
        static const ServiceMethod method = { "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                              "org.freedesktop.DBus", "NameHasOwner" };
        _cleanup_(g_variant_unrefp) GVariant *reply = NULL;
        gboolean has_owner;
        int r;

        if (!driver->service_call)
                return 0;
        r = host_service_ask(driver, &method, g_variant_new("(s)", service), "(b)", deadline_usec, &reply,
                             error);
        if (r < 0)
                return r;
        g_variant_get(reply, "(b)", &has_owner);
        return has_owner;
}
