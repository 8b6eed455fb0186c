/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finding objects for a caller: what the caller may not see is not there. */

#include "bus/call.h"

/* ERROR_NOT_SUPPORTED, naming the method, if the driver has no objects of the kind. */
int find_check_kind(const CallFrame *frame, ObjectKind kind, Error *error);
/* Gives `object` (NULL: nothing was found) if the caller sees it; else the error for one that is missing, in
 * which it is named by key and value. */
int find_object(CallFrame *frame, ObjectKind kind, const char *key, const char *value, Object *object,
                Object **ret_object, Error *error) AWAITS;
int find_by_uuid(CallFrame *frame, ObjectKind kind, const char *uuid, Object **ret_object,
                 Error *error) AWAITS;
/* The caller's own of that name comes before one of root or of somebody else. */
int find_by_name(CallFrame *frame, ObjectKind kind, const char *name, Object **ret_object,
                 Error *error) AWAITS;

/* The objects that the caller sees and that have, of every group of flags of which some are wanted, one that
 * is wanted. `flags_of` tells those of an object (NULL: no flags are known); `groups` ends with 0. */
typedef uint32_t (*FindFlags)(const Object *object);
int find_list(CallFrame *frame, ObjectKind kind, uint32_t wanted, const uint32_t *groups, FindFlags flags_of,
              GPtrArray **ret_objects, Error *error) AWAITS;

/* virConnectListAllNetworksFlags and, with the same numbers, virConnectListAllStoragePoolsFlags. */
enum {
        FIND_INACTIVE = 1 << 0,
        FIND_ACTIVE = 1 << 1,
        FIND_PERSISTENT = 1 << 2,
        FIND_TRANSIENT = 1 << 3,
        FIND_AUTOSTART = 1 << 4,
        FIND_NO_AUTOSTART = 1 << 5,
};
uint32_t find_life_flags(bool is_active, bool is_persistent, bool is_autostart);
extern const uint32_t find_life_groups[], find_no_groups[];

/* By what is neither a name nor a UUID; `key` says in the error what was looked for. */
typedef const char *(*FindText)(const Object *object);
int find_by_text(CallFrame *frame, ObjectKind kind, const char *key, const char *text, FindText text_of,
                 Object **ret_object, Error *error) AWAITS;
