/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The only place that knows D-Bus error names. Everything else speaks of an ErrorCode; here it becomes a
 * name by the family of the interface that was called. libvirt-dbus has a single name, org.libvirt.Error,
 * for all that libvirt reports, and clients test for it; Cockpit tells a refused call by D-Bus's own
 * AccessDenied. */

#include "bus/error-names.h"
#include <string.h>

#define COMPATIBLE_PREFIX "org.libvirt."
#define COMPATIBLE_NAME   "org.libvirt.Error"
#define ACCESS_DENIED     "org.freedesktop.DBus.Error.AccessDenied"

static const char *const native_names[_ERROR_MAX] = {
        [ERROR_NONE] = "org.virtbus1.Error.Internal",
        [ERROR_INTERNAL] = "org.virtbus1.Error.Internal",
        [ERROR_INVALID_ARGUMENT] = "org.virtbus1.Error.InvalidArgument",
        [ERROR_INVALID_XML] = "org.virtbus1.Error.InvalidXML",
        [ERROR_CONFIG_UNSUPPORTED] = "org.virtbus1.Error.ConfigUnsupported",
        [ERROR_NOT_SUPPORTED] = "org.freedesktop.DBus.Error.NotSupported",
        [ERROR_ACCESS_DENIED] = ACCESS_DENIED,
        [ERROR_NO_OBJECT] = "org.virtbus1.Error.NoObject",
        [ERROR_NO_DOMAIN] = "org.virtbus1.Error.NoDomain",
        [ERROR_NO_SNAPSHOT] = "org.virtbus1.Error.NoSnapshot",
        [ERROR_NO_NETWORK] = "org.virtbus1.Error.NoNetwork",
        [ERROR_NO_INTERFACE] = "org.virtbus1.Error.NoInterface",
        [ERROR_NO_NODE_DEVICE] = "org.virtbus1.Error.NoNodeDevice",
        [ERROR_NO_NWFILTER] = "org.virtbus1.Error.NoNWFilter",
        [ERROR_NO_SECRET] = "org.virtbus1.Error.NoSecret",
        [ERROR_NO_STORAGE_POOL] = "org.virtbus1.Error.NoStoragePool",
        [ERROR_NO_STORAGE_VOLUME] = "org.virtbus1.Error.NoStorageVolume",
        [ERROR_NO_METADATA] = "org.virtbus1.Error.NoMetadata",
        [ERROR_NO_DEVICE] = "org.virtbus1.Error.NoDevice",
        [ERROR_NO_JOB] = "org.virtbus1.Error.NoJob",
        [ERROR_EXISTS] = "org.virtbus1.Error.Exists",
        [ERROR_OPERATION_INVALID] = "org.virtbus1.Error.OperationInvalid",
        [ERROR_OPERATION_FAILED] = "org.virtbus1.Error.OperationFailed",
        [ERROR_BUSY] = "org.virtbus1.Error.Busy",
        [ERROR_TIMED_OUT] = "org.virtbus1.Error.TimedOut",
        [ERROR_CANCELLED] = "org.virtbus1.Error.Cancelled",
        [ERROR_AGENT_UNAVAILABLE] = "org.virtbus1.Error.AgentUnavailable",
        [ERROR_NO_SPACE] = "org.virtbus1.Error.NoSpace",
        [ERROR_LIMITS_EXCEEDED] = "org.freedesktop.DBus.Error.LimitsExceeded",
};

bool interface_is_compatible(const char *interface)
{
        return interface && strncmp(interface, COMPATIBLE_PREFIX, sizeof COMPATIBLE_PREFIX - 1) == 0;
}

const char *error_name(ErrorCode code, const char *interface)
{
        if (code < 0 || code >= _ERROR_MAX)
                code = ERROR_INTERNAL;
        if (interface_is_compatible(interface) && code != ERROR_ACCESS_DENIED &&
            code != ERROR_LIMITS_EXCEEDED)
                return COMPATIBLE_NAME;
        return native_names[code];
}

static bool wants_reply(sd_bus_message *call)
{
        return sd_bus_message_get_expect_reply(call) > 0;
}

static int reply_send(sd_bus_message *call, const char *name, const char *text)
{
        /* What a tool or a guest said may be no UTF-8, which a message must be. */
        _cleanup_(freep) char *valid = g_utf8_make_valid(text, -1);
        const sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(name, valid);

        return sd_bus_reply_method_error(call, &error);
}

int error_reply(sd_bus_message *call, const char *interface, const Error *error, int errnum)
{
        if (!wants_reply(call))
                return 0;
        if (!error_is_set(error))
                return reply_send(call, error_name(ERROR_INTERNAL, interface), g_strerror(ABS(errnum)));
        return reply_send(call, error_name(error->code, interface), error->message);
}

int error_reply_named(sd_bus_message *call, const char *name, const char *format, ...)
{
        _cleanup_(freep) char *text = NULL;
        va_list arguments;

        if (!wants_reply(call))
                return 0;
        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        return reply_send(call, name, text);
}
