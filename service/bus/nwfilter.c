/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Network filters: lists, lookups and properties, for every driver that has them. */

#include "bus/find.h"
#include "bus/marshal.h"
#include "handlers.h"
#include "objects/object.h"

int connect_list_nwfilters(CallFrame *frame, uint32_t flags, GPtrArray **ret_filters, Error *error)
{
        return find_list(frame, OBJECT_NWFILTER, flags, find_no_groups, NULL, ret_filters, error);
}

int connect_nwfilter_lookup_by_name(CallFrame *frame, const char *name, NWFilter **ret_nwfilter,
                                    Error *error)
{
        return find_by_name(frame, OBJECT_NWFILTER, name, (Object **)ret_nwfilter, error);
}

int connect_nwfilter_lookup_by_uuid(CallFrame *frame, const char *uuid, NWFilter **ret_nwfilter,
                                    Error *error)
{
        return find_by_uuid(frame, OBJECT_NWFILTER, uuid, (Object **)ret_nwfilter, error);
}

int nwfilter_property_name(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->name);
}

int nwfilter_property_uuid(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, object->uuid);
}
