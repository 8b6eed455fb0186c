/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finds what the generator wrote (bus/interface.h) by name, in constant time. */

#include "bus/interface.h"

/* NULL if there is none of that name; objects of other kinds do not have it. */
const Interface *interface_find(const char *name, ObjectKind kind);
const InterfaceMethod *interface_find_method(const char *interface, const char *member, ObjectKind kind);
/* Its number among the interface's properties; negative if it has none of that name. */
int interface_find_property(const Interface *interface, const char *name);
/* The native interface of a kind, whose changes are announced; NULL if it has none. */
const Interface *interface_native(ObjectKind kind);
/* The org.libvirt interface of a kind; NULL if it has none. */
const Interface *interface_compatible(ObjectKind kind);
