/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Network filters: lists, lookups and properties, for every driver that has them. */

#include "bus/define.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "handlers.h"
#include "objects/object.h"
#include <string.h>

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

int connect_nwfilter_define_xml(CallFrame *frame, const char *xml, NWFilter **ret_nwfilter, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.nwfilter.write", -1, 0, false },
                { "org.libvirt.api.nwfilter.save", -1, 0, false },
                {},
        };
        _cleanup_(filter_definition_freep) FilterDefinition *definition = NULL;
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        int r;

        if (!type->define_nwfilter)
                return call_not_supported(frame, error);
        r = filter_definition_parse(xml, strlen(xml), &definition, error);
        if (r >= 0)
                r = define_claim(frame, OBJECT_NWFILTER, definition->name, definition->uuid, actions,
                                 JOB_MODIFY, &existing, error);
        if (r < 0)
                return r;
        return type->define_nwfilter(&frame->call, (NWFilter *)existing, TAKE_PTR(definition), ret_nwfilter,
                                     error);
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
