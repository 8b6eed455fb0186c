/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all of the front end stands on: the drivers, the callers, who decides about rights, and the
 * connections. There is one front end in the process. It is reached through front_end() because the handlers
 * in sd-bus's tables know nothing but the message. */

#include "auth/authority.h"
#include "driver.h"

typedef struct FrontEnd {
        const Config *config;
        GPtrArray *drivers; /* of Driver *, borrowed, in the order of their names on the bus */
        Driver *manager;    /* stands for the daemon itself: its object is /org/libvirt */
        CallerTable *callers;
        Authority *authority;
        sd_bus *bus;      /* the message bus */
        GPtrArray *peers; /* of sd_bus *: connections to the private socket */
        char **names;     /* of the bus that are ours */
        uint64_t started_usec;
        uint64_t n_calls, n_errors, n_signals; /* since the start */
} FrontEnd;

FrontEnd *front_end(void);

/* What an object path says; nothing of it needs to exist but the driver. */
typedef struct ObjectPath {
        Driver *driver;
        ObjectKind kind;
        const char *id; /* points into the path: what stands behind the kind, "" for the kind itself */
        bool is_kind;   /* /org/libvirt/QEMU/domain */
} ObjectPath;

#define FRONT_PATH "/org/libvirt"

/* -ENOENT if no object can be there: another prefix, no such driver or kind, or deeper than an object. */
int object_path_parse(const char *path, ObjectPath *ret_path);
/* The UUID in an id of a kind that has one, in its usual form; false if it is none. */
bool object_path_uuid(const ObjectPath *path, char ret_uuid[static UUID_STRING_MAX]);
/* Sets the error for an object that is not there. */
int object_path_set_missing(const ObjectPath *path, Error *error);
/* Borrowed; NULL if there is none. */
Object *object_path_lookup(const ObjectPath *parsed, const char *path);
