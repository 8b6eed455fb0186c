/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Devices without XML: a kind and a dictionary, or the alias of one that is there. The drivers' operations
 * take elements, which are made here; what they say of them is the same for both families. */

#include "bus/call.h"
#include "handlers.h"
#include "model/device-change.h"

#define OPERATIONS(frame) (&(frame)->path.driver->operations->domain)

enum { AFFECT_CONFIG = 1 << 1 };

/* "disk", "interface" ... as a device is called in a definition. */
static int find_kind(const char *name, DeviceKind *ret_kind, Error *error)
{
        int kind = device_kind_from_string(name);

        if (kind < 0)
                return error_set(error, ERROR_INVALID_ARGUMENT,
                                 "'%s' is no kind of device: disk, interface, controller, rng ... are",
                                 name);
        *ret_kind = (DeviceKind)kind;
        return 0;
}

static char *to_xml(const Device *device)
{
        return struct_to_xml(device_kind_type(device->kind), device->object,
                             device_kind_to_string(device->kind), DEFINITION_SECURE);
}

/* The names that all devices have, or will have at the next start. */
static int find(const Domain *domain, const char *alias, DomainDefinition **ret_definition,
                Device *ret_device, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition =
                domain_definition_copy(domain_current_definition(domain));
        int r;

        domain_definition_assign_aliases(definition);
        r = device_find_alias(definition, alias, ret_device, error);
        if (r >= 0)
                *ret_definition = TAKE_PTR(definition);
        return r;
}

/* What the kept definition has in the place of a device of the one that runs. */
static int find_kept(const Domain *domain, const char *xml, DomainDefinition **ret_definition,
                     Device *ret_device, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition =
                domain->is_persistent && domain->definition ? domain_definition_copy(domain->definition)
                                                            : NULL;
        _cleanup_(device_element_clear) DeviceElement element = {};
        int r = device_element_parse(xml, DEFINITION_WANTED | DEFINITION_INACTIVE, &element, error);

        if (r >= 0 && !definition)
                r = error_set(error, ERROR_OPERATION_INVALID, "The %s has no persistent definition",
                              object_describe(&domain->object));
        if (r >= 0)
                r = device_find(definition, &element, ret_device, error);
        if (r >= 0)
                *ret_definition = TAKE_PTR(definition);
        return r;
}

static bool is_empty(GVariant *value)
{
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
                return !*g_variant_get_string(value, NULL);
        return g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT) && g_variant_n_children(value) == 0;
}

/* What is empty takes out what was there. */
static GVariant *merge(GVariant *device, GVariant *changes)
{
        GVariantDict merged;
        GVariantIter at;
        GVariant *value;
        const char *key;

        g_variant_dict_init(&merged, device);
        g_variant_iter_init(&at, changes);
        while (g_variant_iter_next(&at, "{&sv}", &key, &value)) {
                if (!is_empty(value) || !g_variant_dict_remove(&merged, key))
                        g_variant_dict_insert_value(&merged, key, value);
                g_variant_unref(value);
        }
        return g_variant_ref_sink(g_variant_dict_end(&merged));
}

typedef struct Search {
        const DomainDefinition *before;
        DeviceKind kind;
        const char *alias;
} Search;

static int is_new(const Device *device, void *data)
{
        Search *search = data;
        Device old;

        if (device->kind != search->kind || !device->info->alias ||
            device_find_alias(search->before, device->info->alias, &old, NULL) >= 0)
                return 0;
        search->alias = device->info->alias;
        return 1;
}

/* The caller frees; empty if nothing runs that has it. */
static char *new_alias(const Domain *domain, const DomainDefinition *before, DeviceKind kind)
{
        Search search = { .before = before, .kind = kind };

        if (before && domain->live)
                (void)device_foreach(domain->live, is_new, &search); /* the search has the answer */
        return g_strdup(search.alias ? search.alias : "");
}

int domain_native_attach_device(CallFrame *frame, Domain *domain, const char *name, GVariant *values,
                                uint32_t flags, char **ret_alias, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *before =
                domain->live ? domain_definition_copy(domain->live) : NULL;
        _cleanup_(device_element_clear) DeviceElement element = {};
        _cleanup_(freep) char *xml = NULL;
        int r;

        r = find_kind(name, &element.kind, error);
        if (r >= 0)
                r = struct_from_variant(device_kind_type(element.kind), values, &element.object, error);
        if (r < 0)
                return r;
        xml = to_xml(&(Device){ .kind = element.kind, .object = element.object });
        r = OPERATIONS(frame)->attach_device(&frame->call, domain, xml, flags, error);
        if (r >= 0)
                *ret_alias = new_alias(domain, before, element.kind);
        return r;
}

int domain_native_detach_device(CallFrame *frame, Domain *domain, const char *alias, uint32_t flags,
                                Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL;
        _cleanup_(freep) char *xml = NULL;
        Device device;
        int r;

        r = find(domain, alias, &definition, &device, error);
        if (r < 0)
                return r;
        xml = to_xml(&device);
        return OPERATIONS(frame)->detach_device(&frame->call, domain, xml, flags, error);
}

int domain_native_update_device(CallFrame *frame, Domain *domain, const char *alias, GVariant *changes,
                                uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *definition = NULL, *kept = NULL;
        _cleanup_(device_element_clear) DeviceElement element = {};
        _cleanup_(freep) char *old = NULL, *new = NULL;
        GVariant *was, *is;
        Device device;
        int r;

        r = find(domain, alias, &definition, &device, error);
        if (r < 0)
                return r;
        old = to_xml(&device);
        if (flags & AFFECT_CONFIG && domain->live) /* what was found for this run is no part of it */
                r = find_kept(domain, old, &kept, &device, error);
        if (r < 0)
                return r;
        was = g_variant_ref_sink(struct_to_variant(device_kind_type(device.kind), device.object));
        is = merge(was, changes);
        element.kind = device.kind;
        r = struct_from_variant(device_kind_type(device.kind), is, &element.object, error);
        g_variant_unref(was);
        g_variant_unref(is);
        if (r < 0)
                return r;
        new = to_xml(&(Device){ .kind = element.kind, .object = element.object });
        return OPERATIONS(frame)->update_device(&frame->call, domain, new, flags, error);
}
