/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values between D-Bus messages and GVariants, for what has no C type of its own: dictionaries, arrays of
 * structures, the arguments of signals. Basic types, strings and arrays of them are marshalled by the
 * generated code directly. */

#include "core/records.h"
#include "objects/object.h"
#include <systemd/sd-bus.h>

/* Appends `value`. With is_compatible the value of every dictionary entry of type v stands in two variants,
 * as libvirt-dbus writes them. Negative only for what a message cannot hold: a string that is no UTF-8 is
 * repaired. A floating value is consumed. File descriptors (type h) are not possible here: messages carry
 * their own. */
int marshal_append(sd_bus_message *message, GVariant *value, bool is_compatible);

/* Appends records as the signature says: a{sv} of one object, or a(sa{sv}) of many, each with its name. */
int marshal_append_records(sd_bus_message *message, const char *signature, const Records *records,
                           bool is_compatible);

/* An argument may be long, but each value in it costs memory many times its size: with more it is refused
 * (-E2BIG). An array of numbers is one value. */
#define MARSHAL_VALUES_MAX 65536

/* Reads one complete value of the type that `signature` names from where the message stands. */
int marshal_read(sd_bus_message *message, const char *signature, GVariant **ret_value);

/* Reads all that follows, as a tuple. */
int marshal_read_all(sd_bus_message *message, GVariant **ret_values);

/* Appends a string; a NULL is the empty string, bytes that are no UTF-8 are replaced. */
int marshal_append_string(sd_bus_message *message, const char *text);

/* An entry of an a{sv}; none if the value is NULL or empty. */
void marshal_entry_string(GVariantBuilder *entry, const char *key, const char *value);

/* An array of strings, to be freed with g_strfreev(). */
int marshal_read_strings(sd_bus_message *message, char ***ret_strings);
/* An array of descriptors, which stay the message's; the caller frees the array alone. */
int marshal_read_fds(sd_bus_message *message, int **ret_fds, size_t *ret_n);
/* The paths of an array of objects. */
int marshal_append_paths(sd_bus_message *message, const GPtrArray *objects);
