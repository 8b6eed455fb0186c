/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Of a running machine, the kernel says yes first (drivers/network/shaper.h). An average of 0 takes a
 * direction's limit away. */

#include "drivers/qemu/interface-limits.h"
#include "drivers/network/macvtap.h"
#include "drivers/network/shaper.h"
#include "drivers/qemu/command/device.h"
#include "drivers/qemu/impact.h"
#include "drivers/qemu/status.h"
#include <string.h>

#define PARAM_STRING (1 << 2) /* VIR_TYPED_PARAM_STRING_OKAY: none of them is a text */

static const struct {
        const char *key;
        size_t direction, value, has_value;
} limits[] = {
#define LIMIT(key, direction, member)                                                                       \
        {                                                                                                   \
                key, offsetof(Bandwidth, direction), offsetof(BandwidthLimit, member),                      \
                        offsetof(BandwidthLimit, has_##member)                                              \
        }
        LIMIT("inbound.average", inbound, average),   LIMIT("inbound.peak", inbound, peak),
        LIMIT("inbound.burst", inbound, burst),       LIMIT("inbound.floor", inbound, floor),
        LIMIT("outbound.average", outbound, average), LIMIT("outbound.peak", outbound, peak),
        LIMIT("outbound.burst", outbound, burst),
#undef LIMIT
};

static DomainInterface *find(const DomainDefinition *definition, const char *name)
{
        LIST_FOREACH (interface, definition->devices.interfaces) {
                if (g_strcmp0(interface->target, name) == 0 || g_ascii_strcasecmp(interface->mac, name) == 0)
                        return interface;
        }
        return NULL;
}

static int check_there(const Domain *domain, const DomainDefinition *definition, const char *name,
                       Error *error)
{
        return find(definition, name) ? 0
                                      : error_set(error, ERROR_INVALID_ARGUMENT,
                                                  "The %s has no interface '%s': its device on the host or "
                                                  "its hardware address is expected",
                                                  object_describe(&domain->object), name);
}

static BandwidthLimit **direction_at(Bandwidth *bandwidth, size_t i)
{
        return (BandwidthLimit **)((char *)bandwidth + limits[i].direction);
}

int qemu_domain_get_interface_parameters(Call *call, Domain *domain, const char *device, uint32_t flags,
                                         GVariant **ret_values, Error *error)
{
        const DomainDefinition *definition;
        Bandwidth none = {}, *bandwidth;
        GVariantBuilder values;
        int r = impact_choose(domain, "GetInterfaceParameters", PARAM_STRING, &flags, error);

        (void)call;
        if (r < 0)
                return r;
        definition = impact_definition(domain, flags);
        r = check_there(domain, definition, device, error);
        if (r < 0)
                return r;
        bandwidth = find(definition, device)->bandwidth;
        g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
                const char *limit = (const char *)*direction_at(bandwidth ? bandwidth : &none, i);
                uint64_t value = limit ? *(const uint64_t *)(limit + limits[i].value) : 0;

                g_variant_builder_add(&values, "{sv}", limits[i].key,
                                      g_variant_new_uint32((guint32)MIN(value, UINT32_MAX)));
        }
        *ret_values = g_variant_ref_sink(g_variant_builder_end(&values));
        return 0;
}

static int set_limit(void *target, const char *key, GVariant *value, Error *error)
{
        Bandwidth *bandwidth = target;

        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
                BandwidthLimit **limit = direction_at(bandwidth, i);

                if (strcmp(limits[i].key, key) != 0)
                        continue;
                if (!g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
                        return error_set(error, ERROR_INVALID_ARGUMENT, "%s is of type u", key);
                if (!*limit)
                        *limit = g_new0(BandwidthLimit, 1);
                *(uint64_t *)((char *)*limit + limits[i].value) = g_variant_get_uint32(value);
                *(bool *)((char *)*limit + limits[i].has_value) = g_variant_get_uint32(value) > 0;
                return 0;
        }
        return error_set(error, ERROR_INVALID_ARGUMENT, "There is no parameter '%s'", key);
}

/* The interface's limits with the values in them, NULL if none is left. */
static int change(const DomainInterface *interface, GVariant *values, Bandwidth **ret_bandwidth,
                  Error *error)
{
        Bandwidth *bandwidth = interface->bandwidth ? struct_copy(&bandwidth_type, interface->bandwidth)
                                                    : struct_new(&bandwidth_type);
        int r = impact_take(values, set_limit, bandwidth, error);

        for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) { /* those that begin a direction decide */
                BandwidthLimit **limit = direction_at(bandwidth, i);

                if (*limit && !(*limit)->has_average && !(*limit)->has_floor)
                        g_clear_pointer(limit, g_free);
        }
        if (r < 0 || (!bandwidth->inbound && !bandwidth->outbound))
                bandwidth = struct_free(&bandwidth_type, bandwidth);
        if (r >= 0)
                *ret_bandwidth = bandwidth;
        return r;
}

/* The definition's interface gets them. */
static int change_definition(DomainDefinition *definition, const char *name, GVariant *values, Error *error)
{
        DomainInterface *interface = find(definition, name);
        Bandwidth *bandwidth = NULL;
        int r = change(interface, values, &bandwidth, error);

        if (r < 0)
                return r;
        struct_free(&bandwidth_type, interface->bandwidth);
        interface->bandwidth = bandwidth;
        return impact_check(definition, error);
}

static int change_live(Call *call, Domain *domain, DomainDefinition *changed, const char *name,
                       Error *error) AWAITS
{
        uint64_t run = machine_of(domain)->run, deadline_usec = call->deadline_usec;
        DomainInterface *interface = find(changed, name), *live;
        _cleanup_(freep) char *lower = interface->target ? macvtap_lower(interface->target) : NULL;
        int r = interface_bandwidth_check(interface, error);

        if (r >= 0 && (!interface->target || lower))
                r = error_set(error, ERROR_OPERATION_INVALID, "The interface '%s' has no tap on the host",
                              name);
        if (r >= 0)
                r = shaper_set(interface->target, interface->bandwidth, deadline_usec, error);
        live = domain->live && machine_of(domain)->run == run ? find(domain->live, name) : NULL;
        if (r < 0) {
                if (live) /* back to what it was */
                        (void)shaper_set(live->target, live->bandwidth, deadline_usec, NULL);
                return r;
        }
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

        if (r >= 0 && flags & AFFECT_LIVE)
                r = check_there(domain, domain->live, device, error);
        if (r >= 0 && flags & AFFECT_CONFIG)
                r = check_there(domain, domain->definition, device, error);
        if (r >= 0 && flags & AFFECT_LIVE) {
                live = domain_definition_copy(domain->live);
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
                r = change_live(call, domain, live, device, error);
        return kept ? impact_end(domain, &kept, r) : r;
}
