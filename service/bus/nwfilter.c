/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Network filters: lists, lookups and properties, for every driver that has them. */

#include "objects/nwfilter.h"
#include "bus/define.h"
#include "bus/find.h"
#include "bus/marshal.h"
#include "bus/options.h"
#include "handlers.h"
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

/* Takes the definition over. */
static int define(CallFrame *frame, FilterDefinition *owned, NWFilter **ret_nwfilter, Error *error)
{
        static const InterfaceAction actions[] = {
                { "org.libvirt.api.nwfilter.write", -1, 0, false },
                { "org.libvirt.api.nwfilter.save", -1, 0, false },
                {},
        };
        _cleanup_(filter_definition_freep) FilterDefinition *definition = owned;
        _cleanup_(object_unrefp) Object *existing = NULL;
        const DriverType *type = frame->path.driver->type;
        int r;

        if (!type->define_nwfilter)
                return call_not_supported(frame, error);
        r = define_claim(frame, OBJECT_NWFILTER, definition->name, definition->uuid, actions, JOB_MODIFY,
                         &existing, error);
        if (r < 0)
                return r;
        return type->define_nwfilter(&frame->call, (NWFilter *)existing, TAKE_PTR(definition), ret_nwfilter,
                                     error);
}

int connect_nwfilter_define_xml(CallFrame *frame, const char *xml, NWFilter **ret_nwfilter, Error *error)
{
        FilterDefinition *definition;
        int r = filter_definition_parse(xml, strlen(xml), &definition, error);

        return r < 0 ? r : define(frame, definition, ret_nwfilter, error);
}

int connect_native_define_filter(CallFrame *frame, GVariant *values, GVariant *options,
                                 NWFilter **ret_filter, Error *error)
{
        FilterDefinition *definition;
        bool replaces;
        int r = define_options_read(options, &replaces, error);

        if (r >= 0)
                r = filter_definition_from_variant(values, &definition, error);
        if (r < 0)
                return r;
        if (replaces)
                define_replace(frame, OBJECT_NWFILTER, definition->name, definition->uuid);
        return define(frame, definition, ret_filter, error);
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

int nwfilter_native_get_xml(CallFrame *frame, NWFilter *filter, GVariant *options, char **ret_xml,
                            Error *error)
{
        static const Option known[] = { {} };
        const DriverOperations *operations = frame->path.driver->operations;
        uint32_t flags;
        int r = options_read(options, known, &flags, error);

        if (r < 0)
                return r;
        return operations->nwfilter.get_xml_desc(&frame->call, filter, 0, ret_xml, error);
}

int nwfilter_native_get_definition(CallFrame *frame, NWFilter *filter, GVariant *options,
                                   GVariant **ret_definition, Error *error)
{
        _cleanup_(filter_definition_freep) FilterDefinition *definition = NULL;
        _cleanup_(freep) char *xml = NULL;
        int r = nwfilter_native_get_xml(frame, filter, options, &xml, error);

        if (r >= 0)
                r = filter_definition_parse(xml, strlen(xml), &definition, error);
        if (r >= 0)
                *ret_definition = g_variant_ref_sink(filter_definition_to_variant(definition));
        return r;
}

int nwfilter_native_property_owner(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "u", (uint32_t)object->owner);
}

int nwfilter_native_property_chain(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_string(reply, ((NWFilter *)object)->chain);
}

int nwfilter_native_property_priority(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return sd_bus_message_append(reply, "i", ((NWFilter *)object)->priority);
}

int nwfilter_native_property_origin(Object *object, sd_bus_message *reply, Error *error)
{
        const NWFilter *filter = (NWFilter *)object;

        (void)error;
        return marshal_append_string(reply, !filter->is_shipped   ? "user"
                                            : filter->is_modified ? "modified"
                                                                  : "shipped");
}

int nwfilter_native_property_used_by(Object *object, sd_bus_message *reply, Error *error)
{
        (void)error;
        return marshal_append_paths(reply, ((NWFilter *)object)->users);
}
