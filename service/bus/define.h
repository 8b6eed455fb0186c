/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The beginning of every call that makes an object from a definition, or changes the one that has its UUID
 * already: DomainDefineXML, NetworkCreateXML, SecretDefineXML ... */

#include "bus/call.h"

/* Finds the object of that UUID ("": none), asks whether the caller may do `actions` with it, or with a new
 * one of this name, and takes its turn at it. Gives NULL for a new one, else a counted reference. A name
 * that is in use is the driver's to refuse. */
int define_claim(CallFrame *frame, ObjectKind kind, const char *name, const char *uuid,
                 const InterfaceAction *actions, JobKind job, Object **ret_existing, Error *error) AWAITS;
