/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Of a running machine, the kernel says yes first (drivers/network/shaper.h). */

#include "drivers/qemu/interface-limits.h"
#include "drivers/network/ports.h"
#include "drivers/network/shaper.h"
#include "drivers/qemu/command/device.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/plug.h"
#include "drivers/qemu/status.h"
#include "model/interface-tune.h"

#define PARAM_STRING (1 << 2) /* VIR_TYPED_PARAM_STRING_OKAY: none of them is a text */

static int check_there(const Domain *domain, const DomainDefinition *definition, const char *name,
                       Error *error)
{
        return interface_tune_find(definition, name)
                       ? 0
                       : error_set(error, ERROR_INVALID_ARGUMENT,
                                   "The %s has no interface '%s': its device on the host or "
                                   "its hardware address is expected",
                                   object_describe(&domain->object), name);
}

int qemu_domain_get_interface_parameters(Call *call, Domain *domain, const char *device, uint32_t flags,
                                         GVariant **ret_values, Error *error)
{
        const DomainDefinition *definition;
        DomainInterface *shown;
        int r = impact_choose(domain, "GetInterfaceParameters", PARAM_STRING, &flags, error);

        (void)call;
        if (r < 0)
                return r;
        definition = impact_definition(domain, flags);
        r = check_there(domain, definition, device, error);
        if (r < 0)
                return r;
        shown = struct_copy(&domain_interface_type, interface_tune_find(definition, device));
        if (definition == domain->live)
                networks_show_port(domain->object.driver, domain->object.owner, shown);
        *ret_values = g_variant_ref_sink(interface_tune_tell(shown->bandwidth));
        (void)struct_free(&domain_interface_type, shown);
        return 0;
}

/* The definition's interface gets them. */
static int change_definition(DomainDefinition *definition, const char *name, GVariant *values, Error *error)
{
        DomainInterface *interface = interface_tune_find(definition, name);
        Bandwidth *bandwidth = NULL;
        int r = interface_tune_take(interface, values, &bandwidth, error);

        if (r < 0)
                return r;
        struct_free(&bandwidth_type, interface->bandwidth);
        interface->bandwidth = bandwidth;
        return impact_check(definition, error);
}

static int change_live(Domain *domain, DomainDefinition *changed, const char *name, Error *error) AWAITS
{
        uint64_t run = machine_of(domain)->run;
        DomainInterface *interface = interface_tune_find(changed, name), *live;
        _cleanup_(freep) char *what = g_strdup_printf("interface '%s'", name);
        int r = domain_check_active(domain, error);

        if (r >= 0)
                r = interface_bandwidth_check(interface, error);
        if (r >= 0)
                r = shaper_check(interface->bandwidth, what, error);
        if (r >= 0 && !interface->target)
                r = error_set(error, ERROR_OPERATION_INVALID, "The %s has no device on the host", what);
        if (r >= 0)
                r = plug_limit(domain, interface, error);
        if (r < 0)
                return r;
        live = domain->live && machine_of(domain)->run == run ? interface_tune_find(domain->live, name)
                                                              : NULL;
        if (!live)
                return error_set(error, ERROR_OPERATION_FAILED, "The interface '%s' is gone", name);
        struct_free(&bandwidth_type, live->bandwidth);
        live->bandwidth = TAKE_PTR(interface->bandwidth);
        return status_save(domain, error);
}

int qemu_domain_set_interface_parameters(Call *call, Domain *domain, const char *device, GVariant *values,
                                         uint32_t flags, Error *error)
{
        _cleanup_(domain_definition_freep) DomainDefinition *live = NULL, *kept = NULL;
        int r = impact_choose(domain, "SetInterfaceParameters", PARAM_STRING, &flags, error);

        (void)call;
        if (r >= 0 && flags & AFFECT_LIVE)
                r = check_there(domain, domain->live, device, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = check_there(domain, domain->definition, device, error);
        if (r >= 0 && flags & AFFECT_LIVE) {
                live = domain_definition_copy(domain->live);
                qemu_show_live(domain, live); /* what is not changed stays as it is */
                r = change_definition(live, device, values, error);
        }
        if (r >= 0 && flags & AFFECT_CONFIG) {
                kept = domain_definition_copy(domain->definition);
                r = change_definition(kept, device, values, error);
        }
        if (r >= 0 && kept)
                r = impact_begin(domain, kept, error);
        if (r < 0)
                return r;
        if (live)
                r = change_live(domain, live, device, error);
        return kept ? impact_end(domain, &kept, r) : r;
}
