/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists and lookups of all kinds. Whether an object is there and whether this caller sees it is one question
 * here, so that the answers cannot differ. */

#include "bus/find.h"
#include "bus/kinds.h"
#include "bus/visible.h"
#include "core/uuid.h"

int find_check_kind(const CallFrame *frame, ObjectKind kind, Error *error)
{
        return frame->path.driver->type->kinds & 1u << kind ? 0 : call_not_supported(frame, error);
}

int find_object(CallFrame *frame, ObjectKind kind, const char *key, const char *value, Object *object,
                Object **ret_object, Error *error)
{
        ObjectPath path = { .driver = frame->path.driver, .kind = kind, .id = "" };
        _cleanup_(object_unrefp) Object *found = object ? object_ref(object) : NULL;
        Sight sight;
        int r;

        r = visible_check(frame->caller, &path, found, frame->call.deadline_usec, &sight, error);
        if (r < 0)
                return r;
        if (!found || found->is_gone || sight != SIGHT_YES)
                return kind_set_missing(error, kind, key, value);
        *ret_object = TAKE_PTR(found);
        return 0;
}

int find_by_uuid(CallFrame *frame, ObjectKind kind, const char *text, Object **ret_object, Error *error)
{
        char uuid[UUID_STRING_MAX];
        int r = find_check_kind(frame, kind, error);

        if (r < 0)
                return r;
        if (!uuid_parse(text, uuid))
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "'%s' is no UUID: 32 hexadecimal digits are expected", text);
        return find_object(frame, kind, "uuid", uuid,
                           object_table_by_uuid(frame->path.driver->objects, kind, uuid), ret_object, error);
}

int find_by_name(CallFrame *frame, ObjectKind kind, const char *name, Object **ret_object, Error *error)
{
        int r = find_check_kind(frame, kind, error);

        if (r < 0)
                return r;
        return find_object(frame, kind, "name", name,
                           object_table_by_name(frame->path.driver->objects, kind, name, frame->call.owner),
                           ret_object, error);
}

static bool is_listed(uint32_t flags, uint32_t wanted, const uint32_t *groups)
{
        for (; *groups; groups++)
                if (wanted & *groups && !(wanted & *groups & flags))
                        return false;
        return true;
}

int find_list(CallFrame *frame, ObjectKind kind, uint32_t wanted, const uint32_t *groups, FindFlags flags_of,
              GPtrArray **ret_objects, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *seen = NULL, *listed = NULL;
        uint32_t known = 0;
        int r;

        for (const uint32_t *group = groups; *group; group++)
                known |= *group;
        r = find_check_kind(frame, kind, error);
        if (r >= 0)
                r = error_check_flags(error, frame->member, wanted, known);
        if (r >= 0)
                r = visible_list(frame->caller, frame->path.driver, kind, frame->call.deadline_usec, &seen,
                                 error);
        if (r < 0)
                return r;
        listed = g_ptr_array_new_with_free_func(object_release);
        for (unsigned i = 0; i < seen->len; i++)
                if (wanted == 0 || is_listed(flags_of(seen->pdata[i]), wanted, groups))
                        g_ptr_array_add(listed, object_ref(seen->pdata[i]));
        *ret_objects = TAKE_PTR(listed);
        return 0;
}

const uint32_t find_no_groups[] = { 0 };
const uint32_t find_life_groups[] = { FIND_ACTIVE | FIND_INACTIVE, FIND_PERSISTENT | FIND_TRANSIENT,
                                      FIND_AUTOSTART | FIND_NO_AUTOSTART, 0 };

uint32_t find_life_flags(bool is_active, bool is_persistent, bool is_autostart)
{
        return (is_active ? FIND_ACTIVE : FIND_INACTIVE) |
               (is_persistent ? FIND_PERSISTENT : FIND_TRANSIENT) |
               (is_autostart ? FIND_AUTOSTART : FIND_NO_AUTOSTART);
}

int find_by_text(CallFrame *frame, ObjectKind kind, const char *key, const char *text, FindText text_of,
                 Object **ret_object, Error *error)
{
        _cleanup_(g_ptr_array_unrefp) GPtrArray *objects = NULL;
        Object *found = NULL;
        int r = find_check_kind(frame, kind, error);

        if (r < 0)
                return r;
        objects = object_table_list(frame->path.driver->objects, kind);
        for (unsigned i = 0; !found && i < objects->len; i++)
                if (g_strcmp0(text_of(objects->pdata[i]), text) == 0)
                        found = objects->pdata[i];
        return find_object(frame, kind, key, text, found, ret_object, error);
}
