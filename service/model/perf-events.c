/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "model/perf-events.h"
#include <string.h>

DEFINE_ENUM(perf_kind, PERF_KINDS);

int perf_kind_find(const char *name, Error *error)
{
        int kind = enum_from_string(&perf_kind_table, name);

        return kind >= 0 ? kind
                         : error_set(error, ERROR_INVALID_ARGUMENT,
                                     "There is no event '%s' that could be counted", name);
}

bool perf_is_wanted(const DomainDefinition *definition, PerfKind kind)
{
        LIST_FOREACH (event, definition->perf_events) {
                if (strcmp(event->name, perf_kind_to_string(kind)) == 0)
                        return event->enabled == YES;
        }
        return false;
}

static void tell_perf(const DomainDefinition *definition, GVariantBuilder *values)
{
        for (unsigned i = 0; i < PERF_KIND_COUNT; i++)
                g_variant_builder_add(values, "{sv}", perf_kind_to_string((PerfKind)i),
                                      g_variant_new_boolean(perf_is_wanted(definition, (PerfKind)i)));
}

static int take_perf(DomainDefinition *definition, const char *name, GVariant *value, Error *error)
{
        PerfEvent *wanted = NULL;
        int r = perf_kind_find(name, error);

        if (r >= 0 && !g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
                r = error_set(error, ERROR_INVALID_ARGUMENT, "%s is of type b", name);
        if (r < 0)
                return r;
        LIST_FOREACH (event, definition->perf_events) {
                if (strcmp(event->name, name) == 0)
                        wanted = event;
        }
        if (!wanted) {
                wanted = g_new0(PerfEvent, 1);
                wanted->name = g_strdup(name);
                list_append(&definition->perf_events, wanted);
        }
        wanted->enabled = g_variant_get_boolean(value) ? YES : NO;
        return 0;
}

const GrantKind grants_perf = { tell_perf, take_perf };
