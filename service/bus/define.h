/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The beginning of every call that makes an object from a definition, or changes the one that has its UUID
 * already: DomainDefineXML, NetworkCreateXML, SecretDefineXML ... */

#include "bus/call.h"
#include "core/uuid.h"

/* The options of the native methods. */
int define_options_read(GVariant *options, bool *ret_replaces, Error *error);
/* With the option replace: who defines by name alone means the object that has it, of those that are the
 * caller's own. Gives a definition without a UUID that one's. */
void define_replace(const CallFrame *frame, ObjectKind kind, const char *name, char uuid[UUID_STRING_MAX]);

/* Finds the object of that UUID ("": none), asks whether the caller may do `actions` with it, or with a new
 * one of this name, and takes its turn at it. Gives NULL for a new one, else a counted reference. A name
 * that is in use is the driver's to refuse. */
int define_claim(CallFrame *frame, ObjectKind kind, const char *name, const char *uuid,
                 const InterfaceAction *actions, JobKind job, Object **ret_existing, Error *error) AWAITS;
