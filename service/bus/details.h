/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What polkit is told about the object of a question: by these details administrators write their rules. */

#include "auth/authority.h"
#include "bus/front.h"

#define DETAILS_MAX 8

typedef struct Details {
        AuthorityDetail list[DETAILS_MAX]; /* ends with a NULL key */
        char owner[64];
        char uuid[UUID_STRING_MAX];
        char *copies[DETAILS_MAX]; /* of the list's values */
} Details;

void details_clear(Details *details);

/* Of all objects of a driver: connect_driver alone. */
void details_of_driver(Details *details, const Driver *driver);
/* Of something that the caller is about to make and that will be `owner`'s. */
int details_of_new(Details *details, const Driver *driver, uid_t owner) AWAITS;
int details_of_object(Details *details, const Object *object) AWAITS;
/* The same without waiting: false if the owner's name has never been looked up, so that no question about
 * the object can have been asked. */
bool details_of_object_known(Details *details, const Object *object);
/* Of a path at which nothing is: as many as can be known, so that the question is like that for an object.
 */
void details_of_path(Details *details, const ObjectPath *path);
/* Adds what a definition says that is not an object yet. Copies. */
void details_set_identity(Details *details, ObjectKind kind, const char *name, const char *uuid);
