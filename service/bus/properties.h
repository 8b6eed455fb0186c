/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* org.freedesktop.DBus.Properties of both families. */

#include "auth/caller.h"
#include "bus/interface.h"

#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"

/* Interfaces have at most this many properties: sets of them are bits of a number. */
#define PROPERTIES_MAX 64

/* A call of the interface at a path where objects may be. */
int properties_dispatch(sd_bus_message *message, const char *member);

/* The properties that the caller is not known to be allowed to read, a bit for each; from memory alone.
 * NULL: nobody in particular, as on a session's bus, where nothing is hidden. */
uint64_t properties_hidden(Caller *caller, const Interface *interface, const Object *object);

/* Appends {name: value}, as a{sv}, for every property of the interface but those in `skipped` (a bit for
 * each, in the interface's order). If a getter fails the message is of no use any longer, and *ret_failed is
 * the property's bit. */
int properties_append(sd_bus_message *message, const Interface *interface, Object *object, uint64_t skipped,
                      uint64_t *ret_failed);
