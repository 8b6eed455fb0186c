/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A definition names what it is about by its UUID. Whether the caller may is asked for that object, or for
 * one that will be the caller's, so that rules can go by its name and owner. */

#include "bus/define.h"
#include "bus/kinds.h"
#include "bus/options.h"
#include <string.h>

int define_options_read(GVariant *options, bool *ret_replaces, Error *error)
{
        static const Option known[] = { { "replace", 1, 0 }, {} };
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r >= 0)
                *ret_replaces = flags > 0;
        return r;
}

void define_replace(const CallFrame *frame, ObjectKind kind, const char *name, char uuid[UUID_STRING_MAX])
{
        const Object *named = object_table_owned(frame->path.driver->objects, kind, name, frame->call.owner);

        if (!uuid[0] && named)
                g_strlcpy(uuid, named->uuid, UUID_STRING_MAX);
}

int define_claim(CallFrame *frame, ObjectKind kind, const char *name, const char *uuid,
                 const InterfaceAction *actions, JobKind job, Object **ret_existing, Error *error)
{
        _cleanup_(object_unrefp) Object *existing = NULL;
        _cleanup_(freep) char *asked_name = NULL;
        int r;

        if (uuid[0])
                existing = object_table_by_uuid(frame->path.driver->objects, kind, uuid);
        if (!existing) {
                r = call_authorise_new(frame, actions, kind, name, uuid[0] ? uuid : NULL, error);
                if (r >= 0 && uuid[0] && object_table_by_uuid(frame->path.driver->objects, kind, uuid))
                        r = error_set(
                                error, ERROR_EXISTS,
                                "There is a %s with UUID %s already, which came while rights were asked for",
                                object_kind_to_string(kind), uuid);
                if (r < 0)
                        return r;
                *ret_existing = NULL;
                return 0;
        }
        object_ref(existing);
        r = call_authorise_object(frame, actions, existing, error);
        if (r >= 0)
                asked_name = g_strdup(existing->name);
        if (r >= 0)
                r = call_take_job(frame, existing, job, frame->member, error);
        if (r >= 0 && existing->is_gone)
                r = kind_set_missing(error, kind, "uuid", existing->uuid);
        if (r >= 0)
                r = object_check_name(existing, asked_name, error);
        if (r < 0)
                return r;
        *ret_existing = TAKE_PTR(existing);
        return 0;
}
