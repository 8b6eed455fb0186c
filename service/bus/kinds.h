/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the front end needs to know of each kind of object: how it is called when it is missing, which action
 * stands for seeing it, and by which details polkit's rules know it. */

#include "objects/object.h"

typedef struct KindFacts {
        ErrorCode missing;         /* ERROR_NO_DOMAIN ... */
        const char *title, *noun;  /* "Domain", "domain" */
        const char *see_action;    /* who may see that it exists */
        const char *search_action; /* who may list the kind at all; NULL: whoever sees the objects */
        const char *change_action; /* who may end what others began on it */
        const char *name_detail, *uuid_detail; /* NULL: rules do not know it by that */
} KindFacts;

/* For jobs and drivers the see_action is NULL: a job is seen by whoever sees its object, a driver by
 * everybody. Of jobs, and of snapshots, it is the object they are about that is changed. */
const KindFacts *kind_facts(ObjectKind kind);

/* Drivers and the manager: objects that are always there, for everybody, and belong to nobody. */
static inline bool kind_is_fixed(ObjectKind kind)
{
        return kind == OBJECT_CONNECT || kind == OBJECT_MANAGER;
}

/* Sets the error for an object that is not there (or not for this caller); `key` is "uuid", "name", "id".
 * Clients test for these texts. */
int kind_set_missing(Error *error, ObjectKind kind, const char *key, const char *value);
