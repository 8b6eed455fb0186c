/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The D-Bus names of errors, and error replies. The org.libvirt family has one name for nearly everything,
 * as its clients know it; in the native family the name says what went wrong. */

#include "core/error.h"
#include <systemd/sd-bus.h>

#define ERROR_NAME_INVALID_ARGS   "org.freedesktop.DBus.Error.InvalidArgs"
#define ERROR_NAME_UNKNOWN_METHOD "org.freedesktop.DBus.Error.UnknownMethod"

/* True for "org.libvirt.Domain" and its like, where clients expect libvirt-dbus's errors and variants. */
bool interface_is_compatible(const char *interface);

/* The name for an error of a call to `interface`. Static text. */
const char *error_name(ErrorCode code, const char *interface);

/* Answers the call with the error; nothing if the caller wants no reply. An error that was not set is
 * answered as an internal one, with the text of `errnum` (may be negative). */
int error_reply(sd_bus_message *call, const char *interface, const Error *error, int errnum);

/* The same with a name of the D-Bus specification or of GDBus. */
int error_reply_named(sd_bus_message *call, const char *name, const char *format, ...) _printf_(3, 4);
