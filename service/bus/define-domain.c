/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Machines from definitions: by XML in both families, by native values in ours, to keep or for one run. All
 * of it comes down to two functions of the driver. */

#include "bus/define.h"
#include "bus/find.h"
#include "bus/options.h"
#include "handlers.h"
#include <string.h>

static const InterfaceAction define_actions[] = {
        { "org.libvirt.api.domain.write", -1, 0, false },
        { "org.libvirt.api.domain.save", -1, 0, false },
        {},
};

static const InterfaceAction create_actions[] = {
        { "org.libvirt.api.domain.write", -1, 0, false },
        { "org.libvirt.api.domain.start", -1, 0, false },
        {},
};

static int parse(CallFrame *frame, const char *xml, DomainDefinition **ret_definition, Error *error)
{
        int r = find_check_kind(frame, OBJECT_DOMAIN, error);

        return r < 0 ? r
                     : domain_definition_parse(xml, strlen(xml), DEFINITION_INACTIVE, ret_definition, error);
}

static int parse_native(CallFrame *frame, GVariant *values, DomainDefinition **ret_definition, Error *error)
{
        int r = find_check_kind(frame, OBJECT_DOMAIN, error);

        return r < 0 ? r : domain_definition_from_variant(values, ret_definition, error);
}

/* Takes the definition over. */
static int define(CallFrame *frame, DomainDefinition *definition, Domain **ret_domain, Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned = definition;
        _cleanup_(object_unrefp) Object *existing = NULL;
        int r = define_claim(frame, OBJECT_DOMAIN, definition->name, definition->uuid, define_actions,
                             JOB_MODIFY, &existing, error);

        if (r < 0)
                return r;
        return frame->path.driver->type->define_domain(&frame->call, (Domain *)existing, TAKE_PTR(owned),
                                                       ret_domain, error);
}

/* Takes the definition over. */
static int create(CallFrame *frame, DomainDefinition *definition, uint32_t flags, const int *fds,
                  size_t n_fds, Domain **ret_domain, Error *error) AWAITS
{
        _cleanup_(domain_definition_freep) DomainDefinition *owned = definition;
        _cleanup_(object_unrefp) Object *existing = NULL;
        int r = define_claim(frame, OBJECT_DOMAIN, definition->name, definition->uuid, create_actions,
                             JOB_START, &existing, error);

        if (r < 0)
                return r;
        return frame->path.driver->type->create_domain(&frame->call, (Domain *)existing, TAKE_PTR(owned),
                                                       flags, fds, n_fds, ret_domain, error);
}

int connect_domain_define_xml(CallFrame *frame, const char *xml, Domain **ret_domain, Error *error)
{
        DomainDefinition *definition = NULL;
        int r = parse(frame, xml, &definition, error);

        return r < 0 ? r : define(frame, definition, ret_domain, error);
}

int connect_domain_create_xml_with_files(CallFrame *frame, const char *xml, const int *files, size_t n_files,
                                         uint32_t flags, Domain **ret_domain, Error *error)
{
        DomainDefinition *definition = NULL;
        int r = parse(frame, xml, &definition, error);

        return r < 0 ? r : create(frame, definition, flags, files, n_files, ret_domain, error);
}

int connect_domain_create_xml(CallFrame *frame, const char *xml, uint32_t flags, Domain **ret_domain,
                              Error *error)
{
        return connect_domain_create_xml_with_files(frame, xml, NULL, 0, flags, ret_domain, error);
}

/* Takes the definition over. */
static int define_native(CallFrame *frame, DomainDefinition *definition, bool replaces, Domain **ret_domain,
                         Error *error) AWAITS
{
        if (replaces)
                define_replace(frame, OBJECT_DOMAIN, definition->name, definition->uuid);
        return define(frame, definition, ret_domain, error);
}

int connect_native_define_xml(CallFrame *frame, const char *xml, GVariant *options, Domain **ret_domain,
                              Error *error)
{
        DomainDefinition *definition = NULL;
        bool replaces;
        int r = define_options_read(options, &replaces, error);

        if (r >= 0)
                r = parse(frame, xml, &definition, error);
        return r < 0 ? r : define_native(frame, definition, replaces, ret_domain, error);
}

int connect_native_create_xml(CallFrame *frame, const char *xml, GVariant *options, Domain **ret_domain,
                              Error *error)
{
        uint32_t flags;
        int r = start_options_read(options, &frame->call, &flags, error);

        return r < 0 ? r : connect_domain_create_xml(frame, xml, flags, ret_domain, error);
}

int connect_native_define_domain(CallFrame *frame, GVariant *values, GVariant *options, Domain **ret_domain,
                                 Error *error)
{
        DomainDefinition *definition = NULL;
        bool replaces;
        int r = define_options_read(options, &replaces, error);

        if (r >= 0)
                r = parse_native(frame, values, &definition, error);
        return r < 0 ? r : define_native(frame, definition, replaces, ret_domain, error);
}

int connect_native_create_domain(CallFrame *frame, GVariant *values, GVariant *options, Domain **ret_domain,
                                 Error *error)
{
        DomainDefinition *definition = NULL;
        uint32_t flags;
        int r = start_options_read(options, &frame->call, &flags, error);

        if (r >= 0)
                r = parse_native(frame, values, &definition, error);
        return r < 0 ? r : create(frame, definition, flags, NULL, 0, ret_domain, error);
}
